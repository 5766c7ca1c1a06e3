"""Tables that are in memory already, of whichever library, as polars DataFrames."""

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import InvalidArgumentError, InvalidTableError

if TYPE_CHECKING:
    import polars as pl

_EXPECTED = "a path, a polars or pandas DataFrame, an Arrow table, or an array (rows, columns)"


def as_frame(table: Any) -> "pl.DataFrame":
    """Return a table in memory as a polars DataFrame. The columns of an array are named x0 and on.

    Raises
    ------
    InvalidArgumentError
        If it is no table.
    InvalidTableError
        If two columns have one name, or there are no rows.
    """
    import polars as pl

    if isinstance(table, pl.LazyFrame):
        table = table.collect()
    if isinstance(table, pl.DataFrame):
        frame = table
    elif _is_pandas(table):
        frame = _from_pandas(table)
    elif hasattr(table, "__arrow_c_stream__"):
        names = list(getattr(table, "column_names", []))
        _check_names(names)
        frame = pl.DataFrame(table)
    elif isinstance(table, np.ndarray) or (isinstance(table, list) and table):
        frame = _from_array(table)
    else:
        raise InvalidArgumentError(f"table: expected {_EXPECTED}; got {type(table).__name__}")
    if frame.height == 0:
        raise InvalidTableError("table: expected at least one row; got none")
    return frame


def _is_pandas(table: Any) -> bool:
    kind = type(table)
    return kind.__module__.partition(".")[0] == "pandas" and hasattr(table, "columns")


def _from_pandas(table: Any) -> "pl.DataFrame":
    """Convert column by column: polars would need pyarrow, which is not required here."""
    import polars as pl

    names = [str(name) for name in table.columns]
    _check_names(names)
    columns = []
    for place, name in enumerate(names):
        column = table.iloc[:, place]
        if column.dtype.kind in "fiubmM" and isinstance(column.dtype, np.dtype):
            columns.append(pl.Series(name, column.to_numpy()))
        else:
            values = column.astype(object).where(column.notna(), None).tolist()
            made = _from_values(name, values)
            # Categories of pandas or Arrow stay categories: they are not searched for numbers.
            is_text = column.dtype.name == "category" and made.dtype == pl.String
            columns.append(made.cast(pl.Categorical) if is_text else made)
    return pl.DataFrame(columns)


def _from_array(table: Any) -> "pl.DataFrame":
    import polars as pl

    array = np.asarray(table)
    if array.ndim != 2:
        raise InvalidArgumentError(
            f"table: expected {_EXPECTED}; got one with {array.ndim} "
            f"dimension{'s' if array.ndim != 1 else ''}"
        )
    columns = [array[:, place] for place in range(array.shape[1])]
    if array.dtype.kind in "fiub":
        named = [(f"x{place}", np.ascontiguousarray(c)) for place, c in enumerate(columns)]
        return pl.DataFrame([pl.Series(name, column) for name, column in named])
    return pl.DataFrame(
        [_from_values(f"x{place}", column.tolist()) for place, column in enumerate(columns)]
    )


def _from_values(name: str, values: list[Any]) -> "pl.Series":
    """Return Python objects as a column; a mixture of numbers and text becomes text."""
    import polars as pl

    values = [None if isinstance(value, float) and value != value else value for value in values]
    try:
        return pl.Series(name, values, strict=True)
    except (TypeError, pl.exceptions.PolarsError):
        return pl.Series(name, [None if value is None else str(value) for value in values])


def _check_names(names: list[str]) -> None:
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise InvalidTableError(f"two columns are named {twice!r}; rename or remove one")
