"""Columns of true and false."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from chainrule.tables.kinds.base import FlaggedColumn, Inputs, refuse_values

if TYPE_CHECKING:
    import polars as pl

_WORDS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}


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

    kind: ClassVar[str] = "boolean"
    numbers: ClassVar[tuple[str, ...]] = ("fill",)

    def read_as(self) -> "type[pl.DataType]":
        """Return the type to read the column as: text, so that "True" and "1" are understood."""
        import polars as pl

        return pl.String

    def prepare(self, column: "pl.Series") -> "pl.Series":
        """Return the column as true and false; text true/false and the numbers 1/0 will do."""
        import polars as pl

        if column.dtype != pl.Boolean:
            text = column.cast(pl.String).str.strip_chars().str.to_lowercase()
            missing = text.is_null() | text.is_in(["", "nan"])
            values = text.replace_strict(_WORDS, default=None, return_dtype=pl.Boolean)
            refuse_values(
                column, values.is_null() & ~missing, "the model needs true or false (or 1 or 0)"
            )
            return values
        return column

    def write(self, values: "pl.Series", out: Inputs) -> None:
        """Write the inputs; see `Column.write`."""
        import polars as pl

        out[:, 0] = values.cast(pl.Float32).fill_null(self.fill).to_numpy()
        if self.flag and values.null_count():
            out[:, 1] = values.is_null().to_numpy()
