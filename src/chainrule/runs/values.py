"""Parses and checks setting values from command-line options and run.toml."""

import math
import re
from dataclasses import Field
from typing import Any

from chainrule.errors import InvalidArgumentError

_EXPECTED = {
    "text": "text",
    "whole": "a whole number",
    "number": "a number",
    "flag": "true or false",
    "texts": "a list of texts",
    "wholes": "a list of whole numbers",
    "numbers": "a number or a list of numbers",
    "names": "a name or a list of names",
}
_LISTS = ("texts", "wholes", "numbers")


def from_text(setting: "Field[Any]", text: str) -> Any:
    """Return the value of an option's text.

    Raises
    ------
    InvalidArgumentError
        If the text cannot be parsed.
    """
    kind = setting.metadata["kind"]
    if kind == "wholes":
        return _sizes(_option(setting), text)
    if kind == "names":
        return _names(text)
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InvalidArgumentError(
            f"{_option(setting)}: expected numbers with commas between them; got {text!r}"
        ) from error
    return numbers


def _sizes(name: str, text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if parts in (["none"], ["0"]):
        return ()
    if not all(re.fullmatch("0*[1-9][0-9]{,20}", part) for part in parts):
        raise InvalidArgumentError(
            f"{name}: expected whole numbers above 0 such as 128,64, or none; got {text!r}"
        )
    return tuple(map(int, parts))


def _names(text: str) -> str | tuple[str, ...]:
    """Return one name as it is, several as a tuple; commas in brackets belong to a name."""
    names = tuple(part.strip() for part in re.split(r",(?![^()]*\))", text))
    return names if len(names) > 1 else text


def from_toml(setting: "Field[Any]", value: Any, where: str) -> Any:
    """Return the value of an entry of run.toml.

    Raises
    ------
    InvalidArgumentError
        If the entry has the wrong type.
    """
    return _typed(setting, value, f"{where}: ")


def from_python(setting: "Field[Any]", value: Any) -> Any:
    """Return the value of an argument of Python: a list may be any sequence or array.

    Raises
    ------
    InvalidArgumentError
        If the argument has the wrong type.
    """
    value = _plain(value)
    if isinstance(value, list | tuple | range):
        value = [_plain(part) for part in value]
    return _typed(setting, value, "")


def _plain(value: Any) -> Any:
    """Return what NumPy's numbers and arrays hold as Python's."""
    return value.tolist() if hasattr(value, "tolist") else value


def _typed(setting: "Field[Any]", value: Any, begin: str) -> Any:
    kind = setting.metadata["kind"]
    if kind == "names":
        if _is("text", value):
            return _names(value)
        if isinstance(value, list) and value and all(_is("text", part) for part in value):
            return tuple(value) if len(value) > 1 else value[0]
    elif kind in _LISTS:
        one = kind.removesuffix("s")
        parts = value if isinstance(value, list) else [value]
        if all(_is(one, part) for part in parts):
            return tuple(float(part) if one == "number" else part for part in parts)
    elif _is(kind, value):
        return float(value) if kind == "number" else value
    raise InvalidArgumentError(
        f"{begin}{setting.name}: expected {_EXPECTED[kind]}; got {_shown(value)}"
    )


def _is(kind: str, value: Any) -> bool:
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "text":
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if isinstance(value, int):
        # A TOML integer may have thousands of digits, but a float overflows at about 2**1024.
        return abs(value) < 2**1000
    return kind == "number" and not math.isnan(value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def check(setting: "Field[Any]", value: Any) -> None:
    """Raise if a value is invalid.

    Raises
    ------
    InvalidArgumentError
        If the value is invalid; the message names the option.
    """
    limit = setting.metadata["limit"]
    if limit is None:
        return
    for part in value if isinstance(value, tuple) else (value,):
        limit.require(part, f"{setting.name}: expected", quoted=False)


def _option(setting: "Field[Any]") -> str:
    return "--" + setting.name.replace("_", "-")
