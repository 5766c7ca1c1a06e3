"""Which of a file's first lines names the columns: titles and comments may stand above it."""

import re
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

_COMMENTS = ("#", "//", "%")
# Numbers, dates and times, roughly: values that are unlikely to be the name of a column.
_NUMBER = re.compile(
    r"^[-+\u2212($€£]{0,2}[.,]?\d[\d.,' /:TZ-]*(e[-+]?\d+)?[%)€$]?$", re.IGNORECASE
)
_MISSING = frozenset({"NA", "N/A", "n/a", "#N/A", "NULL", "null", "None", "NaN", "nan", "?"})
_YEAR = re.compile(r"^(19|20)\d\d$")
# Invisible characters, such as the byte order mark of a file that was appended to another.
INVISIBLE = "\ufeff\u200b"


class Record(NamedTuple):
    """A record: the line on which it begins, how many lines it takes, and its fields."""

    line: int
    lines: int
    fields: list[str]

    @property
    def blank(self) -> bool:
        """Whether the line is blank."""
        return len(self.fields) < 2 and not "".join(self.fields).strip()


def clean(name: str) -> str:
    """Return a name without surrounding spaces and invisible characters."""
    return name.strip(INVISIBLE + " \t\r\n\f\v\xa0").strip()


def header_of(records: list[Record], expected: Collection[str]) -> tuple[int, str]:
    """Return the index of the record with the names, and the prefix of comments above it."""
    if expected:
        known = [len({clean(f) for f in one.fields} & set(expected)) for one in records[:50]]
        best = max(known)
        if best and (best > 1 or best == len(expected)):
            place = known.index(best)
            comment = next((c for one in records[:place] for c in _COMMENTS if _is(one, c)), "")
            return place, comment
    comment = next((c for c in _COMMENTS if _is(records[0], c)), "")
    if all(_is(record, comment) for record in records):
        comment = ""
    place = 0
    while comment and _is(records[place], comment):
        place += 1
    widths = Counter(len(record.fields) for record in records[place:])
    usual = max(widths, key=lambda width: (widths[width], width))
    if place:
        above = records[place - 1]
        # "#id,x,y" holds names of columns; "# by a tool, on Friday, again" does not.
        as_name = place == 1 and above.fields[0].strip()[1:2].strip() not in ("", "#")
        if len(above.fields) == usual and (as_name or has_value(records[place])):
            return place - 1, comment if place > 1 else ""
    if usual < 2 or widths[usual] < 2 or widths[usual] < 0.6 * widths.total():
        return place, comment
    begin = place
    while place < len(records) - 1 and _is_title(records, place, usual):
        place += 1
    names = records[place]
    told = _all_names(names) and _filled(names) >= usual - 1
    if place - begin > 20 or not (told or _one_short(records, place, usual)):
        place = begin  # unsure; the first row that does not fit is named
    return place, comment


def _is_title(records: list[Record], place: int, usual: int) -> bool:
    """Whether a line stands above the names: it has fewer fields, or fewer that are filled.

    R's names, too, are one fewer than its rows have fields; the line below then has numbers.
    """
    record = records[place]
    if len(record.fields) < usual:
        return not _one_short(records, place, usual)
    below = records[place + 1 : place + 20]
    return _filled(record) <= 1 and any(_filled(r) == usual and _all_names(r) for r in below)


def _one_short(records: list[Record], place: int, usual: int) -> bool:
    """Whether a line has names for all fields of the rows but one: row names, or an empty one."""
    below = records[place + 1 : place + 7]
    return (
        bool(below)
        and len(records[place].fields) == usual - 1
        and len(below[0].fields) == usual
        and all(map(clean, records[place].fields))
        and (
            has_value(below[0])
            or not below[0].fields[-1].strip()
            # If every field is text, the line below need not be the names.
            or (usual > 2 and not any(map(has_value, below)))
        )
    )


def _is(record: Record, comment: str) -> bool:
    return record.fields[0].lstrip(INVISIBLE + " ").startswith(comment)


def _filled(record: Record) -> int:
    return sum(bool(value.strip()) for value in record.fields)


def has_value(record: Record) -> bool:
    """Whether a field cannot be a name: a number, a date, a word for a missing value."""
    fields_ = [value.strip() for value in record.fields]
    return any(_NUMBER.match(value) or value in _MISSING for value in fields_)


def _all_names(record: Record) -> bool:
    """Whether all fields could be names; years count beside others: country,2019,2020."""
    fields_ = [value.strip() for value in record.fields]
    numbers = [value for value in fields_ if _NUMBER.match(value)]
    years = len(numbers) < len(fields_) and all(map(_YEAR.match, numbers))
    if _MISSING & set(fields_):
        return False
    return (not numbers or years) and len(set(fields_)) == len(fields_)
