"""When a training looks at its own health, and how it says what it saw."""

import sys
import warnings
from dataclasses import replace

from chainrule.engines.base import Problem
from chainrule.errors import TrainingDiagnosisWarning
from chainrule.training.diagnostics import Diagnosis, baseline, diagnose, exploded, rows_of, stuck
from chainrule.training.events import EpochEnded

# A sample's row takes about as long as so many rows of training (NumPy against compiled code), and
# all samples together may take so much of it.
_ROWS_A_SAMPLE_ROW, _SHARE = 4, 0.005

# A loss is asked whether it is stuck when the steps were enough to learn something.
_ENOUGH_STEPS, _ENOUGH_EPOCHS = 200, 8

# A loss above this share of the first one hardly fell; a gradient that is so many times longer than
# at first, and does not go downhill, has grown.
_HARDLY_FELL, _GREW = 0.9, 1000

# Less than this share of the loss gone in half of the epochs is standing still.
_STANDS_STILL = 0.01


class Checkups:
    """Looks at a training after epochs 1, 2, 4, 8, …, and says each kind of trouble once.

    It looks only as often as it is a small part of the work. Trainings that are too short for that
    are looked at once, at their end, and only if their loss hardly fell: one that learns costs
    nothing at all.

    Parameters
    ----------
    problem : Problem
        Its parameters change in place.
    steps_per_epoch : int
    found : list of Diagnosis
        Whatever is found is added to it.

    Attributes
    ----------
    next_look : int
        How many epochs must have ended for `epoch_ended` to be called again.
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

    def epoch_ended(self, epochs: int, event: EpochEnded) -> None:
        """Look, after so many epochs of this training: when there are `next_look` of them."""
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
            seen = f"the gradient's norm has grown to {growth:.1e} times what it was"
            self._say([exploded(self._problem, seen)], event.epoch)
        self._last = event

    def ended(self, epochs: int, event: EpochEnded) -> None:
        """Look once more, if a training with enough steps has learned hardly anything."""
        enough = epochs * self._steps >= _ENOUGH_STEPS
        if self._first is not None and enough and event.loss > _HARDLY_FELL * self._first.loss:
            self._say(self._diagnosed(), event.epoch)

    def diverged(self) -> None:
        """Note where, when the training ended because its loss was not finite any more."""
        seen = "the loss or its gradient is not finite any more"
        found = exploded(self._problem, seen)
        epoch = 0 if self._last is None else self._last.epoch
        self._found.append(replace(found, epoch=epoch))

    def _diagnosed(self) -> list[Diagnosis]:
        return diagnose(self._problem)

    def _stands_still(self, epochs: int, event: EpochEnded) -> bool:
        """Whether the loss is where it was at the last look, though there was time to learn."""
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
                    f"after epoch {epoch}, {dated.message}",
                    TrainingDiagnosisWarning,
                    stacklevel=_levels_inside(),
                )
            if (dated.kind, dated.layer) not in {(d.kind, d.layer) for d in self._found}:
                self._found.append(dated)


def _levels_inside() -> int:
    """Return the `stacklevel` that lets a warning point at the line that called the package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("chainrule."):
        frame, level = frame.f_back, level + 1
    return level
