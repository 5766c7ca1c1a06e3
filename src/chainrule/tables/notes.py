"""Remarks about a column: why it was left out, or what was done with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chainrule.printable import printable


@dataclass(frozen=True)
class Note:
    """A remark about a column that does not stop anything.

    Parameters
    ----------
    column : str
        Its name; "" for a remark about the whole table.
    reason : str
        What was found.
    advice : str
        What to do if that is not intended.
    """

    column: str
    reason: str
    advice: str

    @property
    def subject(self) -> str:
        """What the reason is said of, with a space behind it; "" for the whole table."""
        return f"column {self.column!r} " if self.column else ""

    def __str__(self) -> str:
        return printable(f"{self.subject}{self.reason}; {self.advice}")


def notes_from_json(entries: Any) -> tuple[Note, ...]:
    """Read notes, [[column, reason, advice], …]; raise ValueError if they are something else."""
    if not isinstance(entries, list):
        raise ValueError("notes are not a list")
    for entry in entries:
        if not isinstance(entry, list) or [type(part) for part in entry] != [str] * 3:
            raise ValueError("a note is not three texts")
    return tuple(Note(*entry) for entry in entries)


def notes_to_json(notes: Iterable[Note]) -> list[list[str]]:
    """Return notes as JSON has them."""
    return [[note.column, note.reason, note.advice] for note in notes]
