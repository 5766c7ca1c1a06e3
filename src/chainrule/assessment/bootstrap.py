"""The bootstrap: how much a score varies over samples of rows from the same distribution."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import whole_number

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""A function from the number of times each row is drawn, (rows,), to scores, (scores,)."""

LEVEL = 0.95


class Interval(NamedTuple):
    """A score and its confidence interval; NaN if they are undefined for the rows."""

    value: float
    low: float
    high: float

    @property
    def is_above_zero(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.low > 0

    @property
    def is_below_zero(self) -> bool:
        """Whether the whole interval lies below zero."""
        return self.high < 0


def bootstrap(
    statistic: Statistic, n_rows: int, *, resamples: int = 1000, seed: int = 0
) -> NDArray[np.float64]:
    """Return a statistic of many resamples of the rows, drawn with replacement.

    All scores of one call are computed from the same resamples, so their differences are paired.

    Parameters
    ----------
    statistic : callable
        Takes the number of times each row is drawn, (n_rows,), and returns one or more scores.
    n_rows : int
    resamples : int
    seed : int

    Returns
    -------
    array (resamples, scores)

    Raises
    ------
    InvalidArgumentError
        If there are no rows or no resamples.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule.assessment.bootstrap import bootstrap, interval
    >>> values = np.arange(100.0)
    >>> samples = bootstrap(lambda drawn: np.array([values @ drawn / 100]), 100)
    >>> low, high = interval(values.mean(), samples[:, 0])[1:]
    >>> bool(43 < low < 45 < 54 < high < 56)
    True
    """
    n_rows = whole_number("n_rows", n_rows, 1)
    resamples = whole_number("resamples", resamples, 1)
    generator = np.random.default_rng(seed)
    results = []
    for _ in range(resamples):
        drawn = np.bincount(generator.integers(n_rows, size=n_rows), minlength=n_rows)
        results.append(np.atleast_1d(statistic(drawn.astype(np.float64))))
    return np.array(results, np.float64)


def interval(
    value: float, samples: NDArray[np.floating], level: float = LEVEL, *, rows: int | None = None
) -> Interval:
    """Return the percentile interval of a bootstrap.

    Resamples for which the score is undefined (NaN) are left out; if they are half or more of all,
    the interval is NaN.

    Parameters
    ----------
    value : float
        The score of the original rows.
    samples : array (resamples,)
    level : float
        The share of the samples that the interval covers.
    rows : int, optional
        Number of rows of a sample. If it is given, the interval is widened as Student's t widens
        that of a mean ("expanded percentile interval": T. C. Hesterberg, "What teachers should know
        about the bootstrap", The American Statistician 69, 2015), and one row has no interval.
    """
    defined = samples[~np.isnan(samples)]
    if 2 * len(defined) <= len(samples) or rows == 1:
        return Interval(float(value), float("nan"), float("nan"))
    tail = (1 - level) / 2
    if rows is not None:
        from scipy.special import ndtr, stdtrit

        tail = float(ndtr(np.sqrt(rows / (rows - 1)) * stdtrit(rows - 1, tail)))
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(float(value), float(low), float(high))
