"""Columns of categories: text with few distinct values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.lib.stride_tricks import as_strided

from chainrule.tables.kinds.base import MISSING, Column, Embedding, Inputs
from chainrule.tables.kinds.fits import (
    LEAST_ROWS_OF_IDS,
    FreeText,
    Options,
    all_missing,
    constant,
)
from chainrule.tables.notations import Numbers, Text
from chainrule.tables.notes import Note

if TYPE_CHECKING:
    import polars as pl

_SHARE_OF_IDS = 0.9
_ROWS_THAT_TELL = 10_000
# Text in sentences: long, of several words, hardly ever the same twice.
_WORDS_OF_TEXT, _LENGTH_OF_TEXT, _SHARE_OF_TEXT = 5, 40, 0.2

OTHER = "(other)"
"""The name of the input for rare and unknown categories, after the column and "="."""


@dataclass(frozen=True)
class CategoryColumn(Column):
    """Categories, encoded one-hot, or as a code that selects an embedding.

    Parameters
    ----------
    name : str
    categories : tuple of str
        Those with an input of their own, sorted by their text.
    other : bool
        Whether there is an input for rare categories, which also stands for unknown ones. It exists
        only if training rows had rare categories: the weights of an input that was always 0 would
        keep their random initial values, and an unknown category would add these. Without the
        input, an unknown category is encoded as zeros.
    missing : bool
        Whether there is an input for missing values; without it they are encoded as zeros.
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
    is_categorical: ClassVar[bool] = True
    sparse: ClassVar[bool] = True

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
        # Enough dimensions for similar categories to be close, few enough to be learned from the
        # rows of each code; the rule of thumb of fastai's tabular models.
        return Embedding(codes, min(50, round(1.6 * codes**0.56)))

    @property
    def texts(self) -> tuple[str, ...]:
        """The categories, and what is written in place of a missing one."""
        return (*self.categories, *self.notation.missing_categories)

    def feature_names(self) -> tuple[str, ...]:
        """Return the names of its inputs: "column=category"."""
        if self.as_codes:
            return (self.name,)
        more = [OTHER] * self.other + [MISSING] * self.missing
        return tuple(f"{self.name}={category}" for category in (*self.categories, *more))

    @classmethod
    def holds(cls, dtype: "pl.DataType") -> bool:
        """See `Column.holds`."""
        import polars as pl

        return isinstance(dtype, pl.String | pl.Categorical | pl.Enum)

    @classmethod
    def fit(cls, column: "pl.Series", options: Options) -> "Self | Note | FreeText":
        """See `Column.fit`."""
        import polars as pl

        text = category_text(column)
        rows, present = text.len(), text.len() - text.null_count()
        if present == 0:
            return all_missing(column)
        counts = _counts(text)
        distinct = counts.height
        if distinct == 1 and present == rows:
            return constant(column)
        named = column.name in options.categorical
        if not named and _is_free_text(counts[column.name], distinct, present):
            return FreeText(column.name, distinct)
        if not named and present >= LEAST_ROWS_OF_IDS and distinct >= _SHARE_OF_IDS * present:
            return Note(
                column.name,
                f"names the rows ({distinct:,} different values in {present:,} rows)",
                "it is left out; nothing can be learned from a value that hardly comes again",
            )
        as_codes = options.embed_above is not None and distinct > options.embed_above
        least = options.min_frequency
        if least is None:
            least = min(10, max(1, rows // 100))
        # By frequency, then by text: the order of the rows changes nothing.
        common = counts.filter(pl.col("n") >= least).sort(
            "n", column.name, descending=[True, False]
        )
        if not as_codes:
            common = common.head(options.max_categories)
        categories = tuple(sorted(common[column.name].to_list()))
        other, missing = len(categories) < distinct, present < rows
        if not categories and not missing:
            return Note(
                column.name,
                f"has no value that comes in {least} rows ({distinct:,} different ones)",
                "it is left out; a lower min_frequency would use it",
            )
        return cls(column.name, categories, other, missing, as_codes)

    def prepare(self, column: "pl.Series") -> "pl.Series":
        """Return the code of each row.

        0 for rare and unknown, 1, 2, … for `categories`, and the number after the last for a
        missing value — or 0 for that, in a column of codes that has none for it.
        """
        import polars as pl

        if column.dtype == pl.String and isinstance(self.notation, Text):
            known = self._known(column)
            if known.null_count() == column.null_count():  # all are categories, or missing
                codes = known + 1
                return codes.fill_null(self.code_of_missing) if known.null_count() else codes
            # The others may be categories with spaces around them.
            rest = (known.is_null() & column.is_not_null()).arg_true()
            texts = self._texts(column.gather(rest))
            known = known.scatter(rest, self._known(texts))
            missing = column.is_null().scatter(rest, texts.is_null())
        else:
            texts = self._texts(column)
            known, missing = self._known(texts), texts.is_null()
        codes = (known + 1).fill_null(0)
        if missing.any():
            codes = codes.set(missing, self.code_of_missing)
        return codes.alias(column.name)

    @property
    def code_of_missing(self) -> int:
        """The code of a missing value."""
        return len(self.categories) + 1 if self.missing or not self.as_codes else 0

    def _texts(self, column: "pl.Series") -> "pl.Series":
        return category_text(self.notation.read_all(column)[0])

    def _known(self, texts: "pl.Series") -> "pl.Series":
        """Return the place of each text among the categories; null where it is none of them."""
        import polars as pl

        places = texts.cast(pl.Enum(self.categories), strict=False).to_physical()
        return places.cast(_smallest(len(self.categories) + 1))

    def write(self, values: "pl.Series", out: Inputs) -> None:
        """Write the inputs; see `Column.write`. No value is refused: others are unknown."""
        codes = values.to_numpy()
        if self.as_codes:
            out[:, 0] = codes
            return
        # The place of each code's input; −1 if it has none.
        places = np.arange(-1, len(self.categories) + 1)
        places[0] = len(self.categories) if self.other else -1
        places[-1] = len(self.categories) + self.other if self.missing else -1
        place = places[codes]
        if out.strides[1] == out.itemsize and out.strides[0] > 0 and len(out):
            step = out.strides[0] // out.itemsize
            at = np.arange(0, len(out) * step, step) + place
            _flat(out)[at[place >= 0] if place.min() < 0 else at] = 1
        else:
            rows = np.flatnonzero(place >= 0)
            out[rows, place[rows]] = 1

    @classmethod
    def from_second_format(cls, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a file of format version 2.

        There, numbers of which some had a fraction were all written with one: "10.0" beside "2.5".
        """
        fields = super().from_second_format(fields)
        texts = fields.get("categories")
        if (
            isinstance(texts, list)
            and texts
            and all(type(text) is str and re.fullmatch(r"-?\d+\.\d+", text) for text in texts)
        ):
            fields["categories"] = [text.removesuffix(".0") for text in texts]
            fields["notation"] = Numbers().to_json()
        return fields

    def fault(self) -> str:
        """Return what is wrong with fields that were read from a file, or ""."""
        if len(set(self.categories)) != len(self.categories):
            return "a category is named twice"
        return "" if self.width else "a column of categories has no input"


def _flat(out: Inputs) -> Inputs:
    """Return the memory from the first to the last number of `out` as a flat array.

    NumPy writes four times as fast with one index per number as with a row and a column index.
    """
    length = (len(out) - 1) * (out.strides[0] // out.itemsize) + out.shape[1]
    return as_strided(out, (length,), (out.itemsize,))


def _smallest(largest: int) -> "type[pl.DataType]":
    """Return the smallest integer type that holds the codes."""
    import polars as pl

    if largest < 2**8 - 1:
        return pl.UInt8
    return pl.UInt16 if largest < 2**16 - 1 else pl.UInt32


def category_text(values: "pl.Series") -> "pl.Series":
    """Return values that a notation has read as the text of categories, each by itself."""
    import polars as pl

    return values if values.dtype == pl.String else Text().read(values)


def _counts(text: "pl.Series") -> "pl.DataFrame":
    """Return the distinct values of text, and the count of each in a column "n".

    The first rows nearly always have all categories. Counting their codes then takes a third of the
    time of counting text.
    """
    import polars as pl

    known = text.head(_ROWS_THAT_TELL).drop_nulls().unique()
    if known.is_empty():
        return text.drop_nulls().value_counts(name="n")
    codes = text.cast(pl.Enum(known), strict=False).to_physical()
    numbers = np.bincount(codes.fill_null(0).to_numpy(), minlength=known.len())
    numbers[0] -= codes.null_count()
    counts = pl.DataFrame({text.name: known, "n": pl.Series(numbers, dtype=pl.UInt32)})
    if codes.null_count() > text.null_count():
        others = text.filter(codes.is_null() & text.is_not_null())
        counts = counts.vstack(others.value_counts(name="n").cast({"n": pl.UInt32}))
    return counts


def _is_free_text(values: "pl.Series", distinct: int, present: int) -> bool:
    if distinct <= _SHARE_OF_TEXT * present or distinct < LEAST_ROWS_OF_IDS:
        return False
    sample = values.sort().gather_every(max(1, distinct // 1000))
    words: Any = sample.str.count_matches(r"\S+").mean()
    length: Any = sample.str.len_chars().mean()
    return bool(words >= _WORDS_OF_TEXT and length >= _LENGTH_OF_TEXT / 2) or bool(
        words > 2 and length >= _LENGTH_OF_TEXT
    )
