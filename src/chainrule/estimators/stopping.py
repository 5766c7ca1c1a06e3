"""When a training ends, what it writes down on the way, and how the learning rate changes."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.estimators import iterations
from chainrule.estimators.scoring import is_loss
from chainrule.training.events import EpochEnded, Event
from chainrule.training.loop import Training


class Monitor:
    """Consumes the events of a training and writes an estimator's curves, as scikit-learn does.

    The estimator's attributes are the memory, so that a warm start goes on where the last `fit`
    ended.

    Parameters
    ----------
    estimator : BaseMLP
    training : Training
    score : callable, optional
        Returns the validation score of the present parameters, higher is better; None: there is
        no early stopping.
    from_loss : bool
        Whether the score is the negative validation loss.
    """

    def __init__(
        self,
        estimator: Any,
        training: Training,
        score: Callable[[EpochEnded], float] | None,
        *,
        from_loss: bool,
    ) -> None:
        self.estimator = estimator
        self.training = training
        self.score = score
        self.from_loss = from_loss
        self.converged = False
        fixed = estimator.solver == "adam" and estimator._adam_is_constant
        self._rule = "constant" if fixed else estimator.learning_rate
        self._invscaling = self._rule == "invscaling"
        self._prints = bool(estimator.verbose) and estimator._prints_iterations
        self._rows = len(training.examples.X)
        self._outputs = training.spec.n_outputs if training.spec.cost == "mse" else 1

    def lookahead(self) -> int:
        """Return how many epochs may go together: none of them but the last can be the end."""
        if self._invscaling:
            return 1
        estimator = self.estimator
        left = estimator.n_iter_no_change + 1 - estimator._no_improvement_count
        return int(max(1, min(left, self.training.epochs)))

    def __call__(self, event: Event) -> bool:
        """Consume an event; True: the training is to end."""
        if not isinstance(event, EpochEnded):
            return False
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.t_ += self._rows
        estimator.loss_ = self._loss(event)
        estimator.loss_curve_.append(estimator.loss_)
        if self._prints:
            print(iterations.epoch(estimator.n_iter_, estimator.loss_))
        if event.validation_loss is not None:
            if estimator.validation_loss_curve_ is None:
                estimator.validation_loss_curve_ = []
            estimator.validation_loss_curve_.append(event.validation_loss / self._outputs)
        if event.metrics:
            estimator._note(event.metrics, event.validation_metrics)
        self._count(event)
        if self._invscaling:
            rate = estimator.learning_rate_init / (estimator.t_ + 1) ** estimator.power_t
            self._set_rate(float(rate))
        if estimator._no_improvement_count <= estimator.n_iter_no_change:
            return False
        slower = self._slowed_down()
        if self._prints:
            print(self._why(slower))
        if slower:
            estimator._no_improvement_count = 0
            return False
        self.converged = True
        return True

    def _why(self, slower: bool) -> str:
        """Return scikit-learn's line on why training ends, or goes on at a smaller rate."""
        estimator = self.estimator
        rate = self.training.optimizer.learning_rate
        what = "Training loss"
        if self.score is not None:
            what = "Validation loss" if self.from_loss else "Validation score"
        return iterations.no_improvement(
            what,
            estimator.tol,
            estimator.n_iter_no_change,
            new_rate=float(rate) if slower and isinstance(rate, float) else None,
            too_small=self._rule == "adaptive",
        )

    def _loss(self, event: EpochEnded) -> float:
        # scikit-learn reports the mean over outputs of a squared error whose sum it minimises.
        if self._outputs == 1:
            return event.objective
        penalty = event.objective - event.loss
        return event.loss / self._outputs + penalty

    def _count(self, event: EpochEnded) -> None:
        """Take note of whether this epoch is better than the best one by `tol`."""
        estimator = self.estimator
        if self.score is None:
            if estimator.loss_ > estimator.best_loss_ - estimator.tol:
                estimator._no_improvement_count += 1
            else:
                estimator._no_improvement_count = 0
            estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
            return
        score = self.score(event)
        if self._prints:
            print(iterations.validation(score, self.from_loss))
        if self.from_loss:
            best = -math.inf if estimator.best_loss_ is None else -estimator.best_loss_
        else:
            best = estimator.best_validation_score_
            estimator.validation_scores_.append(score)
        # `<`, so that NaN is no worsening: scikit-learn's rule.
        if score < best + estimator.tol:
            estimator._no_improvement_count += 1
        else:
            estimator._no_improvement_count = 0
        if score > best:
            if self.from_loss:
                estimator.best_loss_ = -score
            else:
                estimator.best_validation_score_ = score
            estimator._best_parameters[...] = self.training.parameters

    def _slowed_down(self) -> bool:
        """Divide the learning rate by 5 if the rule is "adaptive" and there is room below."""
        rate = self.training.optimizer.learning_rate
        if self._rule != "adaptive":
            return False
        assert isinstance(rate, float)
        if rate <= 1e-6:
            return False
        self._set_rate(rate / 5)
        return True

    def _set_rate(self, rate: float) -> None:
        self.training.optimizer = replace(self.training.optimizer, learning_rate=rate)

    # What a checkpoint keeps of an estimator.

    def remember(self) -> dict[str, Any]:
        """Return the curves, the counters and the best weights."""
        estimator = self.estimator
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
        if self.score is not None:
            memory["_best_parameters"] = estimator._best_parameters
        memory |= estimator._noted()
        memory["converged"] = self.converged
        return memory

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Take them back."""
        estimator = self.estimator
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
        if self.score is not None:
            best = memory["_best_parameters"]
            if best.shape != estimator._best_parameters.shape or not np.isfinite(best).all():
                raise ValueError("the best weights are not those of the network")
            estimator._best_parameters[...] = best
        estimator._note_again(memory)
        self.converged = bool(memory["converged"])


_CURVES = ("loss_curve_", "validation_loss_curve_", "validation_scores_")
_NUMBERS = {
    "loss_": float | None,
    "best_loss_": float | None,
    "best_validation_score_": float | None,
    "_no_improvement_count": int,
    "n_iter_": int,
    "t_": int,
}


def begin_curves(estimator: Any, early: bool, fresh: bool) -> None:
    """Start the curves and the memory of the best epoch where they are not to go on."""
    scored = early and not is_loss(estimator.early_stopping)
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
