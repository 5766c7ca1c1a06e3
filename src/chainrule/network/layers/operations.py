"""What layers do, as operations that other programs know: the vocabulary of every export.

Each export spells each operation once, so that a kind of layer made of them needs nothing there.
"""

from typing import Any, NamedTuple, TypeAlias

from chainrule.equations._array import Array
from chainrule.network.activation import Activation, ActivationHeads, activation_of


class Affine(NamedTuple):
    """z = W a + b."""

    W: Array
    """(n[l], n[l−1])."""
    b: Array
    """(n[l],)."""


class Normalized(NamedTuple):
    """z = γ (a − μ)/√(v + ε) + β, each (n[l],); a training step takes its batch's μ and v."""

    gamma: Array
    beta: Array
    mean: Array
    variance: Array
    epsilon: float
    momentum: float
    """Share of μ and v that a training step leaves as it is."""


class Multiplied(NamedTuple):
    """z = s ⊙ a."""

    factors: Array
    """(n[l],)."""


class Dropped(NamedTuple):
    """z = a; in training some are 0, and the others are larger."""

    rate: float


class Activated(NamedTuple):
    """a = z + α (σ(z) − z), with α = 1 a = σ(z)."""

    sigma: Activation | ActivationHeads
    strength: Array | None = None
    """α, (n[l],); None: all 1."""


Operation: TypeAlias = Affine | Normalized | Multiplied | Dropped | Activated


def activated(activation: str) -> tuple[Activated, ...]:
    """Return the operation of an activation; none for the identity."""
    return () if activation == "identity" else (Activated(activation_of(activation)),)


def column(block: Any) -> Any:
    """Return the numbers of a block (n[l], 1) as (n[l],)."""
    return block[:, 0]
