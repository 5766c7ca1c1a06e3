"""The words that programs write where a value is missing."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

MISSING_WORDS = frozenset(
    {
        *("NA", "N/A", "n/a", "na", "N.A.", "n.a.", "#N/A", "#NA", "<NA>"),
        *("NaN", "nan", "NAN", "-nan", "NaT", "nat"),
        *("NULL", "Null", "null", "\\N", "None", "none", "nil", "missing", "Missing", "MISSING"),
        *("unknown", "Unknown", "UNKNOWN", "not available", "Not Available", "n/d", "N/D"),
        *("?", "??", "-", "--", "---", "–", "—", ".", "..", "...", "*", "/"),
        *("#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"),
    }
)
"""What stands for a missing value among numbers, dates and true/false. (Among text, where "NA" may
be Namibia and "none" an answer, words are what they are; an empty field is missing everywhere.)"""


def without_missing_words(text: "pl.Series") -> "pl.Series":
    """Return text, stripped, in which empty fields and the words for missing are null."""
    import polars as pl

    text = text.str.strip_chars()
    return text.set(text.is_in(["", *MISSING_WORDS]), None) if text.dtype == pl.String else text
