"""The details in a model file, such as scores and versions: plain data, stored as JSON."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.errors import InvalidArgumentError

_MAX_DEPTH = 32
_MAX_LENGTH = 2 * 2**20


def plain_details(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return details in the form in which a file gives them back.

    NumPy scalars and arrays become Python numbers and lists, tuples become lists. A number that is
    not finite becomes None, since JSON has no such numbers. An unpaired surrogate (from a file name
    that is not UTF-8) becomes its escape sequence.

    Raises
    ------
    InvalidArgumentError
        If a value is not plain data.
    """
    if not isinstance(details, Mapping):
        raise InvalidArgumentError(f"details: expected a dict; got {type(details).__name__}")
    plain: dict[str, Any] = _plain(details, "details", 0)
    return plain


def details_to_json(details: Mapping[str, Any]) -> str:
    """Return `plain_details` as JSON with sorted keys, so that equal details give equal text.

    Raises
    ------
    InvalidArgumentError
        If a value is not plain data, or the text is too long.
    """
    text = json.dumps(plain_details(details), ensure_ascii=False, sort_keys=True)
    if len(text) > _MAX_LENGTH:
        raise InvalidArgumentError(
            f"details: have {len(text)} characters as JSON; at most {_MAX_LENGTH} fit into a file"
        )
    return text


def details_from_json(text: str) -> dict[str, Any]:
    """Return the details that `details_to_json` wrote.

    Raises
    ------
    ValueError
        If the text is not a JSON object.
    """
    if len(text) > _MAX_LENGTH:
        raise ValueError(f"they have {len(text)} characters; at most {_MAX_LENGTH}")
    try:
        details = json.loads(text)
    except RecursionError as error:
        raise ValueError("they are nested too deeply") from error
    if not isinstance(details, dict):
        raise ValueError("they are not a JSON object")
    # Raises here for an unpaired surrogate, which could not be printed later.
    json.dumps(details, ensure_ascii=False).encode("utf-8")
    return details


def _plain(value: Any, place: str, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise InvalidArgumentError(f"{place[:80]}…: nested more than {_MAX_DEPTH} levels deep")
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_plain(each, f"{place}[{i}]", depth + 1) for i, each in enumerate(value)]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {
            _text(key): _plain(each, f"{place}[{key!r}]", depth + 1) for key, each in value.items()
        }
    raise InvalidArgumentError(
        f"{place}: expected plain data (strings, numbers, booleans, lists, dicts with strings as "
        f"keys); got {type(value).__name__}"
    )


def _text(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode("utf-8")
