"""What rows are made of: parameters with their limits, and ranges of numbers in words."""

from collections.abc import Callable
from math import inf, isfinite
from typing import NamedTuple


class Parameter(NamedTuple):
    """A number that users may set, which is always finite."""

    default: float
    example: float
    """Another value that it may have: for examples in messages, and for tests."""
    expected: str = "a finite number"
    fits: Callable[[float], bool] = isfinite
    setting: str = ""
    """The estimators' parameter that it is set by; "" for none."""
    in_target_units: bool = False
    """Whether that parameter is in the target's units, which may be standardised inside."""


class Range(NamedTuple):
    """Numbers, in words and by their smallest and largest."""

    words: str
    low: float = -inf
    high: float = inf


ANY = Range("of any size")
ABOVE_0 = Range("above 0", 0)
BETWEEN_0_AND_1 = Range("between 0 and 1", 0, 1)
"""Without either end, so that it has a logarithm: a probability."""
