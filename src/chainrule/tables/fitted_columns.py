"""Deciding what kind each column of the training rows is, and which of them are used."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from chainrule.errors import InvalidTableError
from chainrule.tables.kinds import KINDS, CategoryColumn, Column, NumericColumn
from chainrule.tables.kinds.fits import FreeText, Options, all_missing
from chainrule.tables.notes import Note
from chainrule.tables.table_notations import TableReading
from chainrule.tables.threads import in_threads

if TYPE_CHECKING:
    import polars as pl


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
        If no kind can take a column (free text, lists), or no column can be used.
    """
    import polars as pl

    def fit(column: "pl.Series") -> Column | Note | FreeText:
        if column.dtype == pl.Null:
            return all_missing(column)
        return _kind_of(column, options).fit(column, options)

    # Numbers first: an infinite one is the first thing to be refused.
    numbers = [column for column in table.iter_columns() if _is_numeric(column, options)]
    others = [column for column in table.iter_columns() if not _is_numeric(column, options)]
    threads = pl.thread_pool_size()
    fits: dict[str, Column | Note | FreeText] = {}
    for some in (numbers, others):
        names = (column.name for column in some)
        fits.update(zip(names, in_threads(fit, some, threads), strict=True))
    found = [fits[name] for name in table.columns]
    texts = [one for one in found if isinstance(one, FreeText)]
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


def _is_numeric(column: "pl.Series", options: Options) -> bool:
    return NumericColumn.holds(column.dtype) and column.name not in options.categorical


def _kind_of(column: "pl.Series", options: Options) -> type[Column]:
    """Return the kind of a column.

    Raises
    ------
    InvalidTableError
        If no kind takes values of its type.
    """
    dtype = column.dtype
    if column.name in options.categorical and not dtype.is_nested():
        return CategoryColumn
    for kind in KINDS.values():
        if kind.holds(dtype):
            return kind
    raise InvalidTableError(
        f"column {column.name!r} holds values of type {dtype}, which no network can be given; "
        f"leave it out (--ignore {_argument(column.name)}) or split it into columns of its own"
    )


def _refusal(texts: Sequence[FreeText]) -> str:
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
    """Return a name quoted for a shell."""
    import shlex

    return shlex.quote(name)


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
                    "it is left out; the other one has the same information",
                )
            )
    return kept, notes
