"""Texts that are taken literally: names, codes, categories."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from chainrule.tables.notations.base import Notation

if TYPE_CHECKING:
    import polars as pl


_HEAD, _FEW = 10_000, 1000


@dataclass(frozen=True)
class Text(Notation):
    """Text without the spaces around it; an empty one is missing.

    Words such as NA are ordinary values: NA may be Namibia. Numbers in a column of text are codes
    (00501, 10): each becomes the text that `number_text` gives it.

    Parameters
    ----------
    missing : tuple of str
        Words that stand for a missing value in this column.
    """

    missing: tuple[str, ...] = ()

    kind: ClassVar[str] = "text"
    expected: ClassVar[str] = "text"

    @property
    def missing_categories(self) -> tuple[str, ...]:
        """The texts that stand for a missing value, besides an empty one."""
        return self.missing

    def parse(self, column: "pl.Series") -> "pl.Series":
        """Return a column's texts; see `Notation.parse`."""
        import polars as pl

        dtype = column.dtype
        if dtype == pl.String:
            if self._is_tidy(column):
                return column
            text = column.str.strip_chars()
            blank = text.is_in(["", *self.missing]) if self.missing else text == ""
            return text.set(blank, None) if blank.any() else text
        if isinstance(dtype, pl.Categorical | pl.Enum):
            return self.parse(column.cast(pl.String))
        return number_text(column)

    def _is_tidy(self, column: "pl.Series") -> bool:
        """Tell, at the cost of the distinct values if they are few, that no text needs a change."""
        if column.head(_HEAD).n_unique() > _FEW:
            return False
        different = column.unique().drop_nulls()
        as_read = (different == different.str.strip_chars()) & (different != "")
        if self.missing:
            as_read &= ~different.is_in(self.missing)
        return bool(as_read.all())


def number_text(column: "pl.Series") -> "pl.Series":
    """Return each value as text; a whole number is written without a fraction.

    10, 10.0 (as pandas writes whole numbers in a column with gaps) and "10" are one category. A
    duration is written in seconds.
    """
    import polars as pl

    if isinstance(column.dtype, pl.Duration):
        column = column.dt.total_microseconds() / 1e6
    if isinstance(column.dtype, pl.Decimal):
        column = column.cast(pl.Float64)
    if not column.dtype.is_float():
        return column.cast(pl.String)
    column = column.fill_nan(None)
    whole = (column == column.round(0)) & (column.abs() < 2**53)
    texts = column.cast(pl.String)
    return texts.set(whole.fill_null(False), None).fill_null(
        column.set(~whole.fill_null(False), None).cast(pl.Int64).cast(pl.String)
    )
