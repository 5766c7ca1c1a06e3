"""The scores that a judgement compares, as functions of how often each row counts.

A measure is prepared once for some predictions, with all that does not depend on the weights of
the rows, because a bootstrap asks it a thousand times. Sums are NumPy's own and not BLAS's, which
would start threads for a few microseconds of work.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.discrimination import Ranking
from chainrule.model.scores import unit_of

Weights = NDArray[np.float64]
Scorer = Callable[[Weights], NDArray[np.float64]]
"""From weights of the rows, (m,), to a score for each measure."""


class Measure(NamedTuple):
    """A score's name, and which way is better."""

    key: str
    name: str
    greater_is_better: bool


ACCURACY = Measure("accuracy", "Accuracy", True)
BALANCED = Measure("balanced_accuracy", "Balanced accuracy", True)
F1 = Measure("f1", "F1", True)
AREA = Measure("roc_auc", "ROC AUC", True)
LOG_LOSS = Measure("log_loss", "Log loss", False)
CLASS_MEASURES = (ACCURACY, BALANCED, F1, AREA, LOG_LOSS)

RMSE = Measure("rmse", "RMSE", False)
MAE = Measure("mae", "MAE", False)
R2 = Measure("r2", "R²", True)
VALUE_MEASURES = (RMSE, MAE, R2)

# A probability of 0 for what happened would make any mean infinite; float32 ends here anyway.
_SMALLEST_PROBABILITY = 1e-7


def log_losses(true: NDArray[np.integer], probabilities: NDArray[np.floating]) -> Weights:
    """Return −ln of each row's probability of its true class, (m,)."""
    of_truth = probabilities[np.arange(len(true)), true].astype(np.float64)
    losses: Weights = -np.log(np.clip(of_truth, _SMALLEST_PROBABILITY, 1.0))
    return losses


def class_scorer(
    true: NDArray[np.integer], probabilities: NDArray[np.floating], n_classes: int
) -> Scorer:
    """Return the function that gives `CLASS_MEASURES` of weighted rows.

    F1 is that of the second of two classes, else the mean over the classes; so is ROC AUC, one
    against the rest, of the classes that have rows. Balanced accuracy is the mean recall of those.

    Parameters
    ----------
    true : array (m,)
        Class indices.
    probabilities : array (m, n_classes)
    n_classes : int
    """
    answers = np.argmax(probabilities, axis=1)
    cells = true * n_classes + answers
    losses = log_losses(true, probabilities)
    ranked: Sequence[int] = [1] if n_classes == 2 else range(n_classes)
    rankings = [Ranking(true == index, probabilities[:, index]) for index in ranked]

    def scores(weights: Weights) -> NDArray[np.float64]:
        counts = np.bincount(cells, weights, minlength=n_classes**2)
        matrix = counts.reshape(n_classes, n_classes)
        right, of_class, answered = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
        rows = of_class.sum()
        present = of_class > 0
        areas = [ranking.area(weights) for ranking in rankings]
        defined = [area for area in areas if area == area]
        # 2PR/(P + R), and 0 where a class neither was nor was answered.
        f1 = 2 * right / np.maximum(of_class + answered, 1)
        return np.array(
            [
                right.sum() / rows,
                np.mean(right[present] / of_class[present]),
                f1[1] if n_classes == 2 else f1.mean(),
                np.mean(defined) if defined else np.nan,
                (losses * weights).sum() / rows,
            ]
        )

    return scores


def value_scorer(true: NDArray[np.floating], predicted: NDArray[np.floating]) -> Scorer:
    """Return the function that gives `VALUE_MEASURES` of weighted rows.

    Parameters
    ----------
    true, predicted : arrays (m,)
        In the target's units.
    """
    unit = unit_of(true, predicted)
    true, predicted = true / unit, predicted / unit
    errors = np.asarray(true - predicted, np.float64)
    # Around the mean: a sum of squares of large numbers would lose the digits that differ.
    centred = np.asarray(true - true.mean(), np.float64)
    sums = np.array([errors**2, np.abs(errors), centred, centred**2])

    def scores(weights: Weights) -> NDArray[np.float64]:
        squared, absolute, mean, second = (sums * weights).sum(axis=1) / weights.sum()
        variance = second - mean**2
        r2 = 1 - squared / variance if variance > 0 else np.nan
        return np.array([np.sqrt(squared) * unit, absolute * unit, r2])

    return scores
