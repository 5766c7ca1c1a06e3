"""The costs C1 to C3 of one example, each with ∇ₐC, and how examples combine into J.

The long way (∇ₐC, then BP1) divides by a and by 1 − a. Both are kept at or above the smallest
normal number, so that a saturated output gives a huge finite gradient and never 0/0. The fused
forms (`chainrule.equations.fused_pairs`) need no such guard: prefer them where they exist. The
costs for targets with outliers are in `chainrule.equations.robust_costs`, the focal ones in
`chainrule.equations.focal`.
"""

from chainrule.equations._array import Array, namespace
from chainrule.equations._numerics import positive


def mean_squared_error(A: Array, Y: Array) -> Array:
    """C1: C = ½ Σⱼ (yⱼ − aⱼ)².

    Parameters
    ----------
    A, Y : array (n[L], m)
        Outputs and targets.

    Returns
    -------
    C : array (m,)
        Cost of each example.
    """
    xp = namespace(A)
    return 0.5 * xp.sum((Y - A) ** 2, axis=0)


def mean_squared_error_gradient(A: Array, Y: Array) -> Array:
    """C1 gradient: ∇ₐC = a − y."""
    return A - Y


def binary_cross_entropy(A: Array, Y: Array) -> Array:
    """C2: C = −Σⱼ [yⱼ log aⱼ + (1 − yⱼ) log(1 − aⱼ)].

    Parameters
    ----------
    A, Y : array (n[L], m)
        Outputs in (0, 1), targets in [0, 1].

    Returns
    -------
    C : array (m,)
    """
    xp = namespace(A)
    return -xp.sum(Y * xp.log(positive(A)) + (1 - Y) * xp.log(positive(1 - A)), axis=0)


def binary_cross_entropy_gradient(A: Array, Y: Array) -> Array:
    """C2 gradient: ∇ₐC = −y/a + (1 − y)/(1 − a)."""
    return -Y / positive(A) + (1 - Y) / positive(1 - A)


def cross_entropy(A: Array, Y: Array) -> Array:
    """C3: C = −Σₖ yₖ log aₖ.

    Parameters
    ----------
    A, Y : array (n[L], m)
        Outputs in (0, 1), targets ≥ 0 (one-hot, or a distribution).

    Returns
    -------
    C : array (m,)
    """
    xp = namespace(A)
    return -xp.sum(Y * xp.log(positive(A)), axis=0)


def cross_entropy_gradient(A: Array, Y: Array) -> Array:
    """C3 gradient: ∇ₐC = −y/a."""
    return -Y / positive(A)


def batch_cost(C: Array, weights: Array | None = None) -> Array:
    """J1: J = (1/m) Σ C; with example weights w, J = Σ w C / Σ w.

    Parameters
    ----------
    C : array (m,)
        Cost of each example.
    weights : array (m,), optional
        Non-negative, with a positive sum.

    Returns
    -------
    J : array, scalar
    """
    xp = namespace(C)
    if weights is None:
        return xp.mean(C)
    return xp.sum(weights * C) / xp.sum(weights)


def weighted_error(delta: Array, weights: Array) -> Array:
    """J2: δ ⊙ m w/Σw, so that the means of BP3 and BP4 become J1's weighted means.

    Parameters
    ----------
    delta : array (n, m)
    weights : array (m,)
        Non-negative, with a positive sum.

    Returns
    -------
    delta : array (n, m)
    """
    xp = namespace(delta)
    return delta * (weights * (weights.shape[0] / xp.sum(weights)))[None, :]
