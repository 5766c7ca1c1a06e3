"""Early stopping: when a training ends before its last epoch, and which weights it keeps."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.checks import shown
from chainrule.engines.base import Floats, LossRule
from chainrule.engines.optimizer import Optimizer
from chainrule.errors import InvalidArgumentError
from chainrule.training.epochs import Epochs
from chainrule.training.events import EpochEnded, Stopped

# An adaptive learning rate is divided by this, until it is this small.
_SLOWER, _SMALLEST_RATE = 5, 1e-6

DEFAULT_PATIENCE = 10
_DEFAULT_TOLERANCE = 1e-4

# A measure this share above the best one does not come back below it, once twice as many epochs and
# a period of grace have passed: so it was in 100 of 101 trainings (docs/quality.md).
_WORSENING = 0.02


def validation_loss(event: EpochEnded) -> float:
    """Return the loss of the validation data after an epoch."""
    assert event.validation_loss is not None
    return event.validation_loss


@dataclass(frozen=True)
class TrainingLoss:
    """The training loss as a measure, as scikit-learn defines it: what the steps minimised."""

    outputs: int = 1
    """scikit-learn minimises the sum of the squared error over outputs, but reports the mean: the
    number of outputs that the loss without penalties is divided by."""

    def __call__(self, event: EpochEnded) -> float:
        """Return the loss of an epoch."""
        return self._of(event.loss, event.objective)

    def of(self, epochs: Epochs) -> list[float]:
        """Return the loss of each of several epochs."""
        if self.outputs == 1:
            return list(epochs.objectives)
        return [*map(self._of, epochs.losses, epochs.objectives)]

    def _of(self, loss: float, objective: float) -> float:
        if self.outputs == 1:
            return objective
        penalty = objective - loss
        return loss / self.outputs + penalty


@dataclass(frozen=True)
class StoppingRule:
    """The rule of early stopping.

    Training ends after more than `patience` consecutive epochs in which the measure has not
    improved on its best value by at least `tolerance`. With a finite `grace`, it also ends when
    more than twice as many epochs as it took to the best one, and `grace` epochs, have passed, and
    the measure is more than 2 % above the best; a continued training does not.
    """

    patience: float = DEFAULT_PATIENCE
    tolerance: float = _DEFAULT_TOLERANCE
    measure: Callable[[EpochEnded], float] = validation_loss
    """Lower is better."""
    keeps_best: bool = True
    """Whether the weights of the best epoch are kept at the end."""
    slows: bool = False
    """Whether the learning rate is first divided by 5, down to 1e-6, before training ends."""
    grace: float = math.inf
    """Epochs; for trainings whose schedule leaves no use for a patience."""


def stopping_rule_of(early_stopping: object, validated: bool) -> StoppingRule | None:
    """Return the rule for the `early_stopping` of `Network.fit`; None if it is off.

    Parameters
    ----------
    early_stopping : bool or int
        True for the default patience, or the patience itself.
    validated : bool
        Whether there are validation data.

    Raises
    ------
    InvalidArgumentError
        If `early_stopping` is neither, or there are no validation data.
    """
    if isinstance(early_stopping, bool | np.bool_):
        patience = DEFAULT_PATIENCE if early_stopping else 0
    elif isinstance(early_stopping, int | np.integer) and early_stopping >= 1:
        patience = int(early_stopping)
    else:
        raise InvalidArgumentError(
            "early_stopping: expected True, False or a number of epochs of at least 1; got "
            f"{shown(early_stopping)}"
        )
    if not patience:
        return None
    if not validated:
        raise InvalidArgumentError(
            "early_stopping: expected False without validation data; got "
            f"{shown(early_stopping)}. Give validation_data=(X, Y), or validation_split=0.2 to set "
            "a fifth of the examples aside"
        )
    return StoppingRule(patience, tolerance=0.0)


class Stopping:
    """The state of a stopping rule during a training: its counters and the best weights so far.

    Parameters
    ----------
    rule : StoppingRule
    parameters : array (number of parameters,)
        The parameters that the training changes in place.
    count : int, default 0
        Consecutive epochs without an improvement, if an earlier training is continued.
    best : float, default infinity
        The best measure so far, if an earlier training is continued.
    best_parameters : array, optional
        The weights of the best epoch, updated in place; by default the initial ones.
    """

    def __init__(
        self,
        rule: StoppingRule,
        parameters: Floats,
        *,
        count: int = 0,
        best: float = math.inf,
        best_parameters: Floats | None = None,
    ) -> None:
        self.rule = rule
        self.count = count
        self.best = best
        self.best_epoch: int | None = None
        # A continued training begins at a high learning rate anew: its loss may come back later.
        self.has_grace = rule.grace < math.inf and best == math.inf
        self.last = math.nan
        """The measure of the last epoch."""
        self.out_of_patience = False
        """Whether the patience was exceeded in the last epoch."""
        self.slowed_to: float | None = None
        """The reduced learning rate if training then continues; otherwise None."""
        self._parameters = parameters
        if rule.keeps_best and best_parameters is None:
            best_parameters = parameters.copy()
        self.best_parameters = best_parameters

    def lookahead(self) -> int:
        """Return how many epochs may be trained together: only the last can be the end."""
        if self.has_grace:
            return 1
        left = self.rule.patience + 1 - self.count
        return int(min(max(1, left), 2**31))

    @property
    def loss_rule(self) -> LossRule | None:
        """The rule and its counters for an engine that applies it; None if it is no such rule."""
        rule = self.rule
        if rule.keeps_best or not isinstance(rule.measure, TrainingLoss):
            return None
        patience = float(min(rule.patience, 2**31))
        return LossRule(
            float(self.best), float(rule.tolerance), patience, self.count, rule.measure.outputs
        )

    @property
    def takes_epochs(self) -> bool:
        """Whether it can process epochs that ended together."""
        return self.loss_rule is not None

    def epoch_ended(self, event: EpochEnded) -> bool:
        """Process an epoch; return whether the patience is exceeded."""
        return self._measured(self.rule.measure(event), event.epoch)

    def epochs_ended(self, epochs: Epochs) -> bool:
        """Process epochs up to the first that exceeds the patience, if any, and keep only those.

        Returns
        -------
        bool
            Whether the patience is exceeded.
        """
        assert isinstance(self.rule.measure, TrainingLoss)
        numbers = epochs.numbers
        for measured, epoch in zip(self.rule.measure.of(epochs), numbers, strict=True):
            if self._measured(measured, epoch):
                epochs.keep(epoch - numbers.start + 1)
                return True
        return False

    def _measured(self, measured: float, epoch: int) -> bool:
        """Process the measure of an epoch; return whether the patience is exceeded."""
        rule = self.rule
        self.last = measured
        # As in scikit-learn: a NaN compares false here, and so does not count as a worsening.
        if measured > self.best - rule.tolerance:
            self.count += 1
        else:
            self.count = 0
        if measured < self.best:
            self.best, self.best_epoch = measured, epoch
            if rule.keeps_best:
                assert self.best_parameters is not None
                self.best_parameters[...] = self._parameters
        self.out_of_patience = self.count > rule.patience or self._has_worsened(measured, epoch)
        self.slowed_to = None
        return self.out_of_patience

    def _has_worsened(self, measured: float, epoch: int) -> bool:
        """Whether an epoch is so much later and worse than the best that none can become better."""
        if not self.has_grace or not epoch > 2 * (self.best_epoch or 0) + self.rule.grace:
            return False
        return measured - self.best > _WORSENING * abs(self.best)

    def described(self, stopped: Stopped) -> Stopped:
        """Return the end of a training with what this rule decided on it."""
        rule = self.rule
        measure = "validation score" if rule.keeps_best else "training loss"
        if rule.measure is validation_loss:
            measure = "validation loss"
        return replace(
            stopped,
            best_epoch=self.best_epoch if rule.keeps_best else None,
            stale=self.count if stopped.reason == "converged" else None,
            measure=measure if stopped.reason == "converged" else "",
        )

    def slower(self, optimizer: Optimizer) -> Optimizer | None:
        """Return the optimizer with a reduced learning rate; None if training must end instead."""
        rate = optimizer.schedule.constant
        if not self.rule.slows or rate is None or rate <= _SMALLEST_RATE:
            return None
        self.count = 0
        self.slowed_to = rate / _SLOWER
        return replace(optimizer, learning_rate=self.slowed_to)

    def restore(self) -> None:
        """Set the parameters to those of the best epoch, if the rule keeps them."""
        if self.rule.keeps_best:
            assert self.best_parameters is not None
            self._parameters[...] = self.best_parameters

    def remember(self) -> dict[str, Any]:
        """Return the counters and the best weights, for a checkpoint."""
        memory = {"count": self.count, "best": self.best, "best_epoch": self.best_epoch}
        if self.rule.keeps_best:
            return {**memory, "best_parameters": self.best_parameters}
        return memory

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Restore them from a checkpoint; raise ValueError if they are invalid."""
        count, best, epoch = memory["count"], memory["best"], memory["best_epoch"]
        if type(count) is not int or count < 0:
            raise ValueError(f"count is {count!r:.50}")
        if not isinstance(best, int | float) or isinstance(best, bool):
            raise ValueError(f"best is {best!r:.50}")
        if epoch is not None and type(epoch) is not int:
            raise ValueError(f"best_epoch is {epoch!r:.50}")
        if self.rule.keeps_best:
            self.take_best(memory["best_parameters"])
        self.count, self.best, self.best_epoch = count, float(best), epoch

    def take_best(self, parameters: Floats) -> None:
        """Set the best weights; raise ValueError if they do not fit the network."""
        best = self.best_parameters
        assert best is not None
        if np.shape(parameters) != best.shape or not np.isfinite(parameters).all():
            raise ValueError("the best weights do not fit the network")
        best[...] = parameters
