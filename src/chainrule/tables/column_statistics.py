"""Deciding what kind each column of the training rows is, and taking its statistics."""

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from chainrule.errors import InvalidTableError
from chainrule.tables.kinds import (
    BooleanColumn,
    CategoryColumn,
    Column,
    DateColumn,
    NumericColumn,
)
from chainrule.tables.kinds.category import category_text
from chainrule.tables.kinds.date import PARTS, part_of
from chainrule.tables.notes import Note
from chainrule.tables.spread import Spread, spread_of
from chainrule.tables.table_notations import TableReading
from chainrule.tables.threads import in_threads

if TYPE_CHECKING:
    import polars as pl

Scaling: TypeAlias = Literal["standard", "robust", "none"]

# Of so few rows, values that are all different may still be measurements or categories.
_LEAST_ROWS_OF_IDS = 20
_SHARE_OF_IDS = 0.9
_ROWS_THAT_TELL = 10_000
# A name alone decides nothing, but with it whole numbers that are all different count rows.
_ID_NAME = re.compile(
    r"(^|[^a-z])(id|ids|uuid|guid|index|idx|key|row|rowid|nr|no|unnamed: ?\d+)$|[a-z](ID|Id)$"
)
# Text in sentences: long, of several words, hardly ever the same twice.
_WORDS_OF_TEXT, _LENGTH_OF_TEXT, _SHARE_OF_TEXT = 5, 40, 0.2


class Options(NamedTuple):
    """The settings of `TableEncoder`."""

    scaling: Scaling
    max_categories: int
    min_frequency: int | None
    embed_above: int | None
    categorical: Collection[str]


class _Text(NamedTuple):
    """What a column of text was found to be where it cannot be used."""

    name: str
    values: int


def fit_columns(
    table: "pl.DataFrame", reading: TableReading, options: Options
) -> tuple[tuple[Column, ...], tuple[Note, ...]]:
    """Return the columns that are used, in the table's order, and notes about the others.

    Parameters
    ----------
    table : polars.DataFrame
        As `reading` reads it.
    reading : TableReading
    options : Options

    Raises
    ------
    InvalidTableError
        If a column holds what no kind can take (free text, lists), or none can be used.
    """
    import polars as pl

    numeric = [
        column
        for column in table.iter_columns()
        if _is_numeric(column) and column.name not in options.categorical
    ]
    robust = options.scaling == "robust"
    threads = pl.thread_pool_size()
    found_spreads = in_threads(lambda column: spread_of(column, robust=robust), numeric, threads)
    spreads = dict(zip((column.name for column in numeric), found_spreads, strict=True))

    def fit(column: "pl.Series") -> Column | Note | _Text:
        fitter = _fitter(column, options)
        if fitter is None:
            return _fit_numeric(column, spreads[column.name], options)
        return fitter(column, options)

    found = in_threads(fit, table.iter_columns(), threads)
    texts = [one for one in found if isinstance(one, _Text)]
    if texts:
        raise InvalidTableError(_refusal(texts))
    columns = [
        replace(one, notation=reading.of(one.name)) for one in found if isinstance(one, Column)
    ]
    notes = [one for one in found if isinstance(one, Note)]
    columns, copies = _without_copies(table, columns)
    if not columns:
        reasons = "; ".join(f"column {note.column!r} {note.reason}" for note in notes[:3])
        more = f"; and {len(notes) - 3} more like these" if len(notes) > 3 else ""
        raise InvalidTableError(f"the table has no column to predict from: {reasons}{more}")
    return tuple(columns), (*notes, *copies)


def _is_numeric(column: "pl.Series") -> bool:
    import polars as pl

    return column.dtype.is_numeric() or isinstance(column.dtype, pl.Duration)


def _fitter(
    column: "pl.Series", options: Options
) -> "Callable[[pl.Series, Options], Column | Note | _Text] | None":
    """Return what fits a column; None for one of numbers, whose statistics are there already."""
    import polars as pl

    dtype = column.dtype
    if dtype == pl.Null:
        return lambda column, _: _all_missing(column)
    if column.name in options.categorical and not dtype.is_nested():
        return _fit_categories
    if _is_numeric(column):
        return None
    if dtype == pl.Boolean:
        return _fit_boolean
    if dtype.is_temporal():
        return _fit_date
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return _fit_categories
    raise InvalidTableError(
        f"column {column.name!r} holds values of type {dtype}, which no network can be given; "
        f"leave it out (--ignore {_argument(column.name)}) or split it into columns of its own"
    )


def _fit_numeric(column: "pl.Series", spread: Spread, options: Options) -> Column | Note:
    if spread.present == 0:
        return _all_missing(column)
    flag = spread.present < column.len()
    if spread.low == spread.high and not flag:
        return _constant(column)
    if (
        column.dtype.is_integer()
        and not flag
        and _is_id_name(column.name.strip())
        and column.len() >= _LEAST_ROWS_OF_IDS
        and column.n_unique() == column.len()
    ):
        return Note(
            column.name,
            "numbers the rows (all values are different, and its name says so)",
            "it is left out; rename it if it is a measurement",
        )
    if options.scaling == "none":
        return NumericColumn(column.name, fill=spread.mean, center=0.0, scale=1.0, flag=flag)
    center, scale = spread.mean, spread.std
    if options.scaling == "robust" and spread.median is not None:
        center = spread.median
        # Where the middle half of the values is one value, its width says nothing of the others.
        scale = spread.quartiles or spread.std
    return NumericColumn(column.name, fill=center, center=center, scale=scale, flag=flag)


def _is_id_name(name: str) -> bool:
    return bool(_ID_NAME.search(name) or _ID_NAME.search(name.lower()))


def _fit_boolean(column: "pl.Series", _: Options) -> Column | Note:
    present = column.len() - column.null_count()
    if present == 0:
        return _all_missing(column)
    share = float(column.sum()) / present
    flag = present < column.len()
    if share in (0.0, 1.0) and not flag:
        return _constant(column)
    return BooleanColumn(column.name, fill=share, flag=flag)


def _fit_categories(column: "pl.Series", options: Options) -> Column | Note | _Text:
    import polars as pl

    text = category_text(column)
    rows, present = text.len(), text.len() - text.null_count()
    if present == 0:
        return _all_missing(column)
    counts = _counts(text)
    distinct = counts.height
    if distinct == 1 and present == rows:
        return _constant(column)
    named = column.name in options.categorical
    if not named and _is_free_text(counts[column.name], distinct, present):
        return _Text(column.name, distinct)
    if not named and present >= _LEAST_ROWS_OF_IDS and distinct >= _SHARE_OF_IDS * present:
        return Note(
            column.name,
            f"names the rows ({distinct:,} different values in {present:,} rows)",
            "it is left out; nothing can be learned from a value that hardly comes again",
        )
    as_codes = options.embed_above is not None and distinct > options.embed_above
    least = options.min_frequency
    if least is None:
        least = min(10, max(1, rows // 100))
    # The most frequent, and among equals the first by text: the order of rows changes nothing.
    common = counts.filter(pl.col("n") >= least).sort("n", column.name, descending=[True, False])
    if not as_codes:
        common = common.head(options.max_categories)
    categories = tuple(sorted(common[column.name].to_list()))
    other, missing = len(categories) < distinct, present < rows
    if not categories and not missing:
        return Note(
            column.name,
            f"has no value that comes in {least} rows ({distinct:,} different ones)",
            "it is left out; a lower min_frequency would use it",
        )
    return CategoryColumn(column.name, categories, other, missing, as_codes)


def _counts(text: "pl.Series") -> "pl.DataFrame":
    """Return the different values of text and how often each comes, in a column "n".

    Nearly always the first rows have all categories: then their numbers are counted, which takes a
    third of the time that it takes to count text.
    """
    import polars as pl

    known = text.head(_ROWS_THAT_TELL).drop_nulls().unique()
    if known.is_empty():
        return text.drop_nulls().value_counts(name="n")
    codes = text.cast(pl.Enum(known), strict=False).to_physical()
    numbers = np.bincount(codes.fill_null(0).to_numpy(), minlength=known.len())
    numbers[0] -= codes.null_count()
    counts = pl.DataFrame({text.name: known, "n": pl.Series(numbers, dtype=pl.UInt32)})
    if codes.null_count() > text.null_count():
        others = text.filter(codes.is_null() & text.is_not_null())
        counts = counts.vstack(others.value_counts(name="n").cast({"n": pl.UInt32}))
    return counts


def _fit_date(column: "pl.Series", _: Options) -> Column | Note:
    missing = column.null_count()
    if missing == column.len():
        return _all_missing(column)
    present = column.drop_nulls()
    parts = {part: part_of(present, part) for part in PARTS}
    varying = tuple(part for part, values in parts.items() if values.min() < values.max())
    if not varying:
        return _constant(column)
    years = parts["year"]
    return DateColumn(
        column.name,
        varying,
        year_center=float(years.mean()),
        year_scale=float(years.std()) or 1.0,
        flag=missing > 0,
    )


def _is_free_text(values: "pl.Series", distinct: int, present: int) -> bool:
    if distinct <= _SHARE_OF_TEXT * present or distinct < _LEAST_ROWS_OF_IDS:
        return False
    sample = values.sort().gather_every(max(1, distinct // 1000))
    words: Any = sample.str.count_matches(r"\S+").mean()
    length: Any = sample.str.len_chars().mean()
    return bool(words >= _WORDS_OF_TEXT and length >= _LENGTH_OF_TEXT / 2) or bool(
        words > 2 and length >= _LENGTH_OF_TEXT
    )


def _refusal(texts: list[_Text]) -> str:
    names = ", ".join(repr(text.name) for text in texts[:5])
    more = f" and {len(texts) - 5} more" if len(texts) > 5 else ""
    ignore = " ".join(f"--ignore {_argument(text.name)}" for text in texts[:5])
    which = f"columns {names}{more} hold" if len(texts) > 1 else f"column {names} holds"
    return (
        f"{which} free text ({texts[0].values:,} different values), which no network of numbers "
        f"can be given; leave it out ({ignore}), or put categories or numbers that you take from "
        "it in its place"
    )


def _argument(name: str) -> str:
    """Return a name as one types it in a shell."""
    import shlex

    return shlex.quote(name)


def _all_missing(column: "pl.Series") -> Note:
    return Note(
        column.name,
        "has no value in any row",
        "it is left out; fill it in, or take it out of the table",
    )


def _constant(column: "pl.Series") -> Note:
    value = str(column.drop_nulls()[0])
    shown = value if len(value) <= 40 else f"{value[:39]}…"
    return Note(
        column.name,
        f"is {shown} in all {column.len():,} rows",
        "it is left out; nothing can be learned from it",
    )


def _without_copies(
    table: "pl.DataFrame", columns: list[Column]
) -> tuple[list[Column], list[Note]]:
    """Leave out columns that hold the same values as an earlier one."""
    kept: list[Column] = []
    notes: list[Note] = []
    alike: dict[object, list[str]] = {}
    found = {column.name: column for column in table.iter_columns()}
    for column in columns:
        values = found[column.name]
        first = values.head(50).to_list()
        group = alike.setdefault((str(values.dtype), values.null_count(), *map(str, first)), [])
        original = next((name for name in group if found[name].equals(values)), None)
        if original is None:
            group.append(column.name)
            kept.append(column)
        else:
            notes.append(
                Note(
                    column.name,
                    f"holds the same values as column {original!r}",
                    "it is left out; one of the two says all",
                )
            )
    return kept, notes
