"""A table's bytes: those of a file, or of a pipe, copied once to a temporary file.

A pipe can be read only once, but recognising a table and reading it takes several passes. It is
therefore copied, up to a limit: a program that never stops writing must not fill the disk.
"""

import os
import stat
import sys
import tempfile
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from chainrule.errors import ChainruleError, InvalidArgumentError, InvalidTableError
from chainrule.tables.patterns import is_pattern

SPOOL_LIMIT = 4 << 30
"""How many bytes of a pipe are copied at most, unless CHAINRULE_SPOOL_LIMIT says otherwise."""

STANDARD_INPUT = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")

_BLOCK = 1 << 20
_MAGIC = {b"PAR1": "Parquet", b"ARROW1": "Arrow", b"\xff\xff\xff\xff": "Arrow stream"}
_NO_TABLE = {
    stat.S_ISDIR: "is a directory; name a file in it",
    stat.S_ISSOCK: "is a socket, not a file or a pipe",
    stat.S_ISBLK: "is a device, not a file or a pipe",
    stat.S_ISCHR: "is a device, not a file or a pipe",
}


@dataclass(frozen=True)
class TableFile:
    """A table's bytes, which can be read repeatedly while this object lives."""

    path: Path
    """The path that the user gave, which messages show."""
    place: str
    """Where the bytes are; absolute, so that no library expands a ~."""
    binary: str | None
    """"Parquet", "Arrow" or "Arrow stream"; None for text."""
    spool: IO[bytes] | None = None
    """Holds the copy of a pipe."""
    kept: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What was read already, so that nothing is decompressed twice."""

    @property
    def name(self) -> str:
        """Its name in messages."""
        return "standard input" if str(self.path) in STANDARD_INPUT else str(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Release the text, which is mapped into memory and in a reference cycle with this file."""
        self.kept.clear()

    def open(self) -> IO[bytes]:
        """Open it at its beginning."""
        return open(self.place, "rb")


def open_table(path: str | Path) -> TableFile:
    """Find the bytes of a table; `-` is standard input.

    Raises
    ------
    InvalidTableError
        If there is nothing that can be read, or a pipe brings more than the limit.
    """
    path = Path(path)
    if any("\ud800" <= letter <= "\udfff" for letter in str(path)):
        raise InvalidTableError(f"{str(path)!r}: is no Unicode text; give the file another name")
    try:
        if str(path) == "-":
            return _standard_input(path)
        found = path.stat()
        if str(path) in STANDARD_INPUT and not stat.S_ISREG(found.st_mode):
            return _standard_input(path)
        for is_it, what in _NO_TABLE.items():
            if is_it(found.st_mode):
                raise InvalidTableError(f"{path}: {what}")
        if stat.S_ISFIFO(found.st_mode):
            with path.open("rb", buffering=0) as pipe:
                return _spooled(path, str(path), pipe)
        place = str(path.absolute())
        with path.open("rb") as file:
            return TableFile(path, place, binary_kind(path, file.read(8)))
    except OSError as error:
        reason = error.strerror or error
        if is_pattern(path):
            reason = "one file is expected; train and predict take a pattern of several"
        raise InvalidTableError(f"{path}: cannot be read ({reason})") from error
    except ValueError as error:
        if isinstance(error, ChainruleError):
            raise
        raise InvalidTableError(f"{str(path)!r}: is no file's name ({error})") from error


def can_be_read_again(path: str | Path) -> bool:
    """Whether another process finds the same bytes at a path: not so for a pipe."""
    if str(path) in STANDARD_INPUT or str(path).startswith(("/dev/fd/", "/proc/self/fd/")):
        return False
    try:
        return not stat.S_ISFIFO(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return True  # reading reports what is wrong


def binary_kind(path: Path, start: bytes) -> str | None:
    """Return "Parquet", "Arrow" or "Arrow stream" if the first bytes say so."""
    if start.startswith(b"FEA1"):
        raise InvalidTableError(f"{path}: is a Feather file of version 1; save it as version 2")
    return next((kind for begin, kind in _MAGIC.items() if start.startswith(begin)), None)


def _standard_input(path: Path) -> TableFile:
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise InvalidTableError("standard input: is closed; name a file")
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):  # no descriptor, as in tests and notebooks
        mode = stat.S_IFIFO
    for is_it, what in _NO_TABLE.items():
        if is_it(mode) and not stream.isatty():
            raise InvalidTableError(f"standard input: {what}")
    return _spooled(path, "standard input", stream)


def _spooled(path: Path, name: str, pipe: IO[bytes]) -> TableFile:
    # Linux: an unnamed file, which vanishes with the process however it ends.
    nameless = os.path.isdir("/proc/self/fd")
    spool: Any = tempfile.TemporaryFile() if nameless else tempfile.NamedTemporaryFile()  # noqa: SIM115
    try:
        _copy(name, pipe, spool, spool_limit())
        spool.seek(0)
        place = f"/proc/self/fd/{spool.fileno()}" if nameless else spool.name
        file = TableFile(path, place, binary_kind(path, spool.read(8)), spool)
    except BaseException:
        spool.close()
        raise
    weakref.finalize(file, spool.close)
    return file


def _copy(name: str, pipe: IO[bytes], spool: IO[bytes], limit: int) -> None:
    size = 0
    while block := pipe.read(_BLOCK):
        size += len(block)
        if size > limit:
            raise InvalidTableError(
                f"{name}: brings more than {limit:,} bytes through a pipe; write them to a file, "
                "or set CHAINRULE_SPOOL_LIMIT to the number of bytes that may be copied to "
                f"{tempfile.gettempdir()}"
            )
        try:
            spool.write(block)
            spool.flush()
        except OSError as error:
            raise InvalidTableError(
                f"{name}: cannot be copied to {tempfile.gettempdir()} ({error.strerror}); write "
                "it to a file, or set TMPDIR to a folder with room"
            ) from error
    if size == 0:
        raise InvalidTableError(f"{name}: is empty, or was read before (a pipe is read once)")


def spool_limit() -> int:
    """Return how many bytes of a pipe are copied at most.

    Raises
    ------
    InvalidArgumentError
        If CHAINRULE_SPOOL_LIMIT is no number of bytes.
    """
    given = os.environ.get("CHAINRULE_SPOOL_LIMIT", "").strip()
    if not given:
        return SPOOL_LIMIT
    if not (given.isascii() and given.isdecimal() and 0 < len(given) < 19):
        raise InvalidArgumentError(
            f"CHAINRULE_SPOOL_LIMIT: expected a whole number of bytes; got {given[:60]!r}"
        )
    return int(given)
