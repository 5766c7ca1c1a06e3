"""Transforms of a target with a long tail, and predictions in the target's own units.

The decision is based on robust statistics: the quartiles measure the spread of typical values, and
no single value changes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from chainrule.equations.transforms import (
    asinh_target,
    log_target,
    smearing,
    undone_target,
    undone_target_derivative,
)
from chainrule.errors import InvalidTableError

Kind: TypeAlias = Literal["log", "asinh"]
Floats: TypeAlias = NDArray[np.float64]

# A target is transformed if its standard deviation is at least _HEAVY times the deviation that its
# quartiles imply (1 for a normal distribution, 2 for a log-normal one of σ = 1, 7 for a log-uniform
# one over six decades), and some value lies _FAR deviations from the median. The second condition
# rules out two clusters.
_HEAVY = 5.0
_FAR = 4.0
# Values more than _FENCE robust deviations from the median even when transformed, if rarer than
# _RARE, are clipped to that distance.
_FENCE = 10.0
_RARE = 0.01
# Pairs of quantiles, and the distance between them in deviations of a normal distribution.
_SPREADS = ((0.25, 0.75, 1.34898), (0.05, 0.95, 3.28971), (0.01, 0.99, 4.65270))


@dataclass(frozen=True)
class TargetTransform:
    """TT1 or TT2 of a target's values, undone by TT3 within the range of the training rows.

    Parameters
    ----------
    kind : {"log", "asinh"}
    center, spread : float
        m and s of TT2 and TT3: the median and a robust deviation; 0 and 1 for "log".
    low, high : float
        The range to which t is clipped, in training and in prediction.
    rise, fall : float
        a and b of TT3.
    """

    kind: Kind
    center: float
    spread: float
    low: float
    high: float
    rise: float
    fall: float

    @property
    def plain(self) -> "TargetTransform":
        """The transform with its exact inverse, without the residuals of TT4."""
        rise, fall = _EXACT[self.kind]
        return replace(self, rise=rise, fall=fall)

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest prediction: the values of `low` and `high`."""
        plain = self.plain
        low, high = undone_target(
            np.array([self.low, self.high]), plain.center, plain.spread, plain.rise, plain.fall
        )
        return float(low), float(high)

    def forward(self, values: Floats) -> Floats:
        """Return t of values, clipped to `low` and `high`."""
        return self.clipped(self.position(values))

    def clipped(self, t: Floats) -> Floats:
        """Return t, clipped to `low` and `high`."""
        return np.asarray(np.clip(t, self.low, self.high))

    def position(self, values: Floats) -> Floats:
        """Return t of values, which may lie outside of `low` and `high`."""
        if self.kind == "log":
            # No training row has a value of 0 or below: such values count as the smallest known.
            return np.asarray(log_target(np.maximum(values, np.finfo(np.float64).tiny)))
        with np.errstate(over="ignore"):
            return np.asarray(asinh_target(values, self.center, self.spread))

    def exact(self, t: Floats) -> Floats:
        """Return the inverse of `position`, without the residuals of TT4."""
        plain = self.plain
        with np.errstate(over="ignore"):  # an end of an interval may be infinite
            return np.asarray(undone_target(t, plain.center, plain.spread, plain.rise, plain.fall))

    def undone(self, t: Floats) -> Floats:
        """Return t in the target's units."""
        t = np.clip(t, self.low, self.high)
        values = undone_target(t, self.center, self.spread, self.rise, self.fall)
        return np.asarray(np.clip(values, *self.bounds))

    def slope(self, t: Floats) -> Floats:
        """Return the derivative of `undone`; 0 where a prediction is clipped."""
        low, high = self.bounds
        inside = np.clip(t, self.low, self.high)
        values = undone_target(inside, self.center, self.spread, self.rise, self.fall)
        slope = undone_target_derivative(inside, self.spread, self.rise, self.fall)
        free = (t > self.low) & (t < self.high) & (values > low) & (values < high)
        return np.asarray(np.where(free, slope, 0.0))

    def smeared(self, residuals: Floats) -> "TargetTransform":
        """Return the transform whose predictions are means: TT4.

        Outlying residuals are left out: a single unpredictable row would raise the predictions
        for all others.
        """
        off = residuals - np.median(residuals)
        kept = np.abs(off) <= _FENCE * 1.4826 * np.median(np.abs(off))
        if not kept.any():
            return self
        plain = self.plain
        with np.errstate(over="ignore"):
            rise, fall = map(float, smearing(residuals[kept], plain.rise, plain.fall))
        return replace(self, rise=rise, fall=fall) if np.isfinite([rise, fall]).all() else self

    def to_array(self) -> Floats:
        """Return the numbers for a file."""
        return np.array([self.center, self.spread, self.low, self.high, self.rise, self.fall])

    @classmethod
    def from_array(cls, kind: Any, numbers: NDArray[Any]) -> "TargetTransform":
        """Build the transform that `to_array` wrote; raise ValueError if it is none."""
        if kind not in _EXACT:
            raise ValueError(f"unknown transform {kind!r}")
        if numbers.shape != (6,) or numbers.dtype != np.float64 or not np.isfinite(numbers).all():
            raise ValueError("expected six finite numbers of float64 for the transform")
        made = cls(cast(Kind, kind), *numbers.tolist())
        with np.errstate(over="ignore", invalid="ignore"):
            sound = made.spread > 0 and made.low < made.high and np.isfinite(made.bounds).all()
            largest = undone_target(
                np.array([made.low, made.high]), made.center, made.spread, made.rise, made.fall
            )
        if not (sound and np.isfinite(largest).all() and made.rise > 0 and made.fall >= 0):
            raise ValueError("the transform cannot be undone")
        return made


_EXACT: Mapping[Kind, tuple[float, float]] = {"log": (1.0, 0.0), "asinh": (0.5, 0.5)}


def robust_scale(values: Floats) -> tuple[float, float]:
    """Return the median and a deviation on which outliers have no influence; 0 if there is none."""
    center = float(np.median(values))
    for low, high, deviations in _SPREADS:
        first, last = np.quantile(values, [low, high])
        spread = float(last / deviations - first / deviations)
        if spread > 0:
            return center, spread
    return center, 0.0


def tail_weight(values: Floats) -> float:
    """Return the ratio of a sample's standard deviation to its robust deviation; 1: no tail.

    It is also 1 if no value lies far outside, or if most values are equal.
    """
    center, spread = robust_scale(values)
    scale = float(np.abs(values).max())
    if not spread > 0 or not scale > 0:
        return 1.0
    scaled = values / scale
    deviation = float(scaled.std())
    if np.abs(scaled - center / scale).max() < _FAR * deviation:
        return 1.0
    with np.errstate(over="ignore"):
        return max(1.0, float(np.float64(deviation) / np.float64(spread / scale)))


def is_heavy(values: Floats) -> bool:
    """Tell whether the tail of training values is so long that it dominates their scale."""
    return tail_weight(values) >= _HEAVY


def choose(values: Floats) -> TargetTransform | None:
    """Return the transform that suits these training values; None if none is needed.

    Of the possible ones, it is the one whose t has the shortest tail.
    """
    if not is_heavy(values):
        return None
    made = [_made("log", values)] if values.min() > 0 else []
    made.append(_made("asinh", values))
    usable = [one for one in made if one is not None]
    return min(usable, key=lambda one: tail_weight(one.forward(values)), default=None)


def made(name: str, kind: Kind, values: Floats) -> TargetTransform:
    """Return the transform that was asked for.

    Raises
    ------
    InvalidTableError
        If the training values do not allow it.
    """
    if kind == "log" and not values.min() > 0:
        raise InvalidTableError(
            f"target_transform: log needs values above 0, and the target {name!r} has "
            f"{values.min():g}; asinh takes any"
        )
    found = _made(kind, values)
    if found is None:
        raise InvalidTableError(
            f"target_transform: {kind} of the target {name!r} is not finite, or the same in most "
            "rows; use none"
        )
    return found


def _made(kind: Kind, values: Floats) -> TargetTransform | None:
    center, spread = (0.0, 1.0) if kind == "log" else robust_scale(values)
    if not spread > 0:
        return None
    whole = TargetTransform(kind, center, spread, -np.inf, np.inf, *_EXACT[kind])
    t = whole.forward(values)
    low, high = float(t.min()), float(t.max())
    middle, usual = robust_scale(t)
    far = np.abs(t - middle) > _FENCE * usual
    if usual > 0 and 0 < far.mean() < _RARE:
        low, high = max(low, middle - _FENCE * usual), min(high, middle + _FENCE * usual)
    found = replace(whole, low=low, high=high)
    with np.errstate(over="ignore"):
        sound = np.isfinite([low, high]).all() and low < high and np.isfinite(found.bounds).all()
    return found if sound else None
