"""Reading a table, or saying in one sentence why it cannot be read."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.errors import InvalidTableError
from chainrule.tables.columns import column_named
from chainrule.tables.csv_files import read_csv
from chainrule.tables.frames import as_frame
from chainrule.tables.json_lines import read_json_lines
from chainrule.tables.notes import Note
from chainrule.tables.text import read_text, stem_suffix

if TYPE_CHECKING:
    import polars as pl

JSON_LINES = (".jsonl", ".ndjson", ".jsonlines")

_MAGIC = {b"PAR1": "Parquet", b"ARROW1": "Arrow", b"\xff\xff\xff\xff": "Arrow stream"}


class Reading(NamedTuple):
    """A table that was read, and what is worth telling about it."""

    table: "pl.DataFrame"
    notes: tuple[Note, ...]
    """How many bad rows were skipped, or in which alphabet the file was read."""


def as_table(table: Any) -> "pl.DataFrame":
    """Return a table as a polars DataFrame: one in memory, or what a path names, read.

    Raises
    ------
    InvalidTableError
        If the file cannot be read as a table, or the table has no rows.
    InvalidArgumentError
        If it is neither.
    """
    return read_table(table) if isinstance(table, str | Path) else as_frame(table)


def read_table(
    path: str | Path,
    *,
    skip_bad_rows: bool = False,
    columns: Sequence[str] | None = None,
    types: Mapping[str, Any] | None = None,
) -> "pl.DataFrame":
    """Read a table from a file; `read_with_notes` without the notes."""
    return read_with_notes(path, skip_bad_rows=skip_bad_rows, columns=columns, types=types).table


def read_with_notes(
    path: str | Path,
    *,
    skip_bad_rows: bool = False,
    columns: Sequence[str] | None = None,
    types: Mapping[str, Any] | None = None,
) -> Reading:
    """Read a table from a file: CSV and its like, JSON lines, Parquet, or Arrow (Feather).

    What a file is, its first bytes say; CSV and JSON lines may be compressed (gzip, zstd). In CSV,
    the first line names the columns; what separates fields (comma, tab, semicolon, bar) is seen
    from the first lines, and where it is no comma, 1,5 is a number. A column is numbers if all of
    its values are (or words such as NA), else true/false, else text; spaces around names and values
    do not count, and neither do blank lines. Text is UTF-8, UTF-16 with a byte order mark, or else
    Windows-1252, with a note.

    Parameters
    ----------
    path : str or Path
    skip_bad_rows : bool
        Whether to leave out, and count in a note, lines with another number of fields than the
        first, or that are no JSON; else the first of them is an error.
    columns : sequence of str, optional
        Those to read; by default all.
    types : mapping of str to polars types, optional
        Of the columns whose type is known, as `TableEncoder.read_types` gives them. A column that
        cannot be read so is read as text.

    Returns
    -------
    Reading

    Raises
    ------
    InvalidTableError
        If there is no such file or it is not a table; the message says what is wrong, and on
        which line.
    """
    path = openable(path)
    given = {} if types is None else types
    try:
        kind = binary_kind(path)
        if kind is not None:
            return Reading(_read_binary(path, kind, columns), ())
        text = read_text(path)
    except OSError as error:
        raise InvalidTableError(f"{path}: cannot be read ({error.strerror or error})") from error
    if is_json_lines(path, text.data[:64]):
        return Reading(*read_json_lines(text, skip_bad_rows=skip_bad_rows, columns=columns))
    return Reading(*read_csv(text, skip_bad_rows=skip_bad_rows, columns=columns, types=given))


def openable(path: str | Path) -> Path:
    """Return a path whose file can be opened by whoever reads tables.

    Raises
    ------
    InvalidTableError
        If its name is not Unicode text, or has a character that no file's name has.
    """
    text = str(path)
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InvalidTableError(f"{text!r}: is no file name that can be read; rename the file")
    return Path(path)


def binary_kind(path: Path) -> str | None:
    """Return "Parquet", "Arrow" or "Arrow stream" if the first bytes say so."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"FEA1"):
        raise InvalidTableError(f"{path}: is a Feather file of version 1; save it as version 2")
    return next((kind for begin, kind in _MAGIC.items() if start.startswith(begin)), None)


def is_json_lines(path: Path, start: bytes) -> bool:
    """Tell whether a file of text holds JSON lines.

    Raises
    ------
    InvalidTableError
        If it holds JSON of another form.
    """
    begin = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if begin == b"[" and stem_suffix(path) == ".json":
        raise InvalidTableError(
            f"{path}: is one JSON array; write its objects a line each (JSON lines)"
        )
    return stem_suffix(path) in JSON_LINES or (begin == b"{" and stem_suffix(path) == ".json")


def _read_binary(path: Path, kind: str, columns: Sequence[str] | None) -> "pl.DataFrame":
    import polars as pl

    failures = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)
    try:
        with path.open("rb") as file:
            if kind == "Parquet":
                names = list(pl.read_parquet_schema(file))
                file.seek(0)
            else:
                names = None
            if columns is not None and names is not None:
                empty = pl.DataFrame(schema=dict.fromkeys(names, pl.Null))
                for name in columns:
                    column_named(empty, name)
            if kind == "Parquet":
                table = pl.read_parquet(file, columns=None if columns is None else list(columns))
            elif kind == "Arrow":
                table = pl.read_ipc(file)
            else:
                table = pl.read_ipc_stream(file)
    except failures as error:
        if isinstance(error, InvalidTableError):
            raise
        reason = str(error).partition("\n")[0]
        raise InvalidTableError(f"{path}: cannot be read as {kind} ({reason})") from error
    for name in columns or ():
        column_named(table, name)
    if table.height == 0:
        raise InvalidTableError(f"{path}: has columns, but no rows")
    return table.select(columns) if columns is not None else table
