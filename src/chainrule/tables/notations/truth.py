"""True and false."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from chainrule.tables.notations.base import Notation, refuse_type

if TYPE_CHECKING:
    import polars as pl

WORDS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
"""How true and false may be written, in small letters or capitals."""


@dataclass(frozen=True)
class Truth(Notation):
    """True and false, in capitals or not; 1 and 0 will do."""

    kind: ClassVar[str] = "truth"
    expected: ClassVar[str] = "true or false (or 1 or 0)"

    def parse(self, column: "pl.Series") -> "pl.Series":
        """Return a column's values; see `Notation.parse`."""
        import polars as pl

        dtype = column.dtype
        if dtype in (pl.Boolean, pl.Null):
            return column.cast(pl.Boolean)
        if dtype != pl.String and not dtype.is_numeric():
            if not isinstance(dtype, pl.Categorical | pl.Enum):
                raise refuse_type(column, self.expected)
            column = column.cast(pl.String)
        text = column.cast(pl.String).str.strip_chars().str.to_lowercase()
        return text.replace_strict(WORDS, default=None, return_dtype=pl.Boolean)
