"""Notes on how a column is written, and how its texts were read."""

from typing import TYPE_CHECKING

from chainrule.tables.missing_words import is_missing_word
from chainrule.tables.notations.dates import DateForm
from chainrule.tables.notations.durations import Durations
from chainrule.tables.notations.numbers import Numbers
from chainrule.tables.notes import Note

if TYPE_CHECKING:
    import polars as pl

_FEW = 20
_MOSTLY = 0.8


def _example(column: "pl.Series", notation: Numbers) -> tuple[str, float] | None:
    """Return a value that is not a plain number literal, and the number that it is read as."""
    text = column.drop_nulls().str.strip_chars()
    text = text.filter(~is_missing_word(text))
    odd = text.filter(~text.str.contains(r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"))
    if notation.group == "." and odd.is_empty():
        odd = text.filter(text.str.contains(".", literal=True))
    numbers = notation.parse(odd.head(100))
    for written, number in zip(odd.head(100).to_list(), numbers.to_list(), strict=True):
        if number is not None:
            return str(written), float(number)
    return None


def written_note(column: "pl.Series", notation: Numbers) -> Note | None:
    """Return a note on numbers that are not plain number literals."""
    if notation.is_plain:
        return None
    example = _example(column, notation)
    if example is None:
        return None
    return Note(
        column.name,
        f"holds numbers written like {example[0]!r}, read as {example[1]:.10g}"
        f"{_without_unit(column, notation)}",
        "list it under categorical if they name something",
    )


def _without_unit(column: "pl.Series", notation: Numbers) -> str:
    """Return, in words, how many numbers lack the unit of the others: 0.12 beside 12 %."""
    import polars as pl

    if not notation.units or notation.magnitudes:
        return ""
    text = column.drop_nulls()
    bare = text.filter(text.str.strip_chars().cast(pl.Float64, strict=False).is_not_null())
    if bare.is_empty():
        return ""
    return (
        f" (and {bare.len():,} of its {text.len():,} without {' or '.join(notation.units[:3])}, "
        f"such as {bare[0].strip()!r}, not converted: make sure that they are in the same unit)"
    )


def either_note(column: "pl.Series", notation: Numbers) -> Note | None:
    """Return a note on numbers whose mark may be a decimal or a thousands separator."""
    example = _example(column, notation)
    if example is None:
        return None
    return Note(
        column.name,
        f"holds numbers such as {example[0]!r}, read as {example[1]:.10g}; the mark may be a "
        "decimal mark or a thousands separator",
        "write them without thousands separators if this is wrong",
    )


def date_notes(column: "pl.Series", form: DateForm) -> tuple[Note, ...]:
    """Return a note on dates in which either the day or the month may come first."""
    if not form.is_ambiguous:
        return ()
    first = "month" if form.format.startswith("%m") else "day"
    return (
        Note(
            column.name,
            f"holds dates such as {str(column.drop_nulls()[0]).strip()!r}, in all of which "
            f"either the day or the month may come first; they are read {first} first",
            "write them as 2026-01-31 if this is wrong",
        ),
    )


def zeros_in_front(column: "pl.Series", notation: Numbers) -> tuple[bool, Note | None]:
    """Tell whether whole numbers are codes, by leading zeros outside the sample, or return a note.

    They are codes if at least two have leading zeros and are as long as the longest number (zip
    codes at the end of a sorted file, or partly stripped of zeros by a program). One may be a
    typing error.
    """
    if notation != Numbers():
        return False, None
    zeros = column.filter(column.str.contains(r"^\s*0\d+\s*$")).str.strip_chars()
    if zeros.is_empty():
        return False, None
    longest = column.str.strip_chars().str.len_chars().max()
    whole = column.str.contains(r"^\s*-?\d+\s*$").fill_null(True).all()
    if whole and zeros.len() > 1 and (zeros.str.len_chars() == longest).all():
        return True, None
    return False, Note(
        column.name,
        f"holds {zeros[0]!r}, with leading zeros, among numbers, read as {int(zeros[0])}",
        "list it under categorical if it holds codes",
    )


def duration_note(column: "pl.Series", notation: Durations) -> Note:
    """Return a note that shows how a duration was read."""
    text = column.drop_nulls().str.strip_chars()
    seconds = notation.parse(text).dt.total_microseconds()
    place = seconds.is_not_null().arg_max() or 0
    return Note(
        column.name,
        f"holds durations such as {text[place]!r}, read as {seconds[place] / 1e6:.10g} seconds",
        "write them as numbers if this is wrong",
    )


def unread_note(values: "pl.Series", figures: float) -> Note | None:
    """Return a note on texts that begin like numbers or dates but are read as neither."""
    import polars as pl

    if figures < 0.5 or values.n_unique() <= _FEW:
        return None
    present = values.drop_nulls()
    other = present.filter(present.cast(pl.Float64, strict=False).is_null())
    if other.len() <= present.len() / 2:
        return Note(
            values.name,
            f"holds numbers, and {other.len():,} of {present.len():,} values that are not (such "
            f"as {other[0]!r}), and is taken as text",
            "write numbers in their place, or leave these fields empty, to use it as numbers",
        )
    if figures < _MOSTLY:
        return None
    return Note(
        values.name,
        f"begins like numbers or dates ({other[0]!r}), has no known format, and is taken as text",
        "if it holds numbers or dates, write them as 1234.5 or 2026-01-31",
    )


def several_units(column: "pl.Series", units: tuple[tuple[str, int], ...]) -> Note:
    """Return a note on numbers that are text because they have several units."""
    named = " and ".join(repr(unit) for unit, _ in units)
    return Note(
        column.name,
        f"looks like numbers in several units ({named}), and is taken as text",
        "write all its numbers in one unit",
    )
