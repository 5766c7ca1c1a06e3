"""Plain values of Python and NumPy as JSON and arrays of a file, and back with the same types.

JSON lacks tuples, arrays, infinities and keys that are not text; each of them is an object with one
key that names it. Numbers of arrays become arrays of the file.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError

Arrays = dict[str, NDArray[Any]]

_MOST_LETTERS = 2**24
"""Letters of an array of text, all of which NumPy gives the width of the longest."""

_TEXT = re.compile(r"<U([1-9][0-9]{0,7})")
_TIME = re.compile(r"<([mM])8(\[[0-9]{0,4}(Y|M|W|D|h|m|s|ms|us|ns)\])?")


class NotPlainError(InvalidArgumentError):
    """A value is not plain data."""


def to_plain(value: Any, name: str, arrays: Arrays) -> Any:
    """Return a value as JSON can hold it; `arrays` gets its arrays, under names that begin `name`.

    Raises
    ------
    NotPlainError
        If it holds anything but None, numbers, true and false, text, lists, tuples, dicts and
        arrays of numbers, text or times.
    """
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        value = value.item()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise NotPlainError(f"{name}: {value!r} is not Unicode text")
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, np.ndarray):
        return _array_to_plain(value, name, arrays)
    if isinstance(value, list | tuple):
        parts = [to_plain(part, f"{name}.{place}", arrays) for place, part in enumerate(value)]
        return parts if isinstance(value, list) else {"tuple": parts}
    if isinstance(value, Mapping):
        pairs = [
            [
                to_plain(key, f"{name}.{place}.key", arrays),
                to_plain(part, f"{name}.{place}", arrays),
            ]
            for place, (key, part) in enumerate(value.items())
        ]
        return {"dict": pairs}
    raise NotPlainError(f"{name}: expected plain data; got {type(value).__name__}")


def from_plain(plain: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Return the value that `to_plain` was given.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is none.
    """
    if isinstance(plain, list):
        return [from_plain(part, arrays) for part in plain]
    if not isinstance(plain, dict):
        return plain
    if len(plain) != 1:
        raise ValueError(f"expected one key; got {sorted(plain)!r:.60}")
    ((kind, content),) = plain.items()
    return _READERS[kind](content, arrays)


def _array_to_plain(array: NDArray[Any], name: str, arrays: Arrays) -> Any:
    kind, dtype = array.dtype.kind, array.dtype.newbyteorder("<").str
    texts = kind == "U" or (kind == "O" and all(isinstance(one, str) for one in array.flat))
    if texts and array.ndim == 1:
        if kind == "U" and array.dtype.itemsize // 4 * len(array) > _MOST_LETTERS:
            dtype = "|O"
        return {"texts": [dtype, to_plain([str(text) for text in array], name, arrays)]}
    if kind in "mM":
        arrays[name] = np.ascontiguousarray(array, dtype).view("<i8")
        return {"times": [dtype, name]}
    if kind in "biu" or dtype in ("<f2", "<f4", "<f8"):
        arrays[name] = np.ascontiguousarray(array, dtype)
        return {"array": name}
    raise NotPlainError(f"{name}: expected an array of numbers or text; got one of {array.dtype}")


def _float(content: Any, arrays: Mapping[str, NDArray[Any]]) -> float:
    if content not in ("inf", "-inf", "nan"):
        raise ValueError(f"unknown number {content!r:.60}")
    return float(content)


def _tuple(content: Any, arrays: Mapping[str, NDArray[Any]]) -> tuple[Any, ...]:
    return tuple(from_plain(_list(content), arrays))


def _dict(content: Any, arrays: Mapping[str, NDArray[Any]]) -> dict[Any, Any]:
    pairs = [from_plain(_list(pair, 2), arrays) for pair in _list(content)]
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _texts(content: Any, arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    dtype, texts = _list(content, 2)
    if not all(type(text) is str for text in _list(texts)):
        raise ValueError("expected texts")
    if dtype == "|O":
        array = np.empty(len(texts), object)
        array[:] = texts
        return array
    width = _TEXT.fullmatch(dtype)
    if width is None or int(width[1]) * len(texts) > _MOST_LETTERS:
        raise ValueError(f"unsuitable type of text {dtype!r:.60}")
    if max(map(len, texts), default=0) > int(width[1]):
        raise ValueError("a text is longer than its type")
    return np.array(texts, dtype)


def _times(content: Any, arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    dtype, name = _list(content, 2)
    array = arrays[name]
    if not _TIME.fullmatch(dtype) or array.dtype != np.int64:
        raise ValueError(f"unsuitable type of times {dtype!r:.60}")
    return array.view(dtype)


def _array(content: Any, arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    return arrays[content]


def _list(content: Any, length: int | None = None) -> list[Any]:
    if not isinstance(content, list) or length not in (None, len(content)):
        raise ValueError(f"expected a list; got {content!r:.60}")
    return content


_READERS: Mapping[str, Callable[[Any, Mapping[str, NDArray[Any]]], Any]] = {
    "float": _float,
    "tuple": _tuple,
    "dict": _dict,
    "texts": _texts,
    "times": _times,
    "array": _array,
}
