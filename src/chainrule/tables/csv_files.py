"""CSV files: read fast by polars, and checked for what polars would pass over in silence."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.errors import InvalidTableError
from chainrule.tables.columns import column_named
from chainrule.tables.notes import Note
from chainrule.tables.text import SEPARATORS, Text, as_latin, records, separator_of
from chainrule.tables.text_types import typed

if TYPE_CHECKING:
    import polars as pl

# Types are those of so many rows; a later value of another type has all rows looked at.
_ROWS_THAT_TELL = 1000
_BLOCK = 1 << 24


class Layout(NamedTuple):
    """How a file of text is divided."""

    separator: str
    raw: list[str]
    """The names as polars reads them."""
    names: list[str]
    """The same without surrounding spaces."""


def layout_of(text: Text) -> Layout:
    """Return what separates the fields of a file, and the names in its first line.

    Raises
    ------
    InvalidTableError
        If a name is empty or comes twice, or nothing known separates the fields.
    """
    separator = separator_of(text)
    raw = next((record for _, record in records(text, separator) if record), [])
    names = [name.strip() for name in raw]
    path = text.path
    for number, name in enumerate(names, start=1):
        if not name:
            raise InvalidTableError(
                f"{path}: column {number} of {len(names)} has no name in the first line; "
                "name it or remove it"
            )
    place_of: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        first = place_of.setdefault(name, number)
        if first != number:
            raise InvalidTableError(
                f"{path}: two columns are named {name!r} (columns {first} and {number}); "
                "rename or remove one"
            )
    if len(names) == 1:
        for other, kind in {":": "colons", " ": "spaces", "~": "tildes", "^": "carets"}.items():
            if names[0].count(other) >= 1 and _second(text).count(other) == names[0].count(other):
                expected = ", ".join(SEPARATORS.values())
                raise InvalidTableError(
                    f"{path}: its first line is one name, {names[0][:60]!r}, which looks separated "
                    f"by {kind}; expected one of {expected}"
                )
    return Layout(separator, raw, names)


def _second(text: Text) -> str:
    lines = bytes(text.data[: 1 << 16]).decode("utf-8-sig", "replace").splitlines()
    return lines[1].strip() if len(lines) > 1 else ""


def read_csv(
    text: Text,
    *,
    skip_bad_rows: bool,
    columns: Sequence[str] | None,
    types: Mapping[str, Any],
    layout: Layout | None = None,
) -> tuple["pl.DataFrame", tuple[Note, ...]]:
    """Read a CSV file; see `chainrule.tables.reading.read_table`. `layout` saves finding it.

    Raises
    ------
    InvalidTableError
        If it is no table; the message says what is wrong, and on which line.
    """
    try:
        return _read(text, skip_bad_rows, columns, types, layout)
    except UnicodeDecodeError:
        return _read(as_latin(text), skip_bad_rows, columns, types, None)
    except csv.Error as error:
        raise InvalidTableError(f"{text.path}: cannot be read as CSV ({error})") from error


def _read(
    text: Text,
    skip_bad_rows: bool,
    columns: Sequence[str] | None,
    types: Mapping[str, Any],
    layout: Layout | None,
) -> tuple["pl.DataFrame", tuple[Note, ...]]:
    import polars as pl

    layout = layout or layout_of(text)
    notes = text.notes
    # OSError: polars decompresses what begins like a compressed file.
    failures = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, _BadRowError)
    try:
        table = _without_blank_lines(text, layout, _parsed(text, layout, columns, types))
    except failures as error:
        # Exactly and slowly: which row is bad, or everything but bad rows.
        bad = _bad_rows(text, layout, stop=not skip_bad_rows)
        if bad and not skip_bad_rows:
            raise InvalidTableError(f"{text.path}: {bad[0]}") from error
        bytes(text.data).decode()
        if not bad:
            reason = str(error).partition("\n")[0]
            raise InvalidTableError(f"{text.path}: cannot be read as CSV ({reason})") from error
        text = _without_bad_rows(text, layout)
        notes = (*notes, skipped_note(bad))
        table = _parsed(text, layout, columns, types)
    if table.height == 0:
        raise InvalidTableError(f"{text.path}: has a first line with names, but no rows")
    return typed(table, types, decimal_comma=layout.separator != ","), notes


def skipped_note(bad: Sequence[str]) -> Note:
    """Return the note that counts the bad rows that were skipped."""
    return Note(
        "",
        f"{len(bad):,} bad row{'s were' if len(bad) > 1 else ' was'} skipped (the first: {bad[0]})",
        "look at them, if they are many",
    )


class _BadRowError(Exception):
    """A record is shorter than the line of names."""


def _parsed(
    text: Text, layout: Layout, columns: Sequence[str] | None, types: Mapping[str, Any]
) -> "pl.DataFrame":
    """Return the table as polars reads it, with names in place."""
    import polars as pl

    # The file by its name, so that polars need not copy it.
    options: dict[str, Any] = {"source": text.data, "separator": layout.separator}
    if text.on_disk:
        options |= {"source": str(text.path), "glob": False}
    names = layout.names
    if columns is not None:
        _check_columns(layout, columns)
        places = sorted(names.index(name) for name in set(columns))
        options["columns"] = places
        names = [names[place] for place in places]
    raw_of = dict(zip(layout.names, layout.raw, strict=True))
    overrides = {raw_of[name]: dtype for name, dtype in types.items() if name in raw_of}
    inferences: list[dict[str, Any]] = [
        {"infer_schema_length": _ROWS_THAT_TELL, "schema_overrides": overrides},
        {"infer_schema_length": None},
        # Whole numbers too long for any integer type, say: as text first.
        {"infer_schema": False},
    ]
    while True:
        try:
            table = pl.read_csv(**options, **inferences.pop(0))
            break
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            if not inferences:
                raise
    if table.width != len(names):
        raise InvalidTableError(
            f"{text.path}: its first line names {len(names)} columns, but its rows have "
            f"{table.width}; are the line ends those of Linux, macOS or Windows?"
        )
    table.columns = names
    return table if columns is None else table.select(columns)


def _check_columns(layout: Layout, columns: Sequence[str]) -> None:
    import polars as pl

    empty = pl.DataFrame(schema=dict.fromkeys(layout.names, pl.Null))
    for name in columns:
        column_named(empty, name)


def _without_blank_lines(text: Text, layout: Layout, table: "pl.DataFrame") -> "pl.DataFrame":
    """Return a table without the rows of missing values that polars makes of blank lines.

    Raises
    ------
    _BadRowError
        If a record is shorter than the line of names: polars fills it up with missing values.
    """
    import polars as pl

    last = layout.names[-1]
    if last in table.columns and table[last].null_count() == 0:
        return table  # every record reached the last column
    end = _end(text)
    tail = bytes(text.data[end:]).count(b"\n") - 1
    if tail > 0 and table.tail(tail).null_count().sum_horizontal().item() == tail * table.width:
        table = table.head(table.height - tail)
    if _fields(text, layout.separator, end) == len(layout.names) * (table.height + 1):
        return table
    blank: list[bool] = []
    for _, record in _body(text, layout):
        if record and len(record) != len(layout.names):
            raise _BadRowError
        blank.append(not record)
    blank = blank[: table.height]
    return table.filter(~pl.Series(blank)) if len(blank) == table.height else table


def _body(text: Text, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Yield the records after the line of names, blank ones too, with their last line's number."""
    found = records(text, layout.separator)
    for _, record in found:
        if record:
            break
    yield from found


def _end(text: Text) -> int:
    """Return where the text ends, but for blank lines."""
    end = len(text.data)
    while end and text.data[end - 1 : end] in (b"\r", b"\n"):
        end -= 1
    return end


def _fields(text: Text, separator: str, end: int) -> int:
    """Return how many fields all lines have together; quoted separators and line ends are none."""
    data = np.frombuffer(text.data, np.uint8)
    quoted = text.data.find(b'"') >= 0
    fields, inside = 1, False
    for start in range(0, end, _BLOCK):
        block = data[start : min(end, start + _BLOCK)]
        ends = block == ord(separator)
        ends |= block == ord("\n")
        if quoted:
            within = np.logical_xor.accumulate(block == ord('"'))
            if inside:
                within = ~within
            inside = bool(within[-1])
            ends &= ~within
        fields += int(np.count_nonzero(ends))
    return fields


def _bad_rows(text: Text, layout: Layout, *, stop: bool) -> list[str]:
    """Return what is wrong with each record of another length than the line of names."""
    bad = []
    width = len(layout.names)
    for line, record in _body(text, layout):
        if record and len(record) != width:
            bad.append(
                f"line {line} has {len(record)} fields where the first line names {width} columns; "
                "is a quotation mark left open, or a separator too many or missing?"
            )
            if stop:
                break
    return bad


def _without_bad_rows(text: Text, layout: Layout) -> Text:
    """Return the text of the records that have the length of the line of names."""
    good = io.StringIO(newline="")
    writer = csv.writer(good, delimiter=layout.separator, lineterminator="\n")
    writer.writerow(layout.raw)
    width = len(layout.names)
    writer.writerows(record for _, record in _body(text, layout) if len(record) == width)
    return text._replace(data=good.getvalue().encode(), on_disk=False)
