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
    """Rows sorted by descending score.

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
        order = np.argsort(-scores, kind="stable")
        self._positive = np.asarray(positive, np.float64)[order]
        falling = scores[order]
        # The last row of each distinct score: a threshold can only lie between two of them.
        self._ends = np.append(np.flatnonzero(falling[1:] != falling[:-1]), len(falling) - 1)

    def counts(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the numbers of true and false positives per threshold, starting with (0, 0)."""
        true = np.cumsum(self._positive)[self._ends]
        return np.append(0.0, true), np.append(0.0, self._ends + 1 - true)

    def area(self) -> float:
        """Return the area under the ROC curve; NaN unless there are positive and negative rows."""
        true, false = self.counts()
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


class ClassRankings:
    """Rows ranked by their scores for each class, once for many different weightings of the rows.

    The area under a class's ROC curve is the Mann–Whitney U of its rows against all others, divided
    by the number of such pairs; so it needs ranks of the class's own rows only, and all classes
    together need those of each row once.

    Parameters
    ----------
    true : array (m,)
        Each row's column of `scores`, which is that of its class; -1 for a row of no ranked class.
    scores : array (m, classes)

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule.assessment.discrimination import ClassRankings
    >>> scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8]])
    >>> ClassRankings(np.array([0, 0, 1, 1]), scores).areas(np.ones(4)).tolist()
    [0.75, 0.75]
    """

    def __init__(self, true: NDArray[np.integer], scores: NDArray[np.floating]) -> None:
        rows, self._classes = scores.shape
        rising = []
        self._own = np.flatnonzero(true >= 0)
        self._class = true[self._own]
        # Where, in the sums over a class's column, the scores equal to a row's begin and end.
        self._begin = self._class * (rows + 1)
        self._end = self._begin.copy()
        for index in range(self._classes):
            column, members = scores[:, index], np.flatnonzero(self._class == index)
            rising.append(np.argsort(column, kind="stable"))
            values, ranked = column[self._own[members]], column[rising[-1]]
            self._begin[members] += np.searchsorted(ranked, values, "left")
            self._end[members] += np.searchsorted(ranked, values, "right")
        self._rising = np.array(rising)
        """Of each class, the rows by rising score."""

    def areas(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each class's area under the ROC curve; NaN if all rows, or none, are of it."""
        sums = np.zeros((self._classes, len(weights) + 1))
        np.cumsum(weights[self._rising], axis=1, out=sums[:, 1:])
        below, upto = sums.ravel()[self._begin], sums.ravel()[self._end]
        own = weights[self._own]
        positive = np.bincount(self._class, own, minlength=self._classes)
        # All rows below a row, with half of its equals; of them, those of its class are half of all
        # pairs in the class.
        ranks = np.bincount(self._class, own * (below + upto) / 2, minlength=self._classes)
        wins = ranks - positive**2 / 2
        pairs = positive * (sums[0, -1] - positive)
        areas = np.full(self._classes, np.nan)
        np.divide(wins, pairs, out=areas, where=pairs > 0)
        return areas
