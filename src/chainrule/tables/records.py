"""The records of a CSV file, one by one, as Python's csv module and Excel read them.

Slow but exact: for irregular files, to name the bad line or to skip it.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from chainrule.errors import InvalidTableError
from chainrule.tables.headers import INVISIBLE, clean
from chainrule.tables.layouts import Layout
from chainrule.tables.notes import Note
from chainrule.tables.text import Text


class Row(NamedTuple):
    """A row of a CSV file."""

    fields: list[str]
    number: int
    """Its number among the data rows of the file, from 1; bad rows count."""
    line: int
    """The line of the file on which it begins."""


_FOOTER = re.compile(r"^\(\d+ rows?( affected)?\)$")


@dataclass
class Tally:
    """Irregularities of a file, by line number."""

    skip: bool = False
    """Whether bad rows are skipped; else the first one is an error."""
    bad: list[str] = field(default_factory=list)
    longer: list[int] = field(default_factory=list)
    names: list[int] = field(default_factory=list)
    comments: list[int] = field(default_factory=list)
    empty_rows: int = 0
    swallowed: list[int] = field(default_factory=list)
    """Lines of quoted fields that contain line ends and separators."""
    others: list[Note] = field(default_factory=list)
    nuls: list[int] = field(default_factory=list)
    """The line of the first NUL byte and the number of them, for each piece."""
    western: tuple[int, str] | None = None
    rows: int = 0
    """How many data rows were read or skipped so far."""

    def add(self, text: Text) -> None:
        """Count the irregularities of a text's bytes."""
        if text.nuls[1]:
            self.nuls += text.nuls
        self.western = self.western or text.western

    def notes(self) -> tuple[Note, ...]:
        """Return a note for each kind of irregularity."""
        notes = list(dict.fromkeys(self.others))
        if self.nuls:
            total = sum(self.nuls[1::2])
            what = "a NUL byte" if total == 1 else f"NUL bytes ({total:,} in all)"
            notes.append(
                Note(
                    "",
                    f"line {self.nuls[0]} has {what}, passed over",
                    "check the program that wrote them: letters may be lost",
                )
            )
        if self.western:
            line, name = self.western
            notes.append(
                Note(
                    "",
                    f"line {line} is not UTF-8 text, so the file was read as {name}",
                    "save it as UTF-8 if letters look wrong",
                )
            )
        if self.bad:
            notes.append(skipped_note(self.bad))
        for places, what, advice in (
            (
                self.names,
                "of repeated names, as in concatenated files; left out",
                "rename the columns if these lines are rows",
            ),
            (self.comments, "of comments, left out", "check them if they should be rows"),
            (
                self.longer,
                "longer than the line of names by empty fields; these were left out",
                "remove the extra separators",
            ),
        ):
            if places:
                count = "1 line is" if len(places) == 1 else f"{len(places):,} lines are"
                found = f"{count} {what} (line {places[0]} is the first)"
                notes.append(Note("", found, advice))
        if self.empty_rows:
            which = "1 row" if self.empty_rows == 1 else f"{self.empty_rows:,} rows"
            notes.append(
                Note(
                    "",
                    f"{which} of empty fields at the end left out",
                    "spreadsheets write them; remove them there",
                )
            )
        if self.swallowed:
            one = len(self.swallowed) == 1
            fields_ = (
                "a quoted field holds" if one else f"{len(self.swallowed):,} quoted fields hold"
            )
            notes.append(
                Note(
                    "",
                    f"{fields_} line ends and separators (the first begins on line "
                    f"{self.swallowed[0]})",
                    "if rows are missing, a quotation mark was left open there",
                )
            )
        return tuple(notes)


def skipped_note(bad: list[str]) -> Note:
    """Return the note that counts the bad rows that were skipped."""
    return Note(
        "",
        f"{len(bad):,} bad row{'s were' if len(bad) > 1 else ' was'} skipped (the first: {bad[0]})",
        "check them if there are many",
    )


def good_records(
    name: str, lines: Iterator[str], layout: Layout, tally: Tally, before: int
) -> Iterator[Row]:
    """Yield the records that have a field for each column.

    Parameters
    ----------
    name : str
        What messages call the file.
    lines : iterator of str
        With their ends, from the first after the line of names on.
    layout : Layout
    tally : Tally
        Counts the others, unless the first of them is an error.
    before : int
        How many lines of the file are above these.

    Raises
    ------
    InvalidTableError
        If there is a bad row, and bad rows are not left out.
    UnicodeDecodeError
        If the lines turn out not to be UTF-8.
    """
    width = len(layout.names)
    spare = width - 1 - max(layout.kept, default=0)
    header = [clean(field_) for field_ in layout.raw]
    source = _Lines(lines, before)
    reader = source.reader(layout)
    empty: list[Row] = []
    while True:
        fault = ""
        try:
            record = next(reader)
        except StopIteration:
            tally.empty_rows += len(empty)
            return
        except csv.Error as error:
            record, fault = [], f"line {source.first} cannot be read as CSV ({error})"
        taken, first = source.taken()
        if not fault:
            blank = len(record) < 2 and not "".join(record).strip(INVISIBLE + " \t\r\n")
            # In a table of one column, a quoted empty field is a row.
            if blank and (width > 1 or not record or not taken[0].strip()):
                continue
            if record[0].startswith("\ufeff"):
                record[0] = record[0].lstrip("\ufeff")
            swallows = len(taken) > 1 and any(
                "\n" in value and layout.separator in value for value in record
            )
            if [clean(value) for value in record] == header and "".join(header):
                tally.names.append(first)
                yield from empty
                empty = []
                continue
            if len(record) > width and not any(map(str.strip, record[width:])):
                tally.longer.append(first)
                del record[width:]
            elif width - spare <= len(record) < width:
                record += [""] * (width - len(record))
            if len(taken) > 1 and (open_mark := _open_mark(taken, layout)):
                fault = f"line {first} opens a quotation mark that is {open_mark}"
            elif len(record) == width:
                if swallows:
                    tally.swallowed.append(first)
                if width > 1 and not any(map(str.strip, record)) and '"' not in taken[0]:
                    tally.rows += 1
                    empty.append(Row([""] * width, tally.rows, first))
                    continue
                yield from empty
                empty = []
                tally.rows += 1
                yield Row(record, tally.rows, first)
                continue
            elif _is_comment(taken[0], len(record), layout):
                tally.comments.append(first)
                yield from empty
                empty = []
                source.back(taken[1:])
                reader = source.reader(layout)
                continue
            fault = fault or _fault(first, taken, len(record), layout)
        if not tally.skip:
            raise InvalidTableError(f"{name}: {fault}")
        tally.bad.append(fault)
        # Empty rows above are not the last of the file, of which this may be a piece.
        yield from empty
        empty = []
        tally.rows += 1
        if len(taken) > 1:  # an unclosed quotation mark must not swallow the rows below
            source.back(taken[1:])
            reader = source.reader(layout)


def _open_mark(lines: list[str], layout: Layout) -> str:
    """Return how an unclosed or misplaced quotation mark ends; "" if it ends its field."""
    reader = csv.reader(
        lines, delimiter=layout.separator, skipinitialspace=layout.skip_spaces, strict=True
    )
    try:
        next(reader)
    except csv.Error as error:
        never = "unexpected end" in str(error)
        how = "never closed" if never else f"closed inside a field, {len(lines) - 1:,} lines below"
        return f"{how}; close it on its line, or double it"
    return ""


def _fault(first: int, taken: list[str], fields: int, layout: Layout) -> str:
    lines = len(taken)
    columns = len(layout.names) - (0 if layout.as_written else 1)
    where = f"line {first}" if lines == 1 else f"line {first} (and the {lines - 1:,} after it)"
    which = "first line" if layout.header_line == 1 else f"line of names, {layout.header_line},"
    reason = "is a quotation mark left open, or a separator too many or missing?"
    if (
        first == layout.header_line + layout.header_lines
        and fields > columns
        and '"' not in taken[0]
    ):
        reason = (
            f"is line {layout.header_line} a title or a comment above the names, or is a separator "
            "too many?"
        )
    many = f"{fields} field{'' if fields == 1 else 's'}"
    return f"{where} has {many} where the {which} names {columns} columns; {reason}"


def _is_comment(line: str, fields: int, layout: Layout) -> bool:
    start = line.lstrip(INVISIBLE + " ")
    mark = layout.comment or "#"
    if start.startswith(mark):
        return bool(layout.comment) or fields == 1 or start[1:2] in " #-="
    return fields == 1 and _FOOTER.match(line.strip()) is not None


class _Lines:
    """Lines that can be pushed back."""

    def __init__(self, lines: Iterator[str], before: int) -> None:
        self._lines = lines
        self._again: list[str] = []
        self._taken: list[str] = []
        self.first = before + 1

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._lines)
        self._taken.append(line)
        return line

    def reader(self, layout: Layout) -> Iterator[list[str]]:
        return csv.reader(self, delimiter=layout.separator, skipinitialspace=layout.skip_spaces)

    def taken(self) -> tuple[list[str], int]:
        """Return the lines of the record that was read last, and the first one's number."""
        taken, first = self._taken, self.first
        self._taken = []
        self.first += len(taken)
        return taken, first

    def back(self, lines: list[str]) -> None:
        """Push lines back, to be read again."""
        self._again.extend(reversed(lines))
        self.first -= len(lines)


def lines_of(text: Text) -> Iterator[str]:
    """Yield the lines of a text, with their ends."""
    raw = text.file.open() if text.on_disk else io.BytesIO(text.data)
    with raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as lines:
        yield from lines


def written(records: Iterable[list[str]], layout: Layout) -> bytes:
    """Return records as plain CSV with a line of names."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=layout.separator, lineterminator="\n")
    writer.writerow(plain_names(layout))
    writer.writerows(records)
    return text.getvalue().encode()


def plain_names(layout: Layout) -> list[str]:
    """Return a name for each field, with placeholders for those that are left out."""
    names = list(layout.names)
    taken = set(names)
    for place, name in enumerate(names):
        if not name:
            free = f"left out {place}"
            while free in taken:
                free += "_"
            names[place] = free
    return names
