"""The bytes of a file of text, as UTF-8 with plain line ends: decompressed and decoded."""

import gzip
import io
import mmap
import re
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from chainrule.errors import InvalidTableError
from chainrule.tables.sources import TableFile

SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_COMPRESSED = (".gz", ".zst", ".zstd")

_UTF8 = b"\xef\xbb\xbf"
# UTF-32 first: its mark begins with that of UTF-16.
_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"

# Files that are often given instead of a table, by their first bytes.
_OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel workbook or another ZIP archive: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as CSV",
    b"BZh": "compressed (bzip2): decompress it first",
    b"\xfd7zXZ": "compressed (xz): decompress it first",
    b"%PDF": "a PDF document, not a table of text (CSV)",
    b"<!DOCTYPE": "a web page, not a table of text (CSV)",
    b"<html": "a web page, not a table of text (CSV)",
}

SAMPLE = 1 << 16
"""The number of bytes from which encoding and line ends are recognised."""

_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")


class Text(NamedTuple):
    """The text of a file."""

    file: TableFile
    data: "bytes | mmap.mmap"
    """In UTF-8, without a byte order mark; lines end in LF or CR LF."""
    on_disk: bool = False
    """Whether the file consists of exactly these bytes, perhaps after a byte order mark."""
    nuls: tuple[int, int] = (0, 0)
    """The line of the first NUL byte that was removed, and the number of them."""
    western: tuple[int, str] | None = None
    """The first line that is not UTF-8, and the encoding that was used instead."""
    shift: int = 0
    """The number of lines of the file before this text."""
    encoding: str = "utf-8"
    line_ends: str = "\n"

    @property
    def path(self) -> Path:
        """The path that the user gave."""
        return self.file.path

    @property
    def name(self) -> str:
        """Its name in messages."""
        return self.file.name


def stem_suffix(path: Path) -> str:
    """Return the suffix of a name in lower case, that before .gz or .zst if it ends so."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def read_text(file: TableFile) -> Text:
    """Read a file of text.

    Raises
    ------
    InvalidTableError
        If it is empty, or not text; the message says what it is.
    """
    if "text" in file.kept:
        known: Text = file.kept["text"]
        return known
    data: bytes | mmap.mmap
    with file.open() as opened:
        # A mapped file takes no memory of its own; an empty one cannot be mapped.
        try:
            data = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        except (ValueError, OSError):
            data = opened.read()
    on_disk = isinstance(data, mmap.mmap)
    if data[:4].startswith((GZIP, ZSTD)):
        data, on_disk = _decompressed(file, bytes(data)), False
    text = checked_text(file, data, on_disk=on_disk)
    file.kept["text"] = text
    return text


def checked_text(
    file: TableFile, data: "bytes | mmap.mmap", *, on_disk: bool = False, shift: int = 0
) -> Text:
    """Return decompressed bytes as text.

    Raises
    ------
    InvalidTableError
        If they are empty, or not text; the message says what they are.
    """
    encoding = encoding_of(file, data[:SAMPLE])
    if encoding != "utf-8":
        data, on_disk = _decoded(file, bytes(data), encoding), False
    nuls = (0, 0)
    if (place := data.find(b"\0")) >= 0:
        check_no_binary(file, data[:SAMPLE])
        plain = bytes(data)  # NUL bytes left by a disk or a program are removed
        nuls = plain.count(b"\n", 0, place) + 1 + shift, plain.count(b"\0")
        data, on_disk = plain.replace(b"\0", b""), False
    if data[:3] == _UTF8 and not on_disk:
        data = data[len(_UTF8) :]
    if not data or (data[:4096].isspace() and bytes(data).isspace()) or bytes(data[:4]) == _UTF8:
        raise InvalidTableError(f"{file.name}: is empty")
    line_ends = line_ends_of(data[:SAMPLE])
    if line_ends == "\r":
        data, on_disk = bytes(data).replace(b"\r\n", b"\n").replace(b"\r", b"\n"), False
    return Text(file, data, on_disk, nuls, None, shift, encoding, line_ends)


def encoding_of(file: TableFile, start: bytes) -> str:
    """Return the encoding that the first bytes show: UTF-8, UTF-16 or UTF-32.

    Raises
    ------
    InvalidTableError
        If they are those of another kind of file.
    """
    for begin, description in _OTHER_FORMATS.items():
        if start.startswith(begin):
            raise InvalidTableError(f"{file.name}: is {description}")
    for mark, encoding in _MARKS.items():
        if start.startswith(mark):
            return encoding
    if start.find(b"\0") < 0:
        return "utf-8"
    scores = {one: _readable(start, one) for one in ("utf-16-le", "utf-16-be")}
    best = max(scores, key=lambda one: scores[one])
    return best if scores[best] > 1 else "utf-8"


def _readable(start: bytes, encoding: str) -> int:
    """Return the number of separators and line ends in an encoding; 0 if it does not fit."""
    decoded = start[: len(start) // 2 * 2].decode(encoding, "replace")
    letters = sum(letter.isprintable() or letter in "\t\r\n" for letter in decoded)
    if letters < 0.98 * len(decoded) or "\ufffd" in decoded[:-1] or "\0" in decoded:
        return 0
    if start.count(b"\0") < len(start) // 10 or not ("\n" in decoded or "\r" in decoded):
        return 0
    return sum(decoded.count(sign) for sign in "\n\r,;\t|")


def line_ends_of(start: bytes) -> str:
    r"""Return "\r" if lines end in CR alone, as on old Macs; else "\n", also for CR LF."""
    return "\r" if b"\r" in start and b"\n" not in start else "\n"


def as_latin(text: Text) -> Text:
    """Return text that is not UTF-8, decoded as Windows-1252, or else Latin-1.

    Latin-1 assigns a letter to every byte, so that nothing is refused; letters may be wrong, and a
    note says so.
    """
    data = bytes(text.data)
    line = data.count(b"\n", 0, _first_undecodable(data)) + 1 + text.shift
    try:
        decoded, name = data.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        decoded, name = data.decode("latin-1"), "Latin-1"
    encoding = "cp1252" if name == "Windows-1252" else "latin-1"
    return text._replace(
        data=decoded.encode(), on_disk=False, western=(line, name), encoding=encoding
    )


def _first_undecodable(data: bytes) -> int:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _decoded(file: TableFile, data: bytes, encoding: str) -> bytes:
    called = encoding.upper().removesuffix("-LE").removesuffix("-BE")
    try:
        decoded = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InvalidTableError(
            f"{file.name}: begins like {called} text, but is not ({error.reason}); save it as UTF-8"
        ) from error
    return decoded.encode("utf-8", "replace")


def check_no_binary(file: TableFile, start: bytes) -> None:
    """Raise if the first bytes, some of which are NUL, are not text.

    Raises
    ------
    InvalidTableError
        If they are.
    """
    padded = start.rstrip(b"\0")
    strange = len(_CONTROLS.findall(padded))
    if padded.count(b"\0") > max(3, len(padded) // 100) or strange > max(1, len(padded) // 100):
        raise InvalidTableError(f"{file.name}: is a binary file, not a table of text (CSV)")


def _decompressed(file: TableFile, data: bytes) -> bytes:
    if data.startswith(GZIP):
        try:
            return gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidTableError(f"{file.name}: is a damaged gzip file ({error})") from error
    reason = ""
    for decompress in (_zstd_of_python, _zstd_of_arrow, _zstd_of_polars):
        try:
            return decompress(data)
        except ImportError:
            continue
        except Exception as error:  # each library has errors of its own
            reason = str(error).partition("\n")[0]
            break
    raise InvalidTableError(
        f"{file.name}: cannot be decompressed (zstd: {reason}); decompress it first"
    )


def _zstd_of_python(data: bytes) -> bytes:
    from importlib import import_module

    zstd: Any = import_module("compression.zstd")  # from Python 3.14 on
    decompressed: bytes = zstd.decompress(data)
    return decompressed


def _zstd_of_arrow(data: bytes) -> bytes:
    import pyarrow  # type: ignore[import-untyped]

    with pyarrow.CompressedInputStream(io.BytesIO(data), "zstd") as stream:
        decompressed: bytes = stream.read()
    return decompressed


def _zstd_of_polars(data: bytes) -> bytes:
    """Return UTF-8 text that polars decompresses, with each line read as one field."""
    import polars as pl

    try:
        lines = pl.read_csv(
            data, has_header=False, separator="\1", quote_char=None, infer_schema=False
        )
    except pl.exceptions.NoDataError:
        return b""
    return "\n".join(lines.to_series().fill_null("").to_list()).encode()
