"""The order of times: of numbers, dates, or dates in text."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidTableError
from chainrule.tables.columns import check_complete
from chainrule.tables.table_notations import TableReading


def moments(times: Any) -> NDArray[Any]:
    """Return times as numbers in the same order; times may be dates, numbers, or dates in text.

    Raises
    ------
    InvalidTableError
        If one is missing, or they are text that is not a date.
    """
    import polars as pl

    column = times if isinstance(times, pl.Series) else pl.Series("times", np.asarray(times))
    if column.dtype == pl.String:
        first = str(column[0])[:40]
        column = TableReading.decide(column.to_frame())[1].to_series()
        if column.dtype == pl.String:
            raise InvalidTableError(
                f"column {column.name!r} holds text that is not a date ({first!r} in row 1), where "
                "times are needed; write them as 2026-01-31 or 2026-01-31 23:59:59"
            )
    if not (column.dtype.is_numeric() or column.dtype.is_temporal()):
        raise InvalidTableError(
            f"column {column.name!r} holds values of type {column.dtype}, where times are needed"
        )
    if column.dtype.is_float():
        column = column.fill_nan(None)
    check_complete(column)
    return np.asarray(column.to_physical().to_numpy())
