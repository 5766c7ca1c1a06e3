"""Dropout, DO1: in training, activations are dropped at random; in prediction, none are.

This is inverted dropout: the remaining activations are scaled up in training, so that the layer
above receives the same expectation in training and in prediction, and prediction needs no equation.
The factors M are an argument: the caller (`chainrule.network.random`) draws them.

Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014, "Dropout: a simple way to
prevent neural networks from overfitting", JMLR 15.
"""

from chainrule.equations._array import Array


def dropout(A_prev: Array, M: Array) -> Array:
    """DO1: A[l] = M ⊙ A[l−1], with M = 0 at probability p, else 1/(1 − p).

    Parameters
    ----------
    A_prev : array (n[l], m)
        Activations of the layer below; there are as many here.
    M : array (n[l], m)
        A factor for each unit and example, with expectation 1.

    Returns
    -------
    A : array (n[l], m)
    """
    return M * A_prev


def dropout_derivative(grad_A: Array, M: Array) -> Array:
    """DO1 derivative: ∂C/∂A[l−1] = M ⊙ ∂C/∂A[l].

    Parameters
    ----------
    grad_A : array (n[l], m)
        ∂C/∂A[l].
    M : array (n[l], m)
        The factors of the forward pass.

    Returns
    -------
    grad_A_prev : array (n[l], m)
    """
    return M * grad_A
