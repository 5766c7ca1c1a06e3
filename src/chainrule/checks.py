"""Checks that several layers of the house make of what users hand in."""

import json
import operator
import os
from numbers import Real
from pathlib import Path
from typing import Any, SupportsIndex, TypeGuard

from chainrule.errors import InvalidArgumentError

MOST_UNITS = 2**31 - 1
"""Of a layer: the compiled core counts them with 32 bits."""


def whole_number(name: str, value: object, least: int, most: int | None = None) -> int:
    """Return an argument as a whole number of at least `least`, or raise with its name."""
    if not is_whole(value) or operator.index(value) < least:
        raise InvalidArgumentError(
            f"{name}: expected a whole number of at least {least}; got {shown(value)}"
        )
    number = operator.index(value)
    if most is not None and number > most:
        raise InvalidArgumentError(
            f"{name}: expected a whole number of at most {most}; got {shown(value)}"
        )
    return number


def is_whole(value: object) -> TypeGuard[SupportsIndex]:
    """Whether a value is a whole number; true and false are none."""
    # NumPy's true and false were whole numbers, too, before 2.3.
    if isinstance(value, bool) or str(getattr(value, "dtype", "")) == "bool":
        return False
    try:
        operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


def shown(value: object) -> str:
    """Return a value as a message shows it: shortened, and never an error of its own."""
    try:
        text = repr(value)
    except ValueError:  # Python does not write whole numbers of thousands of digits
        text = f"a whole number of {value.bit_length()} bits"  # type: ignore[attr-defined]
    return shortened(text)


def shortened(text: str) -> str:
    """Return a text as a message has room for it."""
    return text if len(text) <= 100 else f"{text[:97]}..."


def is_real(value: object) -> TypeGuard[float]:
    """Whether a value is a real number that a float can hold; true and false are none."""
    if isinstance(value, int) and not -(2**1023) <= value <= 2**1023:
        return False
    return isinstance(value, Real) and not isinstance(value, bool)


def number_below_one(name: str, value: object) -> float:
    """Return an argument as a number of at least 0 and below 1, or raise with its name."""
    # Compared as it is: Python's whole numbers may be too large for a float.
    if not is_real(value) or not 0 <= value < 1:
        raise InvalidArgumentError(f"{name}: expected a number in [0, 1); got {shown(value)}")
    return float(value)


def file_path(name: str, value: object) -> Path:
    """Return an argument as a path that the system can be asked about, or raise with its name.

    No system takes a NUL in a name, nor half a character that stands for no byte.
    """
    try:
        text = os.fspath(value)  # type: ignore[call-overload]
        if isinstance(text, str) and "\0" not in text:
            os.fsencode(text)
            return Path(text)
    except (TypeError, UnicodeError):
        pass
    raise InvalidArgumentError(
        f"{name}: expected the path of a file, as a str or Path without NUL that is Unicode text; "
        f"got {shown(value)}"
    )


def json_from_file(text: str) -> Any:
    """Return what a text of JSON says, if its own texts are such as files and tables take.

    JSON has escapes for halves of characters, which no file can hold and polars refuses.

    Raises
    ------
    ValueError
        If it is no JSON, or has such a half.
    """
    value = json.loads(text)
    if "\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False).encode()
    return value


def check_memory(what: str, needed: float, remedy: str) -> None:
    """Raise if so many bytes are more than this machine has at all.

    Systems grant more memory than there is and end the process that uses it: by then no error can
    be raised any more.
    """
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # systems that do not tell so
        return
    if needed > memory > 0:
        raise InvalidArgumentError(
            f"{what} would take {needed / 2**30:,.1f} GiB; there is not enough memory "
            f"({memory / 2**30:,.1f} GiB). {remedy}"
        )
