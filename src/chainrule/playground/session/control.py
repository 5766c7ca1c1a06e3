"""What pages ask of a running training: run, pause, steps, speed, changes. And its callback."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.orders import epoch_orders
from chainrule.errors import ChainruleError
from chainrule.playground.session.snapshot import Snapshot
from chainrule.training.changes import Changes
from chainrule.training.events import EpochEnded, Event, StepsEnded, Stopped, TrainingStarted
from chainrule.training.watching import Moment, Training

DEFAULT_SPEED = 30.0

# Shorter than an epoch at the usual speed: two clocks of the same rate would miss every other one.
_SECONDS_BETWEEN_FRAMES = 1 / 36
# A pause waits for the end of the epoch if an epoch takes no longer than this.
_SHORT_EPOCH = 0.3
# Copying parameters for pages may take this share of the time.
_SHARE = 0.02


class EndedFromOutside(Exception):  # noqa: N818 - no error: it ends a training that is replaced
    """The training is to be replaced by another, or its session closes."""


@dataclass
class Wishes:
    """What is asked of the training; every access holds `changed`."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    running: bool = False
    until_step: int | None = None
    """The step at which it pauses; None: none."""
    until_epoch: int | None = None
    """The epoch at which it pauses by itself."""
    speed: float | None = DEFAULT_SPEED
    """Epochs per second; None: as fast as possible."""
    replaced: bool = False
    """Whether this training is to end, because another one is asked for."""
    changes: list[Mapping[str, Any]] = field(default_factory=list)
    """Changes to be made at the next end of an epoch."""
    look: bool = False
    """Whether a page wants a snapshot now."""


class Told(Protocol):
    """What a training tells its session."""

    @property
    def watched(self) -> bool:
        """Whether a visible page is connected."""

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot."""

    def epoch(self, event: EpochEnded) -> None:
        """Add an epoch to the curves."""

    def keep(self, snapshot: Snapshot, best: bool) -> None:
        """Keep the snapshot of an epoch."""

    def keeps(self, epoch: int) -> bool:
        """Whether the snapshot of an epoch is to be kept."""

    def paused(self, epoch: int, reached: bool) -> None:
        """Say that the training waits; `reached` if it has reached the epoch that was asked for."""

    def pace(self, epoch: int, per_second: float) -> None:
        """Say how fast it is."""

    def refused(self, error: ChainruleError) -> None:
        """Say that a change could not be made."""


class Controller:
    """The callback through which a session controls its training.

    Parameters
    ----------
    wishes : Wishes
    changes : Changes
        Makes the changes; it is a callback of the same training, and comes before this one.
    told : Told
    """

    def __init__(self, wishes: Wishes, changes: Changes, told: Told) -> None:
        self.wishes, self.changes, self.told = wishes, changes, told
        self.rates: dict[int, float] = {}
        """Learning rates that a rule set, by the number of finished epochs."""
        self.seconds = 0.0
        """Seconds that the epochs took, without pauses."""
        self._training: Training | None = None
        self._ended: EpochEnded | None = None
        self._moment: Moment | None = None
        self._rate: float | None = None
        self._next_frame = 0.0
        self._next_epoch = 0.0
        self._paced: tuple[float, int] = (time.monotonic(), 0)
        self.within = 0
        """Steps of the epoch that has begun."""

    @property
    def training(self) -> Training | None:
        """The running training."""
        return self._training

    def training_begins(self, training: Training) -> None:
        """Keep the training."""
        self._training = training
        self._rate = self._constant_rate()

    def __call__(self, event: Event) -> None:
        """Record, publish, and wait as long as nothing is asked."""
        if isinstance(event, TrainingStarted):
            self._publish(None)
            self._wait(at_epoch_end=True)
        elif isinstance(event, EpochEnded):
            self._epoch_ended(event)
        elif isinstance(event, Stopped):
            # Before the best weights take the place of the last ones.
            self._publish(None)
        elif isinstance(event, StepsEnded):
            self.within = event.steps
            with self.wishes.changed:
                replaced = self.wishes.replaced
            if replaced:
                raise EndedFromOutside
            if self._due():
                self._publish(None, at_epoch_end=False)

    def diverged(self) -> None:
        """Show the parameters that are left after the loss is no longer finite."""
        self.within = 0
        self._publish(None)

    def _epoch_ended(self, event: EpochEnded) -> None:
        self._ended, self.within, self._moment = event, 0, None
        self.seconds += event.seconds
        epoch = self.epochs
        self._note_rate(epoch)
        self.told.epoch(event)
        stopping = self._state.stopping
        best = stopping is not None and stopping.rule.keeps_best
        best = best and stopping is not None and stopping.best_epoch == event.epoch
        if self.told.keeps(epoch) or best:
            self.told.keep(self._snapshot(None), best)
        with self.wishes.changed:
            wishes = self.wishes
            reached = wishes.until_epoch is not None and epoch >= wishes.until_epoch
            stepped = wishes.until_step is not None and self.steps >= wishes.until_step
            if reached or stepped:
                wishes.running, wishes.until_step = False, None
        if self._due():
            self._publish(None)
        self._tell_pace(epoch)
        self._wait(at_epoch_end=True, reached=reached and not stepped)

    # Single steps: see `StepWatcher`.

    def steps_left(self, done: int) -> int | None:
        """Return how many steps may be taken before the training halts."""
        with self.wishes.changed:
            wishes = self.wishes
            if wishes.replaced:
                return 0
            if wishes.until_step is not None and wishes.running:
                return max(0, wishes.until_step - done)
            if not wishes.running and self._epochs_are_long():
                return 0
            return None

    def between_steps(self, moment: Moment) -> None:
        """Wait between two steps of an epoch, if that is asked for."""
        if moment.rows is None or moment.step == self._steps_at_epoch_end():
            # The end of an epoch, and the beginning of the next one: the event of the epoch waits.
            with self.wishes.changed:
                if self.wishes.replaced:
                    raise EndedFromOutside
            return
        self._moment, self.within = moment, moment.step - self._steps_at_epoch_end()
        with self.wishes.changed:
            wishes = self.wishes
            if wishes.until_step is not None and moment.step >= wishes.until_step:
                wishes.running, wishes.until_step = False, None
        self._wait(at_epoch_end=False)
        self._moment = None

    # Waiting.

    def _wait(self, at_epoch_end: bool, reached: bool = False) -> None:
        """Return when the next step may be taken; raise if this training is to end."""
        wishes, said = self.wishes, False
        while True:
            if at_epoch_end:
                self._make_changes()
            with wishes.changed:
                if wishes.replaced:
                    raise EndedFromOutside
                if at_epoch_end and wishes.changes:
                    continue
                if wishes.running:
                    rest = self._seconds_to_wait(at_epoch_end)
                    if rest <= 0:
                        break
                    wishes.changed.wait(rest)
                    continue
                look, wishes.look = wishes.look, False
            if not said or look:
                self._publish(self._moment, at_epoch_end)
            # Said after every awakening: what was asked for may have been taken back meanwhile.
            self.told.paused(self.epochs, reached)
            said = True
            with wishes.changed:
                if not (wishes.running or wishes.replaced or wishes.changes or wishes.look):
                    wishes.changed.wait()
        if said:
            self._paced = (time.monotonic(), self.epochs)
        self._next_epoch = max(self._next_epoch, time.monotonic() - 0.1)

    def _seconds_to_wait(self, at_epoch_end: bool) -> float:
        """Return the time until the next epoch may begin, at the speed that is asked for."""
        speed = self.wishes.speed
        if speed is None or not at_epoch_end:
            return 0.0
        now = time.monotonic()
        rest = self._next_epoch - now
        if rest <= 0:
            self._next_epoch = max(self._next_epoch, now - 0.1) + 1 / speed
            return 0.0
        return min(rest, 0.5)

    def _make_changes(self) -> None:
        while True:
            with self.wishes.changed:
                if not self.wishes.changes:
                    return
                change = self.wishes.changes.pop(0)
            try:
                self.changes.make(change)
            except ChainruleError as error:
                self.told.refused(error)
                continue
            self._rate = self._constant_rate()
            snapshot = self._snapshot(None)
            if self.told.keeps(snapshot.epoch):
                self.told.keep(snapshot, False)
            self.told.show(snapshot)

    # Looking at the training.

    @property
    def _state(self) -> Any:
        assert self._training is not None
        return self._training.state

    @property
    def epochs(self) -> int:
        """Finished epochs."""
        return int(self._state.epochs)

    def _steps_at_epoch_end(self) -> int:
        assert self._training is not None
        return self.epochs * self._training.plan.steps_per_epoch

    @property
    def steps(self) -> int:
        """Steps so far."""
        return self._steps_at_epoch_end() + self.within

    def _epochs_are_long(self) -> bool:
        return self.seconds > _SHORT_EPOCH * max(1, self.epochs) or self.epochs == 0

    def _constant_rate(self) -> float | None:
        optimizer = self._state.optimizer
        return None if optimizer is None else optimizer.schedule.constant

    def _note_rate(self, epoch: int) -> None:
        """Note that a rule changed the learning rate, so that exported code can do the same."""
        rate = self._constant_rate()
        if rate is not None and rate != self._rate:
            # Changes of a page are made after this, and are noted by `Changes`.
            self.rates[epoch] = rate
            self._rate = rate

    def _due(self) -> bool:
        with self.wishes.changed:
            look, self.wishes.look = self.wishes.look, False
        return look or (time.monotonic() >= self._next_frame and self.told.watched)

    def _publish(self, moment: Moment | None, at_epoch_end: bool = True) -> None:
        began = time.monotonic()
        self.told.show(self._snapshot(moment, at_epoch_end))
        took = time.monotonic() - began
        self._next_frame = began + max(_SECONDS_BETWEEN_FRAMES, took / _SHARE)

    def _snapshot(self, moment: Moment | None, at_epoch_end: bool = True) -> Snapshot:
        assert self._training is not None
        plan, state = self._training.plan, self._state
        rate = None if self._ended is None else self._ended.learning_rate
        rows = None
        if moment is not None:
            rows, rate = moment.rows, moment.learning_rate
        elif at_epoch_end:
            rows = self._next_rows() if not self.wishes.running else None
            rate = self._constant_rate() or rate
            if rate is None and state.optimizer is not None:
                steps = plan.steps_per_epoch
                planned = state.optimizer.planned(plan.epochs * steps, steps)
                rate = float(planned.learning_rates(1, 1)[0])
        if plan.stream is not None:
            rows = None  # they are of a window, and the page has the sample
        return Snapshot(
            plan=plan,
            epoch=self.epochs,
            step=self.steps,
            parameters=state.parameters.copy(),
            optimizer=state.optimizer,
            memory=None if state.memory is None else state.memory.copy(),
            penalties=state.penalties,
            noise_key=state.noise_key,
            rows=rows,
            learning_rate=rate,
            ended=self._ended,
            test=plan.validation,
            at_epoch_end=at_epoch_end,
        )

    def _next_rows(self) -> NDArray[np.int32] | None:
        """Return the examples of the next epoch's first step; their drawing is undone."""
        assert self._training is not None
        plan, epoch = self._training.plan, self.epochs + 1
        if self._state.optimizer is None or plan.stream is not None:
            return None
        if plan.orders is None:
            m = len(plan.problem.examples.X)
            order = epoch_orders(plan.seed, range(epoch, epoch + 1), m, plan.shuffle)
        else:
            undo = plan.orders.mark()
            order = plan.orders(range(epoch, epoch + 1))
            undo()
        return order[0, : plan.batch_size].copy()

    def _tell_pace(self, epoch: int) -> None:
        since, at = self._paced
        now = time.monotonic()
        if now - since >= 0.5:
            self._paced = (now, epoch)
            self.told.pace(epoch, (epoch - at) / (now - since))
