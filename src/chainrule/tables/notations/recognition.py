"""Recognition of a column's notation: from a sample, then confirmed on all of its values."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from chainrule.tables.missing_words import is_missing_word
from chainrule.tables.notations.base import (
    MOST_UNREADABLE,
    Notation,
    Unreadable,
    unreadable,
)
from chainrule.tables.notations.dates import DateForm, Dates, date_form
from chainrule.tables.notations.durations import Durations, duration_form
from chainrule.tables.notations.number_forms import (
    NO_NUMBERS,
    PLAIN,
    NumberForm,
    number_form,
    plain_form,
)
from chainrule.tables.notations.numbers import Numbers, tidied
from chainrule.tables.notations.remarks import (
    date_notes,
    duration_note,
    either_note,
    several_units,
    unread_note,
    written_note,
    zeros_in_front,
)
from chainrule.tables.notations.sentinels import without_sentinels
from chainrule.tables.notations.text import Text
from chainrule.tables.notations.truth import WORDS as TRUTH
from chainrule.tables.notations.truth import Truth
from chainrule.tables.notes import Note
from chainrule.tables.row_numbers import RowNumbers

if TYPE_CHECKING:
    import polars as pl

_SAMPLE = 500
_FEW = 20
# Infinite values are numbers; they are refused later, with the name of the column.
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
# The beginning of a number or a date, perhaps after a sign of currency, bound or uncertainty.
_FIGURE = re.compile(
    r"[^\w\s]{0,2}\s*[^\w\s]?\d|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
)
_DIGIT = re.compile(r"\d")
_LARGEST_EXACT = 2**53


class Seen(NamedTuple):
    """What a sample of a column's texts shows; other columns may decide about the marks."""

    numbers: NumberForm = NO_NUMBERS
    dates: DateForm | None = None
    durations: Durations | None = None
    is_truth: bool = False
    is_missing: bool = False
    """Whether all texts are words for a missing value."""
    figures: float = 0.0
    """The share of texts that begin like numbers or dates."""


class Recognised(NamedTuple):
    """A column's notation, its values, and notes."""

    notation: Notation
    values: "pl.Series"
    notes: tuple[Note, ...] = ()


def seen(column: "pl.Series") -> Seen:
    """Return what a sample of a column of text shows."""
    texts = _from_all_over(column)
    are_all = texts.len() == column.len() - column.null_count()
    enough = are_all or texts.len() >= _SAMPLE // 4
    if enough and texts.len() and texts.str.contains(f"^(?:{PLAIN})$").all():
        # As in most columns of numbers, there is nothing to tidy and no word for a missing value.
        return Seen(plain_form(_thinned(texts)))
    sample = _thinned(_present(texts))
    if len(sample) < _SAMPLE // 4 and not are_all:
        # Nearly all are missing: search the whole column for the others.
        sample = _thinned(_present(column))
    if not sample:
        return Seen(is_missing=True)
    # Each distinct text is examined once: most columns of text have few.
    counts = Counter(sample)
    if _is_truth(counts):
        return Seen(is_truth=True)
    infinite = {text for text in counts if text[-1:] in "fFyY" and _INFINITE.fullmatch(text)}
    finite = [text for text in sample if text not in infinite] if infinite else sample
    if sum(n for text, n in counts.items() if _DIGIT.search(text)) < 0.8 * len(finite):
        return Seen(figures=_figures(finite))
    numbers = number_form(finite)
    if numbers.notation is not None or numbers.is_code:
        return Seen(numbers)
    durations = duration_form(finite)
    if durations is not None or numbers.units:
        return Seen(numbers, durations=durations)
    return Seen(numbers, date_form(finite), figures=_figures(finite))


def _figures(sample: Sequence[str]) -> float:
    counts = Counter(sample)
    return sum(n for text, n in counts.items() if _FIGURE.match(text)) / max(1, len(sample))


def _is_truth(counts: Mapping[str, int]) -> bool:
    """Tell whether texts are true and false, perhaps with 1, 0 and a few typing errors."""
    words = Counter[str]()
    for text, n in counts.items():
        words[text.lower()] += n
    said = sum(n for text, n in words.items() if text in TRUTH)
    return bool(words["true"] + words["false"]) and said >= (1 - MOST_UNREADABLE) * words.total()


def _from_all_over(column: "pl.Series") -> "pl.Series":
    """Return evenly spaced texts of a column."""
    present = column.len() - column.null_count()
    if 2 * present < column.len():
        column = column.drop_nulls()
    texts = _every(column, present // (4 * _SAMPLE))
    return texts.drop_nulls() if texts.null_count() else texts


def _thinned(texts: "pl.Series") -> list[str]:
    thinned: list[str] = _every(texts, texts.len() // _SAMPLE).to_list()
    return thinned


def _every(texts: "pl.Series", n: int) -> "pl.Series":
    """Return every n-th text; all if n is below 2."""
    # Without a query of polars, which takes long where a table has many columns.
    return texts if n < 2 else texts.gather_every(n)


def _present(column: "pl.Series") -> "pl.Series":
    """Return tidy texts, without those that stand for a missing value."""
    texts = tidied(column.str.strip_chars())
    return texts.filter(~is_missing_word(texts))


def recognised(
    column: "pl.Series",
    looks: Seen,
    *,
    comma: bool | None,
    numbers: RowNumbers | None = None,
) -> Recognised:
    """Return the notation of a column of text, and its values in it.

    Parameters
    ----------
    column : polars.Series
        Of text.
    looks : Seen
        What `seen` says of it.
    comma : bool, optional
        Whether the table has decimal commas; None if that is unknown.
    numbers : RowNumbers, optional
        Where the rows stand in the file; by default they are counted from 1.
    """
    if looks.is_truth:
        found = _confirmed(column, Truth(), numbers)
        if found is not None:
            return found
    form = looks.numbers
    if form.notation is not None:
        notation, note = _settled(column, form, comma)
        coded, zeros = zeros_in_front(column, notation)
        if coded:
            return Recognised(Text(), Text().read(column))
        note = note or zeros
        found = _confirmed(column, notation, numbers)
        if found is not None:
            note = note or written_note(column, notation)
            return found._replace(notes=(note, *found.notes) if note else found.notes)
    if looks.durations is not None:
        found = _confirmed(column, looks.durations, numbers)
        if found is not None:
            return found._replace(notes=(duration_note(column, looks.durations), *found.notes))
    if looks.dates is not None:
        found = _confirmed(column, Dates(looks.dates.format, looks.dates.zone), numbers)
        if found is not None:
            return found._replace(notes=(*date_notes(column, looks.dates), *found.notes))
    notation_of_text = Text()
    values = notation_of_text.read(column)
    if looks.is_missing:
        # Words for a missing value and nothing else: numbers still to be filled in, perhaps.
        return Recognised(notation_of_text, values.clear(values.len()))
    if form.units:
        return Recognised(notation_of_text, values, (several_units(column, form.units),))
    told = None if form.is_code else unread_note(values, looks.figures)
    return Recognised(notation_of_text, values, (told,) if told else ())


def recognised_target_of_time(column: "pl.Series", looks: Seen) -> Recognised:
    """Return a target of dates or durations as text, whose values are classes, with a note."""
    text = Text()
    what, unit = ("dates", "days since a date") if looks.dates else ("times", "seconds")
    note = Note(
        column.name,
        f"holds {what}, which are taken as text: a network predicts numbers or classes",
        f"write them as numbers ({unit}) to predict them",
    )
    return Recognised(text, text.read(column), (note,))


def recognised_values(column: "pl.Series") -> Recognised | None:
    """Return the notation of a column of typed values; None if no notation reads that type."""
    import polars as pl

    dtype = column.dtype
    if dtype.is_integer() and column.len() > column.null_count():
        low, high = column.min(), column.max()
        if max(abs(int(low)), abs(int(high))) > _LARGEST_EXACT:  # type: ignore[arg-type]
            # Identifiers: as floats, different ones would become equal.
            notation = Text()
            return Recognised(notation, notation.read(column))
    if dtype.is_numeric() or isinstance(dtype, pl.Duration):
        return Recognised(Numbers(), column)
    if dtype == pl.Boolean:
        return Recognised(Truth(), column)
    if isinstance(dtype, pl.Datetime):
        return Recognised(Dates("", dtype.time_zone or ""), column)
    if dtype.is_temporal():
        return Recognised(Dates(), column)
    if isinstance(dtype, pl.Categorical | pl.Enum) or dtype == pl.Null:
        return Recognised(Text(), column)
    return None


def with_sentinels(found: Recognised) -> Recognised:
    """Return a column of numbers without sentinels, with a note."""
    if not isinstance(found.notation, Numbers) or not found.values.dtype.is_numeric():
        return found
    notation, values, note = without_sentinels(found.notation, found.values)
    return Recognised(notation, values, (*found.notes, note)) if note is not None else found


def _confirmed(
    column: "pl.Series", notation: Notation, numbers: RowNumbers | None
) -> Recognised | None:
    """Return a column as read in a notation; None if too many values are unreadable in it."""
    values = notation.parse(column)
    bad = unreadable(column, values, notation)
    if bad is None:
        return Recognised(notation, values)
    wrong, present = int(bad.sum()), values.len() - values.null_count()
    if wrong > MOST_UNREADABLE * (wrong + present):
        return None
    others = column.filter(bad).str.strip_chars()
    if wrong > 1 and others.n_unique() <= wrong / 2 and values.n_unique() <= _FEW:
        return None  # categories such as 0, 1, 2 and 3+, of which none is an error
    unread = Unreadable.of(column, bad, notation, numbers)
    return Recognised(notation, values, (unread.note(),))


def _settled(
    column: "pl.Series", form: NumberForm, comma: bool | None
) -> tuple[Numbers, Note | None]:
    """Return the notation of a column's numbers; if it is ambiguous, the table decides."""
    notation, other = form.notation, form.other
    assert notation is not None
    if other is None:
        return notation, None
    by_comma = notation if notation.decimal == "," else other
    by_point = other if by_comma is notation else notation
    if comma is None:
        return notation, either_note(column, notation) if notation.group else None
    chosen = by_comma if comma else by_point
    return chosen, either_note(column, chosen) if chosen != Numbers() else None
