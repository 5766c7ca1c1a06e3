"""Reading a table, or saying in one sentence why it cannot be read."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.tables.frames import as_frame
from chainrule.tables.notes import Note
from chainrule.tables.raw import layout_of, read_raw
from chainrule.tables.sources import open_table
from chainrule.tables.table_reading import TableReading
from chainrule.tables.text_types import typed

if TYPE_CHECKING:
    import polars as pl


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


class TrainingTable(NamedTuple):
    """A table to learn from, how it was read, and what is worth telling of that."""

    table: "pl.DataFrame"
    reading: TableReading
    notes: tuple[Note, ...]


def read_for_training(table: Any) -> TrainingTable:
    """Decide how a table is to be read, and read it: a path, or a table in memory."""
    reading, read, notes = TableReading.decide(as_table(table))
    return TrainingTable(read, reading, notes)


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

    What a file is, its first bytes say; CSV and JSON lines may be compressed (gzip, zstd). A pipe
    is read once, into a temporary file. In CSV, the first line names the columns (titles, comments
    and `sep=;` above it are skipped, with a note); what separates fields (comma, tab, semicolon,
    bar) is seen from the first lines, and where it is no comma, 1,5 is a number. A column is
    numbers if all of its values are (or words such as NA), else true/false, else text; spaces
    around names and values do not count, and neither do blank lines. Text is UTF-8, UTF-16, or
    else Windows-1252, with a note. docs/tables.md lists what is read, and what is refused.

    Parameters
    ----------
    path : str or Path
        "-" is standard input.
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
    file = open_table(path)
    given = {} if types is None else types
    layout = layout_of(file, given)
    table, notes = read_raw(file, layout, columns, types=given, skip_bad_rows=skip_bad_rows)
    if layout.kind == "csv":
        table = typed(table, given, decimal_comma=layout.separator != ",")
    return Reading(table, notes)
