"""The forward pass: F1 and F2."""

from collections.abc import Callable

from chainrule.equations._array import Array


def pre_activation(W: Array, A_prev: Array, b: Array) -> Array:
    """F1: Z[l] = W[l] · A[l−1] + b[l].

    Parameters
    ----------
    W : array (n[l], n[l-1])
        Weights; row j holds the weights of unit j.
    A_prev : array (n[l-1], m)
        Activations of the layer below, with examples as columns.
    b : array (n[l], 1)
        Biases, broadcast over the m columns.

    Returns
    -------
    Z : array (n[l], m)
    """
    return W @ A_prev + b


def activation(sigma: Callable[[Array], Array], Z: Array) -> Array:
    """F2: A[l] = σ[l](Z[l]).

    Parameters
    ----------
    sigma : callable
        The activation of the layer, see `chainrule.equations.activations`.
    Z : array (n[l], m)

    Returns
    -------
    A : array (n[l], m)
    """
    return sigma(Z)
