"""Penalties on the weights, P1 and P2, added to J; biases are not penalised.

Training minimises J + P; ∂P/∂W is added to δW before the optimizer is applied. A penalty is added
to the mean cost: Nielsen's λ/n convention corresponds to l2 = λ/n. P3 is the other convention, with
a penalty that is added to the sum.
"""

from chainrule.equations._array import Array, namespace


def l2_penalty(W: Array, l2: float) -> Array:
    """P1: P = (l2/2) Σ w²."""
    xp = namespace(W)
    return 0.5 * l2 * xp.sum(W * W)


def l2_penalty_gradient(W: Array, l2: float) -> Array:
    """P1 gradient: ∂P/∂W = l2 · W."""
    return l2 * W


def l1_penalty(W: Array, l1: float) -> Array:
    """P2: P = l1 Σ |w|."""
    xp = namespace(W)
    return l1 * xp.sum(xp.abs(W))


def l1_penalty_gradient(W: Array, l1: float) -> Array:
    """P2 gradient: ∂P/∂W = l1 · sign(W), with sign(0) = 0."""
    xp = namespace(W)
    return l1 * xp.sign(W)


def shared_strength(strength: float, total_weight: float) -> float:
    """P3: λ = strength/Σw, the l1 or l2 of a batch that shares a penalty on the *sum* of the costs.

    The penalty is added once to the sum over all examples, so that its influence decreases with
    their number, like that of a prior. scikit-learn's networks scale their ``alpha`` in this way.

    Parameters
    ----------
    strength : float
    total_weight : float
        Σw, positive; the number of examples if they have no weights.

    Returns
    -------
    strength : float
    """
    # By the reciprocal, which l1 and l2 of a batch have in common.
    return strength * (1 / total_weight)
