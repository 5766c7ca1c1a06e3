"""The training of one member, in this process or in another."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines import engine_for
from chainrule.engines.base import Examples
from chainrule.ensembles.members import Describe, Draft, Member, Place, Rows
from chainrule.errors import TrainingDivergedError
from chainrule.model.network import Network
from chainrule.model.temperature import pre_activations
from chainrule.network.spec import NetworkSpec
from chainrule.training.events import Callback, Event
from chainrule.training.state import State
from chainrule.workers.base import Cancelled, Stop


class Trained(NamedTuple):
    """A trained member as numbers, which another process can send."""

    spec: NetworkSpec
    parameters: NDArray[np.floating]
    seed: int
    outputs: NDArray[np.floating]
    """Z[L] of the rows of its fold, (rows, n[L])."""
    epochs: int
    note: str
    """Why training ended early; "" if it did not."""

    def member(self, place: Place, seconds: float) -> Member:
        """Return it as a member of an ensemble."""
        network = Network.from_parameters(self.spec, self.parameters, seed=self.seed)
        return Member(place, network, self.outputs, self.epochs, seconds, self.note)


@dataclass(frozen=True, eq=False)
class Recipe:
    """What a process needs to train any member: the same for all, and sent to it once.

    Parameters
    ----------
    examples : Examples
        All rows, with the targets of the loss.
    folds : array (rows,)
        The fold of each row, from 0.
    describe : callable
    """

    examples: Examples
    folds: NDArray[np.intp]
    describe: Describe

    def rows(self, place: Place) -> Rows:
        """Return the rows that a member learns from, and those of its fold."""
        own = self.folds == place.fold
        return Rows(np.flatnonzero(~own), np.flatnonzero(own))

    def draft(self, place: Place, epochs: int | None, shown: bool = False) -> Draft:
        """Return a member, untrained; see `Describe`."""
        return self.describe(place, self.rows(place), epochs, shown)

    def trained(self, draft: Draft, place: Place, stop: Stop) -> Trained:
        """Train a member."""
        epochs, note = conducted(draft, stop)
        network = draft.network
        outputs = self.outputs(network, place)
        return Trained(network.spec, network.parameters, network.seed, outputs, epochs, note)

    def outputs(self, network: Network, place: Place) -> NDArray[np.floating]:
        """Return Z[L] of the rows of a member's fold."""
        engine = engine_for(network.spec, "auto", 1)
        return pre_activations(network, self.examples.X[self.rows(place).held_out], engine)


def train_member(recipe: Recipe, place: Place, epochs: int | None, *, stop: Stop) -> Trained:
    """Train a member; called in a worker."""
    return recipe.trained(recipe.draft(place, epochs), place, stop)


def conducted(draft: Draft, stop: Stop) -> tuple[int, str]:
    """Train a draft; return its epochs, and why it ended early.

    Raises
    ------
    TrainingDivergedError
        If the loss is not finite in the first epoch.
    Cancelled
        If `stop` says so after an epoch.
    """

    def watch(event: Event) -> None:
        if stop():
            raise Cancelled

    state = draft.state or State.of(draft.plan)
    consumers: list[Callback] = [watch, *draft.consumers]
    try:
        draft.network._conduct(draft.plan, consumers, state)
    except TrainingDivergedError as error:
        if state.epochs == 0:
            raise
        return state.epochs, str(error)
    return state.epochs, ""
