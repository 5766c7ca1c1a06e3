"""The operations that layers are exported as, common to all export formats.

Each export format implements each operation once, so a layer kind composed of these operations
needs no export code of its own.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.equations._array import Array
from chainrule.network.activation import Activation, ActivationHeads, activation_of


class Affine(NamedTuple):
    """z = W a + b."""

    W: Array
    """(n[l], n[l−1])."""
    b: Array
    """(n[l],)."""


class GroupedAffine(NamedTuple):
    """z = W a + b in each group: W[k] multiplies the k-th part of a."""

    W: Array
    """(G, n[l]/G, n[l−1]/G)."""
    b: Array
    """(n[l],)."""


class Normalized(NamedTuple):
    """z = γ (a − μ)/√(v + ε) + β, each (n[l],); a training step uses its batch's μ and v."""

    gamma: Array
    beta: Array
    mean: Array
    variance: Array
    epsilon: float
    momentum: float
    """Fraction of μ and v that is kept in each training step."""


class Binned(NamedTuple):
    """z = a, followed by min(max((a[columns] − lower)/width, 0), 1): a unit more for each bin."""

    columns: NDArray[np.intp]
    """(bins,): the unit below that each bin divides."""
    lower: NDArray[np.floating]
    """(bins,)."""
    width: NDArray[np.floating]
    """(bins,)."""


class Multiplied(NamedTuple):
    """z = s ⊙ a."""

    factors: Array
    """(n[l],)."""


class Periodic(NamedTuple):
    """z = a, followed by V cos(2π w a + c) + d of each of k units: s units more for each."""

    columns: NDArray[np.intp]
    """(k,): indices of the units."""
    w: Array
    """(k, F)."""
    c: Array
    """(k, F)."""
    V: Array
    """(k, s, F)."""
    d: Array
    """(k, s)."""


class Dropped(NamedTuple):
    """z = a; in training, some activations are set to 0 and the others scaled up."""

    rate: float


class Activated(NamedTuple):
    """a = z + α (σ(z) − z), which is σ(z) for α = 1."""

    sigma: Activation | ActivationHeads
    strength: Array | None = None
    """α, (n[l],); None: all 1."""


Operation: TypeAlias = (
    Affine | GroupedAffine | Normalized | Binned | Multiplied | Periodic | Dropped | Activated
)


def activated(activation: str) -> tuple[Activated, ...]:
    """Return the operation for an activation; an empty tuple for the identity."""
    return () if activation == "identity" else (Activated(activation_of(activation)),)


def column(block: Any) -> Any:
    """Return a block of shape (n[l], 1) as a vector (n[l],)."""
    return block[:, 0]
