"""Checks that several layers of the house make of what users hand in."""

import operator

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
