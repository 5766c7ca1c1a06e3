"""Durations as users write them, such as 90s or 1h30m."""

import math
import re

from chainrule.errors import InvalidArgumentError

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_PARTS = re.compile(r"(\d+(?:\.\d+)?)([hms])")


def seconds_of(name: str, text: str) -> float:
    """Return a duration in seconds.

    Parameters
    ----------
    name : str
        The option's name in error messages.
    text : str
        "90s", "5m", "1h30m", or a number of seconds.

    Raises
    ------
    InvalidArgumentError
        If the text is not a duration above 0.

    Examples
    --------
    >>> seconds_of("--time-limit", "1h30m")
    5400.0
    """
    text = text.strip().lower()
    parts = _PARTS.findall(text)
    if "".join(number + unit for number, unit in parts) == text and parts:
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    elif re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
    else:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise InvalidArgumentError(
            f"{name}: expected a time such as 90s, 5m or 1h30m; got {text!r}"
        )
    return seconds


def read_duration(text: str) -> float:
    """Return the duration of the setting `time_limit`; see `seconds_of`."""
    return seconds_of("time_limit", text)
