"""An earlier epoch of a training, trained once more: the same network, to the bit."""

from collections.abc import Callable
from contextlib import suppress

from chainrule.errors import ChainruleError
from chainrule.playground.session.control import (
    Controller,
    EndedFromOutside,
    Wishes,
)
from chainrule.playground.session.snapshot import Snapshot
from chainrule.playground.session.trained import Trained
from chainrule.training.changes import Changes
from chainrule.training.events import EpochEnded, Event
from chainrule.training.fit import fit


def recomputed(trained: Trained, epoch: int) -> Snapshot:
    """Train once more up to an epoch, and return the snapshot of it."""
    fresh = Trained.begun(trained.wanted, trained.prepared)
    changes = Changes(trained.changes.values(until=epoch))
    catcher = _Catcher(epoch)
    wishes = Wishes(running=True, speed=None)
    controller = Controller(wishes, changes, catcher)
    consumers: list[Callable[[Event], bool | None]] = [changes, controller]
    with suppress(EndedFromOutside):
        fit(fresh.plan, consumers)
    assert catcher.found is not None
    return catcher.found


class _Catcher:
    """Catches the snapshot of an epoch, and ends the training there."""

    watched = False

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self.found: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Take the snapshot before the first epoch, if that is wanted."""
        if snapshot.epoch == self._epoch:
            self._caught(snapshot)

    def epoch(self, event: EpochEnded) -> None:
        """Do nothing."""

    def keep(self, snapshot: Snapshot, best: bool) -> None:
        """Take the snapshot that is wanted."""
        if snapshot.epoch == self._epoch:
            self._caught(snapshot)

    def _caught(self, snapshot: Snapshot) -> None:
        self.found = snapshot
        raise EndedFromOutside

    def keeps(self, epoch: int) -> bool:
        """Whether it is the epoch."""
        return epoch == self._epoch

    def paused(self, epoch: int, reached: bool) -> None:
        """Do nothing."""

    def pace(self, epoch: int, per_second: float) -> None:
        """Do nothing."""

    def refused(self, error: ChainruleError) -> None:
        """Do nothing."""
