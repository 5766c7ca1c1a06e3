"""Columns of numbers."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns import RowError
from chainrule.tables.indicators import indicators
from chainrule.tables.kinds.base import FlaggedColumn, Inputs, is_input
from chainrule.tables.kinds.fits import LEAST_ROWS_OF_IDS, Options, all_missing, constant
from chainrule.tables.notations import Notation, Numbers
from chainrule.tables.notes import Note
from chainrule.tables.spread import Spread, numbers_of, spread_of

if TYPE_CHECKING:
    import polars as pl


# Distinct whole numbers are taken for row numbers only if the name of the column says so.
_ID_NAME = re.compile(
    r"(^|[^a-z])(id|ids|uuid|guid|index|idx|key|row|rowid|nr|no|unnamed: ?\d+)$|[a-z](ID|Id)$"
)


@dataclass(frozen=True)
class NumericColumn(FlaggedColumn):
    """Numbers, encoded as (x − center)/scale; zeros and ones stay as they are.

    Parameters
    ----------
    name : str
    fill : float
        The value used for a missing one.
    center, scale : float
        If the scale is 0, the input is always 0.
    flag : bool
        Whether a second input flags missing values: 1 if the value is missing, else 0.

    Notes
    -----
    Computed in float64 and rounded to float32 once, at the end. NaN is a missing value; an infinite
    value is refused.
    """

    fill: float
    center: float
    scale: float
    flag: bool
    notation: Notation = field(default=Numbers(), kw_only=True)

    kind: ClassVar[str] = "numeric"
    numbers: ClassVar[tuple[str, ...]] = ("fill", "center", "scale")

    @classmethod
    def holds(cls, dtype: "pl.DataType") -> bool:
        """See `Column.holds`."""
        import polars as pl

        return dtype.is_numeric() or isinstance(dtype, pl.Duration)

    @classmethod
    def fit(cls, column: "pl.Series", options: Options) -> "Self | Note":
        """See `Column.fit`."""
        spread = spread_of(column, robust=options.scaling == "robust")
        if spread.present == 0:
            return all_missing(column)
        flag = spread.present < column.len()
        if spread.low == spread.high and not flag:
            return constant(column)
        if (
            column.dtype.is_integer()
            and not flag
            and _is_id_name(column.name.strip())
            and column.len() >= LEAST_ROWS_OF_IDS
            and column.n_unique() == column.len()
        ):
            return Note(
                column.name,
                "numbers the rows (all values differ, and its name says so)",
                "it is left out; rename it if it is a measurement",
            )
        if options.scaling == "none" or _is_indicator(column, spread):
            return cls(column.name, fill=spread.mean, center=0.0, scale=1.0, flag=flag)
        center, scale = spread.mean, spread.std
        if options.scaling == "robust" and spread.median is not None:
            center = spread.median
            # Where the middle half of the values is one value, the quartiles are no scale.
            scale = spread.quartiles or spread.std
        return cls(column.name, fill=center, center=center, scale=scale, flag=flag)

    def prepare(self, column: "pl.Series") -> "pl.Series":
        """Return the column's numbers as float64, null where missing."""
        return numbers_of(super().prepare(column))

    def write(self, values: "pl.Series", out: Inputs) -> None:
        """Write the inputs; see `Column.write`."""
        numbers = numbers_of(values).to_numpy()  # NaN where missing
        missing = np.isnan(numbers)
        if missing.any():
            numbers = np.where(missing, self.fill, numbers)
            if self.flag:
                out[:, 1] = missing
        if self.scale == 0:
            return
        with np.errstate(over="ignore", invalid="ignore"):  # seen below
            scaled = numbers - self.center
            scaled /= self.scale
            inputs = out[:, 0]
            inputs[:] = scaled
            # 0 · x is NaN only if x is infinite or NaN: one pass, where isfinite and all take two.
            finite = np.dot(inputs, np.zeros_like(scaled, np.float32)) == 0
        if not finite:
            self._refuse(values, inputs)

    def _refuse(self, column: "pl.Series", inputs: NDArray[np.float32]) -> None:
        row = int(np.argmin(np.isfinite(inputs)))
        value = numbers_of(column)[row]
        value = self.fill if value is None else value  # a fill of a file that is not the column's
        if np.isinf(value):
            raise RowError(
                f"column {self.name!r} holds {value} in row ",
                row + 1,
                ", which is not a finite number; fill in or remove such rows",
            )
        raise RowError(
            f"column {self.name!r} in row ",
            row + 1,
            f" holds {value:.6g}, too far from the values that the model was trained with (center "
            f"{self.center:.4g}, scale {self.scale:.4g}); is it right?",
        )

    def fault(self) -> str:
        """Return what is wrong with fields that were read from a file, or ""."""
        if self.scale < 0:
            return "a scale is negative"
        if self.scale > 0 and not is_input(self.fill, self.center, self.scale):
            return "what stands in for a missing value is too far from the center"
        return ""


def _is_indicator(column: "pl.Series", spread: Spread) -> bool:
    """Whether all values that are not missing are 0 or 1."""
    if (spread.low, spread.high) != (0.0, 1.0):
        return False
    present = numbers_of(column).fill_nan(None).drop_nulls().to_numpy()
    return bool(indicators(present.reshape(-1, 1))[0])


def _is_id_name(name: str) -> bool:
    return bool(_ID_NAME.search(name) or _ID_NAME.search(name.lower()))
