"""The parametric activation, PA1 and PA2: each unit learns a strength α of its activation σ.

With α = 0 a unit is the identity, with α = 1 it is σ.

Source: Holzmüller, Grinsztajn and Steinwart 2024, "Better by default: strong pre-tuned MLPs and
boosted trees on tabular data", NeurIPS (RealMLP).
"""

from collections.abc import Callable

from chainrule.equations._array import Array, namespace


def parametric_activation(
    A_prev: Array, strengths: Array, sigma: Callable[[Array], Array]
) -> Array:
    """PA1: A[l] = A[l−1] + α[l] ⊙ (σ(A[l−1]) − A[l−1]).

    Parameters
    ----------
    A_prev : array (n[l], m)
        Activations of the layer below, which has the same number of units.
    strengths : array (n[l], 1)
        α.
    sigma : callable
        σ, an element-wise activation.

    Returns
    -------
    A : array (n[l], m)
    """
    return A_prev + strengths * (sigma(A_prev) - A_prev)


def parametric_activation_error(
    delta: Array, A_prev: Array, strengths: Array, derivative: Callable[[Array], Array]
) -> Array:
    """PA1 derivative: ∂C/∂A[l−1] = δ[l] ⊙ (1 + α[l] ⊙ (σ′(A[l−1]) − 1)).

    Parameters
    ----------
    delta : array (n[l], m)
    A_prev : array (n[l], m)
    strengths : array (n[l], 1)
        α.
    derivative : callable
        σ′.

    Returns
    -------
    grad_A_prev : array (n[l], m)
    """
    return delta * (1.0 + strengths * (derivative(A_prev) - 1.0))


def strength_gradient(delta: Array, A_prev: Array, sigma: Callable[[Array], Array]) -> Array:
    """PA2: ∂C/∂α[l] = δ[l] ⊙ (σ(a[l−1]) − a[l−1]); over the batch, the mean of its columns.

    Parameters
    ----------
    delta : array (n[l], m)
    A_prev : array (n[l], m)
    sigma : callable
        σ.

    Returns
    -------
    d_strengths : array (n[l], 1)
    """
    xp = namespace(delta)
    return xp.mean(delta * (sigma(A_prev) - A_prev), axis=1, keepdims=True)
