"""JSON lines: one object per line, whose keys are the columns."""

import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.errors import InvalidTableError
from chainrule.tables.columns import column_named
from chainrule.tables.csv_bytes import lines_of_records
from chainrule.tables.records import Tally
from chainrule.tables.row_numbers import NumberedTable, RowNumbers
from chainrule.tables.text import Text

if TYPE_CHECKING:
    import polars as pl


def read_json_lines(
    text: Text,
    tally: Tally,
    *,
    columns: Sequence[str] | None = None,
    types: Mapping[str, Any] | None = None,
) -> NumberedTable:
    """Read a file of JSON lines; see `chainrule.tables.raw.read_raw`.

    NaN and Infinity, which Python writes though JSON has none, are numbers. Columns of `types` that
    no line has are missing values.

    Raises
    ------
    InvalidTableError
        If a line is not a JSON object; the message names it.
    """
    import polars as pl

    failures = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
    try:
        table = _parsed(bytes(text.data))
        numbers = _numbers(text, tally, table.height)
    except failures as error:
        good, numbers, infinite = _good_lines(text, tally)
        try:
            table = _with_infinite(_parsed(b"\n".join(good)), infinite)
        except failures:
            reason = str(error).partition("\n")[0]
            raise InvalidTableError(
                f"{text.name}: cannot be read as JSON lines ({reason})"
            ) from error
    if table.height == 0 or table.width == 0:
        raise InvalidTableError(f"{text.name}: has no rows")
    absent = [name for name in types or () if name not in table.columns]
    table = table.with_columns(pl.lit(None).alias(name) for name in absent)
    for name in columns or ():
        column_named(table, name, used=columns or ())
    return NumberedTable(table.select(columns) if columns is not None else table, numbers)


def _numbers(text: Text, tally: Tally, n_rows: int) -> RowNumbers:
    """Return the numbers of rows, of which each line that is not blank holds one."""
    rows = tally.rows + 1 + np.arange(n_rows, dtype=np.int64)
    tally.rows += n_rows
    lines = lines_of_records(text.data, quoted=False) + text.shift
    if len(lines) != n_rows:  # some lines hold spaces alone
        filled = [bool(line.strip()) for line in bytes(text.data).split(b"\n")]
        lines = np.flatnonzero(filled) + (1 + text.shift)
    return RowNumbers(rows, lines if len(lines) == n_rows else None)


def _parsed(data: bytes) -> "pl.DataFrame":
    import polars as pl

    return pl.read_ndjson(io.BytesIO(data), infer_schema_length=None)


class _Infinite(NamedTuple):
    """A value that polars' JSON reader cannot represent."""

    row: int
    column: str
    value: float


def _good_lines(text: Text, tally: Tally) -> tuple[list[bytes], RowNumbers, list[_Infinite]]:
    """Return the lines that are objects, as polars takes them; the others are bad rows."""
    good: list[bytes] = []
    rows, lines = list[int](), list[int]()
    infinite: list[_Infinite] = []
    for number, line in enumerate(bytes(text.data).split(b"\n"), start=1 + text.shift):
        line = line.strip(b"\xef\xbb\xbf \t\r")
        if not line:
            continue
        tally.rows += 1
        odd: list[_Infinite] = []
        try:
            document = json.loads(line)
            fault = "" if isinstance(document, dict) else "it is JSON, but not an object"
            if not fault:
                odd = [
                    _Infinite(len(good), name, value)
                    for name, value in document.items()
                    if isinstance(value, float) and not math.isfinite(value)
                ]
        except (ValueError, RecursionError) as error:
            fault = str(error)
        if not fault:
            if odd:
                plain = document | dict.fromkeys([one.column for one in odd])
                line = json.dumps(plain).encode()
                infinite += [one for one in odd if math.isinf(one.value)]
            good.append(line)
            rows.append(tally.rows)
            lines.append(number)
            continue
        fault = f"line {number} is not a JSON object ({fault})"
        if not tally.skip:
            raise InvalidTableError(f"{text.name}: {fault}")
        tally.bad.append(fault)
    return good, RowNumbers(np.array(rows, np.int64), np.array(lines, np.int64)), infinite


def _with_infinite(table: "pl.DataFrame", infinite: list[_Infinite]) -> "pl.DataFrame":
    """Return the table with the values that were taken out, in columns of numbers or of text."""
    import polars as pl

    places: dict[str, dict[int, float]] = {}
    for row, name, value in infinite:
        places.setdefault(name, {})[row] = value
    for name, values in places.items():
        column = table[name]
        if column.dtype.is_numeric() or column.dtype == pl.Null:
            column = column.cast(pl.Float64).scatter(list(values), list(values.values()))
        elif column.dtype == pl.String:
            column = column.scatter(list(values), [str(value) for value in values.values()])
        table = table.with_columns(column)
    return table
