"""Columns of categories: text of which the same few come again and again."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from chainrule.tables.kinds.base import MISSING, Column, Inputs

if TYPE_CHECKING:
    import polars as pl

OTHER = "(other)"
"""How the input of rare and unknown categories is named, after the column and "="."""


class Embedding(NamedTuple):
    """What a layer of embeddings needs to know of a column of codes."""

    codes: int
    """Codes are whole numbers from 0 to ``codes − 1``."""
    dimension: int
    """How many numbers to give each code; a suggestion."""


@dataclass(frozen=True)
class CategoryColumn(Column):
    """Categories, given to the network one-hot, or as a code to look up an embedding by.

    Parameters
    ----------
    name : str
    categories : tuple of str
        Those with an input of their own, sorted by their text.
    other : bool
        Whether an input stands for rare categories, which unknown ones join. It is there if rows
        of the training fell to it: an input that was 0 in all of them has weights that learned
        nothing, and an unknown category would add what they happened to start with. Without it an
        unknown category is a row of zeros.
    missing : bool
        Whether an input says that the value is missing; without it such a row is one of zeros.
    as_codes : bool
        False: one-hot, with the inputs of `categories`, `other` and `missing` in that order.
        True: one input, a whole number: 0 for rare and unknown categories, 1, 2, … for
        `categories`, and the number after the last for a missing value (0 if not `missing`).
    """

    categories: tuple[str, ...]
    other: bool
    missing: bool
    as_codes: bool

    kind: ClassVar[str] = "category"

    @property
    def width(self) -> int:
        """How many inputs it has."""
        return 1 if self.as_codes else len(self.categories) + self.other + self.missing

    @property
    def embedding(self) -> Embedding | None:
        """How many codes there are and what dimension suits them; None if it is one-hot."""
        if not self.as_codes:
            return None
        codes = 1 + len(self.categories) + self.missing
        # Enough for similar categories to be near each other, few enough to be learned from the
        # rows that each code has; the rule of thumb of fastai's tabular models.
        return Embedding(codes, min(50, round(1.6 * codes**0.56)))

    def feature_names(self) -> tuple[str, ...]:
        """Return the names of its inputs: "column=category"."""
        if self.as_codes:
            return (self.name,)
        more = [OTHER] * self.other + [MISSING] * self.missing
        return tuple(f"{self.name}={category}" for category in (*self.categories, *more))

    def read_as(self) -> "type[pl.DataType]":
        """Return the type to read the column as."""
        import polars as pl

        return pl.String

    def prepare(self, column: "pl.Series") -> "pl.Series":
        """Return the code of each row.

        0 for rare and unknown, 1, 2, … for `categories`, and the number after the last for a
        missing value — or 0 for that, in a column of codes that has none for it.
        """
        import polars as pl

        text = text_of(column)
        known = text.cast(pl.Enum(self.categories), strict=False).to_physical()
        codes = known.cast(_smallest(len(self.categories) + 1))
        codes = (codes + 1).fill_null(0)
        if text.null_count() and (self.missing or not self.as_codes):
            codes = codes.set(text.is_null(), len(self.categories) + 1)
        return codes.alias(column.name)

    def write(self, values: "pl.Series", out: Inputs) -> None:
        """Write the inputs; see `Column.write`. No value is refused: it is at worst unknown."""
        codes = values.to_numpy()
        if self.as_codes:
            out[:, 0] = codes
            return
        # Where the input of each code stands; −1: it has none.
        places = np.arange(-1, len(self.categories) + 1)
        places[0] = len(self.categories) if self.other else -1
        places[-1] = len(self.categories) + self.other if self.missing else -1
        place = places[codes]
        rows = np.arange(len(place))
        if place.min(initial=0) < 0:
            rows = np.flatnonzero(place >= 0)
            place = place[rows]
        if out.strides[1] != out.itemsize or out.strides[0] < 0:
            out[rows, place] = 1
        elif len(rows):
            _flat(out)[rows * (out.strides[0] // out.itemsize) + place] = 1

    def fault(self) -> str:
        """Return what is wrong with fields that were read from a file, or ""."""
        if len(set(self.categories)) != len(self.categories):
            return "a category is named twice"
        return "" if self.width else "a column of categories has no input"


def _flat(out: Inputs) -> Inputs:
    """Return the memory from the first to the last number of `out` as one array.

    One index a number: NumPy then writes four times as fast as with one for the row and one for
    the column.
    """
    length = (len(out) - 1) * (out.strides[0] // out.itemsize) + out.shape[1]
    return as_strided(out, (length,), (out.itemsize,))


def _smallest(largest: int) -> "type[pl.DataType]":
    """Return the smallest type of whole numbers that holds the codes."""
    import polars as pl

    if largest < 2**8 - 1:
        return pl.UInt8
    return pl.UInt16 if largest < 2**16 - 1 else pl.UInt32


def text_of(column: "pl.Series") -> "pl.Series":
    """Return a column as text; empty text is missing, and whole numbers have no fraction."""
    import polars as pl

    if column.dtype.is_float():
        whole = column.drop_nulls().drop_nans()
        if (whole == whole.round(0)).all() and (whole.abs() < 2**53).all():
            column = column.fill_nan(None).cast(pl.Int64)
    text = column if column.dtype == pl.String else column.cast(pl.String)
    blank = text == ""
    return text.set(blank, None) if blank.any() else text
