"""The bytes of a file of text, as UTF-8: decompressed, decoded, and what separates its fields."""

import csv
import gzip
import io
import mmap
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from chainrule.errors import InvalidTableError
from chainrule.tables.notes import Note

SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_BY_SUFFIX = {".tsv": "\t", ".tab": "\t"}
_COMPRESSED = (".gz", ".zst", ".zstd")

_UTF8, _UTF16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"

# What people hand over instead of a table, by its first bytes.
_OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel workbook or another ZIP archive: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as CSV",
    b"BZh": "compressed (bzip2): decompress it first",
    b"\xfd7zXZ": "compressed (xz): decompress it first",
    b"%PDF": "a PDF document, not a table of text (CSV)",
    b"<!DOCTYPE": "a web page, not a table of text (CSV)",
    b"<html": "a web page, not a table of text (CSV)",
}

# So many bytes tell the separator.
_SAMPLE = 1 << 16


class Text(NamedTuple):
    """The text of a file."""

    path: Path
    data: "bytes | mmap.mmap"
    """In UTF-8, without a byte order mark."""
    on_disk: bool
    """Whether the file itself holds just these bytes, perhaps after a byte order mark."""
    notes: tuple[Note, ...] = ()
    lines_before: int = 0
    """Lines of the file between its first record and this text's second."""


def stem_suffix(path: Path) -> str:
    """Return the suffix of a name in lower case, that before .gz or .zst if it ends so."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def read_text(path: Path) -> Text:
    """Read a file of text.

    Raises
    ------
    InvalidTableError
        If it is empty, or not text; the message says what it is.
    """
    data: bytes | mmap.mmap
    with path.open("rb") as file:
        # A mapped file costs no memory of its own; an empty one, or a pipe, cannot be mapped.
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (ValueError, OSError):
            data = file.read()
    on_disk = isinstance(data, mmap.mmap)
    if data[:4].startswith((_GZIP, _ZSTD)):
        data, on_disk = _decompressed(path, bytes(data)), False
    return checked_text(path, data, on_disk=on_disk)


def checked_text(path: Path, data: "bytes | mmap.mmap", *, on_disk: bool) -> Text:
    """Return decompressed bytes as text.

    Raises
    ------
    InvalidTableError
        If they are empty, or not text; the message says what they are.
    """
    start = data[:16]
    for begin, description in _OTHER_FORMATS.items():
        if start.startswith(begin):
            raise InvalidTableError(f"{path}: is {description}")
    if start.startswith(_UTF16):
        return _from_utf16(path, bytes(data))
    if data.find(b"\0") >= 0:
        raise InvalidTableError(f"{path}: is a binary file, not a table of text (CSV)")
    if start.startswith(_UTF8) and not on_disk:
        data = data[len(_UTF8) :]
    if not data or (data[:4096].isspace() and bytes(data).isspace()):
        raise InvalidTableError(f"{path}: is empty")
    return Text(path, data, on_disk)


def as_latin(text: Text) -> Text:
    """Return text that is not UTF-8 as it reads in Windows' Western alphabet, with a note.

    Every byte has a letter there, so that nothing is refused; what is read may be wrong, and the
    note says so.
    """
    data = bytes(text.data)
    line = data.count(b"\n", 0, _first_undecodable(data)) + 1 + text.lines_before
    try:
        decoded, name = data.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        decoded, name = data.decode("latin-1"), "Latin-1"
    note = Note(
        "",
        f"line {line} is not UTF-8 text, so the file was read as {name}",
        "save it as UTF-8 if letters look wrong",
    )
    return text._replace(data=decoded.encode(), on_disk=False, notes=(*text.notes, note))


def separator_of(text: Text) -> str:
    """Return what separates the fields of the first lines most evenly.

    Raises
    ------
    InvalidTableError
        If the first line looks separated by something else.
    """
    expected = _BY_SUFFIX.get(stem_suffix(text.path), ",")
    sample = bytes(text.data[:_SAMPLE])
    if len(text.data) > _SAMPLE:
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    best, evenness = expected, (0.0, 0)
    for separator in (expected, *(other for other in SEPARATORS if other != expected)):
        found = _evenness(sample.decode("utf-8-sig", "replace"), separator)
        if found > evenness:
            best, evenness = separator, found
    return best


def _evenness(sample: str, separator: str) -> tuple[float, int]:
    """Return the share of records with as many fields as the first, and that number of fields."""
    try:
        records = [r for r in csv.reader(io.StringIO(sample, newline=""), delimiter=separator) if r]
    except csv.Error:
        return 0.0, 0
    records = records[:100]
    if not records or len(records[0]) < 2:
        return 0.0, 0
    same = sum(len(record) == len(records[0]) for record in records)
    return round(same / len(records), 2), len(records[0])


def records(text: Text, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record, blank ones too, with the number of its last line. Slow but exact."""
    # BytesIO shares bytes and copies what is mapped; the file itself is read as it goes.
    raw: IO[bytes] = text.path.open("rb") if text.on_disk else io.BytesIO(text.data)
    with raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, delimiter=separator)
        for record in reader:
            yield reader.line_num + text.lines_before, record


def _first_undecodable(data: bytes) -> int:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _from_utf16(path: Path, data: bytes) -> Text:
    try:
        decoded = data.decode("utf-16")
    except UnicodeDecodeError as error:
        raise InvalidTableError(
            f"{path}: begins like UTF-16 text and is none ({error.reason}); save it as UTF-8"
        ) from error
    if not decoded or decoded.isspace():
        raise InvalidTableError(f"{path}: is empty")
    if "\0" in decoded:
        raise InvalidTableError(f"{path}: is a binary file, not a table of text (CSV)")
    return Text(path, decoded.encode("utf-8", "replace"), False)


def _decompressed(path: Path, data: bytes) -> bytes:
    if data.startswith(_GZIP):
        try:
            return gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidTableError(f"{path}: is a damaged gzip file ({error})") from error
    import polars as pl

    # Python has no zstd before 3.14, polars has: each line is read as one field.
    try:
        lines = pl.read_csv(
            data, has_header=False, separator="\1", quote_char=None, infer_schema=False
        )
    except pl.exceptions.NoDataError:
        return b""
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise InvalidTableError(
            f"{path}: cannot be decompressed (zstd: {reason}); decompress it first"
        ) from error
    return "\n".join(lines.to_series().fill_null("").to_list()).encode()
