"""Calibration: of the rows that are given probability 0.8, eight in ten should be positive."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import whole_number

# 95 % of a normal distribution lie within this many standard deviations of its mean.
_Z = 1.959963984540054


@dataclass(frozen=True)
class Reliability:
    """Rows grouped by predicted probability into bins of equal width; empty bins are left out.

    Parameters
    ----------
    mean : array (bins,)
        Mean predicted probability of a bin's rows.
    share : array (bins,)
        Share of positive rows in the bin.
    low, high : arrays (bins,)
        Wilson's 95 % interval of the share.
    counts : array (bins,)
        Number of rows in the bin.
    edges : array (bins, 2)
        Lower and upper edge of the bin.
    """

    mean: NDArray[np.float64]
    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    counts: NDArray[np.int64]
    edges: NDArray[np.float64]

    @property
    def expected_error(self) -> float:
        """The expected calibration error: mean of |share − mean probability|, weighted by rows."""
        return float(np.average(np.abs(self.share - self.mean), weights=self.counts))


def reliability(
    probabilities: NDArray[np.floating], outcomes: NDArray[np.generic], bins: int = 10
) -> Reliability:
    """Return the observed frequencies for bins of predicted probability.

    Parameters
    ----------
    probabilities : array (m,)
    outcomes : array (m,) of bool
    bins : int

    Raises
    ------
    InvalidArgumentError
        If `bins` is not a positive whole number.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule.assessment.calibration import reliability
    >>> found = reliability(np.array([0.1, 0.1, 0.9, 0.9]), np.array([0, 0, 1, 0]), bins=2)
    >>> found.share
    array([0. , 0.5])
    >>> round(found.expected_error, 3)
    0.25
    """
    bins = whole_number("bins", bins, 1)
    edges = np.linspace(0, 1, bins + 1)
    exact = np.asarray(probabilities, np.float64)
    places = np.searchsorted(edges[1:-1], exact)
    counts = np.bincount(places, minlength=bins)
    used = counts > 0
    n = counts[used]
    mean = np.bincount(places, exact, minlength=bins)[used] / n
    share = np.bincount(places, np.asarray(outcomes, np.float64), minlength=bins)[used] / n
    low, high = wilson(share, n)
    both = np.column_stack([edges[:-1], edges[1:]])[used]
    return Reliability(mean, share, low, high, n, both)


def wilson(
    share: NDArray[np.float64], counts: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Wilson's 95 % interval of a share, which holds for few rows and for shares near 0."""
    more = _Z * _Z / counts
    middle = (share + more / 2) / (1 + more)
    half = _Z * np.sqrt((share * (1 - share) + more / 4) / counts) / (1 + more)
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
