"""Messages as JSON texts: what a page may send, and what it is sent."""

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from chainrule.checks import json_from_file, shown
from chainrule.errors import InvalidArgumentError

_LARGEST_ID = 2**53
"""JavaScript's numbers are exact up to here."""


class Request(NamedTuple):
    """A message of a page."""

    id: int | None
    """The number that the reply repeats; None for a message without a reply."""
    type: str
    fields: Mapping[str, Any]
    """The whole message."""


def decoded(text: str) -> Request:
    """Return the message that a page sent.

    Raises
    ------
    InvalidArgumentError
        If it is no JSON object with a "type", or its "id" is no whole number.
    """
    try:
        message = json_from_file(text)
    except (ValueError, RecursionError):
        raise InvalidArgumentError("message: expected JSON text; got something else") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise InvalidArgumentError(
            f'message: expected a JSON object with a "type"; got {shown(message)}'
        )
    number = message.get("id")
    is_number = type(number) is int and 0 <= number <= _LARGEST_ID
    if number is not None and not is_number:
        raise InvalidArgumentError(f'message: expected a whole number as "id"; got {shown(number)}')
    return Request(number, message["type"], message)


def encoded(message: Mapping[str, Any]) -> str:
    """Return a message as JSON text; numbers that are not finite are null."""
    try:
        return json.dumps(message, allow_nan=False, separators=(",", ":"), default=_plain)
    except ValueError:
        return json.dumps(_finite(message), allow_nan=False, separators=(",", ":"))


def _plain(value: object) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no value of a message")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, np.generic | np.ndarray):
        return _finite(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
