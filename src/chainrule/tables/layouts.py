"""How a file of text is divided into a table: where its names stand, and what separates fields."""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

from chainrule.errors import InvalidTableError
from chainrule.tables.headers import Record, clean, has_value, header_of
from chainrule.tables.notes import Note
from chainrule.tables.text import SAMPLE, SEPARATORS, Text, stem_suffix

_BY_SUFFIX = {".tsv": "\t", ".tab": "\t"}
_MOST = 1 << 26
# The number of records from which the layout is recognised.
_RECORDS = 200
_UNNAMED = re.compile(r"^Unnamed: \d+$")
_SEP_LINE = re.compile(r'^"?sep=(.)"?\s*$', re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """How a file is divided; plain data."""

    kind: str
    """"csv", "json lines", "Parquet", "Arrow" or "Arrow stream"; the rest is of csv alone."""
    encoding: str = "utf-8"
    separator: str = ","
    raw: tuple[str, ...] = ()
    """The fields of the line of names as they are written; "" for each that the rows have more."""
    names: tuple[str, ...] = ()
    """The columns' names, clean, in place; "" for a column that is left out."""
    row_names: int = 0
    """How many columns in front hold row names; these are left out."""
    header_line: int = 1
    """The line of the file on which the names begin."""
    header_lines: int = 1
    """How many lines the names take."""
    as_written: bool = True
    """Whether the line of names has a field for each field of the rows."""
    comment: str = ""
    """What comment lines begin with, if there were some above the names."""
    line_ends: str = "\n"
    skip_spaces: bool = False
    """Whether a quotation mark may follow a separator and spaces."""
    notes: tuple[Note, ...] = field(default=(), compare=False)

    @property
    def kept(self) -> list[int]:
        """The places of the columns that are not left out."""
        return [place for place, name in enumerate(self.names) if name]

    @property
    def columns(self) -> list[str]:
        """The names of the columns that are not left out."""
        return [name for name in self.names if name]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it; the notes are told once and not kept."""
        entries = asdict(self)
        del entries["notes"]
        return {**entries, "raw": list(self.raw), "names": list(self.names)}

    @classmethod
    def from_json(cls, entries: Any) -> "Layout":
        """Read what `to_json` returned; raise ValueError if it is something else."""
        types = {one.name: type(one.default) for one in fields(cls) if one.name != "notes"}
        types |= {"kind": str, "raw": list, "names": list}
        if not isinstance(entries, dict) or set(entries) != set(types):
            raise ValueError("a layout has other entries")
        for name, expected in types.items():
            value = entries[name]
            texts = value if isinstance(value, list) else []
            if type(value) is not expected or any(type(text) is not str for text in texts):
                raise ValueError(f"a layout's {name} is of another type")
        return cls(**{**entries, "raw": tuple(entries["raw"]), "names": tuple(entries["names"])})


def csv_layout(text: Text, expected: Collection[str] = ()) -> Layout:
    """Return how a file of text is divided, as its first lines tell.

    Parameters
    ----------
    text : Text
    expected : names
        Of columns that a model needs: where they are known, they tell the line of names and the
        separator, instead of a guess.

    Raises
    ------
    InvalidTableError
        If a name is empty or comes twice, or nothing known separates the fields.
    """
    sample = _first_lines(text)
    start, encoding = _decoded(sample, text.encoding)
    skip_spaces = re.search(r'[,;|\t] +"', start) is not None
    separator, told = _told_separator(start)
    if told:
        found = _found(start, separator, skip_spaces, expected)
    else:
        suffix = _BY_SUFFIX.get(stem_suffix(text.path), ",")
        choices = [suffix, *(other for other in SEPARATORS if other != suffix)]
        found = max(
            (_found(start, choice, skip_spaces, expected) for choice in choices),
            key=lambda one: one.evenness,
        )
    return _checked(text._replace(encoding=encoding), start, found, told, skip_spaces, expected)


def _first_lines(text: Text) -> bytes:
    """Return whole lines, at least three where there are so many: some tables are very wide."""
    end = min(SAMPLE, len(text.data))
    if end == len(text.data):
        return bytes(text.data)
    sample = bytes(text.data[:end])
    if sample.count(b"\n") >= 3:
        return sample[: sample.rfind(b"\n") + 1]
    for _ in range(3):
        end = text.data.find(b"\n", end, _MOST) + 1 or min(_MOST, len(text.data))
    return bytes(text.data[:end])


def _decoded(sample: bytes, encoding: str) -> tuple[str, str]:
    """Return the first lines, and the encoding that they show: UTF-8, or a Western one."""
    try:
        return sample.decode("utf-8-sig"), encoding
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and len(sample) >= SAMPLE:  # cut there
            return sample.decode("utf-8-sig", "ignore"), encoding
    try:
        return sample.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        return sample.decode("latin-1"), "latin-1"


def _told_separator(start: str) -> tuple[str, bool]:
    first = next((line for line in start.splitlines() if line.strip()), "")
    told = _SEP_LINE.match(first)
    return (told[1], True) if told else (",", False)


_NOT_EVEN = (0.0, 0.0, False, False, 0, False)


class _Found(NamedTuple):
    separator: str
    records: list[Record]
    """Without blank ones."""
    header: int
    """Which of them has the names."""
    width: int
    """How many fields most others have."""
    comment: str
    evenness: tuple[float, float, bool, bool, int, bool]
    fault: str = ""


def _found(start: str, separator: str, skip_spaces: bool, expected: Collection[str]) -> _Found:
    """Return where a separator would have the names, and how even it would make the rows."""
    nothing = _Found(separator, [], 0, 0, "", _NOT_EVEN)
    try:
        records = [r for r in _records(start, separator, skip_spaces) if not r.blank]
    except csv.Error as error:
        return nothing._replace(fault=str(error))
    if records and _SEP_LINE.match(start.lstrip().splitlines()[0]):
        records = records[1:]
    if not records:
        return nothing
    header, comment = header_of(records, expected)
    rows = records[header + 1 :]
    own = len(records[header].fields)
    counts = Counter(len(record.fields) for record in rows)
    width = max(counts, key=lambda one: (counts[one], one == own, one), default=own)
    if own == 1 and not _row_names_beside(rows, width):
        width = 1  # no title above, and names for one column: text that has separators
    even = [record for record in records[header:] if len(record.fields) == own]
    known = len({clean(name) for name in records[header].fields} & set(expected))
    evenness = _NOT_EVEN
    # "name;grade" above "Smith, Ann;A" is not the title of a table separated by commas.
    whole = own == width and (header == 0 or bool(comment))
    # If every line has one of each, the commas are part of "1,5" or "Smith, Ann".
    by_comma = separator == ","
    if own > 1 or width > 1:
        share = max(len(even), counts[width]) / (len(rows) + 1)
        even_as = (float(known), round(share, 2), own > 1, whole)
        evenness = (*even_as, max(own, width) if rows else own, not by_comma)
    elif known:
        evenness = (float(known), 0.0, False, whole, 1, not by_comma)
    return _Found(separator, records, header, width, comment, evenness)


def _row_names_beside(rows: list[Record], width: int) -> bool:
    """Whether the rows below one name have a second field: row names, or nothing at the end."""
    even = all(len(record.fields) == 2 for record in rows) and width == 2
    return even and (
        all(has_value(record) for record in rows)
        or not any(record.fields[1].strip() for record in rows)
    )


def _records(start: str, separator: str, skip_spaces: bool) -> Iterator[Record]:
    ended = 0

    def lines() -> Iterator[str]:
        # Counted as lines are skipped: for Python a lone "\r" ends a line, but it may be in a name.
        nonlocal ended
        for line in io.StringIO(start, newline=""):
            ended += not line.endswith("\r")
            yield line

    reader = csv.reader(lines(), delimiter=separator, skipinitialspace=skip_spaces)
    before = 0
    for count, fields_ in enumerate(reader):
        if count > _RECORDS:
            return
        yield Record(before + 1, ended - before, fields_)
        before = ended


def _checked(
    text: Text,
    start: str,
    found: _Found,
    told: bool,
    skip_spaces: bool,
    expected: Collection[str],
) -> Layout:
    """Return the layout, if each column has one name."""
    if not found.records:
        if found.fault:
            raise InvalidTableError(f"{text.name}: cannot be read as CSV ({found.fault})")
        if told:
            raise InvalidTableError(f"{text.name}: has a line sep={found.separator}, but no names")
        found = found._replace(records=[Record(1, 1, [""])])
    header = found.records[found.header]
    raw = list(header.fields)
    rows = [record.fields for record in found.records[found.header + 1 :]]
    notes = list(_above(header, start, found.comment, told))
    raw, as_written, lead = _widened(text, raw, rows, found.width)
    names = [clean(name) for name in raw]
    lead = lead or _row_names(names, rows, expected)
    if lead:
        which = "the first column has" if lead == 1 else f"the first {lead} columns have"
        notes.append(
            Note(
                "",
                f"{which} no name: row names, as pandas and R write them, were left out",
                f"give {'it a name' if lead == 1 else 'them names'} to use them",
            )
        )
    for place in range(lead, len(names)):
        if not names[place] and not all(
            len(row) <= place or not row[place].strip() for row in rows
        ):
            raise InvalidTableError(
                f"{text.name}: column {place + 1} of {len(names)} has no name in the first line; "
                "name it or remove it"
            )
    if not any(names[lead:]):
        raise InvalidTableError(
            f"{text.name}: column 1 of {len(names)} has no name in the first line; "
            "name it or remove it"
        )
    names[:lead] = [""] * lead
    _check_unique(text, names)
    _check_separated(text, names, rows)
    return Layout(
        "csv",
        text.encoding,
        found.separator,
        tuple(raw),
        tuple(names),
        lead,
        header.line,
        header.lines,
        as_written,
        found.comment,
        text.line_ends,
        skip_spaces,
        tuple(notes),
    )


def _above(header: Record, start: str, comment: str, told: bool) -> Iterator[Note]:
    above = start.split("\n")[: header.line - 1]
    filled = [number for number, line in enumerate(above, start=1) if line.strip(" \t,;|")]
    if not filled or (told and filled == [1]):
        return
    first, last = filled[0], filled[-1]
    lines = f"line {first} was" if first == last else f"lines {first} to {last} were"
    what = "comments" if comment else "no names of columns"
    yield Note(
        "",
        f"{lines} skipped ({what}: {above[first - 1].strip()[:40]!r}); the names are taken from "
        f"line {header.line}",
        "remove the lines above the names if that is wrong",
    )


def _widened(
    text: Text, raw: list[str], rows: list[list[str]], width: int
) -> tuple[list[str], bool, int]:
    """Return the names with "" where all rows have a field more, and how many of these lead."""
    more = width - len(raw)
    if more <= 0 or not rows or any(len(row) < len(raw) for row in rows):
        return raw, True, 0
    full = [row for row in rows if len(row) == width]
    if len(full) < 0.6 * len(rows):
        return raw, True, 0
    if all(not value.strip() for row in full for value in row[len(raw) :]):
        return [*raw, *[""] * more], False, 0
    first = [row[0].strip() for row in full]
    if more == 1 and all(map(clean, raw)) and _like_row_names(first):
        return ["", *raw], False, 1
    return raw, True, 0


def _like_row_names(values: list[str]) -> bool:
    return len(set(values)) == len(values) and all(values)


def _row_names(names: list[str], rows: list[list[str]], expected: Collection[str]) -> int:
    """Return how many columns without a name of their own come first.

    pandas calls one "Unnamed: 0" when it reads, and writes again, what it wrote.
    """
    named = [
        name != "" and (not _UNNAMED.match(name) or name in expected or place > 3)
        for place, name in enumerate(names)
    ]
    lead = named.index(True) if True in named else 0
    filled = [any(len(row) > place and row[place].strip() for row in rows) for place in range(lead)]
    return lead if any(filled) else 0


def _check_unique(text: Text, names: list[str]) -> None:
    place_of: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        first = place_of.setdefault(name, number) if name else number
        if first != number:
            raise InvalidTableError(
                f"{text.name}: two columns are named {name!r} (columns {first} and {number}); "
                "rename or remove one"
            )


def _check_separated(text: Text, names: list[str], rows: list[list[str]]) -> None:
    if len(names) != 1:
        return
    below = ",".join(rows[0]) if rows else ""
    for other, kind in {":": "colons", " ": "spaces", "~": "tildes", "^": "carets"}.items():
        if names[0].count(other) >= 1 and below.strip().count(other) == names[0].count(other):
            raise InvalidTableError(
                f"{text.name}: its first line is a single name, {names[0][:60]!r}, which looks "
                f"separated by {kind}; expected one of {', '.join(SEPARATORS.values())}"
            )
