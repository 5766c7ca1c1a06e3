"""When a training is diagnosed, and how a diagnosis is reported."""

import warnings
from dataclasses import replace

from chainrule.engines.base import Problem
from chainrule.errors import TrainingDiagnosisWarning, levels_inside
from chainrule.training.diagnostics import Diagnosis, baseline, diagnose, exploded, rows_of, stuck
from chainrule.training.events import EpochEnded
from chainrule.training.units import unscaled

# A diagnosed row costs as much time as this many rows of training (NumPy against compiled code),
# and all diagnoses together may take this share of a training's time.
_ROWS_A_SAMPLE_ROW, _SHARE = 4, 0.005

# A loss only counts as stuck after enough steps and epochs to have learned something.
_ENOUGH_STEPS, _ENOUGH_EPOCHS = 200, 8

# A loss above this share of the first epoch's has hardly decreased. A gradient whose norm is this
# many times that of the first epoch, with a loss that has not decreased, has exploded.
_HARDLY_FELL, _GREW = 0.9, 1000

# A loss that decreased by less than this share over half of the epochs stands still.
_STANDS_STILL = 0.01


class Checkups:
    """Diagnoses a training before it begins and after epochs 1, 2, 4, 8, ….

    Each kind of problem gives one warning.

    Diagnoses are limited to a small share of the training's time. A training that is too short for
    any is diagnosed once, at its end, and only if its loss has hardly decreased; so a short
    training that learns has hardly any overhead.

    Parameters
    ----------
    problem : Problem
        Its parameters change in place.
    steps_per_epoch : int
    found : list of Diagnosis
        New diagnoses are appended to it.

    Attributes
    ----------
    next_look : int
        The number of finished epochs after which `epoch_ended` must be called again.
    """

    def __init__(self, problem: Problem, steps_per_epoch: int, found: list[Diagnosis]) -> None:
        self._found = found
        self.next_look = 1
        self._problem, self._steps = problem, steps_per_epoch
        self._work = rows_of(problem.examples, problem.spec.n_outputs) * _ROWS_A_SAMPLE_ROW
        self._spent = 0
        self._first: EpochEnded | None = None
        self._last: EpochEnded | None = None
        self._constant: float | None = None

    def begin(self) -> None:
        """Warn, before the first epoch, of examples that look unscaled."""
        self._say(list(unscaled(self._problem.spec, self._problem.examples)), 0)

    def epoch_ended(self, epochs: int, event: EpochEnded) -> None:
        """Diagnose the training after `epochs` epochs; to be called when they reach `next_look`."""
        self.next_look = 2 * epochs
        if self._first is None:
            self._first = event
        if self._spent + self._work <= _SHARE * epochs * len(self._problem.examples.X):
            self._spent += self._work
            self._say(self._diagnosed(), event.epoch)
        if self._stands_still(epochs, event):
            if self._constant is None:
                self._constant = baseline(self._problem.spec, self._problem.examples)
            if event.loss > (1 - _STANDS_STILL) * self._constant:
                found = stuck(event.loss, self._constant, event.epoch)
                self._say([*self._diagnosed(), found], event.epoch)
        growth = event.gradient_norm / max(self._first.gradient_norm, 1e-300)
        if growth > _GREW and event.loss > self._first.loss:
            seen = f"the gradient's norm is {growth:.1e} times that of the first epoch"
            self._say([exploded(self._problem, seen)], event.epoch)
        self._last = event

    def ended(self, epochs: int, event: EpochEnded) -> None:
        """Diagnose once more at the end, if after enough steps the loss has hardly decreased."""
        enough = epochs * self._steps >= _ENOUGH_STEPS
        if self._first is not None and enough and event.loss > _HARDLY_FELL * self._first.loss:
            self._say(self._diagnosed(), event.epoch)

    def diverged(self) -> None:
        """Add the diagnosis of a training that ended because its loss was no longer finite."""
        seen = "the loss or its gradient is no longer finite"
        found = exploded(self._problem, seen)
        epoch = 0 if self._last is None else self._last.epoch
        self._found.append(replace(found, epoch=epoch))

    def _diagnosed(self) -> list[Diagnosis]:
        return diagnose(self._problem)

    def _stands_still(self, epochs: int, event: EpochEnded) -> bool:
        """Tell whether the loss has not decreased since the last checkup, after enough steps."""
        enough = epochs >= _ENOUGH_EPOCHS and epochs * self._steps >= _ENOUGH_STEPS
        return (
            enough
            and self._last is not None
            and event.loss >= (1 - _STANDS_STILL) * self._last.loss
        )

    def _say(self, diagnoses: list[Diagnosis], epoch: int) -> None:
        known = {diagnosis.kind for diagnosis in self._found}
        for diagnosis in diagnoses:
            dated = replace(diagnosis, epoch=epoch)
            if dated.kind not in known:
                warnings.warn(
                    f"{f'after epoch {epoch}' if epoch else 'before training'}, {dated.message}",
                    TrainingDiagnosisWarning,
                    stacklevel=levels_inside(),
                )
            if (dated.kind, dated.layer) not in {(d.kind, d.layer) for d in self._found}:
                self._found.append(dated)
