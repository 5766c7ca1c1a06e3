"""Durations as people write them: 1:23:45, 27:30, 2 days 03:04:05, 1 h 20 min, PT5M."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from chainrule.tables.notations.base import MOST_UNREADABLE, Notation, refuse_type

if TYPE_CHECKING:
    import polars as pl

_NUMBER = r"(\d+(?:[.,]\d+)?)"
CLOCK = r"^(-)?\s*(?:(\d+)\s*(?:d|days?)\.?,?\s+)?\+?(\d+):([0-5]\d)(?::([0-5]\d(?:[.,]\d+)?))?$"
WORDS = (
    rf"^(-)?\s*(?:{_NUMBER}\s*(?:d|days?|Tage?|jours?)\.?,?\s*)?"
    rf"(?:{_NUMBER}\s*(?:h|hrs?|hours?|Std)\.?,?\s*)?"
    rf"(?:{_NUMBER}\s*(?:m|mins?|minutes?)\.?,?\s*)?(?:{_NUMBER}\s*(?:s|secs?|seconds?)\.?)?$"
)
ISO = rf"^(-)?P(?:{_NUMBER}D)?(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?$"
"""The three forms; the groups of each are sign, days, hours, minutes and seconds."""

# Up to this share of texts beyond 24 hours are errors among times of day.
_TYPING_ERRORS = 0.005
_PATTERNS = (CLOCK, WORDS, ISO)
_SECONDS = (86400.0, 3600.0, 60.0, 1.0)


@dataclass(frozen=True)
class Durations(Notation):
    """Durations, encoded in seconds.

    Parameters
    ----------
    minutes : bool
        Whether 12:34 is minutes and seconds, beside 1:12:34; else hours and minutes.
    """

    minutes: bool = False

    kind: ClassVar[str] = "durations"
    expected: ClassVar[str] = "lengths of time"

    def parse(self, column: "pl.Series") -> "pl.Series":
        """Return a column as durations; numbers are seconds. See `Notation.parse`."""
        import polars as pl

        dtype = column.dtype
        if isinstance(dtype, pl.Duration):
            return column
        if dtype.is_numeric() or dtype == pl.Null:
            return _of_seconds(column.cast(pl.Float64))
        if isinstance(dtype, pl.Time):
            return column.cast(pl.Duration("us"))
        if isinstance(dtype, pl.Categorical | pl.Enum):
            column = column.cast(pl.String)
        if column.dtype != pl.String:
            raise refuse_type(column, self.expected)
        text = column.str.strip_chars()
        seconds = pl.Series(text.name, [None], dtype=pl.Float64).new_from_index(0, text.len())
        for pattern in _PATTERNS:
            seconds = seconds.fill_null(self._seconds(text, pattern))
        return _of_seconds(seconds)

    def _seconds(self, text: "pl.Series", pattern: str) -> "pl.Series":
        """Return the seconds of texts of one form; null for others."""
        import polars as pl

        fields = text.str.extract_groups(pattern).struct
        parts = [
            fields[place].str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
            for place in range(1, 5)
        ]
        found = pl.Series([False]).new_from_index(0, text.len())
        total = pl.Series(text.name, [0.0]).new_from_index(0, text.len())
        for part, length in zip(parts, _SECONDS, strict=True):
            found |= part.is_not_null()
            total = total + part.fill_null(0.0) * length
        if pattern == CLOCK and self.minutes:
            two = parts[3].is_null() & parts[1].is_not_null() & parts[0].is_null()
            total = total.zip_with(~two, total / 60)
        total = total.zip_with(fields[0].is_null(), -total)
        return total.set(~found, None)


def _of_seconds(seconds: "pl.Series") -> "pl.Series":
    import polars as pl

    # Beyond the range of microseconds in 64 bits a value is not a duration.
    seconds = seconds.fill_nan(None).set((seconds.abs() > 9e12).fill_null(False), None)
    return (seconds * 1e6).round().cast(pl.Int64).cast(pl.Duration("us"))


def duration_form(sample: Sequence[str]) -> Durations | None:
    """Return how texts write durations; None if they are something else, or may be times of day.

    Clock readings are durations if enough of them exceed 24 hours or have days or a sign: "27:30",
    "2 days 03:00:00".
    """
    clocks: dict[re.Match[str], int] = {}
    others = 0
    for text, n in Counter(sample).items():
        kind, match = _kind_of(text)
        if kind == CLOCK and match is not None:
            clocks[match] = n
        elif match is not None:
            others += n
    if not sample or sum(clocks.values()) + others < (1 - MOST_UNREADABLE) * len(sample):
        return None
    beyond = sum(
        n
        for match, n in clocks.items()
        if match[1] or match[2] or (int(match[3]), int(match[4])) > (24, 0)
    )
    if beyond + others <= _TYPING_ERRORS * len(sample):
        return None
    three = {match[5] is not None for match in clocks}
    return Durations(minutes=len(three) == 2)


def _kind_of(text: str) -> "tuple[str, re.Match[str]] | tuple[None, None]":
    for pattern in _PATTERNS:
        found = re.match(pattern, text)
        if found is not None and any(found.groups()[1:]):
            return pattern, found
    return None, None
