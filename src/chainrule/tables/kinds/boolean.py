"""Columns of true and false."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from chainrule.tables.kinds.base import FlaggedColumn, Inputs
from chainrule.tables.kinds.fits import Options, all_missing, constant
from chainrule.tables.notations import Notation, Truth
from chainrule.tables.notes import Note

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class BooleanColumn(FlaggedColumn):
    """True and false, encoded as 1 and 0.

    Parameters
    ----------
    name : str
    fill : float
        The value used for a missing one: the share of true.
    flag : bool
        Whether a second input flags missing values: 1 if the value is missing, else 0.
    """

    fill: float
    flag: bool
    notation: Notation = field(default=Truth(), kw_only=True)

    kind: ClassVar[str] = "boolean"
    numbers: ClassVar[tuple[str, ...]] = ("fill",)

    @classmethod
    def holds(cls, dtype: "pl.DataType") -> bool:
        """See `Column.holds`."""
        import polars as pl

        return dtype == pl.Boolean

    @classmethod
    def fit(cls, column: "pl.Series", options: Options) -> "Self | Note":
        """See `Column.fit`."""
        present = column.len() - column.null_count()
        if present == 0:
            return all_missing(column)
        share = float(column.sum()) / present
        flag = present < column.len()
        if share in (0.0, 1.0) and not flag:
            return constant(column)
        return cls(column.name, fill=share, flag=flag)

    def write(self, values: "pl.Series", out: Inputs) -> None:
        """Write the inputs; see `Column.write`."""
        import polars as pl

        out[:, 0] = values.cast(pl.Float32).fill_null(self.fill).to_numpy()
        if self.flag and values.null_count():
            out[:, 1] = values.is_null().to_numpy()
