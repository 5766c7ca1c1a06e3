"""Scores of predictions by scikit-learn's definitions, without importing it.

With two classes, precision, recall and F1 refer to the class that sorts last (M of B and M, 1 of 0
and 1, true of false and true), named by "positive_class"; with more, they are unweighted means over
the classes ("macro"). ROC AUC is one-vs-rest, also averaged over the classes without weights. A
score that is undefined for these rows (ROC AUC if a class is absent) is None. "log_loss", "brier"
and "ece" are those of `probability_scores`.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.model.probability_scores import (
    brier_losses,
    calibration_error,
    log_losses,
    stated_probabilities,
)
from chainrule.tables.task import Class


def classification_scores(
    true: NDArray[np.integer], probabilities: NDArray[np.floating], classes: Sequence[Class]
) -> dict[str, Any]:
    """Return the scores of classes and of their probabilities, and the confusion matrix.

    Parameters
    ----------
    true : array (m,)
        Class indices.
    probabilities : array (m, classes)
    classes : sequence
        Names, in the order of the columns.

    Returns
    -------
    dict
        Ready for JSON. "confusion_matrix" holds counts, with true classes as rows and predicted
        classes as columns.
    """
    binary = len(classes) == 2
    counts = _confusion(true, np.argmax(probabilities, axis=1), len(classes))
    right, found, there = counts.diagonal(), counts.sum(axis=0), counts.sum(axis=1)
    # With two classes, the scores are those of the class with index 1 alone.
    chosen = slice(1, None) if binary else slice(None)
    scores: dict[str, Any] = {
        "rows": len(true),
        "accuracy": float(right.sum() / len(true)),
        "precision": float(_shares(right, found)[chosen].mean()),
        "recall": float(_shares(right, there)[chosen].mean()),
        "f1": float(_shares(2 * right, found + there)[chosen].mean()),
        "roc_auc": None,
    }
    if there.all():
        positives = range(len(classes))[chosen]
        exact = probabilities.astype(np.float64)
        exact /= exact.sum(axis=1, keepdims=True)  # in float32, rows sum to 1 only approximately
        areas = [roc_auc(true == index, exact[:, index]) for index in positives]
        scores["roc_auc"] = float(np.mean(areas))
    scores["log_loss"] = float(log_losses(true, probabilities).mean())
    scores["brier"] = float(brier_losses(true, probabilities).mean())
    scores["ece"] = calibration_error(*stated_probabilities(true, probabilities))
    if binary:
        scores["positive_class"] = classes[1]
    scores["confusion_matrix"] = {"classes": list(classes), "counts": counts.tolist()}
    return scores


def roc_auc(positive: NDArray[np.bool_], scores: NDArray[np.floating]) -> float:
    """Return the share of pairs of a positive and a negative row that the scores order correctly.

    A tie counts one half. This is the area under the ROC curve, computed from the ranks.

    Parameters
    ----------
    positive : array (m,)
        At least one true and one false.
    scores : array (m,)
    """
    _, places, ties = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[places]  # tied scores share their mean rank
    n_positive = int(positive.sum())
    pairs = n_positive * (len(positive) - n_positive)
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / pairs)


def _confusion(
    true: NDArray[np.integer], predicted: NDArray[np.integer], n_classes: int
) -> NDArray[np.int64]:
    cells = true.astype(np.int64) * n_classes + predicted
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def _shares(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return part/whole, 0 where whole is 0."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def unit_of(*values: NDArray[np.floating]) -> float:
    """Return the unit to divide values by so that their squares do not overflow: usually 1.

    It is a power of two, so the division does not round.
    """
    largest = max(float(np.abs(each).max(initial=0.0)) for each in values)
    return 2.0**600 if largest > 1e150 else 1.0


def regression_scores(
    true: NDArray[np.floating], predicted: NDArray[np.floating]
) -> dict[str, Any]:
    """Return RMSE and MAE in the target's units, and R²."""
    unit = unit_of(true, predicted)
    true, predicted = true / unit, predicted / unit
    errors = true - predicted
    squares = float(np.square(errors, dtype=np.float64).sum())
    spread = float(np.square(true - true.mean(), dtype=np.float64).sum())
    r2: float | None = None
    if len(true) > 1:
        r2 = 1 - squares / spread if spread else float(squares == 0)
    return {
        "rows": len(true),
        "rmse": math.sqrt(squares / len(true)) * unit,
        "mae": float(np.abs(errors).mean(dtype=np.float64)) * unit,
        "r2": r2,
    }
