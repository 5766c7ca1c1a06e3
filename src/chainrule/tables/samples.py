"""Which columns of a text file are plain numbers, as a sample of its rows shows."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.errors import InvalidTableError
from chainrule.tables.csv_files import read_csv
from chainrule.tables.layouts import Layout
from chainrule.tables.notations import Numbers
from chainrule.tables.notations.number_forms import PLAIN
from chainrule.tables.notations.recognition import seen
from chainrule.tables.records import Tally
from chainrule.tables.text import Text

if TYPE_CHECKING:
    import polars as pl

# Blocks from all over the file: codes with leading zeros may be sorted to one place of it. Fewer
# digits outside the blocks are noticed later: `PlainColumns.may_be_codes`.
_HEAD, _BLOCK, _BLOCKS = 1 << 16, 1 << 13, 32


class PlainColumns(NamedTuple):
    """Columns that hold numbers as a computer writes them, as far as a sample shows."""

    types: "Mapping[str, type[pl.DataType]]"
    """The type as which polars reads each."""
    digits: Mapping[str, int]
    """How many digits the whole numbers of a column have, where all have the same number."""

    def may_be_codes(self, table: "pl.DataFrame") -> list[str]:
        """Return the columns that have fewer digits somewhere else in the file than in the sample.

        They may be codes, of which a number loses the leading zeros (01234 among 54321): read as
        text, they are told apart.
        """
        return [
            name
            for name, digits in self.digits.items()
            if table[name].dtype.is_integer() and _has_shorter(table[name], digits)
        ]

    def without(self, names: Collection[str]) -> "Mapping[str, type[pl.DataType]]":
        """Return the types of the other columns."""
        return {name: kind for name, kind in self.types.items() if name not in names}


def _has_shorter(column: "pl.Series", digits: int) -> bool:
    low: Any = column.min()
    return low is not None and 0 <= low < 10 ** (digits - 1)


def plain_columns(text: Text, layout: Layout) -> PlainColumns:
    """Return the columns that a computer wrote as numbers, which polars reads by itself.

    All others are to be read as text. If later rows hold something else than numbers, polars says
    so, and the column is read as text after all.
    """
    import polars as pl

    sample = text._replace(data=_sample(text, layout), on_disk=False, shift=0)
    try:
        table = read_csv(sample, layout, Tally(skip=True), strings=True, body=True).table
    except InvalidTableError:
        return PlainColumns({}, {})  # reading the whole file says what is wrong
    texts = table.select(pl.col(pl.String).str.strip_chars())
    texts = texts.select(pl.when(pl.all() != "").then(pl.all()))
    types, digits = {}, {}
    for column, look in zip(texts.iter_columns(), _looks(texts), strict=True):
        values = column.drop_nulls() if column.null_count() else column
        kind = _plain_type(values, look)
        if kind is not None:
            types[column.name] = kind
        if kind == pl.Int64 and look.shortest == look.longest:
            digits[column.name] = look.longest
    return PlainColumns(types, digits)


class _Look(NamedTuple):
    """What is true of all texts of a column."""

    are_plain: bool
    """They are written as `PLAIN` says."""
    are_numbers: bool
    are_whole: bool
    shortest: int
    longest: int
    """How many characters they have."""


def _looks(texts: "pl.DataFrame") -> list[_Look]:
    """Return what columns look like; one query for all is faster than one for each."""
    import polars as pl

    if texts.width == 0:
        return []
    found = texts.select(
        pl.all().str.contains(f"^(?:{PLAIN})$").all().name.prefix("plain "),
        (pl.all().cast(pl.Float64, strict=False).count() == pl.all().count()).name.prefix("float "),
        (pl.all().cast(pl.Int64, strict=False).count() == pl.all().count()).name.prefix("whole "),
        pl.all().str.len_chars().min().name.prefix("shortest "),
        pl.all().str.len_chars().max().name.prefix("longest "),
    ).row(0)
    width = texts.width
    return [_Look(*found[place::width]) for place in range(width)]


def _plain_type(values: "pl.Series", look: _Look) -> "type[pl.DataType] | None":
    import polars as pl

    if values.is_empty() or not look.are_numbers:
        return None
    kind = pl.Int64 if look.are_whole else pl.Float64
    if look.are_plain and look.are_whole:
        return kind
    if not look.are_plain:
        if not values.cast(pl.Float64).is_finite().all():
            return None
        if values.str.contains(r"^0\d").any():
            return None  # perhaps codes, which would lose their zeros as numbers
    form = seen(values).numbers
    return kind if form.notation == Numbers() and form.other is None else None


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
            continue  # few rows, or quotation marks whose role a block does not show
        first = data.find(b"\n", begin) + 1
        last = data.find(b"\n", begin + _BLOCK) + 1
        if first and last > first:
            parts.append(bytes(data[first:last]))
    if 0 < size - end <= _BLOCK * _BLOCKS:
        parts.append(bytes(data[end:]))
    elif size > end and b'"' not in data[size - 2 * _BLOCK :]:
        parts.append(bytes(data[data.find(b"\n", size - 2 * _BLOCK) + 1 :]))
    return b"".join(part if part.endswith(b"\n") else part + b"\n" for part in parts)
