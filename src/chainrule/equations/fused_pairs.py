"""The fused output errors FU1 to FU3, and the cost of each pair computed from Z.

With the matching output activation, the factors 1/a of the cost and σ′ cancel; in floating point
only the cancelled form is accurate at saturation. Likewise log σ(z) is computed as one function of
z, so that the cost is finite whenever Z is. FU4 and FU5 are in `chainrule.equations.focal`, and FU6
in `chainrule.equations.counts`.
"""

from chainrule.equations._array import Array, namespace
from chainrule.equations.activations.softmax import log_softmax
from chainrule.equations.activations.softplus import softplus
from chainrule.equations.costs import mean_squared_error


def softmax_cross_entropy_error(A: Array, Y: Array) -> Array:
    """FU1: δ[L] = a (Σₖ yₖ) − y for softmax + C3; = a − y when the targets sum to 1.

    Parameters
    ----------
    A, Y : array (n[L], m)

    Returns
    -------
    delta : array (n[L], m)
    """
    xp = namespace(A)
    return A * xp.sum(Y, axis=0, keepdims=True) - Y


def softmax_cross_entropy(Z: Array, Y: Array) -> Array:
    """FU1 cost: C = Σₖ yₖ (log Σⱼ e^{zⱼ} − zₖ), shifted by the column's own maximum.

    Parameters
    ----------
    Z, Y : array (n[L], m)

    Returns
    -------
    C : array (m,)
    """
    xp = namespace(Z)
    return xp.sum(Y * -log_softmax(Z), axis=0)


def sigmoid_binary_cross_entropy_error(A: Array, Y: Array) -> Array:
    """FU2: δ[L] = a − y for sigmoid + C2."""
    return A - Y


def sigmoid_binary_cross_entropy(Z: Array, Y: Array) -> Array:
    """FU2 cost: C = Σⱼ [y softplus(−z) + (1 − y) softplus(z)], with −log σ(z) = softplus(−z).

    This is a sum of non-negative terms; the shorter softplus(z) − y z would suffer from
    cancellation for confident correct outputs.

    Parameters
    ----------
    Z, Y : array (n[L], m)

    Returns
    -------
    C : array (m,)
    """
    xp = namespace(Z)
    return xp.sum(Y * softplus(-Z) + (1 - Y) * softplus(Z), axis=0)


def identity_mean_squared_error_error(A: Array, Y: Array) -> Array:
    """FU3: δ[L] = a − y for identity + C1."""
    return A - Y


def identity_mean_squared_error(Z: Array, Y: Array) -> Array:
    """FU3 cost: C = ½ Σⱼ (yⱼ − zⱼ)², C1 at A = Z."""
    return mean_squared_error(Z, Y)
