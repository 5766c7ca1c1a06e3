"""Checks that several layers of the house make of what users hand in."""

import operator
from numbers import Real

from chainrule.errors import InvalidArgumentError


def whole_number(name: str, value: object, least: int) -> int:
    """Return an argument as a whole number of at least `least`, or raise with its name."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or number < least:
        raise InvalidArgumentError(
            f"{name}: expected a whole number of at least {least}; got {value!r}"
        )
    return number


def number_below_one(name: str, value: object) -> float:
    """Return an argument as a number of at least 0 and below 1, or raise with its name."""
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= float(value) < 1:
        raise InvalidArgumentError(f"{name}: expected a number in [0, 1); got {value!r}")
    return float(value)
