"""Columns of dates and times."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.kinds.base import MISSING, Column, Inputs, is_input
from chainrule.tables.kinds.fits import Options, all_missing, constant
from chainrule.tables.notations import Dates, Notation
from chainrule.tables.notes import Note

if TYPE_CHECKING:
    import polars as pl

PERIODS = {"month": 12.0, "day": 31.0, "weekday": 7.0, "hour": 24.0}
"""The period of each cyclic part."""
PARTS = ("year", *PERIODS)

# More than any date has.
_YEARS = (-300_000, 300_000)


@dataclass(frozen=True)
class DateColumn(Column):
    """Dates and times, encoded in parts.

    Parameters
    ----------
    name : str
    parts : tuple of str
        Those of year, month, day (of the month), weekday and hour that varied in the training
        rows, in that order.
    year_center, year_scale : float
        Mean and standard deviation of the years of the training rows.
    flag : bool
        Whether the last input flags missing values: 1 if the value is missing, else 0.

    Notes
    -----
    The year is a number, (year − year_center)/year_scale. The other parts are cyclic, so that
    December is next to January: each is a point on a circle, with two inputs sin(2πv/period) and
    cos(2πv/period), where v is month − 1 (period 12), day − 1 (31), weekday − 1 with Monday as 1
    (7), or the hour with minutes and seconds as a fraction (24). A missing date is 0 in all inputs:
    the centre of each circle. Times are local to the zone of the notation; instants in other zones
    are converted to it.
    """

    parts: tuple[str, ...]
    year_center: float
    year_scale: float
    flag: bool
    notation: Notation = field(default=Dates(), kw_only=True)

    kind: ClassVar[str] = "date"
    numbers: ClassVar[tuple[str, ...]] = ("year_center", "year_scale")

    @property
    def format(self) -> str:
        """The format of dates in text; "" if the training rows had dates, not text."""
        return self.notation.format if isinstance(self.notation, Dates) else ""

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

    @classmethod
    def holds(cls, dtype: "pl.DataType") -> bool:
        """See `Column.holds`."""
        return dtype.is_temporal()

    @classmethod
    def fit(cls, column: "pl.Series", options: Options) -> "Self | Note":
        """See `Column.fit`."""
        missing = column.null_count()
        if missing == column.len():
            return all_missing(column)
        present = column.drop_nulls()
        parts = {part: part_of(present, part) for part in PARTS}
        varying = tuple(part for part, values in parts.items() if values.min() < values.max())
        if not varying:
            return constant(column)
        years = parts["year"]
        return cls(
            column.name,
            varying,
            year_center=float(years.mean()),
            year_scale=float(years.std()) or 1.0,
            flag=missing > 0,
        )

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

    @classmethod
    def from_second_format(cls, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a file of format version 2, which had a format for text."""
        fields = dict(fields)
        written = fields.pop("format", "")
        if type(written) is not str:
            raise ValueError(f"format is {str(written)[:60]!r}")
        day = re.split(r"[T ]%H", written)[0]
        return {**fields, "notation": Dates(day, "UTC" if "%z" in written else "").to_json()}

    def fault(self) -> str:
        """Return what is wrong with fields that were read from a file, or ""."""
        if not self.parts or self.parts != tuple(part for part in PARTS if part in self.parts):
            return f"its parts of a date are not some of {', '.join(PARTS)}"
        if not self.year_scale > 0:
            return "a scale of years is not above 0"
        if not all(is_input(year, self.year_center, self.year_scale) for year in _YEARS):
            return "the years of training are out of range"
        return ""


def part_of(dates: "pl.Series", part: str) -> NDArray[np.float64]:
    """Return one part of dates, counted from 0 if it is cyclic; NaN where missing."""
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
