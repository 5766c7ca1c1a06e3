"""Which columns of a text file are plain numbers, as a sample of its rows shows."""

from typing import TYPE_CHECKING, Any

from chainrule.errors import InvalidTableError
from chainrule.tables.csv_files import read_csv
from chainrule.tables.layouts import Layout
from chainrule.tables.notations import Numbers
from chainrule.tables.notations.recognition import seen
from chainrule.tables.records import Tally
from chainrule.tables.text import Text

if TYPE_CHECKING:
    import polars as pl

# Codes with leading zeros, say, may be sorted to one place of the file.
_HEAD, _BLOCK, _BLOCKS = 1 << 16, 1 << 13, 32


def plain_types(text: Text, layout: Layout) -> dict[str, Any]:
    """Return the types of the columns that a computer wrote as numbers: polars reads these itself.

    All other columns are to be read as text: a sample that says more of them than that is not
    needed. If later rows hold something else than numbers, polars says so, and the column is read
    as text after all.
    """
    import polars as pl

    sample = text._replace(data=_sample(text, layout), on_disk=False, shift=0)
    try:
        table = read_csv(sample, layout, Tally(skip=True), strings=True, body=True)
    except InvalidTableError:
        return {}  # of the whole file it will be said what is wrong
    types: dict[str, Any] = {}
    for column in table.iter_columns():
        if column.dtype != pl.String:
            continue
        kind = _plain_type(column)
        if kind is not None:
            types[column.name] = kind
    return types


def _plain_type(column: "pl.Series") -> "type[pl.DataType] | None":
    import polars as pl

    values = column.str.strip_chars()
    values = values.filter(values != "")
    numbers = values.cast(pl.Float64, strict=False)
    if values.is_empty() or numbers.null_count() or not numbers.is_finite().all():
        return None
    if values.str.contains(r"^0\d").any():
        return None  # perhaps codes, of which a number would lose the zeros
    form = seen(values).numbers
    if form.notation != Numbers() or form.other is not None:
        return None
    return pl.Float64 if values.cast(pl.Int64, strict=False).null_count() else pl.Int64


def _sample(text: Text, layout: Layout) -> bytes:
    """Return whole lines of a file, from its beginning and from all over it, below the names."""
    data, size = text.data, len(text.data)
    start = 0
    for _ in range(layout.header_line + layout.header_lines - 1):
        start = data.find(b"\n", start) + 1 or size
    end = data.find(b"\n", min(size, start + _HEAD)) + 1 or size
    parts = [bytes(data[start:end])]
    for place in range(1, _BLOCKS + 1):
        begin = end + (size - end) * place // (_BLOCKS + 1)
        if size - end <= _BLOCK * _BLOCKS or b'"' in data[begin : begin + _BLOCK]:
            continue  # few rows, or places whose quotation marks cannot be told apart
        first = data.find(b"\n", begin) + 1
        last = data.find(b"\n", begin + _BLOCK) + 1
        if first and last > first:
            parts.append(bytes(data[first:last]))
    if 0 < size - end <= _BLOCK * _BLOCKS:
        parts.append(bytes(data[end:]))
    elif size > end and b'"' not in data[size - 2 * _BLOCK :]:
        parts.append(bytes(data[data.find(b"\n", size - 2 * _BLOCK) + 1 :]))
    return b"".join(part if part.endswith(b"\n") else part + b"\n" for part in parts)
