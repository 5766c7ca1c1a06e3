"""A table as it is in a file: the layout of the file, and its values, typed or as text."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.errors import InvalidTableError
from chainrule.tables.columns import column_named
from chainrule.tables.csv_files import read_csv
from chainrule.tables.json_lines import read_json_lines
from chainrule.tables.layouts import Layout, csv_layout
from chainrule.tables.notes import Note
from chainrule.tables.records import Tally
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.sources import TableFile
from chainrule.tables.text import Text, read_text, stem_suffix

if TYPE_CHECKING:
    import polars as pl


class RawTable(NamedTuple):
    """A table as it is in a file."""

    table: "pl.DataFrame"
    notes: tuple[Note, ...]
    numbers: RowNumbers
    """Where its rows stand in the file."""


JSON_LINES = (".jsonl", ".ndjson", ".jsonlines")


def layout_of(file: TableFile, expected: Collection[str] = ()) -> Layout:
    """Return the layout of a file, recognised from its first bytes.

    Parameters
    ----------
    file : TableFile
        As `chainrule.tables.sources.open_table` gives it.
    expected : names
        Of columns that a model needs, by which the line of names is found.

    Raises
    ------
    InvalidTableError
        If it is no table; the message says what is wrong.
    """
    if file.binary is not None:
        return Layout(file.binary)
    return text_layout(read_text(file), expected)


def text_layout(text: Text, expected: Collection[str] = ()) -> Layout:
    """Return how a text is laid out; see `layout_of`."""
    if is_json_lines(text):
        return Layout("json lines", text.encoding, line_ends=text.line_ends)
    return csv_layout(text, expected)


def read_raw(
    file: TableFile,
    layout: Layout,
    columns: Sequence[str] | None = None,
    strings: Collection[str] | bool = (),
    *,
    types: Mapping[str, Any] | None = None,
    skip_bad_rows: bool = False,
) -> RawTable:
    """Read a file with a known layout.

    Parameters
    ----------
    file : TableFile
    layout : Layout
        Of this file, from `layout_of`.
    columns : sequence of str, optional
        Those to read; by default all that have names.
    strings : names, or True for all but those of `types`
        Columns of CSV to read as text; polars infers the types of the others.
    types : mapping of str to polars types, optional
        Of columns of CSV; if one cannot be read so, all are read as text.
    skip_bad_rows : bool
        Whether bad rows are left out, with a note.

    Returns
    -------
    RawTable

    Raises
    ------
    InvalidTableError
        If the file is no table; the message says what is wrong, and on which line of the file.
    """
    if file.binary is not None:
        table = read_binary(file, columns)
        return RawTable(table, (), RowNumbers.counted(table.height))
    text = read_text(file)
    tally = Tally(skip_bad_rows, others=list(layout.notes))
    tally.add(text)
    if layout.kind == "json lines":
        found = read_json_lines(text, tally, columns=columns, types=types)
    else:
        found = read_csv(text, layout, tally, columns=columns, strings=strings, types=types)
    if found.table.height == 0:
        raise InvalidTableError(f"{file.name}: has a first line with names, but no rows")
    return RawTable(found.table, tally.notes(), found.numbers)


def is_json_lines(text: Text) -> bool:
    """Tell whether a file of text holds JSON lines.

    Raises
    ------
    InvalidTableError
        If it holds JSON of another form.
    """
    suffix = stem_suffix(text.path)
    start = bytes(text.data[:64]).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"[" and suffix in (".json", *JSON_LINES):
        raise InvalidTableError(
            f"{text.name}: is one JSON array; write its objects a line each (JSON lines)"
        )
    # The name of a pipe does not show the format.
    unnamed = text.file.spool is not None and not suffix
    return suffix in JSON_LINES or (start == b"{" and (suffix == ".json" or unnamed))


def read_binary(file: TableFile, columns: Sequence[str] | None) -> "pl.DataFrame":
    """Read a Parquet or Arrow file."""
    import polars as pl

    failures = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)
    try:
        with file.open() as opened:
            if file.binary == "Parquet":
                names = list(pl.read_parquet_schema(opened))
                opened.seek(0)
            else:
                names = None
            if columns is not None and names is not None:
                empty = pl.DataFrame(schema=dict.fromkeys(names, pl.Null))
                for name in columns:
                    column_named(empty, name, used=columns)
            if file.binary == "Parquet":
                table = pl.read_parquet(opened, columns=None if columns is None else list(columns))
            elif file.binary == "Arrow":
                table = pl.read_ipc(opened)
            else:
                table = pl.read_ipc_stream(opened)
    except failures as error:
        if isinstance(error, InvalidTableError):
            raise
        reason = str(error).partition("\n")[0]
        raise InvalidTableError(
            f"{file.name}: cannot be read as {file.binary} ({reason})"
        ) from error
    for name in columns or ():
        column_named(table, name, used=columns or ())
    if table.height == 0:
        raise InvalidTableError(f"{file.name}: has columns, but no rows")
    return table.select(columns) if columns is not None else table
