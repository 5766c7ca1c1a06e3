"""Split-conformal prediction: intervals for values, CP1 to CP3, and sets for classes, CP4 and CP5.

Each calibration row gets a score that measures how badly the prediction fits its true target. A new
row's interval, or set, contains all targets whose score would be at most the k-th smallest score of
the m calibration rows. If the new row and the calibration rows are exchangeable, the true target is
in it with a probability of at least c, and at most c + 1/(m + 1) if no two scores are equal,
whatever the model and the distribution of the data.

Source: Vovk, Gammerman and Shafer 2005, "Algorithmic learning in a random world", Springer; Lei,
G'Sell, Rinaldo, Tibshirani and Wasserman 2018, "Distribution-free predictive inference for
regression", Journal of the American Statistical Association 113, 1094-1111.
"""

import math

from chainrule.equations._array import Array, namespace


def absolute_residual(value: Array, prediction: Array) -> Array:
    """CP1: s = |y − ŷ|.

    Parameters
    ----------
    value, prediction : array
        y and ŷ, in the same units.

    Returns
    -------
    s : array
    """
    return namespace(value).abs(value - prediction)


def conformal_rank(rows: int, coverage: float) -> int:
    """CP2: q = s₍ₖ₎, k = ⌈(m + 1) c⌉.

    q is the k-th smallest of m scores. For k = m + 1, no score is large enough, and q is infinite.

    Parameters
    ----------
    rows : int
        m.
    coverage : float
        c in (0, 1).

    Returns
    -------
    k : int
        From 1 to m + 1.
    """
    # (m + 1) c may be a whole number on paper and a rounding error above it in floating point.
    return math.ceil(round((rows + 1) * coverage, 9))


def prediction_interval(prediction: Array, quantile: Array) -> tuple[Array, Array]:
    """CP3: ŷ − q ≤ y ≤ ŷ + q.

    Parameters
    ----------
    prediction : array
        ŷ.
    quantile : array
        q of CP1's scores.

    Returns
    -------
    lower, upper : array
    """
    return prediction - quantile, prediction + quantile


def class_score(A: Array) -> Array:
    """CP4: s = 1 − a.

    The score of a class is small if its probability is large.

    Source: Sadinle, Lei and Wasserman 2019, "Least ambiguous set-valued classifiers with bounded
    error levels", Journal of the American Statistical Association 114, 223-234.

    Parameters
    ----------
    A : array
        Probabilities of classes.

    Returns
    -------
    s : array
    """
    return 1 - A


def prediction_set(scores: Array, quantile: Array) -> Array:
    """CP5: {k : sₖ ≤ q}.

    The set contains every class that is likely enough. Of all sets with the same coverage, these
    have the fewest classes on average. A set is empty if no class is likely enough; this keeps the
    coverage at c if c is below the accuracy.

    Parameters
    ----------
    scores : array
        CP4 of each class.
    quantile : array
        q of CP4's scores of the true classes.

    Returns
    -------
    members : array of bool
    """
    return scores <= quantile
