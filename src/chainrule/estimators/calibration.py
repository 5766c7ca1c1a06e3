"""Calibration of an estimator on its validation examples: the temperature and the scores."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.equations.conformal import (
    absolute_residual,
    class_score,
    prediction_interval,
    prediction_set,
)
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import Floats
from chainrule.estimators.contract import Estimator
from chainrule.estimators.fit_request import FitRequest
from chainrule.estimators.labels import Labels
from chainrule.estimators.prediction import prediction_engine
from chainrule.estimators.validation import HeldOut
from chainrule.model.conformal import Conformal, checked_coverage
from chainrule.model.temperature import Temperature, calibrate


def check_calibration(estimator: Estimator, request: FitRequest) -> None:
    """Raise if a temperature is required and there are no validation examples to fit it to.

    Raises
    ------
    InvalidArgumentError
    """
    asked = getattr(estimator, "calibrate", "off") == "on"
    if asked and request.validation is None and request.epochs and not request.incremental:
        raise InvalidArgumentError(
            "calibrate: 'on' needs validation examples; pass X_val and y_val to fit, or set "
            "early_stopping, which sets some aside (Network…: from 200 examples on)"
        )


def learn_from_validation(estimator: Estimator, request: FitRequest) -> None:
    """Fold a temperature into a trained network, and keep the scores of the validation examples.

    Both become invalid once the weights are trained further: `partial_fit` discards them, and
    continues from the current weights.
    """
    validation = request.validation
    if request.incremental or request.epochs == 0:
        validation = None
    found: list[Temperature | None] = [None] * len(estimator.network_.spec.heads)
    if validation is not None:
        mode: Any = getattr(estimator, "calibrate", "off")
        engine = prediction_engine(estimator)
        found = calibrate(estimator.network_, validation.examples, engine, mode)
    estimator._note_temperatures([1.0 if one is None else one.value for one in found])
    estimator._conformal = {}
    if validation is not None:
        outputs = _outputs(estimator, validation.examples.X)
        estimator._conformal = conformal_of(estimator._scores_of(outputs, validation), validation)


def conformal_of(
    scores: Mapping[Any, NDArray[np.float64]], validation: HeldOut
) -> dict[Any, Conformal]:
    """Return the sorted scores of the validation examples by target; weight 0 is left out."""
    weights = validation.examples.weights
    kept = slice(None) if weights is None else weights > 0
    sorted_scores = {name: Conformal.of(each[kept]) for name, each in scores.items()}
    return {name: one for name, one in sorted_scores.items() if one is not None}


def _outputs(estimator: Estimator, X: Floats) -> Floats:
    net = estimator.network_
    outputs = np.empty((len(X), net.spec.n_outputs), net.spec.dtype)
    prediction_engine(estimator).forward(net.spec, net.parameters, X, outputs)
    return outputs


def class_scores(
    labels: Labels, outputs: Floats, targets: Floats, name: Any = None
) -> dict[Any, NDArray[np.float64]]:
    """Return CP4 of the true class of examples under a target's name.

    Multilabel targets and single classes have no scores.
    """
    if labels.kind == "multilabel" or len(labels.classes) < 2:
        return {}
    true = targets.argmax(axis=1) if labels.kind == "multiclass" else targets[:, 0] > 0.5
    scores = class_score(labels.probabilities(outputs).astype(np.float64))
    return {name: np.asarray(scores[np.arange(len(scores)), np.asarray(true, np.intp)])}


def value_scores(true: NDArray[Any], predicted: Floats) -> NDArray[np.float64]:
    """Return CP1 of values in the target's units, (m, outputs)."""
    return np.asarray(
        absolute_residual(true.astype(np.float64), predicted.astype(np.float64)), np.float64
    )


def quantile_of(
    estimator: Estimator, coverage: object, target: Any = None, name: str = "coverage"
) -> NDArray[np.float64]:
    """Return q of CP2 for each output of a target.

    Raises
    ------
    InvalidArgumentError
        If `coverage` is not in (0, 1), or there are no or too few validation examples.
    """
    checked_coverage(coverage, name)
    conformal = getattr(estimator, "_conformal", {}).get(target)
    if conformal is None:
        raise InvalidArgumentError(
            f"{name}: expected an estimator fitted with validation examples, whose errors "
            "determine the size of intervals and sets; this one has none. Pass X_val and y_val to "
            "fit, or set early_stopping, which sets some aside (Network…: from 200 examples on); "
            "partial_fit discards them"
        )
    return np.asarray(conformal.quantile(coverage, name))


def interval_of(predicted: Floats, quantile: NDArray[np.float64], lowest: float) -> Floats:
    """Return CP3 of predictions, (m, outputs), as an array (m, 2) or (m, outputs, 2)."""
    lower, upper = prediction_interval(predicted.astype(np.float64), quantile)
    both = np.stack([np.maximum(lower, lowest), upper], axis=-1)
    return both[:, 0] if both.shape[1] == 1 else both


def set_of(labels: Labels, outputs: Floats, quantile: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return CP5 of outputs, (m, classes)."""
    scores = class_score(labels.probabilities(outputs).astype(np.float64))
    return np.asarray(prediction_set(scores, quantile))
