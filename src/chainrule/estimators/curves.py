"""The loss curves and counters of scikit-learn's estimators, recorded from training events."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.estimators import iterations
from chainrule.estimators.contract import Estimator
from chainrule.estimators.scoring import is_loss
from chainrule.training.epochs import Epochs
from chainrule.training.events import EpochEnded, Event, Stopped
from chainrule.training.plan import Plan
from chainrule.training.stopping import Stopping, TrainingLoss


class Curves:
    """Records an estimator's loss curves from training events, as scikit-learn does.

    The state is kept in the estimator's attributes, so that a warm start continues where the last
    `fit` ended.

    Parameters
    ----------
    estimator : BaseMLP
    early : bool
        Whether validation decides when to stop.
    fresh : bool
        Whether the curves start empty.
    """

    def __init__(self, estimator: Estimator, early: bool, fresh: bool) -> None:
        self._estimator, self._early = estimator, early
        self._scored = early and not is_loss(estimator.early_stopping)
        spec = estimator.network_.spec
        self._outputs = spec.n_outputs if spec.cost == "mse" else 1
        self.loss = TrainingLoss(self._outputs)
        """The loss of an epoch as scikit-learn defines it."""
        self._rows = 0
        self._prints = bool(estimator.verbose) and estimator._prints_iterations
        self._converged = False
        self._stopping: Stopping | None = None
        _begin(estimator, early, self._scored, fresh)

    def stopping(self, plan: Plan) -> Stopping:
        """Return the state of the plan's stopping rule, continued from the last training."""
        estimator, rule = self._estimator, plan.stopping
        assert rule is not None
        self._rows = plan.n_examples
        self._stopping = Stopping(
            rule,
            estimator.network_.parameters,
            count=estimator._no_improvement_count,
            best=self._best(),
            best_parameters=estimator._best_parameters if rule.keeps_best else None,
        )
        return self._stopping

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        if isinstance(event, Stopped):
            self._converged = event.reason != "finished"
        if not isinstance(event, EpochEnded):
            return
        estimator = self._estimator
        estimator.n_iter_ += 1
        estimator.t_ += self._rows
        estimator.loss_ = self.loss(event)
        estimator.loss_curve_.append(estimator.loss_)
        if self._prints:
            self._print()
        if event.validation_loss is not None:
            if estimator.validation_loss_curve_ is None:
                estimator.validation_loss_curve_ = []
            estimator.validation_loss_curve_.append(event.validation_loss / self._outputs)
        if event.metrics:
            estimator._note(event.metrics, event.validation_metrics)
        self._write_best()

    @property
    def epochs_ended(self) -> Callable[[Epochs], None] | None:
        """Consumes epochs that ended together; None if each of them is printed."""
        return None if self._prints else self._consume

    def _consume(self, epochs: Epochs) -> None:
        # Epochs end together only without validation data and metrics.
        estimator, losses = self._estimator, self.loss.of(epochs)
        estimator.n_iter_ += len(losses)
        estimator.t_ += self._rows * len(losses)
        estimator.loss_ = losses[-1]
        estimator.loss_curve_ += losses
        self._write_best()

    def diverged(self) -> None:
        """Record an epoch whose loss is not finite: its score is NaN, as in scikit-learn.

        Without score-based early stopping, the last finite weights are kept, and the curves end
        at their epoch.
        """
        if not self._scored:
            return
        estimator = self._estimator
        estimator.n_iter_ += 1
        estimator.loss_ = math.nan
        estimator.loss_curve_.append(math.nan)
        self._scores().append(math.nan)
        if estimator.validation_loss_curve_ is not None:
            estimator.validation_loss_curve_.append(math.nan)
        if self._prints:
            print(iterations.epoch(estimator.n_iter_, math.nan))
            print(iterations.validation(math.nan, is_loss=False))

    def _print(self) -> None:
        """Print scikit-learn's output for an epoch."""
        estimator, stopping = self._estimator, self._stopping
        assert stopping is not None
        print(iterations.epoch(estimator.n_iter_, estimator.loss_))
        what = "Training loss"
        if self._early:
            print(iterations.validation(-stopping.last, is_loss=not self._scored))
            what = "Validation score" if self._scored else "Validation loss"
        if stopping.out_of_patience:
            line = iterations.no_improvement(
                what,
                estimator.tol,
                stopping.rule.patience,
                new_rate=stopping.slowed_to,
                too_small=stopping.rule.slows,
            )
            print(line)

    def _write_best(self) -> None:
        estimator, stopping = self._estimator, self._stopping
        assert stopping is not None
        estimator._no_improvement_count = stopping.count
        if self._scored:
            self._scores().append(-stopping.last)
            estimator.best_validation_score_ = -stopping.best
        elif not self._early or stopping.best < math.inf:
            estimator.best_loss_ = stopping.best

    def _best(self) -> float:
        """Return the best loss, or the negative of the best score, that later epochs must beat."""
        loss, score = self._estimator.best_loss_, self._estimator.best_validation_score_
        if self._scored:
            assert score is not None
            return -score
        return math.inf if loss is None else loss

    def _scores(self) -> list[float]:
        scores = self._estimator.validation_scores_
        assert scores is not None
        return scores

    # State of the estimator in a checkpoint.

    def remember(self) -> dict[str, Any]:
        """Return the curves, the counters and the best weights."""
        estimator = self._estimator
        memory: dict[str, Any] = {
            name: getattr(estimator, name, None) for name in (*_CURVES, *_NUMBERS)
        }
        for name in _CURVES:
            if memory[name] is not None:
                memory[name] = np.array(memory[name], np.float64)
        for name in _NUMBERS:
            number = memory[name]
            if isinstance(number, np.floating | np.integer):
                memory[name] = number.item()
        if self._early:
            memory["_best_parameters"] = estimator._best_parameters
        memory |= estimator._noted()
        memory["converged"] = self._converged
        assert self._stopping is not None
        memory["best_epoch"] = self._stopping.best_epoch
        return memory

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Restore the curves, the counters and the best weights."""
        estimator, stopping = self._estimator, self._stopping
        assert stopping is not None
        for name in _CURVES:
            curve = memory[name]
            if curve is not None:
                if np.ndim(curve) != 1:
                    raise ValueError(f"{name} is no curve")
                curve = np.asarray(curve, np.float64).tolist()
            setattr(estimator, name, curve)
        for name, kinds in _NUMBERS.items():
            if not isinstance(memory[name], kinds) or isinstance(memory[name], bool):
                raise ValueError(f"{name} is {memory[name]!r:.50}")
            setattr(estimator, name, memory[name])
        if self._early:
            stopping.take_best(memory["_best_parameters"])
        estimator._note_again(memory)
        stopping.count = estimator._no_improvement_count
        stopping.best = self._best()
        best_epoch = memory.get("best_epoch")
        if "best_epoch" not in memory:  # of an earlier version, which had no grace
            stopping.has_grace = False
        if best_epoch is not None and type(best_epoch) is not int:
            raise ValueError(f"best_epoch is {best_epoch!r:.50}")
        stopping.best_epoch = best_epoch


_CURVES = ("loss_curve_", "validation_loss_curve_", "validation_scores_")
_NUMBERS = {
    "loss_": float | None,
    "best_loss_": float | None,
    "best_validation_score_": float | None,
    "_no_improvement_count": int,
    "n_iter_": int,
    "t_": int,
}


def _begin(estimator: Estimator, early: bool, scored: bool, fresh: bool) -> None:
    """Reset the curves and the best epoch, unless the training continues an earlier one."""
    known = hasattr(estimator, "loss_curve_")
    if known and not fresh and scored == (estimator.validation_scores_ is not None):
        return
    if fresh or not known:
        estimator.loss_curve_ = []
        estimator.validation_loss_curve_ = None
    estimator._no_improvement_count = 0
    estimator._best_parameters = estimator.network_.parameters.copy()
    estimator.validation_scores_ = [] if scored else None
    estimator.best_validation_score_ = -np.inf if scored else None
    estimator.best_loss_ = None if early else np.inf
