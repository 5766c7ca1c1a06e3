"""Calibration: of the rows that are given probability 0.8, eight in ten should be positive."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.proportions import wilson
from chainrule.checks import whole_number
from chainrule.model.probability_scores import BINS, calibration_error, equal_bins

# Random numbers of all draws together: a fraction of a second of work.
_MOST_DRAWN = 1e7
_MOST_DRAWS, _FEWEST_DRAWS = 1000, 200


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


class CalibrationError(NamedTuple):
    """The expected calibration error, and what chance alone contributes to it."""

    value: float
    by_chance: float
    """Its mean if the probabilities were perfectly calibrated."""
    limit: float
    """The value that perfectly calibrated probabilities exceed in 5 % of cases."""

    @property
    def exceeds_chance(self) -> bool:
        """Whether the rows show that the probabilities are not perfectly calibrated."""
        return self.value > self.limit


def checked_calibration_error(
    probabilities: NDArray[np.floating],
    outcomes: NDArray[np.generic],
    bins: int = BINS,
    *,
    seed: int = 0,
) -> CalibrationError:
    """Return the expected calibration error, and that of perfectly calibrated probabilities.

    On a finite number of rows, even perfect probabilities have an error. Its distribution is
    simulated: outcomes are drawn with the predicted probabilities, again and again ("consistency
    resampling").

    Source: J. Bröcker and L. A. Smith, "Increasing the reliability of reliability diagrams",
    Weather and Forecasting 22, 2007.

    Parameters
    ----------
    probabilities : array (m,)
    outcomes : array (m,) of bool
    bins : int
    seed : int

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule.assessment.calibration import checked_calibration_error
    >>> found = checked_calibration_error(np.full(100, 0.9), np.arange(100) < 50)
    >>> round(found.value, 3), found.exceeds_chance
    (0.4, True)
    """
    exact = np.asarray(probabilities, np.float64)
    value = calibration_error(exact, outcomes, bins)
    places = equal_bins(exact, bins)
    expected = np.bincount(places, exact)
    draws = min(_MOST_DRAWS, max(_FEWEST_DRAWS, int(_MOST_DRAWN / len(exact))))
    generator = np.random.default_rng(seed)
    errors = np.empty(draws)
    for draw in range(draws):
        drawn = np.bincount(places[generator.random(len(exact)) < exact], minlength=len(expected))
        errors[draw] = np.abs(drawn - expected).sum() / len(exact)
    return CalibrationError(value, float(errors.mean()), float(np.quantile(errors, 0.95)))
