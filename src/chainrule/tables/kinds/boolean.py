"""Columns of true and false."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from chainrule.tables.kinds.base import FlaggedColumn, Inputs
from chainrule.tables.notations import Notation, Truth

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class BooleanColumn(FlaggedColumn):
    """True and false, given to the network as 1 and 0.

    Parameters
    ----------
    name : str
    fill : float
        What stands in for a missing value: the share of true.
    flag : bool
        Whether a second input says 1 where the value is missing, else 0.
    """

    fill: float
    flag: bool
    notation: Notation = field(default=Truth(), kw_only=True)

    kind: ClassVar[str] = "boolean"
    numbers: ClassVar[tuple[str, ...]] = ("fill",)

    def write(self, values: "pl.Series", out: Inputs) -> None:
        """Write the inputs; see `Column.write`."""
        import polars as pl

        out[:, 0] = values.cast(pl.Float32).fill_null(self.fill).to_numpy()
        if self.flag and values.null_count():
            out[:, 1] = values.is_null().to_numpy()
