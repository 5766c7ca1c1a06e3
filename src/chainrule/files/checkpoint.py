"""The checkpoint file: a safetensors file, data only, with a checksum at its end.

The last array, "checksum", is the SHA-256 of every byte before it, so that a truncated or damaged
file is detected. The header's "chainrule_checkpoint" entry is the format version.
"""

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError, InvalidCheckpointError
from chainrule.files.atomic import adopt

FORMAT_VERSION = 1

_VERSION = "chainrule_checkpoint"
_CHECKSUM = "checksum"
_CHECKSUM_BYTES = 32
_TYPES = {
    "f8": "F64", "f4": "F32", "f2": "F16", "b1": "BOOL",
    "i8": "I64", "i4": "I32", "i2": "I16", "i1": "I8",
    "u8": "U64", "u4": "U32", "u2": "U16", "u1": "U8",
}  # fmt: skip
# Our own headers have a few kilobytes.
_LONGEST_HEADER = 2**24
# The bytes that follow the header's length in every checkpoint: they identify one.
_BEGINNING = f'{{"__metadata__":{{"{_VERSION}":'.encode()
# Bytes hashed and written at a time: small enough to be still in cache when they are written.
_PIECE = 2**20


@dataclass(frozen=True)
class CheckpointFile:
    """The content of a checkpoint file."""

    metadata: Mapping[str, str]
    """Header entries, each a string (JSON by convention)."""
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def write_checkpoint_file(
    path: Path, checkpoint: CheckpointFile, replaces: Path | None = None
) -> None:
    """Write a checkpoint to a new file and synchronise it to disk.

    The arrays are not copied. Whatever had the name is removed first.

    Parameters
    ----------
    path : Path
    checkpoint : CheckpointFile
    replaces : Path, optional
        A file whose mode and owner the new one takes over, if it exists.

    Raises
    ------
    InvalidArgumentError
        If an array is not numeric.
    OSError
        If the file cannot be written; a part of it may then remain.
    """
    for name, array in checkpoint.arrays.items():
        if array.dtype.str[1:] not in _TYPES:
            raise InvalidArgumentError(
                f"checkpoint: expected numeric arrays; got {name!r} of dtype {array.dtype}"
            )
    arrays = {
        name: np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        # The widest element type first, which keeps every array aligned.
        for name, array in sorted(
            checkpoint.arrays.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])
        )
    }
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    private = replaces is not None and replaces.exists()
    descriptor = os.open(path, flags, 0o600 if private else 0o666)
    try:
        if replaces is not None:
            adopt(descriptor, replaces)
        digest = hashlib.sha256()
        header = _header(checkpoint.metadata, arrays)
        digest.update(header)
        _write(descriptor, memoryview(header))
        for array in arrays.values():
            if array.size:
                content = memoryview(array.data).cast("B")
                for start in range(0, len(content), _PIECE):
                    piece = content[start : start + _PIECE]
                    digest.update(piece)
                    _write(descriptor, piece)
        _write(descriptor, memoryview(digest.digest()))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(descriptor: int, content: memoryview) -> None:
    while content:
        written = os.write(descriptor, content)
        content = content[written:]


def _header(metadata: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    header: dict[str, Any] = {"__metadata__": {_VERSION: str(FORMAT_VERSION), **metadata}}
    place = 0
    for name, array in arrays.items():
        header[name] = {
            "dtype": _TYPES[array.dtype.str[1:]],
            "shape": array.shape,
            "data_offsets": [place, place + array.nbytes],
        }
        place += array.nbytes
    header[_CHECKSUM] = {
        "dtype": "U8",
        "shape": [_CHECKSUM_BYTES],
        "data_offsets": [place, place + _CHECKSUM_BYTES],
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def begins_like_checkpoint(path: Path, *, cut_short: bool = False) -> bool:
    """Tell whether a file is a checkpoint, intact or not, rather than an unrelated file.

    Parameters
    ----------
    path : Path
        Links are not followed.
    cut_short : bool
        Whether a file that ends within those first bytes counts too: a killed write leaves one.
    """
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return False
        with path.open("rb") as file:
            start = file.read(8 + len(_BEGINNING))[8:]
    except OSError:
        return False
    return start == _BEGINNING or (cut_short and _BEGINNING.startswith(start))


def read_checkpoint_file(path: Path) -> CheckpointFile:
    """Read a checkpoint file and verify its checksum.

    No more memory is allocated than the file's size, and no code of the file is run.

    Raises
    ------
    InvalidCheckpointError
        If it cannot be read, is damaged, is not a checkpoint, or has a newer format than this
        version reads.
    """
    from safetensors import SafetensorError, safe_open

    _check_sum(path)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = dict(file.metadata() or {})
            _check_version(path, metadata.pop(_VERSION, None))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except InvalidCheckpointError:
        raise
    except (OSError, SafetensorError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise _invalid(
            path, f"is not a chainrule checkpoint; reading it failed with: {error}"
        ) from error
    if arrays.pop(_CHECKSUM, np.empty(0)).shape != (_CHECKSUM_BYTES,):
        raise _invalid(path, "is not a chainrule checkpoint: it has no checksum")
    for name, array in arrays.items():
        if array.dtype.str[1:] not in _TYPES:
            raise _invalid(path, f"holds an array of dtype {array.dtype}, {name!r:.50}")
    return CheckpointFile(metadata, arrays)


def _check_sum(path: Path) -> None:
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a pipe would wait
            raise _invalid(path, "is not a regular file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(8)
            length = int.from_bytes(start, "little")
            if not length <= min(size, _LONGEST_HEADER) or size < 8 + _CHECKSUM_BYTES:
                raise _invalid(path, "is damaged, or not a checkpoint: its header is not one")
            digest = hashlib.sha256(start)
            left = size - 8 - _CHECKSUM_BYTES
            while left > 0:
                piece = file.read(min(left, _PIECE))
                if not piece:
                    break
                digest.update(piece)
                left -= len(piece)
            if left or digest.digest() != file.read(_CHECKSUM_BYTES):
                raise _invalid(path, "is damaged: its content does not match its checksum")
    except OSError as error:
        raise _invalid(path, f"cannot be read: {error.strerror or error}") from error


def _check_version(path: Path, version: str | None) -> None:
    if version is None or not version.isdecimal() or len(version) > 9:
        raise _invalid(path, "is a safetensors file, but not a chainrule checkpoint")
    if int(version) > FORMAT_VERSION:
        raise _invalid(
            path,
            f"has format version {version}; this chainrule reads up to {FORMAT_VERSION}. "
            "Install a newer chainrule",
        )


def _invalid(path: Path, what: str) -> InvalidCheckpointError:
    return InvalidCheckpointError(f"{path}: {what}")
