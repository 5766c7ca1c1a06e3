"""Scores of predicted probabilities: log loss, Brier score, and expected calibration error."""

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import whole_number
from chainrule.equations.costs import cross_entropy

BINS = 15
"""Number of bins of the expected calibration error."""

# A probability of 0 for the true class would make the mean infinite. Near 1, float32 has no finer
# resolution than this anyway.
_SMALLEST_PROBABILITY = 1e-7


def log_losses(
    true: NDArray[np.integer], probabilities: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return each row's cross-entropy (C3): −ln of the probability of its true class, (m,)."""
    of_truth = probabilities[np.arange(len(true)), true].astype(np.float64)
    A = np.clip(of_truth, _SMALLEST_PROBABILITY, 1.0).reshape(1, -1)
    # Y is 1 for the true class; all other classes have y = 0 and add nothing.
    return np.asarray(cross_entropy(A, np.ones_like(A)), np.float64)


def brier_losses(
    true: NDArray[np.integer], probabilities: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return each row's squared error of the probabilities, (m,); its mean is the Brier score.

    With two classes it is (p − y)² of the second class, from 0 to 1; with more, the sum of these
    squares over the classes, from 0 to 2, as in scikit-learn.

    Sources: G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly
    Weather Review 78, 1950, for the sum; the halved form is usual with two classes.

    Parameters
    ----------
    true : array (m,)
        Class indices.
    probabilities : array (m, classes)
    """
    errors = probabilities.astype(np.float64)
    errors[np.arange(len(true)), true] -= 1
    if errors.shape[1] == 2:
        return np.asarray(errors[:, 1] ** 2, np.float64)
    return np.asarray((errors**2).sum(axis=1), np.float64)


def stated_probabilities(
    true: NDArray[np.integer], probabilities: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the probability of each row whose calibration is measured, and whether it came true.

    With two classes it is the probability of the second one, with more that of the predicted class.
    """
    exact = probabilities.astype(np.float64)
    if exact.shape[1] == 2:
        return exact[:, 1], true == 1
    return exact.max(axis=1), np.argmax(probabilities, axis=1) == true


def calibration_error(
    probabilities: NDArray[np.floating], outcomes: NDArray[np.generic], bins: int = BINS
) -> float:
    """Return the expected calibration error: the mean distance of share and mean probability.

    Rows are sorted by probability and divided into bins of equally many rows; rows of the same
    probability share a bin. The share is that of the bin's rows whose outcome is true. Bins of
    equally many rows bias the result less than bins of equal width.

    Even perfect probabilities have an error above 0 on a finite number of rows:
    `chainrule.assessment.calibration.checked_calibration_error` compares it with that error.

    Sources: M. P. Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning",
    AAAI 2015; R. Roelofs et al., "Mitigating bias in calibration error estimation", AISTATS 2022,
    for bins of equally many rows.

    Parameters
    ----------
    probabilities : array (m,)
    outcomes : array (m,) of bool
    bins : int
        Number of bins; fewer if there are fewer distinct probabilities.

    Raises
    ------
    InvalidArgumentError
        If `bins` is not a positive whole number.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule.model.probability_scores import calibration_error
    >>> round(calibration_error(np.array([0.1, 0.2, 0.7, 0.9]), np.array([0, 0, 1, 0]), bins=2), 4)
    0.225
    """
    places = equal_bins(probabilities, bins)
    exact = np.asarray(probabilities, np.float64)
    gaps = np.bincount(places, np.asarray(outcomes, np.float64) - exact)
    return float(np.abs(gaps).sum() / len(exact))


def equal_bins(probabilities: NDArray[np.floating], bins: int = BINS) -> NDArray[np.int64]:
    """Return each row's bin, from 0, of bins of equally many rows as far as equal values allow."""
    bins = whole_number("bins", bins, 1)
    exact = np.asarray(probabilities, np.float64)
    shares = np.arange(1, bins) / bins
    # The largest probability of each bin: the values of rows, so that equal values share a bin.
    edges = np.unique(np.quantile(exact, shares, method="inverted_cdf")) if bins > 1 else exact[:0]
    return np.asarray(np.searchsorted(edges, exact, side="left"), np.int64)
