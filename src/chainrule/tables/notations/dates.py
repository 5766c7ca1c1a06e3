"""Dates and times as people write them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from chainrule.tables.missing_words import MISSING_WORDS, missing_key
from chainrule.tables.notations.base import Notation, refuse_type

if TYPE_CHECKING:
    import polars as pl

TIME = "%H:%M"
"""The format of times of day."""

FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d"),
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%m.%d.%Y"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%m.%d.%y"),
    *("%y-%m-%d", "%y/%m/%d"),
    *("%d %b %Y", "%b %d %Y", "%Y %b %d", "%d %b %y", "%b %d %y"),
    *("%d%b%Y", "%d%b%y"),
    *("%Y-%m", "%m/%Y", "%Y/%m", "%b %Y", "%b %y"),
    TIME,
)
"""The formats of dates, the most common first: %Y is a year of four digits, %y one of two, %b an
English month, in full or abbreviated. A time (13:05, 13:05:59.25, 1:05 PM) and a zone (Z, UTC,
+02:00) may follow."""

PIVOT = 69
"""Years of two digits: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068 (POSIX)."""

_PARTS = {
    "%Y": r"(\d{4})",
    "%y": r"(\d{2})",
    "%m": r"(\d{1,2})",
    "%d": r"(\d{1,2})",
    "%b": r"((?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-zA-Z]*\.?)",
}
_WEEKDAY = r"(?:(?i:mon|tue|wed|thu|fri|sat|sun)[a-zA-Z]*\.?,?\s+)?"
_CLOCK = r"(\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)(?:\s*([AaPp]\.?[Mm]\.?)|\s*Uhr)?"
_ZONE = r"(Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
_LIKE_C = r"^(?i:mon|tue|wed|thu|fri|sat|sun)[a-zA-Z]*,? +(?i:[a-z]{3,9}) +\d"
_YEAR_LAST = r"^([A-Za-z]+,? +[A-Za-z]+ +\d{1,2}) +([\d:.]+)(?: +([A-Z]{3}|[+-]\d{4}))? +(\d{4})$"
_ZERO = r"^(?:0000[-/.]?00[-/.]?00|00[-/.]00[-/.](?:00)?00)(?:[T ][0:.Z]*)?$"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class Dates(Notation):
    """Dates, dates with times, or times of day.

    Parameters
    ----------
    format : str
        The format of text, one of `FORMATS`; "" if the training rows had dates, not text.
    zone : str
        The time zone of the values. Instants written in another zone are converted; a time without
        a zone is taken to be in this one. "": times are taken as they are written.
    """

    format: str = ""
    zone: str = ""

    kind: ClassVar[str] = "dates"
    expected: ClassVar[str] = "dates"

    def parse(self, column: "pl.Series") -> "pl.Series":
        """Return a column as dates, datetimes or times of day; see `Notation.parse`."""
        import polars as pl

        dtype = column.dtype
        if dtype == pl.Null:
            return column.cast(pl.Datetime("us"))
        if isinstance(dtype, pl.Datetime):
            return self._in_zone(column)
        if dtype.is_temporal() and not isinstance(dtype, pl.Duration):
            return column
        if isinstance(dtype, pl.Categorical | pl.Enum):
            column = column.cast(pl.String)
        if column.dtype != pl.String:
            raise refuse_type(column, self.described())
        text = column.str.strip_chars()
        text = year_before_clock(text.set(text.str.contains(_ZERO), None))
        written = self.format
        if not written:  # text, while the training rows had dates
            form = date_form(text.drop_nulls().head(200).to_list())
            written = form.format if form is not None else FORMATS[0]
        return parsed(text, written, self.zone)

    def absent(self, text: "pl.Series") -> "pl.Series":
        """Return a mask of the texts that stand for a missing date, 0000-00-00 among them."""
        return super().absent(text) | text.str.contains(_ZERO)

    def _in_zone(self, column: "pl.Series") -> "pl.Series":
        zone = getattr(column.dtype, "time_zone", None)
        if not self.zone:
            return column
        if zone is None:
            return _local(column, self.zone)
        return column if zone == self.zone else column.dt.convert_time_zone(self.zone)

    def described(self) -> str:
        """Return what values are and how they are written, for messages."""
        return f"dates written as {self.format}" if self.format else self.expected

    def fault(self) -> str:
        """Return what is wrong with fields that were read from a file, or ""."""
        if self.format and self.format not in FORMATS:
            return f"unknown format of dates {self.format[:40]!r}"
        if self.zone and not is_zone(self.zone):
            return f"unknown time zone {self.zone[:40]!r}"
        return ""


def year_before_clock(text: "pl.Series") -> "pl.Series":
    """Return dates in the style of C and browsers with the year before the time and a numeric zone.

    "Sat Jun 3 10:00:00 +0000 2023", "Sat Jun 03 2023 10:00:00 GMT+0200 (CEST)".
    """
    if not text.str.contains(_LIKE_C).any():
        return text
    text = text.str.replace(r"\s*\([A-Za-z ]+\)$", "").str.replace(r"(?:GMT|UTC)([+-]\d)", "$1")
    return text.str.replace(_YEAR_LAST, "$1 $4 $2 $3").str.strip_chars()


def is_zone(name: str) -> bool:
    """Tell whether there is a time zone of that name."""
    import polars as pl

    try:
        pl.Series([0]).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").dt.convert_time_zone(
            name
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError):
        return False
    return True


@cache
def date_pattern(written: str) -> str:
    """Return a format as a regular expression: its parts, a clock, AM or PM, and a zone."""
    if written == TIME:
        return rf"^{_CLOCK}$"
    parts = "".join(
        _PARTS[piece] if piece in _PARTS else r"[\s\-/,.]+" if piece == " " else re.escape(piece)
        for piece in re.findall(r"%.|.", written)
    )
    if "%b" in written:
        parts = parts.replace(_PARTS["%d"], _PARTS["%d"] + "(?:st|nd|rd|th)?")
    return rf"^{_WEEKDAY}{parts}(?:(?:\s*[Tt,:]\s*|\s+){_CLOCK}\s*{_ZONE})?$"


def parsed(text: "pl.Series", written: str, zone: str = "") -> "pl.Series":
    """Return text as dates, or as datetimes if times are written too; null where text is neither.

    Datetimes are converted to `zone`. Without one they are the local times as written, whatever
    zone is written beside them.
    """
    import polars as pl

    if written == TIME:
        return _times(text)
    none = pl.Series(text.name, [None], dtype=pl.Datetime("us", zone or None))
    at = none.new_from_index(0, text.len())
    left = text.is_not_null()
    days = None
    # Each way reads what those before it left; the last reads everything, slowly.
    for way in (_plain_days, _plain_moments, _moments):
        if not left.any():
            break
        places = left.arg_true()
        found = way(text.gather(places), written, zone)
        if found.null_count() == found.len():
            continue
        if found.dtype == pl.Date and places.len() == text.len() - text.null_count():
            days = pl.Series(text.name, [None], dtype=pl.Date).new_from_index(0, text.len())
            days = days.scatter(places, found)
            left = text.is_not_null() & days.is_null()
            if not zone and not left.any():
                return days
        if found.dtype == pl.Date:
            found = found.cast(pl.Datetime("us"))
            if zone:
                found = _local(found, zone)
        at = at.scatter(places, found)
        left = text.is_not_null() & at.is_null()
    if days is not None and not zone and days.null_count() == at.null_count():
        return days
    return at


def _local(clock: "pl.Series", zone: str) -> "pl.Series":
    """Return local times as instants; times in the hour that daylight saving skips are missing."""
    return clock.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")


def _plain_days(text: "pl.Series", written: str, zone: str) -> "pl.Series":
    """Return days with years of four digits and numeric months, fast."""
    import polars as pl

    if "%Y" not in written or "%d" not in written or "%b" in written:
        return pl.Series(text.name, [None], dtype=pl.Date).new_from_index(0, text.len())
    days = text.str.to_date(written, strict=False)
    # polars reads a year of two digits as one of the first century.
    return days.set((days.dt.year() < 1000).fill_null(False), None)


def _plain_moments(text: "pl.Series", written: str, zone: str) -> "pl.Series":
    """Return datetimes that are all written like the first one, fast."""
    import polars as pl

    first = re.match(date_pattern(written), text[0])
    none = pl.Series(text.name, [None], dtype=pl.Datetime("us", zone or None))
    if first is None or "%Y" not in written or "%d" not in written or "%b" in written:
        return none.new_from_index(0, text.len())
    clock, half, offset = first.groups()[-3:]
    if not clock or half or bool(offset) != bool(zone) or offset in ("UTC", "GMT", "z"):
        return none.new_from_index(0, text.len())
    separator = "T" if "T" in first[0] else " "
    form = "%H:%M" if clock.count(":") == 1 else "%H:%M:%S%.f"
    ending = ("Z" if offset == "Z" else "%z") if offset else ""
    at = text.str.to_datetime(
        f"{written}{separator}{form}{ending}",
        strict=False,
        time_unit="us",
        time_zone="UTC" if ending == "%z" else None,
    ).cast(pl.Datetime("us", "UTC" if ending == "%z" else None))
    if zone:
        at = at if ending == "%z" else at.dt.replace_time_zone("UTC")
        at = at.dt.convert_time_zone(zone)
    return at.set((at.dt.year() < 1000).fill_null(False), None)


def _moments(text: "pl.Series", written: str, zone: str) -> "pl.Series":
    """Return dates or datetimes in any way that `FORMATS` says."""
    import polars as pl

    fields = text.str.extract_groups(date_pattern(written)).struct
    names = re.findall(r"%.", written)
    day = _day({name: fields[place] for place, name in enumerate(names)})
    clock = fields[len(names)]
    if clock.null_count() == clock.len() and not zone:
        return day
    seconds = _seconds(clock, fields[len(names) + 1])
    at = day.cast(pl.Datetime("us")) + (seconds.fill_null(0) * 1e6).round().cast(pl.Duration("us"))
    at = at.set(seconds.is_null() & clock.is_not_null(), None)
    if not zone:
        return at
    offset, has_zone = _offset(fields[len(names) + 2])
    moments = (at - offset).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    return _local(at, zone).set(has_zone, None).fill_null(moments.set(~has_zone, None))


def _day(found: "dict[str, pl.Series]") -> "pl.Series":
    """Return days from the texts of their parts."""
    import polars as pl

    year = found["%Y"] if "%Y" in found else _four_digits(found["%y"])
    month = found.get("%m")
    if month is None:
        numbers = {name: f"{number:02d}" for number, name in enumerate(_MONTHS, 1)}
        month = found["%b"].str.head(3).str.to_lowercase().replace_strict(numbers, default=None)
    day = found["%d"] if "%d" in found else pl.Series(["1"]).new_from_index(0, year.len())
    return (year + "-" + month + "-" + day).str.to_date("%Y-%m-%d", strict=False)


def _four_digits(year: "pl.Series") -> "pl.Series":
    import polars as pl

    late = year.cast(pl.Int32, strict=False) >= PIVOT
    century = late.replace_strict({True: "19", False: "20"}, default=None, return_dtype=pl.String)
    return century + year


def _seconds(clock: "pl.Series", half: "pl.Series") -> "pl.Series":
    """Return the seconds since midnight of times such as 13:05:59.25, or 1:05 with AM or PM."""
    import polars as pl

    parts = clock.str.replace(",", ".", literal=True).str.split_exact(":", 2).struct
    hour, minute, second = (parts[place].cast(pl.Float64, strict=False) for place in range(3))
    second = second.fill_null(0)
    half = half.str.head(1).str.to_lowercase()
    twelve = (half.is_not_null()) & ((hour < 1) | (hour > 12))
    hour = hour.set((half.is_not_null() & (hour == 12)).fill_null(False), 0.0)
    hour = hour + 12.0 * (half == "p").fill_null(False).cast(pl.Float64)
    right = (hour < 24) & (minute < 60) & (second < 61) & ~twelve.fill_null(False)
    return (hour * 3600 + minute * 60 + second).set(~right.fill_null(False), None)


def _offset(zone: "pl.Series") -> "tuple[pl.Series, pl.Series]":
    """Return offsets from UTC as durations (0 if none is written), and where one is written."""
    import polars as pl

    digits = zone.str.replace(":", "", literal=True)
    hours = digits.str.slice(1, 2).cast(pl.Int64, strict=False).fill_null(0)
    minutes = digits.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0)
    sign = 1 - 2 * (digits.str.head(1) == "-").fill_null(False).cast(pl.Int64)
    return ((hours * 60 + minutes) * sign * 60_000_000).cast(pl.Duration("us")), zone.is_not_null()


def _times(text: "pl.Series") -> "pl.Series":
    import polars as pl

    fields = text.str.extract_groups(date_pattern(TIME)).struct
    seconds = _seconds(fields[0], fields[1])
    return (seconds * 1e9).round().cast(pl.Int64).cast(pl.Time).alias(text.name)


@dataclass(frozen=True)
class DateForm:
    """How the dates of a column are written."""

    format: str
    zone: str
    is_ambiguous: bool
    """Whether day and month could also be read in the other order."""


def date_form(sample: Sequence[str]) -> DateForm | None:
    """Return how texts write dates; None if they are not dates.

    Empty texts and words for a missing value are ignored.
    """
    import polars as pl

    texts = [
        text
        for text, n in Counter(sample).items()
        if missing_key(text) not in MISSING_WORDS and not re.match(_ZERO, text)
        for _ in range(n)
    ]
    if not texts:
        return None
    # A date has a digit, and few other texts have a length in this range.
    counts = Counter(texts)
    if sum(n for text, n in counts.items() if _may_be_date(text)) < 0.8 * len(texts):
        return None
    if any(re.match(_LIKE_C, text) for text in counts):
        texts = year_before_clock(pl.Series(texts)).to_list()
    ends = (texts[0], texts[-1])
    tried = [one for one in FORMATS if any(re.match(date_pattern(one), text) for text in ends)]
    if not tried:
        return None
    series = pl.Series(texts)
    right = {one: len(texts) - parsed(series, one).null_count() for one in tried}
    if not max(right.values()):
        return None
    best = max(right.values())
    fit = [written for written in right if right[written] == best]
    halves = any(re.search(r"\d\s*[AaPp]\.?[Mm]\.?", text) for text in texts)
    monthly = [written for written in fit if written.startswith(("%m/", "%m-", "%m."))]
    chosen = monthly[0] if halves and monthly else fit[0]
    if best < 0.95 * len(texts):
        return None
    zoned = series.str.extract(date_pattern(chosen), _groups(chosen)) if chosen != TIME else None
    zone = "UTC" if zoned is not None and zoned.count() else ""
    swapped = chosen.replace("%d", "%x").replace("%m", "%d").replace("%x", "%m")
    return DateForm(chosen, zone, swapped != chosen and swapped in fit)


def _groups(written: str) -> int:
    return len(re.findall(r"%.", written)) + 3


def _may_be_date(text: str) -> bool:
    return (6 <= len(text) <= 45 or re.fullmatch(_CLOCK, text) is not None) and any(
        c.isdigit() for c in text
    )
