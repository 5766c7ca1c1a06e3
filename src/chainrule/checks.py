"""Checks of users' arguments that several modules share."""

import json
import operator
import os
from numbers import Real
from pathlib import Path
from typing import Any, SupportsIndex, TypeGuard

from chainrule.errors import InvalidArgumentError

MOST_UNITS = 2**31 - 1
"""The largest number of units in a layer, which the compiled core stores in 32 bits."""

_LARGEST = 1e30
"""No setting needs a larger number, and float32 holds this one."""


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
    """Tell whether a value is a whole number; booleans are not."""
    # Before NumPy 2.3, its booleans passed as whole numbers, too.
    if isinstance(value, bool) or str(getattr(value, "dtype", "")) == "bool":
        return False
    try:
        operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


def shown(value: object) -> str:
    """Return a value's `repr` for a message: shortened, and without raising an error itself."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print integers of thousands of digits
        text = f"a whole number of {value.bit_length()} bits"  # type: ignore[attr-defined]
    return shortened(text)


def shortened(text: str) -> str:
    """Return a text, cut to the length that fits into a message."""
    return text if len(text) <= 100 else f"{text[:97]}..."


def is_real(value: object) -> TypeGuard[float]:
    """Tell whether a value is a real number within the range of a float; booleans are not."""
    if type(value) is float:  # the most frequent case, without a look at abstract classes
        return True
    if isinstance(value, int) and not -(2**1023) <= value <= 2**1023:
        return False
    return isinstance(value, Real) and not isinstance(value, bool)


def finite_number(name: str, value: object) -> float:
    """Return an argument as a number of any sign, or raise with its name."""
    if not is_real(value) or not -_LARGEST < value < _LARGEST:
        raise InvalidArgumentError(f"{name}: expected a finite number; got {shown(value)}")
    return float(value)


def positive_number(name: str, value: object) -> float:
    """Return an argument as a number above 0, or raise with its name."""
    if not is_real(value) or not 0 < value < _LARGEST:
        raise InvalidArgumentError(f"{name}: expected a finite number > 0; got {shown(value)}")
    return float(value)


def number_below_one(name: str, value: object) -> float:
    """Return an argument as a number of at least 0 and below 1, or raise with its name."""
    # Compared before conversion: a Python int may be too large for a float.
    if not is_real(value) or not 0 <= value < 1:
        raise InvalidArgumentError(f"{name}: expected a number in [0, 1); got {shown(value)}")
    return float(value)


def file_path(name: str, value: object) -> Path:
    """Return an argument as a path that can be passed to the system, or raise with its name.

    A name with a NUL, or with a surrogate that does not stand for a byte, is invalid on any system.
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
    """Return the value of a JSON text; its strings must be valid Unicode.

    JSON can express unpaired surrogates by escapes, but no file can hold them, and polars refuses
    them.

    Raises
    ------
    ValueError
        If the text is not JSON, or has an unpaired surrogate.
    """
    value = json.loads(text)
    if "\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False).encode()
    return value


def check_memory(what: str, needed: float, remedy: str) -> None:
    """Raise if more bytes are needed than this machine has in total.

    Systems grant more memory than there is, and kill the process when it uses it. By then it is too
    late to raise an error.
    """
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not available on this system
        return
    if needed > memory > 0:
        raise InvalidArgumentError(
            f"{what} would take {needed / 2**30:,.1f} GiB; there is not enough memory "
            f"({memory / 2**30:,.1f} GiB). {remedy}"
        )
