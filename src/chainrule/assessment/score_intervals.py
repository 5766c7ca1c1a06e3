"""The interval of each score: valid for few rows, and if every prediction is correct."""

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment import proportions
from chainrule.assessment.bootstrap import Interval
from chainrule.assessment.measures import ACCURACY, AREA, BALANCED, F1

METHODS = {
    "accuracy": "Wilson’s interval",
    "balanced_accuracy": "Wilson’s interval of each class’s recall, combined (MOVER)",
    "f1": "Wilson’s interval, transformed; of several classes, the bootstrap’s or the combined "
    "intervals of the classes, whichever is wider",
    "roc_auc": "Newcombe’s interval (method 5); of several classes, combined (MOVER)",
}
"""The methods of the intervals of single scores; the others have bootstrap intervals."""

DIFFERENCES = {
    "accuracy": "Tango’s interval",
    "balanced_accuracy": "Tango’s interval of each class, combined (MOVER)",
}
"""The methods of the intervals of differences; the others have paired bootstrap intervals."""

_EXACT = Interval(0.0, 0.0, 0.0)


class Classified:
    """Predictions of one model as classes, with the intervals of their scores.

    Parameters
    ----------
    true : array (m,)
        Class indices.
    probabilities : array (m, classes)
    constant : bool
        Whether the predictions ignore the rows. Their balanced accuracy and ROC AUC are then the
        same for any rows, without uncertainty.
    """

    def __init__(
        self,
        true: NDArray[np.integer],
        probabilities: NDArray[np.floating],
        *,
        constant: bool = False,
    ) -> None:
        self.right = np.argmax(probabilities, axis=1) == true
        self._true = true
        self._classes = probabilities.shape[1]
        cells = true * self._classes + np.argmax(probabilities, axis=1)
        counts = np.bincount(cells, minlength=self._classes**2)
        self._matrix = counts.reshape(self._classes, self._classes)
        self._constant = constant

    def widened(self, key: str, found: Interval, areas: NDArray[np.float64]) -> Interval:
        """Return the interval of a score, given that of the bootstrap.

        Parameters
        ----------
        key : str
            The measure's key.
        found : Interval
            The score with its bootstrap interval.
        areas : array
            The ROC AUC of each ranked class: of the second of two, or of all.
        """
        right, of_class = np.diag(self._matrix), self._matrix.sum(axis=1)
        if key == ACCURACY.key:
            return proportions.proportion(float(right.sum()), float(of_class.sum()))
        if self._constant and key in (BALANCED.key, AREA.key):
            return Interval(found.value, found.value, found.value)
        if key == BALANCED.key:
            return proportions.mean_of(
                [
                    proportions.proportion(float(part), float(whole))
                    for part, whole in zip(right, of_class, strict=True)
                ]
            )
        if key == F1.key:
            return self._f1(found)
        if key == AREA.key:
            rows = of_class.sum()
            ranked = of_class[1:] if self._classes == 2 else of_class
            pairs = zip(areas, ranked, strict=True)
            each = [proportions.area(area, count, rows - count) for area, count in pairs]
            return each[0] if len(each) == 1 else proportions.mean_of(each)
        return found

    def _f1(self, found: Interval) -> Interval:
        right, answered = np.diag(self._matrix), self._matrix.sum(axis=0)
        of_class = self._matrix.sum(axis=1)
        each = []
        for index in range(self._classes):
            if self._constant and not answered[index]:
                each.append(_EXACT)  # it is never predicted, in any rows
                continue
            one = proportions.f1_score(right[index], of_class[index], answered[index])
            each.append(_EXACT if np.isnan(one.value) else one)
        if self._classes == 2:
            return each[1]
        combined = proportions.mean_of(each)
        if np.isnan(found.low):
            return combined
        return Interval(found.value, min(found.low, combined.low), max(found.high, combined.high))

    def difference(self, key: str, other: "Classified") -> Interval | None:
        """Return the interval of a difference of accuracies; None for other measures."""
        if key == ACCURACY.key:
            return _paired(self.right, other.right)
        if key != BALANCED.key:
            return None
        return proportions.mean_of(
            [
                _paired(self.right[rows], other.right[rows])
                for rows in (self._true == index for index in range(self._classes))
                if rows.any()
            ]
        )


def _paired(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Interval:
    only_first, only_second = np.sum(first & ~second), np.sum(second & ~first)
    return proportions.paired_difference(int(only_first), int(only_second), len(first))
