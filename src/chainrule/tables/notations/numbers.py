"""Numbers as people write them."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from chainrule.tables.notations.base import Notation, refuse_type

if TYPE_CHECKING:
    import polars as pl

DECIMALS = (".", ",")
GROUPS = ("", ",", ".", " ", "'", "indian")
"""Separators of digit groups; "indian": the last three digits form a group, those before it groups
of two (12,34,567)."""

MAGNITUDES = {
    **dict.fromkeys(("k", "thousand", "tsd", "mille"), 1e3),
    **dict.fromkeys(("lakh", "lac"), 1e5),
    **dict.fromkeys(("m", "mn", "mio", "mln", "million", "millions"), 1e6),
    **dict.fromkeys(("cr", "crore"), 1e7),
    **dict.fromkeys(("b", "bn", "mrd", "mld", "billion", "billions"), 1e9),
    **dict.fromkeys(("t", "tn", "trillion", "trillions"), 1e12),
}
"""Suffixes that multiply a number, in upper or lower case, with or without a point."""

# Characters that look alike: spaces of every width, minus signs, apostrophes.
_MAGNITUDE = "|".join(sorted(MAGNITUDES, key=len, reverse=True))
_SPACES = "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_MINUS = "[\u2212\u2012\u2013\ufe63\uff0d]"
_APOSTROPHES = "[\u2019\u2018\u02bc\u00b4`]"
_INVISIBLE = "[\u200b-\u200f\u2060\ufeff]"


@dataclass(frozen=True)
class Numbers(Notation):
    """Numbers: 1234.5, and with other marks 1.234,5, $1,234.50, 12 %, 34 years, (37) or 37-.

    One decimal mark and one group separator hold for the whole column. A unit is ignored: 12 % is
    12. A number in parentheses or followed by a minus sign is negative, as accountants write it.

    Parameters
    ----------
    decimal : str
        "." or ",".
    group : str
        One of `GROUPS`.
    units : tuple of str
        Units that may precede or follow a number, in upper or lower case.
    missing : tuple of float
        Numbers that stand for a missing value (-999, say).
    magnitudes : bool
        Whether a number may have a suffix of `MAGNITUDES` (K, M, …) that multiplies it.
    """

    decimal: str = "."
    group: str = ""
    units: tuple[str, ...] = ()
    missing: tuple[float, ...] = ()
    magnitudes: bool = False

    kind: ClassVar[str] = "numbers"
    expected: ClassVar[str] = "numbers"

    @property
    def missing_numbers(self) -> tuple[float, ...]:
        """The numbers that stand for a missing value."""
        return self.missing

    @property
    def missing_categories(self) -> tuple[str, ...]:
        """The same numbers as a category is written."""
        return tuple(str(int(x)) if x == int(x) else repr(x) for x in self.missing)

    @property
    def is_plain(self) -> bool:
        """Whether the numbers are written as a computer writes them."""
        return self.decimal == "." and not self.group and not self.units and not self.magnitudes

    def parse(self, column: "pl.Series") -> "pl.Series":
        """Return a column's numbers: Int64 if all are written as integers, else Float64."""
        import polars as pl

        dtype = column.dtype
        if dtype.is_float():
            # If a number is NaN, the sum is: it takes a third of the time of testing each number.
            total = column.sum()
            return column.fill_nan(None) if total != total else column
        if dtype.is_integer() or isinstance(dtype, pl.Duration):
            return column
        if dtype in (pl.Boolean, pl.Null) or isinstance(dtype, pl.Decimal):
            return column.cast(pl.Float64)
        if isinstance(dtype, pl.Categorical | pl.Enum):
            column = column.cast(pl.String)
        if column.dtype != pl.String:
            raise refuse_type(column, self.expected)
        return self._parse_text(column)

    def _parse_text(self, column: "pl.Series") -> "pl.Series":
        import polars as pl

        # Most values are plain: only the others go through the regular expressions.
        text = column.str.strip_chars()
        if self.decimal == "." and self.group != ".":
            numbers = text.cast(pl.Float64, strict=False).fill_nan(None)
            odd = numbers.is_null() & text.is_not_null()
        else:
            numbers = pl.Series(column.name, [None], dtype=pl.Float64).new_from_index(
                0, column.len()
            )
            odd = text.is_not_null()
        plain = text
        if odd.any():
            places = odd.arg_true()
            plain = self._plain(text.gather(places))
            found = plain.cast(pl.Float64, strict=False).fill_nan(None)
            if self.magnitudes:
                factors = self._factors(text.gather(places))
                found, plain = found * factors, plain.set(factors != 1, None)
            numbers = numbers.scatter(places, found)
            plain = text.scatter(places, plain)
        whole = plain.cast(pl.Int64, strict=False)
        return whole if whole.null_count() == numbers.null_count() else numbers

    def _plain(self, text: "pl.Series") -> "pl.Series":
        """Return texts as number literals; null where they are not numbers in this notation."""
        text = tidied(text)
        body = self._body()
        unit = "|".join(re.escape(unit) for unit in sorted(self.units, key=len, reverse=True))
        unit = rf"(?:(?i:{unit})\s*)?" if unit else ""
        last = rf"(?:(?i:{_MAGNITUDE})\.?\s*)?{unit}" if self.magnitudes else unit
        positive = rf"^{unit}\+?\s*{unit}({body})\s*{last}$"
        numbers = text.str.extract(positive, 1)
        if numbers.null_count() > text.null_count():
            for negative in (
                rf"^{unit}-\s*{unit}({body})\s*{last}$",
                rf"^{unit}\(\s*{unit}({body})\s*{last}\)\s*{unit}$",
                rf"^{unit}({body})\s*{last}-\s*{unit}$",
            ):
                numbers = numbers.fill_null("-" + text.str.extract(negative, 1))
        if self.group:
            group = "," if self.group == "indian" else self.group
            numbers = numbers.str.replace_all(group, "", literal=True)
        if self.decimal != ".":
            numbers = numbers.str.replace(self.decimal, ".", literal=True)
        return numbers

    def _factors(self, text: "pl.Series") -> "pl.Series":
        """Return the factor of each number's magnitude."""
        import polars as pl

        names = tidied(text).str.extract(rf"\d[.,]?\s*((?i:{_MAGNITUDE}))(?:[^a-zA-Z]|\s|$)", 1)
        factors = names.str.to_lowercase().replace_strict(
            MAGNITUDES, default=1.0, return_dtype=pl.Float64
        )
        return factors.fill_null(1.0)

    def _body(self) -> str:
        """Return a number's digits as a regular expression."""
        return number_pattern(self.decimal, self.group)

    def settle(self, values: "pl.Series") -> "pl.Series":
        """Return numbers, with null for those that stand for a missing value."""
        import polars as pl

        if not self.missing or isinstance(values.dtype, pl.Duration):
            return values
        if values.dtype.is_integer():
            whole = [int(number) for number in self.missing if number == int(number)]
            return values.set(values.is_in(whole), None)
        return values.set(values.is_in(list(self.missing)), None)

    def described(self) -> str:
        """Return what values are and how they are written, for messages."""
        marks = []
        if self.decimal != ".":
            marks.append("a decimal comma")
        if self.group:
            names = {",": "commas", ".": "points", " ": "spaces", "'": "apostrophes"}
            marks.append(f"{names.get(self.group, 'commas')} between groups of digits")
        return f"numbers with {' and '.join(marks)}" if marks else self.expected

    def fault(self) -> str:
        """Return what is wrong with fields that were read from a file, or ""."""
        if self.decimal not in DECIMALS or self.group not in GROUPS or self.group == self.decimal:
            return f"no decimal mark {self.decimal[:9]!r} goes with groups by {self.group[:9]!r}"
        if self.group == "indian" and self.decimal == ",":
            return "one mark stands for decimals and for groups"
        if any(
            not unit or len(unit) > 40 or any(c.isdecimal() for c in unit[:1])
            for unit in self.units
        ):
            return "a unit is empty, long, or begins with a digit"
        return ""


def number_pattern(decimal: str, group: str) -> str:
    """Return a regular expression for an unsigned number with these marks."""
    point = re.escape(decimal)
    whole = r"\d+"
    if group == "indian":
        whole = r"(?:[1-9]\d?(?:,\d{2})*,\d{3}|\d+)"
    elif group:
        whole = rf"(?:[1-9]\d{{0,2}}(?:{re.escape(group)}\d{{3}})+|\d+)"
    return rf"(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?"


def tidied(text: "pl.Series") -> "pl.Series":
    """Return texts with ASCII spaces, minus signs and apostrophes, and no leading apostrophe."""
    if text.str.contains(r"[^\x00-\x7f]").any():
        text = (
            text.str.replace_all(_SPACES, " ")
            .str.replace_all(_MINUS, "-")
            .str.replace_all(_APOSTROPHES, "'")
            .str.replace_all(_INVISIBLE, "")
            .str.strip_chars()
        )
    # A leading apostrophe is how spreadsheets mark text; 20.- is a round price.
    return text.str.strip_prefix("'").str.replace(r"(\d)[.,]\s?--?$", "$1").str.strip_chars()
