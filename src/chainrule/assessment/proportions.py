"""Confidence intervals of proportions and their differences, valid for few rows and near 0 or 1.

If every prediction is correct, the bootstrap interval is a point: all resamples have the same
score. These intervals have a width even then, because they contain all true values that are
compatible with the rows.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.assessment.bootstrap import Interval

# 95 % of a normal distribution lie within this many standard deviations of its mean.
_Z = 1.959963984540054


def wilson(share: ArrayLike, counts: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Wilson's 95 % interval of shares of `counts` rows.

    The p with |share − p| ≤ z √(p(1 − p)/n).

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22, 1927.
    """
    given, n = np.asarray(share, np.float64), np.asarray(counts, np.float64)
    more = _Z * _Z / n
    middle = (given + more / 2) / (1 + more)
    half = _Z * np.sqrt((given * (1 - given) + more / 4) / n) / (1 + more)
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def proportion(positive: float, rows: float) -> Interval:
    """Return a share of rows with Wilson's interval; NaN without rows."""
    if not rows:
        return Interval(np.nan, np.nan, np.nan)
    share = positive / rows
    low, high = wilson(share, rows)
    # Rounding must not put the share outside its interval.
    return Interval(share, min(share, float(low)), max(share, float(high)))


def f1_score(right: float, of_class: float, answered: float) -> Interval:
    """Return the F1 of a class with the interval that Wilson's interval implies.

    F1 = 2J/(1 + J), where J = right/(of_class + answered − right) is a share: of the rows that
    belong to the class or are predicted as such, those that do both. NaN without such rows.

    Source: K. F. Y. Lam, V. Gopal and J. Qian, "Confidence intervals for the F1 score: a comparison
    of four methods", arXiv 2309.14621, 2023, "Wilson indirect".

    Parameters
    ----------
    right, of_class, answered : float
        The numbers of rows that are predicted correctly as this class, that belong to it, and that
        are predicted as such.
    """
    found = proportion(right, of_class + answered - right)
    return Interval(*(float(2 * jaccard / (1 + jaccard)) for jaccard in found))


def area(value: float, positive: float, negative: float) -> Interval:
    """Return an area under the ROC curve with Newcombe's interval, which exists for an area of 1.

    The θ with (value − θ)² ≤ z² V(θ), with Hanley and McNeil's variance for exponential scores and
    equal classes: V(θ) = θ(1 − θ)(1 + N(1 − θ)/(2 − θ) + Nθ/(1 + θ))/(mn), N = (m + n)/2 − 1.

    Source: R. G. Newcombe, "Confidence intervals for an effect size measure based on the
    Mann–Whitney statistic. Part 2", Statistics in Medicine 25, 2006, method 5.

    Parameters
    ----------
    value : float
    positive, negative : float
        The numbers m, n of rows of the class, and of the others.
    """
    if not (positive and negative) or np.isnan(value):
        return Interval(value, np.nan, np.nan)
    others = (positive + negative) / 2 - 1

    def outside(theta: float) -> bool:
        more = 1 + others * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        variance = theta * (1 - theta) * more / (positive * negative)
        return bool((value - theta) ** 2 > _Z * _Z * variance)

    low, high = _edge(outside, 0.0, value), _edge(outside, 1.0, value)
    return Interval(float(value), float(low), float(high))


def paired_difference(only_first: float, only_second: float, rows: float) -> Interval:
    """Return the difference of two shares of the same rows with Tango's interval.

    The Δ with |b − c − nΔ| ≤ z √(n(2q + Δ(1 − Δ))), where q is the probability of c that is most
    likely given Δ. With b = c = 0 it still has a width: ± z²/(n + z²).

    Source: T. Tango, "Equivalence test and confidence interval for the difference in proportions
    for the paired-sample design", Statistics in Medicine 17, 1998.

    Parameters
    ----------
    only_first, only_second : float
        The numbers b, c of rows that count for the first share only, and for the second only.
    rows : float
        The number n of rows.
    """
    if not rows:
        return Interval(np.nan, np.nan, np.nan)
    b, c, n = float(only_first), float(only_second), float(rows)
    value = (b - c) / n

    def outside(delta: float) -> bool:
        linear = -b - c + (2 * n - b + c) * delta
        constant = -c * delta * (1 - delta)
        root = np.sqrt(max(0.0, linear * linear - 8 * n * constant))
        likely = max(0.0, (root - linear) / (4 * n))
        variance = max(0.0, n * (2 * likely + delta * (1 - delta)))
        return bool((b - c - n * delta) ** 2 > _Z * _Z * variance)

    return Interval(value, _edge(outside, -1.0, value), _edge(outside, 1.0, value))


def mean_of(parts: Sequence[Interval]) -> Interval:
    """Return the mean of independent scores with the interval that their intervals imply (MOVER).

    Low is mean − √Σ(value − low)²/k, high is mean + √Σ(high − value)²/k, for k scores. Scores that
    are NaN are left out.

    Source: G. Y. Zou and A. Donner, "Construction of confidence limits about effect measures: a
    general approach", Statistics in Medicine 27, 2008.
    """
    given = np.array([part for part in parts if not np.isnan(part).any()]).reshape(-1, 3)
    if not len(given):
        return Interval(np.nan, np.nan, np.nan)
    value, low, high = (given[:, column] for column in range(3))
    mean = float(value.mean())
    below = float(np.sqrt(((value - low) ** 2).sum()) / len(given))
    above = float(np.sqrt(((high - value) ** 2).sum()) / len(given))
    return Interval(mean, mean - below, mean + above)


def difference_of(first: Interval, second: Interval) -> Interval:
    """Return the difference of two scores with the interval that theirs imply (MOVER).

    It assumes independent scores; for scores of the same rows it tends to be too wide. Source: see
    `mean_of`.
    """
    value = first.value - second.value
    below = float(np.hypot(first.value - first.low, second.high - second.value))
    above = float(np.hypot(first.high - first.value, second.value - second.low))
    return Interval(value, value - below, value + above)


def _edge(outside: Callable[[float], bool], end: float, inside: float) -> float:
    """Return where a condition that holds at `end` ceases to hold towards `inside`."""
    if not outside(end):
        return end
    far, near = end, inside
    for _ in range(60):
        middle = (far + near) / 2
        if outside(middle):
            far = middle
        else:
            near = middle
    return near
