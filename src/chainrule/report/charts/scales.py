"""Scales: the position of a value on an axis, and the axis's ticks."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Scale:
    """A mapping from a range of values to a range of pixels.

    Parameters
    ----------
    low, high : float
        The values at the two ends.
    start, end : float
        The pixels at the two ends.
    logarithmic : bool
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the pixels of values; those outside the range are moved to the nearer end."""
        given = np.clip(np.asarray(values, np.float64), self.low, self.high)
        low, high = self.low, self.high
        if self.logarithmic:
            given, low, high = np.log(given), math.log(low), math.log(high)
        return np.asarray(self.start + (given - low) / (high - low) * (self.end - self.start))

    def ticks(self, most: int = 6) -> list[float]:
        """Return round values inside the range, about `most` of them or fewer."""
        if self.logarithmic:
            found = _logarithmic_ticks(self.low, self.high, most)
            if len(found) > 1:
                return found
        step = round_step((self.high - self.low) / most)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]


def round_step(least: float) -> float:
    """Return the smallest 1, 2 or 5 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    for factor in (1, 2, 5):
        if factor * power >= least * (1 - 1e-9):
            return factor * power
    return 10 * power


def padded(low: float, high: float, part: float = 0.04) -> tuple[float, float]:
    """Return a slightly wider range, so that no point lies on its edge; it is never empty."""
    if not low < high:
        room = abs(low) * 0.1 or 1.0
        return low - room, high + room
    room = (high - low) * part
    return low - room, high + room


def _logarithmic_ticks(low: float, high: float, most: int) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [
            factor * 10.0**power
            for power in range(first, last + 1)
            for factor in factors
            if low * 0.999 <= factor * 10.0**power <= high * 1.001
        ]
        if len(found) <= most:
            return found
    return found[:: -(-len(found) // most)]
