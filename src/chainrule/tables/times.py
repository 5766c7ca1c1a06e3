"""Dates and times in text: how they are written, and in which order they come."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidTableError
from chainrule.tables.columns import check_complete
from chainrule.tables.kinds.date import FORMATS, parsed

if TYPE_CHECKING:
    import polars as pl


def format_of(column: "pl.Series") -> str:
    """Return the first of the known formats that every value of text is written in, or ""."""
    import polars as pl

    values = column.drop_nulls()
    values = values.filter(values != "")
    if values.is_empty() or not values[0].strip()[:1].isdigit() or len(values[0]) > 40:
        return ""
    sample, values = values.head(100).str.strip_chars(), values.str.strip_chars()
    for written in FORMATS:
        try:
            if parsed(sample, written).null_count() or parsed(values, written).null_count():
                continue
        except pl.exceptions.PolarsError:  # a format that a first value does not even resemble
            continue
        return written
    return ""


def moments(times: Any) -> NDArray[Any]:
    """Return times as numbers that have their order: of dates, numbers, or dates in text.

    Raises
    ------
    InvalidTableError
        If one is missing, or they are text that is no date.
    """
    import polars as pl

    column = times if isinstance(times, pl.Series) else pl.Series("times", np.asarray(times))
    if column.dtype == pl.String:
        written = format_of(column)
        if not written:
            raise InvalidTableError(
                f"column {column.name!r} holds text that is no date ({str(column[0])[:40]!r} in "
                "row 1), where times are needed; write them as 2026-01-31 or 2026-01-31 23:59:59"
            )
        column = parsed(column.str.strip_chars(), written)
    if not (column.dtype.is_numeric() or column.dtype.is_temporal()):
        raise InvalidTableError(
            f"column {column.name!r} holds values of type {column.dtype}, where times are needed"
        )
    if column.dtype.is_float():
        column = column.fill_nan(None)
    check_complete(column)
    return np.asarray(column.to_physical().to_numpy())
