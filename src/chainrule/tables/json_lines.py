"""JSON lines: an object a line; its names are the columns."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chainrule.errors import InvalidTableError
from chainrule.tables.columns import column_named
from chainrule.tables.csv_files import skipped_note
from chainrule.tables.notes import Note
from chainrule.tables.text import Text

if TYPE_CHECKING:
    import polars as pl


def read_json_lines(
    text: Text,
    *,
    skip_bad_rows: bool,
    columns: Sequence[str] | None,
    types: Mapping[str, Any] | None = None,
) -> tuple["pl.DataFrame", tuple[Note, ...]]:
    """Read a file of JSON lines; see `chainrule.tables.reading.read_table`.

    Columns of `types` that no line has are missing values.

    Raises
    ------
    InvalidTableError
        If a line is no JSON object; the message names it.
    """
    import polars as pl

    notes = text.notes
    try:
        table = _parsed(bytes(text.data))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        good, bad = _divided(text, stop=not skip_bad_rows)
        if bad and not skip_bad_rows:
            raise InvalidTableError(f"{text.path}: {bad[0]}") from error
        try:
            table = _parsed(b"\n".join(good))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            reason = str(error).partition("\n")[0]
            raise InvalidTableError(
                f"{text.path}: cannot be read as JSON lines ({reason})"
            ) from error
        notes = (*notes, skipped_note(bad))
    if table.height == 0 or table.width == 0:
        raise InvalidTableError(f"{text.path}: has no rows")
    absent = [name for name in types or () if name not in table.columns]
    table = table.with_columns(pl.lit(None).alias(name) for name in absent)
    for name in columns or ():
        column_named(table, name)
    return (table.select(columns) if columns is not None else table), notes


def _parsed(data: bytes) -> "pl.DataFrame":
    import polars as pl

    return pl.read_ndjson(io.BytesIO(data), infer_schema_length=None)


def _divided(text: Text, *, stop: bool) -> tuple[list[bytes], list[str]]:
    """Return the lines that are JSON objects, and what is wrong with the others."""
    good, bad = [], []
    for number, line in enumerate(bytes(text.data).split(b"\n"), start=1 + text.lines_before):
        if not line.strip():
            continue
        try:
            fault = "" if isinstance(json.loads(line), dict) else "it is JSON, but no object"
        except (ValueError, RecursionError) as error:
            fault = str(error)
        if fault:
            bad.append(f"line {number} is no JSON object ({fault})")
            if stop:
                break
        else:
            good.append(line)
    return good, bad
