"""Words that stand for a missing value.

One documented list for every kind of column. Among numbers and dates every such word is missing,
for it can be nothing else. A column of text, and a target of classes above all, may mean what it
says (none, some, many; a category "-"), so that only `MISSING_IN_TEXT` is missing there.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

MISSING_WORDS = frozenset(
    {
        # Nothing at all, and marks.
        *("", "-", "--", "---", ".", "..", "...", "?", "??", "_", "–", "—", "*", "\\n"),
        # R, SAS, SQL, Python, pandas, NumPy.
        *("na", "n/a", "n.a.", "n.a", "<na>", "#na", "nan", "-nan", "+nan", "1.#qnan", "-1.#qnan"),
        *("1.#ind", "-1.#ind", "null", "(null)", "<null>", "none", "nil", "nat", "undefined"),
        # Spreadsheets.
        *("#n/a", "#n/a n/a", "#n/v", "#nv", "#div/0!", "#value!", "#ref!", "#name?", "#num!"),
        *("#null!", "#error!", "#calc!", "#spill!"),
        # People.
        *("missing", "(missing)", "unknown", "(empty)", "(blank)", "empty", "blank", "no data"),
        *("not available", "not applicable", "k.a.", "n.d.", "tbd"),
    }
)
"""Missing among numbers and dates: compare `missing_key(text)`. In lower case (case says nothing
there: R writes NA, SQL NULL, Python None, and people any of them), without outer spaces."""

MISSING_IN_TEXT = frozenset(
    {
        *("", "?", "NA", "N/A", "n/a", "<NA>", "NaN", "nan", "NAN", "-nan", "NULL", "null", "Null"),
        *("(null)", "<null>", "NaT", "#N/A", "#NA", "#N/A N/A", "#NV", "#DIV/0!", "#VALUE!"),
        *("#REF!", "#NAME?", "#NUM!", "#NULL!", "\\N"),
    }
)
"""Missing in a target of text, written exactly so, without outer spaces: what programs write and
nobody means as a class. none, None, -, unknown and missing stay classes: people do mean them. Case
says something here: "Na" is sodium, and "na" is a word of several languages."""


def missing_key(text: str) -> str:
    """Return a text as `MISSING_WORDS` has it."""
    return text.strip().lower()


def is_missing_word(text: "pl.Series") -> "pl.Series":
    """Return where texts are words for a missing number or date, or nothing but spaces."""
    return text.str.strip_chars().str.to_lowercase().is_in(sorted(MISSING_WORDS))
