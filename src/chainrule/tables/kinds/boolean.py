"""Columns of true and false."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from chainrule.tables.kinds.base import MISSING, Column, Inputs, flag_missing, refuse_values

if TYPE_CHECKING:
    import polars as pl

_WORDS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}


@dataclass(frozen=True)
class BooleanColumn(Column):
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

    @property
    def width(self) -> int:
        """How many inputs it has."""
        return 1 + self.flag

    def feature_names(self) -> tuple[str, ...]:
        """Return the names of its inputs: the column's own, and that of the flag."""
        return (self.name, f"{self.name}={MISSING}") if self.flag else (self.name,)

    def read_as(self) -> "type[pl.DataType]":
        """Return the type to read the column as: text, so that "True" and "1" are understood."""
        import polars as pl

        return pl.String

    def encode(self, column: "pl.Series", out: Inputs) -> None:
        """Write the inputs; see `Column.encode`. Text true/false and the numbers 1/0 will do."""
        import polars as pl

        values = column
        if column.dtype != pl.Boolean:
            text = column.cast(pl.String).str.strip_chars().str.to_lowercase()
            missing = text.is_null() | text.is_in(["", "nan"])
            values = text.replace_strict(_WORDS, default=None, return_dtype=pl.Float64)
            refuse_values(
                column, values.is_null() & ~missing, "the model needs true or false (or 1 or 0)"
            )
        out[:, 0] = values.cast(pl.Float32).fill_null(self.fill).to_numpy()
        if self.flag:
            flag_missing(values.is_null(), out[:, 1])
