"""Reading the safetensors container: a JSON header, then the arrays' bytes, one after the other.

The reader trusts nothing. The header's length is limited before it is read, the declared arrays are
checked against the file's size before any of them is allocated, and they must fill the payload
without gap or overlap. So no more is read than the file holds. `safetensors` writes the files; its
own reader is more lenient and accepts, for example, a header of 100 MB.
"""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidModelFileError

DTYPES = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
}
"""The format's names of the element types that NumPy has."""

# Room for tens of thousands of columns and hundreds of thousands of categories. Brackets, keys and
# commas are counted before the header is parsed, so parsing takes less than a tenth of a second.
_MAX_HEADER = 8 * 2**20
_MAX_COUNTS = {b"{": 60_000, b"[": 60_000, b",": 600_000, b'\\\\":': 1000}
_MAX_KEYS = 100_000
_MAX_DIMENSIONS = 8
_MAX_SIZE = 2**63 - 1


class Entry(NamedTuple):
    """An array of the file, as the header declares it."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    """Offset of its first byte in the payload."""

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return prod(self.shape) * self.dtype.itemsize


class Header(NamedTuple):
    """The part of the file before the arrays."""

    prefix: bytes
    """Its bytes as they are in the file, the leading length included."""
    metadata: dict[str, str]
    entries: tuple[Entry, ...]
    """In the order of their bytes."""

    @property
    def payload(self) -> int:
        """Number of bytes after the header."""
        return sum(entry.nbytes for entry in self.entries)


class ContainerError(ValueError):
    """A fault in a container; the caller adds the file's name."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading; a pipe, which could block, is never opened.

    Raises
    ------
    InvalidModelFileError
        If the file is missing, not a regular file, or cannot be opened.
    """
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise InvalidModelFileError(f"{path}: cannot be read: it is {kind}")
        with open(path, "rb", buffering=0) as file:
            yield file
    except FileNotFoundError as error:
        raise InvalidModelFileError(f"{path}: cannot be read: there is no such file") from error
    except OSError as error:
        raise InvalidModelFileError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_header(file: BinaryIO) -> Header:
    """Read and check everything before the arrays.

    Raises
    ------
    ContainerError
        If it is not a safetensors file, or its header contradicts its size.
    """
    size = os.fstat(file.fileno()).st_size
    prefix = file.read(8)
    length = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or length > size - 8:
        raise ContainerError("it is shorter than its header says")
    if length > _MAX_HEADER:
        raise ContainerError(f"its header has {length} bytes; at most {_MAX_HEADER} are read")
    text = file.read(length)
    if len(text) < length:
        raise ContainerError("it is shorter than its header says")
    check_size(text)
    try:
        header = json.loads(
            text.decode("utf-8"), object_pairs_hook=_without_twins, parse_constant=_no_constant
        )
    except RecursionError as error:
        raise ContainerError("its header is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise ContainerError("its header is not UTF-8") from error
    except ValueError as error:
        raise ContainerError(f"its header is not JSON ({error})") from error
    if not isinstance(header, dict):
        raise ContainerError("its header is not an object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ContainerError("its header's __metadata__ holds something other than strings")
    for text_of in (*header, *metadata, *metadata.values()):
        if not _is_unicode(text_of):
            raise ContainerError("its header holds an unpaired surrogate")
    entries = sorted((_entry(*item) for item in header.items()), key=_place)
    end = 0
    for entry in entries:
        if entry.begin != end:
            fault = "overlap" if entry.begin < end else "leave a gap"
            raise ContainerError(f"its arrays {fault} before {_short(entry.name)}")
        end += entry.nbytes
    if end != size - 8 - length:
        raise ContainerError(
            f"its arrays need {_count(end)} bytes, but {size - 8 - length} follow the header"
        )
    return Header(prefix + text, metadata, tuple(entries))


def check_size(header: bytes) -> None:
    """Raise unless a header is small enough to be parsed quickly.

    Raises
    ------
    ContainerError
    """
    if len(header) > _MAX_HEADER:
        raise ContainerError(f"its header has {len(header)} bytes; at most {_MAX_HEADER} are read")
    for token, most in _MAX_COUNTS.items():
        if header.count(token) > most:
            raise ContainerError(f"its header has {token.decode()!r} more than {most} times")
    # In JSON nested inside a string the quote is escaped, and parsing such keys costs nothing here.
    if header.count(b'":') - header.count(b'\\":') > _MAX_KEYS:
        raise ContainerError(f"its header has more than {_MAX_KEYS} keys")


def read_array(file: BinaryIO, entry: Entry) -> NDArray[Any]:
    """Read the array that begins at the file's current position.

    Raises
    ------
    ContainerError
        If the file ends early, because it was truncated after its header was checked.
    """
    try:
        array = np.empty(entry.shape, entry.dtype)
    except (MemoryError, ValueError) as error:
        raise ContainerError(
            f"{_short(entry.name)} of {entry.nbytes} bytes does not fit into memory"
        ) from error
    view, done = memoryview(array.reshape(-1).view(np.uint8).data), 0
    while done < entry.nbytes:
        count = file.readinto(view[done:])  # type: ignore[attr-defined]
        if not count:
            raise ContainerError("it was truncated while it was being read")
        done += count
    return array


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _entry(name: str, declared: Any) -> Entry:
    if not isinstance(declared, dict) or declared.keys() != {"dtype", "shape", "data_offsets"}:
        raise ContainerError(
            f"its header does not give dtype, shape and data_offsets of {_short(name)}"
        )
    dtype, shape, offsets = declared["dtype"], declared["shape"], declared["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ContainerError(
            f"{_short(name)} has the element type {_short(dtype)}, which NumPy does not have"
        )
    fits = _are_sizes(shape) and len(shape) <= _MAX_DIMENSIONS
    if not fits or not _are_sizes(offsets) or len(offsets) != 2:
        raise ContainerError(f"{_short(name)} has an invalid shape or invalid data_offsets")
    entry = Entry(name, np.dtype(DTYPES[dtype]), tuple(shape), offsets[0])
    if entry.nbytes != offsets[1] - offsets[0]:
        raise ContainerError(
            f"{_short(name)} has {_count(offsets[1] - offsets[0])} bytes, but its shape needs "
            f"{_count(entry.nbytes)}"
        )
    return entry


def _place(entry: Entry) -> tuple[int, int, str]:
    # An empty array comes before another one that begins at the same offset.
    return entry.begin, entry.nbytes, entry.name


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n <= _MAX_SIZE for n in value)


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _count(number: int) -> str:
    return str(number) if abs(number) < 10**30 else "endless"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"
