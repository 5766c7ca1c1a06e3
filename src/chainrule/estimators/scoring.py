"""The measures that early stopping evaluates after each epoch."""

import copy
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import r2_score

from chainrule.engines.base import Engine
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.contract import Estimator
from chainrule.estimators.scaling import OutOfRangeError, power_of_two
from chainrule.estimators.validation import HeldOut
from chainrule.suggestions import did_you_mean
from chainrule.training.events import EpochEnded
from chainrule.training.stopping import validation_loss

# Between these bounds, squares and sums of squares neither overflow nor underflow in float64.
_LARGE, _SMALL = 2.0**400, 2.0**-400


def r_squared(y: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None) -> float:
    """Return R², averaged over outputs, without overflow or underflow for values of any size."""
    size = np.abs(np.asarray(predicted, np.float64)).max(axis=0)
    if not ((size > _SMALL) & (size < _LARGE)).all():
        y = np.asarray(y, np.float64)
        with np.errstate(invalid="ignore"):
            unit = power_of_two(np.fmax(size, np.abs(y).max(axis=0)))
        y, predicted = y / unit, np.asarray(predicted, np.float64) / unit
    return float(r2_score(y, predicted, sample_weight=weights))


def is_loss(early_stopping: object) -> bool:
    """Whether early stopping uses the validation loss."""
    return isinstance(early_stopping, str) and early_stopping == "loss"


def epoch_measure(
    estimator: Estimator, engine: Engine, validation: HeldOut
) -> Callable[[EpochEnded], float]:
    """Return the function that early stopping evaluates after each epoch; lower is better."""
    if is_loss(estimator.early_stopping):
        return validation_loss
    if isinstance(estimator.early_stopping, bool | np.bool_):
        network = estimator.network_
        outputs = np.empty(validation.examples.Y.shape, network.spec.dtype)

        def own_score(event: EpochEnded) -> float:
            engine.forward(network.spec, network.parameters, validation.examples.X, outputs)
            if not np.isfinite(outputs).all():
                return float("nan")
            return -float(estimator._score_of(outputs, validation))

        return own_score
    return _scorer(estimator, validation)


def _scorer(estimator: Estimator, validation: HeldOut) -> Callable[[EpochEnded], float]:
    from sklearn.metrics import check_scoring, get_scorer_names

    names = ["loss", *get_scorer_names()]
    try:
        scorer = check_scoring(estimator, scoring=estimator.early_stopping)
    except ValueError as error:
        raise InvalidArgumentError(
            f'early_stopping: expected True, False, "loss", a function or the name of a scorer of '
            f"scikit-learn; got {estimator.early_stopping!r}"
            f"{did_you_mean(estimator.early_stopping, names) or f' ({error})'}"
        ) from error
    # The validation data were converted to arrays, without column names.
    nameless = copy.copy(estimator)
    nameless.__dict__.pop("feature_names_in_", None)
    weights = validation.examples.weights
    arguments = {} if weights is None else {"sample_weight": weights}

    def score(event: EpochEnded) -> float:
        try:
            return -float(scorer(nameless, validation.X, validation.y, **arguments))
        except OutOfRangeError:  # a diverging network: training ends soon, or recovers
            return float("nan")

    return score
