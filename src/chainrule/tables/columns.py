"""Checks of columns; errors name the row of a value that is missing, text or not finite.

Rows are counted from 1, below the line of names.
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.suggestions import did_you_mean

if TYPE_CHECKING:
    import polars as pl


class RowError(InvalidTableError):
    """An error in a row of a table.

    Parameters
    ----------
    before, after : str
        The text of the message before and after the row's number.
    row : int
        Counted from 1 in the table in memory.
    """

    def __init__(self, before: str, row: int, after: str) -> None:
        super().__init__(f"{before}{row}{after}")
        self.before, self.row, self.after = before, row, after

    def __reduce__(self) -> tuple[Any, ...]:
        return RowError, (self.before, self.row, self.after)

    def moved(self, rows: int) -> "RowError":
        """Return the same error for a row that is so many rows further down."""
        return RowError(self.before, self.row + rows, self.after)

    def named(self, number: str) -> InvalidTableError:
        """Return the error with the row's number in the file; later translations leave it alone."""
        return InvalidTableError(f"{self.before}{number}{self.after}")


def is_missing(column: "pl.Series") -> "pl.Series":
    """Return which values of a column are missing: null, or NaN."""
    missing = column.is_null()
    return missing | column.is_nan().fill_null(True) if column.dtype.is_float() else missing


def column_named(
    table: "pl.DataFrame", name: str, role: str = "", used: Collection[str] = ()
) -> "pl.Series":
    """Return a column.

    Raises
    ------
    InvalidTableError
        If there is none of that name; the message names what there is. `role` says what the
        column is for. Columns that are `used` under their own names are not suggested.
    """
    if name not in table.columns:
        free = [one for one in table.columns if one not in used]
        hint = did_you_mean(name, free) or f"; it has {_listed(table.columns)}"
        raise InvalidTableError(f"the table has no column {name!r}{role}{hint}")
    return table[name]


def ignored_columns(
    given: Sequence[str], columns: Sequence[str], target: str = ""
) -> tuple[str, ...]:
    """Return the columns that --ignore names: each entry is a name, or several with commas.

    Raises
    ------
    InvalidTableError
        If there is no such column; the message names the one like it.
    InvalidArgumentError
        If it is the target.
    """
    names: list[str] = []
    for entry in given:
        several = [entry] if entry in columns else [part.strip() for part in entry.split(",")]
        for name in filter(None, several):
            if name not in columns:
                raise InvalidTableError(
                    f"ignore: the table has no column {name!r}{did_you_mean(name, columns)}"
                )
            if name == target:
                raise InvalidArgumentError(f"ignore: {name!r} is the target; it is needed")
            names.append(name)
    return tuple(dict.fromkeys(names))


def numeric_column(
    column: "pl.Series", remedy: str = "remove the column, or replace its values by numbers"
) -> NDArray[np.float64]:
    """Return a column as numbers; `remedy` is what to do where it holds something else.

    Raises
    ------
    InvalidTableError
        If it is not one of numbers, or lacks a finite number in some row.
    """
    import polars as pl

    if not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null)):
        raise _not_numbers(column, f", where only numbers can be used; {remedy}")
    check_complete(column)
    numbers = column.cast(pl.Float64).to_numpy()
    finite = np.isfinite(numbers)
    if not finite.all():
        row = int(np.argmin(finite))
        raise RowError(
            f"column {column.name!r} holds {numbers[row]} in row ",
            row + 1,
            f"{_more(int((~finite).sum()))}, which is not a finite number; "
            "fill in or remove such rows",
        )
    return np.asarray(numbers, np.float64)


def check_complete(column: "pl.Series") -> None:
    """Raise `InvalidTableError` if a value is missing."""
    missing = column.is_null()
    if missing.any():
        row = missing.arg_max()
        assert row is not None
        raise RowError(
            f"column {column.name!r} has no value in row ",
            row + 1,
            f"{_more(column.null_count())}; fill in or remove such rows",
        )


def check_finite(table: "pl.DataFrame") -> None:
    """Raise `InvalidTableError` if a number is infinite, naming its column and row.

    To be called with the whole table, before its rows are divided: a later error would count the
    rows of a part.
    """
    import polars as pl

    names = [name for name, dtype in table.schema.items() if dtype.is_float()]
    infinite = table.select(pl.col(name).is_infinite().any() for name in names)
    for column in infinite.iter_columns():
        if column.item():
            raise infinite_error(table[column.name])


def infinite_error(column: "pl.Series") -> RowError:
    """Return the error that names the first infinite value of a column that has one."""
    infinite = column.is_infinite().fill_null(False)
    row = infinite.arg_max() or 0
    return RowError(
        f"column {column.name!r} holds {column[row]} in row ",
        row + 1,
        f"{_more(int(infinite.sum()))}, which is not a finite number; fill in or remove such rows",
    )


def _not_numbers(column: "pl.Series", after: str) -> InvalidTableError:
    """Return the error for a column that is not of numbers; it names the first text."""
    import polars as pl

    if column.dtype != pl.String:
        return InvalidTableError(
            f"column {column.name!r} holds values of type {column.dtype}{after}"
        )
    wrong = column.is_not_null() & column.cast(pl.Float64, strict=False).is_null()
    row = wrong.arg_max() or 0
    text = _shortened(str(column[row]))
    return RowError(f"column {column.name!r} holds text ({text!r} in row ", row + 1, f"){after}")


def _more(rows: int) -> str:
    return f" and {rows - 1} more" if rows > 1 else ""


def _shortened(text: str, length: int = 40) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _listed(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(repr(_shortened(name)) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
