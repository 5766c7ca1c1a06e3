"""Selects the rows that have a target, and unifies spellings of a text target."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidTableError
from chainrule.runs.options import DataOptions
from chainrule.tables.columns import is_missing
from chainrule.tables.missing_words import MISSING_IN_TEXT
from chainrule.tables.spellings import fold, groups_of_spellings, told

if TYPE_CHECKING:
    import polars as pl

_MOST_NUMBERED = 1000
# NA counts as a code if there are at least this many other values, all of two capital letters.
_FEWEST_CODES = 5


@dataclass(frozen=True)
class TargetRows:
    """Rules that select the rows with a target and unify its spellings.

    The training table determines the rules; they then apply to every other table.
    """

    name: str
    words: "TargetWords"
    spellings: Mapping[str, str] = field(default_factory=dict)
    """The replacement of each spelling, by its `fold`; empty if nothing is merged."""

    @classmethod
    def decide(
        cls, table: "pl.DataFrame", options: DataOptions, where: str
    ) -> tuple["TargetRows", "KeptRows"]:
        """Derive the rules from the training table; return them, and its rows with a target.

        Raises
        ------
        InvalidTableError
            If no row has a target.
        """
        name = options.target
        words = TargetWords.of(table[name], options.target_missing or "auto")
        kept = _with_target(table, name, where, words)
        spellings, told = _spellings(kept.table, options, where)
        rows = cls(name, words, spellings)
        return rows, KeptRows(rows._respelled(kept.table), kept.indices, [*kept.notes, *told])

    def of(self, table: "pl.DataFrame", where: str) -> "KeptRows":
        """Return the rows of a table that have a target.

        Raises
        ------
        InvalidTableError
            If no row has a target.
        """
        kept = _with_target(table, self.name, where, self.words)
        return kept._replace(table=self._respelled(kept.table))

    def among(self, table: "pl.DataFrame") -> "KeptRows":
        """Return the rows of a part of a table that have a target, which may be none."""
        rows = np.flatnonzero(~_missing(table[self.name], self.words).to_numpy())
        return KeptRows(self._respelled(table[rows]), rows, [])

    def has_target(self, row: "pl.DataFrame") -> bool:
        """Tell whether a single row has a target."""
        return not bool(_missing(row[self.name], self.words)[0])

    def _respelled(self, table: "pl.DataFrame") -> "pl.DataFrame":
        import polars as pl

        column = table[self.name]
        if not self.spellings or not _is_text(column):
            return table
        column = column.cast(pl.String)
        texts = [text for text in column.unique().to_list() if text is not None]
        new = [self.spellings.get(fold(text), text) for text in texts]
        return table.with_columns(column.replace(texts, new))


class KeptRows(NamedTuple):
    """The rows of a table that have a target."""

    table: "pl.DataFrame"
    indices: NDArray[np.intp]
    """Their indices in the whole table."""
    notes: list[str]
    """Such as the number of rows without a target."""


@dataclass(frozen=True)
class TargetWords:
    """The texts of a target that are missing values, and those kept as classes."""

    missing: frozenset[str]
    kept: tuple[str, ...] = ()

    @classmethod
    def of(cls, column: "pl.Series", rule: str) -> "TargetWords":
        """Return the words by the rule "auto", "words" or "empty"."""
        if rule == "empty" or not _is_text(column):
            return cls(frozenset())
        if rule == "auto" and _is_of_codes(column):
            return cls(MISSING_IN_TEXT - {"NA"}, ("NA",))
        return cls(MISSING_IN_TEXT)


def _is_text(column: "pl.Series") -> bool:
    import polars as pl

    return isinstance(column.dtype, pl.String | pl.Categorical | pl.Enum)


def _is_of_codes(column: "pl.Series") -> bool:
    """Return whether a column has NA among two-letter codes in capitals, such as countries."""
    import polars as pl

    values = set(column.cast(pl.String).drop_nulls().str.strip_chars().unique().to_list())
    others = values - MISSING_IN_TEXT
    codes = all(len(v) == 2 and v.isascii() and v.isalpha() and v.isupper() for v in others)
    return "NA" in values and codes and len(others) >= _FEWEST_CODES


def _with_target(table: "pl.DataFrame", target: str, where: str, words: TargetWords) -> KeptRows:
    """Return the rows that have a target, with notes that count the rows without, by word.

    Raises
    ------
    InvalidTableError
        If no row has a target.
    """
    column, notes = table[target], list[str]()
    empty, missing = is_missing(column), _missing(column, words)
    by_word = dict[str, int]()
    if _is_text(column):
        by_word = _words_in(column, words.missing)
        kept = _words_in(column, frozenset(words.kept))
        for word, count in kept.items():
            notes.append(
                f"{where}: {word} is one of the codes of {target}, in {_rows(count)}; "
                "--target-missing words takes it as a missing value"
            )
    count = int(missing.sum())
    if count == table.height:
        hint = f" ({_listed(by_word)} are words for missing values)" if by_word else ""
        raise InvalidTableError(
            f"the target {target!r} has no value in any of the {count:,} rows of {where}{hint}; "
            "is it the right column?"
        )
    if not count:
        return KeptRows(table, np.arange(table.height), notes)
    note = f"{where}: left out {_rows(count)} without a value of {target}"
    if by_word:
        note += f" ({_listed(by_word)}"
        n_empty = int(empty.sum())
        note += f", {n_empty:,} empty)" if n_empty else ")"
        note += "; --target-missing empty keeps such words as classes"
    return KeptRows(table.filter(~missing), np.flatnonzero(~missing.to_numpy()), [*notes, note])


def _missing(column: "pl.Series", words: TargetWords) -> "pl.Series":
    """Return which rows have no value, or a word for a missing one."""
    empty = is_missing(column)
    return empty | _is_one_of(column, words.missing) if _is_text(column) else empty


def _is_one_of(column: "pl.Series", words: frozenset[str]) -> "pl.Series":
    import polars as pl

    stripped = column.cast(pl.String).str.strip_chars()
    return stripped.is_in(sorted(words)).fill_null(False)


def _words_in(column: "pl.Series", words: frozenset[str]) -> dict[str, int]:
    """Return the number of rows with each of these words, the most frequent first."""
    import polars as pl

    stripped = column.cast(pl.String).str.strip_chars().drop_nulls()
    found = stripped.filter(stripped.is_in(sorted(words))).value_counts()
    counts = dict(found.iter_rows())
    return {word: counts[word] for word in sorted(counts, key=lambda word: (-counts[word], word))}


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{word or 'spaces'} in {count:,}" for word, count in counts.items())


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _spellings(
    table: "pl.DataFrame", options: DataOptions, where: str
) -> tuple[Mapping[str, str], list[str]]:
    """Return the replacement of each spelling of a class, if merging is on, and notes."""
    import polars as pl

    column, notes = table[options.target], list[str]()
    if not _is_text(column):
        return {}, notes
    column = column.cast(pl.String)
    counts = {str(value): int(count) for value, count in column.value_counts().iter_rows()}
    groups = groups_of_spellings(counts)
    # With about as many different texts as rows, the texts are not classes.
    if groups and len(counts) <= max(20, table.height // 2):
        listed = told(groups, counts)
        if options.merge_spellings:
            notes.append(
                f"{where}: spellings of {options.target} that differ by case and spaces alone are "
                f"one class, called by the most frequent: {listed}"
            )
        else:
            notes.append(
                f"{where}: classes of {options.target} differ in capitals or spaces alone: "
                f"{listed}; --merge-spellings makes one class of them"
            )
    notes.extend(_same_numbers(counts, options.target, where))
    if not options.merge_spellings:
        return {}, notes
    spellings = {fold(text): text for text in sorted(counts, key=lambda t: (counts[t], t))}
    spellings |= {fold(name): name for name in groups}
    return spellings, notes


def _same_numbers(counts: Mapping[str, int], target: str, where: str) -> list[str]:
    """Return a note on classes that are the same number, such as 01, 1 and 1.0."""
    if len(counts) > _MOST_NUMBERED:
        return []
    alike: dict[float, list[str]] = {}
    for text in sorted(counts):
        if re.fullmatch(r"[+-]?[0-9]+(?:[.][0-9]*)?", text.strip()):
            alike.setdefault(float(text), []).append(text)
    several = [", ".join(map(repr, texts)) for texts in alike.values() if len(texts) > 1]
    if not several:
        return []
    return [
        f"{where}: classes of {target} are one number, written in several ways: "
        f"{'; '.join(several[:5])}; write them alike if they are one class"
    ]
