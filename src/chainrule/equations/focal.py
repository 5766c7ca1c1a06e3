"""The focal costs C8 and C9 of one example, and their fused forms FU4 and FU5.

They are cross-entropies whose terms are multiplied by (1 − p)^γ, where p is the predicted
probability of the true class: examples that are classified well already have little weight, so that
the many easy examples of a rare-event table do not dominate the few hard ones. γ = 0 gives C2 and
C3 themselves.

Source: Lin, Goyal, Girshick, He and Dollár 2017, "Focal loss for dense object detection", ICCV.
"""

from chainrule.equations._array import Array, namespace
from chainrule.equations._numerics import positive
from chainrule.equations.activations.sigmoid import sigmoid
from chainrule.equations.activations.softmax import log_softmax, softmax
from chainrule.equations.activations.softplus import softplus


def _term(p: Array, rest: Array, gamma: float) -> Array:
    """Return f(p) = −(1 − p)^γ log p, `rest` being 1 − p."""
    xp = namespace(p)
    return -(positive(rest) ** gamma) * xp.log(positive(p))


def _scaled_slope(p: Array, rest: Array, gamma: float) -> Array:
    """Return p f′(p) = γ p (1 − p)^{γ−1} log p − (1 − p)^γ, finite at both ends."""
    xp = namespace(p)
    rest = positive(rest)
    return gamma * rest ** (gamma - 1) * (p * xp.log(positive(p))) - rest**gamma


def binary_focal(A: Array, Y: Array, gamma: float = 2.0) -> Array:
    """C8: C = −Σⱼ [yⱼ (1 − aⱼ)^γ log aⱼ + (1 − yⱼ) aⱼ^γ log(1 − aⱼ)].

    Parameters
    ----------
    A, Y : array (n[L], m)
        Outputs in (0, 1), targets in [0, 1].
    gamma : float
        γ ≥ 0.

    Returns
    -------
    C : array (m,)
    """
    xp = namespace(A)
    return xp.sum(Y * _term(A, 1 - A, gamma) + (1 - Y) * _term(1 - A, A, gamma), axis=0)


def binary_focal_gradient(A: Array, Y: Array, gamma: float = 2.0) -> Array:
    """C8 gradient: ∇ₐC = y f′(a) − (1 − y) f′(1 − a), f(p) = −(1 − p)^γ log p."""
    rising = _scaled_slope(A, 1 - A, gamma) / positive(A)
    falling = _scaled_slope(1 - A, A, gamma) / positive(1 - A)
    return Y * rising - (1 - Y) * falling


def focal(A: Array, Y: Array, gamma: float = 2.0) -> Array:
    """C9: C = −Σₖ yₖ (1 − aₖ)^γ log aₖ.

    Parameters
    ----------
    A, Y : array (n[L], m)
        Outputs in (0, 1), targets ≥ 0 (one-hot, or a distribution).
    gamma : float
        γ ≥ 0.

    Returns
    -------
    C : array (m,)
    """
    xp = namespace(A)
    return xp.sum(Y * _term(A, 1 - A, gamma), axis=0)


def focal_gradient(A: Array, Y: Array, gamma: float = 2.0) -> Array:
    """C9 gradient: ∇ₐC = y f′(a), f(p) = −(1 − p)^γ log p."""
    return Y * _scaled_slope(A, 1 - A, gamma) / positive(A)


def softmax_focal_error(A: Array, Y: Array, gamma: float = 2.0) -> Array:
    """FU4: δ[L] = h − a Σₖ hₖ, h = y a f′(a), for softmax + C9; f(p) = −(1 − p)^γ log p.

    BP1s with a multiplied into ∇ₐC, where it cancels the 1/a.

    Parameters
    ----------
    A, Y : array (n[L], m)
    gamma : float

    Returns
    -------
    delta : array (n[L], m)
    """
    xp = namespace(A)
    h = Y * _scaled_slope(A, 1 - A, gamma)
    return h - A * xp.sum(h, axis=0, keepdims=True)


def softmax_focal(Z: Array, Y: Array, gamma: float = 2.0) -> Array:
    """FU4 cost: C = Σₖ yₖ (1 − aₖ)^γ (log Σⱼ e^{zⱼ} − zₖ), shifted by the column's own maximum.

    Parameters
    ----------
    Z, Y : array (n[L], m)
    gamma : float

    Returns
    -------
    C : array (m,)
    """
    xp = namespace(Z)
    return xp.sum(Y * positive(1 - softmax(Z)) ** gamma * -log_softmax(Z), axis=0)


def sigmoid_binary_focal_error(A: Array, Y: Array, gamma: float = 2.0) -> Array:
    """FU5: δ[L] = y (1 − a) a f′(a) − (1 − y) a (1 − a) f′(1 − a), for sigmoid + C8.

    Parameters
    ----------
    A, Y : array (n[L], m)
    gamma : float

    Returns
    -------
    delta : array (n[L], m)
    """
    rising = (1 - A) * _scaled_slope(A, 1 - A, gamma)
    falling = A * _scaled_slope(1 - A, A, gamma)
    return Y * rising - (1 - Y) * falling


def sigmoid_binary_focal(Z: Array, Y: Array, gamma: float = 2.0) -> Array:
    """FU5 cost: C = Σⱼ [y σ(−z)^γ softplus(−z) + (1 − y) σ(z)^γ softplus(z)].

    Parameters
    ----------
    Z, Y : array (n[L], m)
    gamma : float

    Returns
    -------
    C : array (m,)
    """
    xp = namespace(Z)
    right = positive(sigmoid(-Z)) ** gamma * softplus(-Z)
    wrong = positive(sigmoid(Z)) ** gamma * softplus(Z)
    return xp.sum(Y * right + (1 - Y) * wrong, axis=0)
