"""Reading a table, or one sentence that says why it cannot be read."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.tables.frames import as_frame
from chainrule.tables.notes import Note
from chainrule.tables.raw import RawTable, layout_of, read_raw
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.samples import PlainColumns, plain_columns
from chainrule.tables.sources import open_table
from chainrule.tables.table_notations import TableReading
from chainrule.tables.text import read_text

if TYPE_CHECKING:
    import polars as pl


class Reading(NamedTuple):
    """A table that was read, with notes."""

    table: "pl.DataFrame"
    notes: tuple[Note, ...]
    """Such as the number of skipped rows, or the values that could not be read."""
    numbers: RowNumbers
    """Where the rows stand in the file."""


class TrainingTable(NamedTuple):
    """A table to learn from, how it is read, and notes on that."""

    table: "pl.DataFrame"
    reading: TableReading
    notes: tuple[Note, ...]
    numbers: RowNumbers
    """Where the rows stand in the file."""


def read_for_training(
    table: Any, *, skip_bad_rows: bool = False, target: str = ""
) -> TrainingTable:
    """Decide how a table is to be read, and read it.

    Parameters
    ----------
    table : path, polars or pandas DataFrame, Arrow table, or array (rows, columns)
    skip_bad_rows : bool
        As in `read_table`.
    target : str, optional
        The column to predict: its values are numbers, true and false, or text.

    Raises
    ------
    InvalidTableError
        If the file cannot be read as a table, or the table has no rows.
    InvalidArgumentError
        If it is neither a path nor a table.
    """
    if not isinstance(table, str | Path):
        reading, read, notes = TableReading.decide(as_frame(table), target=target)
        return TrainingTable(read, reading, notes, RowNumbers.counted(read.height))
    with open_table(table) as file:
        layout = layout_of(file)
        is_csv = layout.kind == "csv"
        plain = plain_columns(read_text(file), layout) if is_csv else PlainColumns({}, {})

        def raw_with(types: Mapping[str, Any]) -> RawTable:
            return read_raw(file, layout, strings=is_csv, types=types, skip_bad_rows=skip_bad_rows)

        raw, found, numbers = raw_with(plain.types)
        codes = plain.may_be_codes(raw)
        if codes:
            raw, found, numbers = raw_with(plain.without(codes))
    separator = layout.separator if is_csv else None
    reading, read, notes = TableReading.decide(
        raw, separator=separator, target=target, numbers=numbers
    )
    return TrainingTable(read, reading, (*found, *notes), numbers)


def read_by(
    table: Any,
    reading: TableReading,
    *,
    skip_bad_rows: bool = False,
    needed: Collection[str] = (),
) -> Reading:
    """Read a table in the notations of another one, which a model was trained with.

    Parameters
    ----------
    table : path, polars or pandas DataFrame, Arrow table, or array (rows, columns)
    reading : TableReading
    skip_bad_rows : bool
        As in `read_table`.
    needed : names
        Of the columns that must be there: a file's line of names is found by them.

    Raises
    ------
    InvalidTableError
        If the file cannot be read as a table, the table has no rows, or too many values of a
        column are not written as they were in training.
    InvalidArgumentError
        If it is neither a path nor a table.
    """
    if not isinstance(table, str | Path):
        frame = as_frame(table)
        return Reading(*reading.read(frame), RowNumbers.counted(frame.height))
    with open_table(table) as file:
        layout = layout_of(file, needed or tuple(reading.notations))
        raw, found, numbers = read_raw(
            file,
            layout,
            strings=True,
            types=reading.plain_types() if layout.kind == "csv" else None,
            skip_bad_rows=skip_bad_rows,
        )
    read, notes = reading.read(raw, numbers)
    return Reading(read, (*found, *notes), numbers)


def read_table(
    path: str | Path, *, skip_bad_rows: bool = False, columns: Sequence[str] | None = None
) -> "pl.DataFrame":
    """Read a table from a file; `read_with_notes` without the notes."""
    return read_with_notes(path, skip_bad_rows=skip_bad_rows, columns=columns).table


def read_with_notes(
    path: str | Path, *, skip_bad_rows: bool = False, columns: Sequence[str] | None = None
) -> Reading:
    """Read a table from a file: CSV and its like, JSON lines, Parquet, or Arrow (Feather).

    The first bytes show the format; CSV and JSON lines may be compressed (gzip, zstd). A pipe is
    copied to a temporary file. In CSV, the first line names the columns (titles, comments and
    `sep=;` above it are skipped, with a note); the separator (comma, tab, semicolon, bar) is
    recognised from the first lines. What a column of text holds (numbers, dates, true and false, or
    text) and how it is written is decided for the column as a whole. docs/explanation/tables.md
    lists what is read, and what is refused.

    Parameters
    ----------
    path : str or Path
        "-" is standard input.
    skip_bad_rows : bool
        Whether to skip lines with another number of fields than the first, or that are not JSON,
        and count them in a note; else the first of them is an error.
    columns : sequence of str, optional
        Those to return; by default all.

    Returns
    -------
    Reading

    Raises
    ------
    InvalidTableError
        If there is no such file or it is not a table; the message says what is wrong, and on
        which line.
    """
    from chainrule.tables.columns import column_named

    found = read_for_training(Path(path), skip_bad_rows=skip_bad_rows)
    for name in columns or ():
        column_named(found.table, name, used=columns or ())
    table = found.table if columns is None else found.table.select(columns)
    return Reading(table, found.notes, found.numbers)


def as_table(table: Any) -> "pl.DataFrame":
    """Return a table as a polars DataFrame: one in memory unchanged, or read from a path.

    Raises
    ------
    InvalidTableError
        If the file cannot be read as a table, or the table has no rows.
    InvalidArgumentError
        If it is neither.
    """
    return read_table(table) if isinstance(table, str | Path) else as_frame(table)
