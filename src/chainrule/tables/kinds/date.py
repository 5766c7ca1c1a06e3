"""Columns of dates and times."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidTableError
from chainrule.tables.kinds.base import MISSING, Column, Inputs, refuse_values

if TYPE_CHECKING:
    import polars as pl

PERIODS = {"month": 12.0, "day": 31.0, "weekday": 7.0, "hour": 24.0}
"""After how much each part that comes round begins again."""
PARTS = ("year", *PERIODS)

FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.fZ",
    "%Y-%m-%dT%H:%M:%S%.f%z",
    "%Y-%m-%d %H:%M:%S%.f%z",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S%.f",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S%.f",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S%.f",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S%.f",
    "%d-%m-%Y",
)
"""How dates are written in text, most common first; the first that fits every value is taken."""


@dataclass(frozen=True)
class DateColumn(Column):
    """Dates and times, given to the network in parts.

    Parameters
    ----------
    name : str
    format : str
        How dates are written where the column is text, one of `FORMATS`; "" where they are dates.
    parts : tuple of str
        Those of year, month, day (of the month), weekday and hour that varied in the training
        rows, in that order.
    year_center, year_scale : float
        Mean and standard deviation of the years of the training rows.
    flag : bool
        Whether the last input says 1 where the value is missing, else 0.

    Notes
    -----
    The year is a plain number, (year − year_center)/year_scale: it does not come again. The other
    parts do, and December is next to January: each is a place on a circle, two inputs
    sin(2πv/period) and cos(2πv/period), where v is month − 1 (period 12), day − 1 (31), weekday − 1
    with Monday as 1 (7), or the hour with its minutes and seconds as a fraction (24). A missing
    date is 0 in all of them: the middle of each circle. Times are those of the clock in the
    column's own zone; text with an offset is read as UTC.
    """

    format: str
    parts: tuple[str, ...]
    year_center: float
    year_scale: float
    flag: bool

    kind: ClassVar[str] = "date"
    numbers: ClassVar[tuple[str, ...]] = ("year_center", "year_scale")

    @property
    def width(self) -> int:
        """How many inputs it has."""
        return 2 * len(self.parts) - ("year" in self.parts) + self.flag

    def feature_names(self) -> tuple[str, ...]:
        """Return the names of its inputs, such as "column: year" and "column: sin month"."""
        names = []
        for part in self.parts:
            both = (part,) if part == "year" else (f"sin {part}", f"cos {part}")
            names += [f"{self.name}: {one}" for one in both]
        return (*names, f"{self.name}={MISSING}") if self.flag else tuple(names)

    def read_as(self) -> "type[pl.DataType]":
        """Return the type to read the column as."""
        import polars as pl

        return pl.String

    def prepare(self, column: "pl.Series") -> "pl.Series":
        """Return the column as dates."""
        return dates_of(column, self.format)

    def write(self, values: "pl.Series", out: Inputs) -> None:
        """Write the inputs; see `Column.write`."""
        place = 0
        for part in self.parts:
            value = part_of(values, part)
            if part == "year":
                out[:, place] = (value - self.year_center) / self.year_scale
                place += 1
            else:
                angle = value * (2 * math.pi / PERIODS[part])
                out[:, place], out[:, place + 1] = np.sin(angle), np.cos(angle)
                place += 2
        if values.null_count():
            missing = values.is_null().to_numpy()
            out[missing] = 0
            if self.flag:
                out[:, place] = missing

    def fault(self) -> str:
        """Return what is wrong with fields that were read from a file, or ""."""
        if self.format and self.format not in FORMATS:
            return f"unknown format of dates {self.format[:40]!r}"
        if not self.parts or self.parts != tuple(part for part in PARTS if part in self.parts):
            return f"its parts of a date are not some of {', '.join(PARTS)}"
        return "" if self.year_scale > 0 else "a scale of years is not above 0"


def dates_of(column: "pl.Series", written: str) -> "pl.Series":
    """Return a column as dates, datetimes or times of day; `written` is the format of text.

    Raises
    ------
    InvalidTableError
        If a value is none.
    """
    import polars as pl

    if column.dtype.is_temporal() and not isinstance(column.dtype, pl.Duration):
        return column
    if column.dtype == pl.Null:
        return column.cast(pl.Datetime)
    if column.dtype == pl.String and not written:
        written = format_of(column)  # dates from a file of text, where training had dates
    if column.dtype != pl.String or not written:
        raise InvalidTableError(
            f"column {column.name!r} holds values of type {column.dtype}, where the model needs "
            f"dates{f' written as {written}' if written else ''}"
        )
    text = column.str.strip_chars()
    text = text.set(text == "", None)
    dates = parsed(text, written)
    refuse_values(
        column, dates.is_null() & text.is_not_null(), f"the model needs dates written as {written}"
    )
    return dates


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


def parsed(text: "pl.Series", written: str) -> "pl.Series":
    """Return text as dates, missing where it is not written so."""
    import polars as pl

    if "%H" not in written:
        return text.str.to_date(written, strict=False)
    zone = "UTC" if "%z" in written else None
    return text.str.to_datetime(written, strict=False, time_unit="us", time_zone=zone).cast(
        pl.Datetime("us", zone)
    )


def part_of(dates: "pl.Series", part: str) -> NDArray[np.float64]:
    """Return one part of dates, counted from 0 where it comes round; NaN where missing."""
    import polars as pl

    at = dates.dt
    if part == "hour":
        if dates.dtype == pl.Date:
            values = pl.Series([0.0]).new_from_index(0, dates.len())
        else:
            values = at.hour() + at.minute() / 60 + at.second() / 3600
    elif dates.dtype == pl.Time:
        values = pl.Series([0.0]).new_from_index(0, dates.len())
    elif part == "year":
        values = at.year()
    else:
        values = {"month": at.month, "day": at.day, "weekday": at.weekday}[part]() - 1
    return np.asarray(values.cast(pl.Float64).to_numpy(), np.float64)
