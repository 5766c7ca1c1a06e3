"""The members of an ensemble: what is to be trained, and what was."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.model.network import Network
from chainrule.training.events import Callback
from chainrule.training.plan import Plan
from chainrule.training.state import State

BEST = "best"
"""The `quality` that asks for an ensemble."""


class Place(NamedTuple):
    """Which member: the variation of the settings, and the fold that it does not learn from."""

    variation: int
    """0: the settings as given."""
    fold: int


class Draft(NamedTuple):
    """A member that is about to be trained."""

    network: Network
    plan: Plan
    state: State | None = None
    consumers: Sequence[Callback] = ()


class Rows(NamedTuple):
    """The rows of a member."""

    training: NDArray[np.intp]
    held_out: NDArray[np.intp]
    """The rows of its fold, which decide which epoch's weights are kept."""


Describe = Callable[[Place, Rows, int | None, bool], Draft]
"""Returns a member, untrained, given its place, its rows, the number of epochs (None: the number
that the settings say), and whether it is the one that stands for all, whose training is diagnosed
and recorded. Calls may come from several threads at once."""


@dataclass(frozen=True, eq=False)
class Member:
    """A trained member."""

    place: Place
    network: Network
    outputs: NDArray[np.floating]
    """Z[L] of the rows of its fold, (rows, n[L])."""
    epochs: int
    seconds: float
    """Of one thread; 0 if it was trained before an interruption."""
    note: str = ""
    """Why training ended early; "" if it did not."""


class MemberEnded(NamedTuple):
    """A member's training ended: what a progress display is told."""

    place: Place
    trained: int
    """Members so far."""
    planned: int
    """Members that are to be trained, if time allows."""
    loss: float
    """Its loss on the rows of its fold."""
    ensemble_loss: float | None
    """The out-of-fold loss of the variations that are complete, together; None before the first."""
    seconds: float
    """Since the beginning of the ensemble."""
