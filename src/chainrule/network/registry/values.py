"""Building blocks of registry rows: parameters with limits, and named ranges of numbers."""

from collections.abc import Callable
from math import inf, isfinite
from typing import NamedTuple


class Parameter(NamedTuple):
    """A finite number that users can set."""

    default: float
    example: float
    """Another valid value, for examples in messages and for tests."""
    expected: str = "a finite number"
    fits: Callable[[float], bool] = isfinite
    setting: str = ""
    """The name of the estimators' parameter that sets it; "" for none."""
    in_target_units: bool = False
    """Whether `setting` is in the target's units; estimators may standardise targets internally."""


class Range(NamedTuple):
    """A range of numbers: its description in words, its lower and its upper end."""

    words: str
    low: float = -inf
    high: float = inf


ANY = Range("of any size")
ABOVE_0 = Range("above 0", 0)
BETWEEN_0_AND_1 = Range("between 0 and 1", 0, 1)
"""Probabilities: both ends are excluded, so that logarithms exist."""
