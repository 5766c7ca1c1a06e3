"""CSV files: read fast by polars, or record by record where polars would misread or refuse them."""

import copy
import csv
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.errors import InvalidTableError
from chainrule.tables.columns import column_named
from chainrule.tables.csv_bytes import (
    count_fields,
    end_of_rows,
    end_of_text,
    has_odd_quotes,
    lines_of_records,
)
from chainrule.tables.headers import clean
from chainrule.tables.layouts import Layout
from chainrule.tables.records import Row, Tally, good_records, lines_of, plain_names, written
from chainrule.tables.row_numbers import NumberedTable, RowNumbers
from chainrule.tables.sources import TableFile
from chainrule.tables.text import Text, as_latin

if TYPE_CHECKING:
    import polars as pl

# Types are inferred from so many rows; at a later value of another type all is read as text.
_ROWS_THAT_TELL = 1000
_BLOCK = 1 << 24


def read_csv(
    text: Text,
    layout: Layout,
    tally: Tally,
    *,
    columns: Sequence[str] | None = None,
    strings: Collection[str] | bool = (),
    types: Mapping[str, Any] | None = None,
    body: bool = False,
) -> NumberedTable:
    """Read the rows of a CSV file; see `chainrule.tables.raw.read_raw`.

    Parameters
    ----------
    body : bool
        Whether the text is a piece that begins below the line of names.

    Raises
    ------
    InvalidTableError
        If it is no table; the message says what is wrong, and on which line.
    """
    all_types = _all_types(layout, strings, types)
    if columns is not None:
        _check_columns(layout, columns)
    if layout.encoding in ("cp1252", "latin-1") and not _is_utf8(text):
        text = as_latin(text)
        tally.add(text._replace(nuls=(0, 0)))
    part = _part(text, layout, body)
    before = copy.deepcopy(vars(tally))
    try:
        return _read(part, layout, tally, columns, all_types)
    except UnicodeDecodeError:
        vars(tally).update(before)
        part = part._replace(text=as_latin(part.text))
        tally.add(part.text._replace(nuls=(0, 0)))
        return _read(part, layout, tally, columns, all_types)


def _is_utf8(text: Text) -> bool:
    try:
        bytes(text.data).decode()
    except UnicodeDecodeError:
        return False
    return True


def _all_types(
    layout: Layout, strings: Collection[str] | bool, types: Mapping[str, Any] | None
) -> dict[str, Any]:
    import polars as pl

    if strings is True:
        return {**dict.fromkeys(layout.columns, pl.String), **(types or {})}
    return {**(types or {}), **dict.fromkeys(strings or (), pl.String)}


class _Part(NamedTuple):
    """Rows below a line of names."""

    text: Text
    head: Sequence[str]
    """The fields of the line of names."""


def _part(text: Text, layout: Layout, body: bool) -> _Part:
    """Return the file unchanged if polars reads it correctly; else with the names rewritten."""
    if not body and layout.as_written and layout.header_line == 1:
        return _Part(text, layout.raw)
    lines = 0 if body else layout.header_line + layout.header_lines - 1
    start = 0
    for _ in range(lines):
        start = text.data.find(b"\n", start) + 1 or len(text.data)
    head = written(iter(()), layout)
    shift = text.shift + lines - head.count(b"\n")
    data = head + bytes(text.data[start:])
    return _Part(text._replace(data=data, on_disk=False, shift=shift), plain_names(layout))


def _read(
    part: _Part,
    layout: Layout,
    tally: Tally,
    columns: Sequence[str] | None,
    types: Mapping[str, Any],
) -> NumberedTable:
    import polars as pl

    part = part._replace(text=_without_empty_rows(part.text, layout, tally))
    text = part.text
    # OSError: polars tries to decompress text that begins like a compressed file.
    failures = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, _OddError)
    quoted = text.data.find(b'"') >= 0
    try:
        if layout.skip_spaces or (quoted and has_odd_quotes(text.data, layout.separator)):
            raise _OddError("its quotation marks are not even")
        table = _parsed(part, layout, columns, types)
        table = _without_blank_lines(text, layout, table, quoted=quoted)
        if _has_names_again(table, layout):
            raise _OddError("the names come again")
        inner_ends = quoted and _has_inner_ends(text, table)
        if inner_ends and _swallows(table, layout):
            rows = tally.rows
            for _ in _records(text, layout, tally):
                pass
            tally.rows = rows  # counted below
    except failures as error:
        # Record by record, which is slow: it names the bad row, or skips bad rows.
        records = _records(text, layout, tally)
        return _from_records(text.file, records, layout, columns, types, error)
    table = _without_unnamed(text.file, layout, table)
    numbers = _numbers(text, tally.rows, table.height, quoted=inner_ends)
    tally.rows += table.height
    return NumberedTable(table if columns is None else table.select(columns), numbers)


def _numbers(text: Text, before: int, n_rows: int, *, quoted: bool) -> RowNumbers:
    """Return the numbers of rows that are all the records of a text."""
    rows = before + 1 + np.arange(n_rows, dtype=np.int64)
    lines = lines_of_records(text.data, quoted=quoted) + text.shift
    return RowNumbers(rows, lines[1:] if len(lines) == n_rows + 1 else None)


def read_records(
    file: TableFile,
    records: Iterable[Row],
    layout: Layout,
    *,
    columns: Sequence[str] | None = None,
    strings: Collection[str] | bool = (),
    types: Mapping[str, Any] | None = None,
) -> NumberedTable:
    """Return records as the table that `read_csv` makes of them."""
    if columns is not None:
        _check_columns(layout, columns)
    all_types = _all_types(layout, strings, types)
    return _from_records(file, records, layout, columns, all_types, None)


def _from_records(
    file: TableFile,
    records: Iterable[Row],
    layout: Layout,
    columns: Sequence[str] | None,
    types: Mapping[str, Any],
    error: Exception | None,
) -> NumberedTable:
    import polars as pl

    rows, lines = list[int](), list[int]()

    def fields() -> Iterator[list[str]]:
        for record in records:
            rows.append(record.number)
            lines.append(record.line)
            yield record.fields

    text = Text(file, written(fields(), layout))
    try:
        table = _parsed(_Part(text, plain_names(layout)), layout, columns, types)
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        OSError,
        _OddError,
    ) as failure:
        reason = str(failure).partition("\n")[0]
        raise InvalidTableError(f"{file.name}: cannot be read as CSV ({reason})") from error
    table = _without_unnamed(file, layout, table)
    numbers = RowNumbers(np.array(rows, np.int64), np.array(lines, np.int64))
    return NumberedTable(table if columns is None else table.select(columns), numbers)


class _OddError(Exception):
    """polars would misread the file."""


def _records(text: Text, layout: Layout, tally: Tally) -> Iterator[Row]:
    """Yield the good records below the line of names."""
    lines = lines_of(text)
    reader = csv.reader(lines, delimiter=layout.separator, skipinitialspace=layout.skip_spaces)
    for record in reader:
        if "".join(record).strip():
            break
    return good_records(text.name, lines, layout, tally, reader.line_num + text.shift)


def _parsed(
    part: _Part, layout: Layout, columns: Sequence[str] | None, types: Mapping[str, Any]
) -> "pl.DataFrame":
    """Return the table as polars reads it, with its names, without row names."""
    import polars as pl

    text = part.text
    # By path, so that polars need not copy the bytes.
    options: dict[str, Any] = {"source": text.data, "separator": layout.separator}
    if text.on_disk:
        options |= {"source": text.file.place, "glob": False}
    names = plain_names(layout)
    places = list(range(layout.row_names, len(names)))
    if columns is not None:
        unnamed = {name for name in names if name not in layout.names}
        places = [place for place in places if names[place] in {*columns, *unnamed}]
    if len(places) < len(names):
        options["columns"] = places
    overrides = {part.head[place]: types[names[place]] for place in places if names[place] in types}
    inferences: list[dict[str, Any]] = [
        {"infer_schema_length": _ROWS_THAT_TELL, "schema_overrides": overrides},
        # If a value has another type, all columns are text for their notations to read.
        {"infer_schema": False},
    ]
    while True:
        try:
            table = pl.read_csv(**options, **inferences.pop(0))
            break
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            if not inferences:
                raise
    if table.width != len(places):
        raise _OddError(f"rows of {table.width} fields")
    table.columns = [names[place] for place in places]
    return table


def _check_columns(layout: Layout, columns: Sequence[str]) -> None:
    import polars as pl

    empty = pl.DataFrame(schema=dict.fromkeys(layout.columns, pl.Null))
    for name in columns:
        column_named(empty, name, used=columns)


def _without_blank_lines(
    text: Text, layout: Layout, table: "pl.DataFrame", *, quoted: bool
) -> "pl.DataFrame":
    """Return a table without the empty rows that polars makes of blank lines.

    Raises
    ------
    _OddError
        If a record is shorter than the line of names: polars fills it up with missing values.
    """
    if table.width and layout.names[-1] == table.columns[-1] and table[:, -1].null_count() == 0:
        return table  # every record reached the last column
    end = end_of_text(text.data)
    tail = bytes(text.data[end:]).count(b"\n") - 1
    if tail > 0 and table.tail(tail).null_count().sum_horizontal().item() == tail * table.width:
        table = table.head(table.height - tail)
    fields = count_fields(text.data, layout.separator, end, quoted=quoted)
    if fields == len(layout.names) * (table.height + 1):
        return table
    raise _OddError("some lines are blank, or shorter than others")


def _without_empty_rows(text: Text, layout: Layout, tally: Tally) -> Text:
    """Return the text without the rows of empty fields at its end, which spreadsheets write."""
    end, rows = end_of_rows(text.data, layout.separator, len(layout.names))
    if not rows:
        return text
    tally.empty_rows += rows
    return text._replace(data=bytes(text.data[:end]), on_disk=False)


def _has_names_again(table: "pl.DataFrame", layout: Layout) -> bool:
    """Whether a row repeats the names or has a byte order mark, as in concatenated files."""
    import polars as pl

    if table[table.columns[0]].dtype == pl.String:
        marked = table[table.columns[0]].str.starts_with("\ufeff")
        if marked.any():
            return True
    # Columns without a name have a placeholder here.
    written = dict(zip(plain_names(layout), map(clean, layout.raw), strict=True))
    names = [written[column] for column in table.columns]
    first = next((place for place, name in enumerate(names) if name), None)
    if first is None or table.to_series(first).dtype != pl.String:
        return False
    rows = table.filter(table.to_series(first).str.contains(names[first], literal=True))
    return any(
        all(
            (isinstance(v, str) and clean(v) == name) or (v is None and not name)
            for v, name in zip(row, names, strict=True)
        )
        for row in rows.head(1000).iter_rows()
    )


def _has_inner_ends(text: Text, table: "pl.DataFrame") -> bool:
    """Whether there are more lines than rows, so that fields contain line ends."""
    data = text.data
    blocks = (data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK))
    return sum(block.count(b"\n") for block in blocks) > table.height + 1


def _swallows(table: "pl.DataFrame", layout: Layout) -> bool:
    """Whether a field contains line ends and separators, as after an unclosed quotation mark."""
    import polars.selectors as cs

    text = cs.string()
    both = text.str.contains("\n", literal=True) & text.str.contains(layout.separator, literal=True)
    found = table.select(both.any())
    return found.width > 0 and any(column.item() for column in found.iter_columns())


def _without_unnamed(file: TableFile, layout: Layout, table: "pl.DataFrame") -> "pl.DataFrame":
    """Return the table without the unnamed columns, if they are empty.

    Raises
    ------
    InvalidTableError
        If one of them has values.
    """
    import polars as pl

    names = plain_names(layout)
    for place in range(layout.row_names, len(names)):
        if layout.names[place] or names[place] not in table.columns:
            continue
        column = table[names[place]]
        if column.dtype == pl.String:
            column = column.str.strip_chars()
            column = column.set(column == "", None)
        if column.null_count() < column.len():
            row = int(column.is_not_null().arg_max() or 0) + 1
            raise InvalidTableError(
                f"{file.name}: column {place + 1} of {len(names)} has no name in the first line, "
                f"but has values (row {row:,} below the names is the first); name it or remove it"
            )
        table = table.drop(names[place])
    return table
