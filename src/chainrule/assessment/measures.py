"""The scores that a judgement compares, as functions of the weights of the rows.

A bootstrap evaluates a score a thousand times with different weights. So a scorer is prepared once,
with everything that does not depend on the weights. Sums are NumPy's own and not those of BLAS,
which would start threads for a few microseconds of work.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.discrimination import ClassRankings
from chainrule.model.probability_scores import brier_losses, log_losses
from chainrule.model.scores import unit_of

Weights = NDArray[np.float64]
Scorer = Callable[[Weights], NDArray[np.float64]]
"""A function from the weights of the rows, (m,), to one score per measure."""


class Measure(NamedTuple):
    """A score's name, and whether greater values are better."""

    key: str
    name: str
    greater_is_better: bool


ACCURACY = Measure("accuracy", "Accuracy", True)
BALANCED = Measure("balanced_accuracy", "Balanced accuracy", True)
F1 = Measure("f1", "F1", True)
AREA = Measure("roc_auc", "ROC AUC", True)
LOG_LOSS = Measure("log_loss", "Log loss", False)
BRIER = Measure("brier", "Brier score", False)
CLASS_MEASURES = (ACCURACY, BALANCED, F1, AREA, LOG_LOSS, BRIER)

RMSE = Measure("rmse", "RMSE", False)
MAE = Measure("mae", "MAE", False)
R2 = Measure("r2", "R²", True)
VALUE_MEASURES = (RMSE, MAE, R2)


def class_scorer(
    true: NDArray[np.integer], probabilities: NDArray[np.floating], n_classes: int
) -> Scorer:
    """Return the function that computes `CLASS_MEASURES` of weighted rows.

    With two classes, F1 and ROC AUC refer to the second one. With more, F1 is the mean over the
    classes, and ROC AUC the mean of one-vs-rest over the classes that have rows. Balanced accuracy
    is the mean recall over the classes that have rows.

    Parameters
    ----------
    true : array (m,)
        Class indices.
    probabilities : array (m, n_classes)
    n_classes : int
    """
    answers = np.argmax(probabilities, axis=1)
    cells = true * n_classes + answers
    losses = np.array([log_losses(true, probabilities), brier_losses(true, probabilities)])
    rankings = _rankings(true, probabilities)

    def scores(weights: Weights) -> NDArray[np.float64]:
        counts = np.bincount(cells, weights, minlength=n_classes**2)
        matrix = counts.reshape(n_classes, n_classes)
        right, of_class, answered = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
        rows = of_class.sum()
        present = of_class > 0
        areas = rankings.areas(weights)
        defined = areas[~np.isnan(areas)]
        # 2PR/(P + R), and 0 for a class that was neither true nor predicted.
        f1 = 2 * right / np.maximum(of_class + answered, 1)
        return np.array(
            [
                right.sum() / rows,
                np.mean(right[present] / of_class[present]),
                f1[1] if n_classes == 2 else f1.mean(),
                defined.mean() if len(defined) else np.nan,
                *(losses * weights).sum(axis=1) / rows,
            ]
        )

    return scores


def class_areas(
    true: NDArray[np.integer], probabilities: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the ROC AUC of each ranked class: the second of two, otherwise all of them.

    It is NaN if none or all of the rows belong to the class.
    """
    return _rankings(true, probabilities).areas(np.ones(len(true)))


def _rankings(true: NDArray[np.integer], probabilities: NDArray[np.floating]) -> ClassRankings:
    if probabilities.shape[1] == 2:
        return ClassRankings(true - 1, probabilities[:, 1:])
    return ClassRankings(true, probabilities)


def value_scorer(true: NDArray[np.floating], predicted: NDArray[np.floating]) -> Scorer:
    """Return the function that computes `VALUE_MEASURES` of weighted rows.

    Parameters
    ----------
    true, predicted : arrays (m,)
        In the target's units.
    """
    unit = unit_of(true, predicted)
    true, predicted = true / unit, predicted / unit
    errors = np.asarray(true - predicted, np.float64)
    # Centred first: the variance from sums of squares of large numbers would lose its digits.
    centred = np.asarray(true - true.mean(), np.float64)
    sums = np.array([errors**2, np.abs(errors), centred, centred**2])

    def scores(weights: Weights) -> NDArray[np.float64]:
        squared, absolute, mean, second = (sums * weights).sum(axis=1) / weights.sum()
        variance = second - mean**2
        r2 = 1 - squared / variance if variance > 0 else np.nan
        return np.array([np.sqrt(squared) * unit, absolute * unit, r2])

    return scores
