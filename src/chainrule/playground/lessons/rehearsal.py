"""A lesson's training without a page: the source of the numbers in its text."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import TrainingDiagnosisWarning
from chainrule.playground.lessons.facts import Facts
from chainrule.playground.session.snapshot import Snapshot
from chainrule.runs.training import PreparedRun
from chainrule.training.events import EpochEnded, Event
from chainrule.training.watching import Moment, Training

# Steps at the beginning of a training of which each is kept.
_FIRST_STEPS = 20


class Watcher:
    """Keeps a snapshot of the first steps and of the beginning of every epoch.

    Attributes
    ----------
    snapshots : dict of int to Snapshot
        By the number of steps that were behind it.
    epochs : list of EpochEnded
    """

    def __init__(self) -> None:
        self.snapshots: dict[int, Snapshot] = {}
        self.epochs: list[EpochEnded] = []
        self._training: Training | None = None

    def training_begins(self, training: Training) -> None:
        """Take the training."""
        self._training = training

    def __call__(self, event: Event) -> bool | None:
        """Keep the ends of epochs."""
        if isinstance(event, EpochEnded):
            self.epochs.append(event)
        return None

    def steps_left(self, done: int) -> int | None:
        """Return the steps to the next moment that is kept."""
        steps = self._plan.steps_per_epoch
        return 0 if done < _FIRST_STEPS or done % steps == 0 else steps - done % steps

    def between_steps(self, moment: Moment) -> None:
        """Keep the moment."""
        if moment.rows is None and moment.step in self.snapshots:
            return
        assert self._training is not None
        state = self._training.state
        self.snapshots[moment.step] = Snapshot(
            plan=self._plan,
            epoch=moment.step // self._plan.steps_per_epoch,
            step=moment.step,
            parameters=state.parameters.copy(),
            optimizer=state.optimizer,
            memory=None if state.memory is None else state.memory.copy(),
            penalties=state.penalties,
            noise_key=state.noise_key,
            rows=moment.rows,
            learning_rate=moment.learning_rate,
            ended=self.epochs[-1] if self.epochs else None,
            test=self._plan.validation,
        )

    @property
    def _plan(self) -> Any:
        assert self._training is not None
        return self._training.plan


@dataclass(frozen=True)
class Rehearsal:
    """A finished training of a state of the page.

    Parameters
    ----------
    state : mapping
    snapshots : mapping of int to Snapshot
        By the number of steps that were behind it.
    epochs : list of EpochEnded
    diverged : bool
        Whether the training ended because its loss was no longer finite.
    """

    state: Mapping[str, Any]
    snapshots: Mapping[int, Snapshot] = field(repr=False)
    epochs: list[EpochEnded] = field(repr=False)
    diverged: bool

    @classmethod
    def of(cls, state: Mapping[str, Any], prepared: PreparedRun) -> "Rehearsal":
        """Train the run of a state of the page."""
        watcher = Watcher()
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            # Lessons show trainings that go wrong.
            warnings.simplefilter("ignore", TrainingDiagnosisWarning)
            notes = prepared.train(callbacks=[watcher]).notes
        diverged = any("not finite" in note for note in notes)
        return cls(state, watcher.snapshots, watcher.epochs, diverged)

    def at(self, epoch: int | None = None, step: int | None = None) -> Snapshot:
        """Return the snapshot after some epochs, or after some of the first steps."""
        if step is not None:
            return self.snapshots[step]
        steps = next(iter(self.snapshots.values())).plan.steps_per_epoch
        return self.snapshots[(len(self.epochs) if epoch is None else epoch) * steps]

    def ended(self, epoch: int | None = None) -> EpochEnded:
        """Return the end of an epoch; by default of the last one."""
        return self.epochs[-1 if epoch is None else epoch - 1]

    def facts(self, epoch: int | None = None) -> Facts:
        """Return what a question sees of the session after an epoch; by default after the last."""
        if not self.epochs:
            return Facts(self.state, diverged=self.diverged)
        ended = self.ended(epoch)
        metrics = ended.validation_metrics or ended.metrics
        return Facts(
            self.state,
            ended.epoch,
            float(ended.loss),
            None if ended.validation_loss is None else float(ended.validation_loss),
            {name: float(value) for name, value in metrics.items()},
            self.diverged,
        )
