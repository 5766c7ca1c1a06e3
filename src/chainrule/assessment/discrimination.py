"""How well a score separates positive from negative rows: ROC and precision–recall curves."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class RocCurve(NamedTuple):
    """One point per threshold, from "none is positive" to "all are"."""

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]


class PrecisionRecallCurve(NamedTuple):
    """One point per threshold, from "none is positive" to "all are"."""

    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    """By convention 1 at the threshold where no row is called positive."""


class Ranking:
    """Rows sorted by descending score, once for many different weightings of the rows.

    Parameters
    ----------
    positive : array (m,) of bool
    scores : array (m,)
        Higher for rows that are more likely to be positive; equal scores share a threshold.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule.assessment.discrimination import Ranking
    >>> ranking = Ranking(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    >>> ranking.area()
    0.75
    """

    def __init__(self, positive: NDArray[np.generic], scores: NDArray[np.floating]) -> None:
        self._order = np.argsort(-scores, kind="stable")
        self._positive = np.asarray(positive, np.float64)[self._order]
        falling = scores[self._order]
        # The last row of each distinct score: a threshold can only lie between two of them.
        self._ends = np.append(np.flatnonzero(falling[1:] != falling[:-1]), len(falling) - 1)

    def counts(
        self, weights: NDArray[np.float64] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the numbers of true and false positives per threshold, starting with (0, 0)."""
        drawn = np.ones(len(self._order)) if weights is None else weights[self._order]
        true = np.cumsum(drawn * self._positive)[self._ends]
        both = np.cumsum(drawn)[self._ends]
        return np.append(0.0, true), np.append(0.0, both - true)

    def area(self, weights: NDArray[np.float64] | None = None) -> float:
        """Return the area under the ROC curve; NaN unless there are positive and negative rows."""
        true, false = self.counts(weights)
        if true[-1] <= 0 or false[-1] <= 0:
            return float("nan")
        trapezoids = (false[1:] - false[:-1]) * (true[1:] + true[:-1]) / 2
        return float(trapezoids.sum() / (true[-1] * false[-1]))

    def roc_curve(self) -> RocCurve:
        """Return the ROC curve; there must be positive and negative rows."""
        true, false = self.counts()
        return RocCurve(false / false[-1], true / true[-1])

    def precision_recall_curve(self) -> PrecisionRecallCurve:
        """Return the precision–recall curve; there must be a positive row."""
        true, false = self.counts()
        both = true + false
        precision = np.append(1.0, true[1:] / both[1:])
        return PrecisionRecallCurve(true / true[-1], precision)

    def average_precision(self) -> float:
        """Return the mean precision over the thresholds, weighted by the increase in recall."""
        recall, precision = self.precision_recall_curve()
        return float(np.sum(np.diff(recall) * precision[1:]))
