"""How the values of a column are written; a new notation is a file and a line in `NOTATIONS`."""

from collections.abc import Mapping
from typing import Any

from chainrule.tables.kind_entries import kind_of
from chainrule.tables.notations.base import Notation
from chainrule.tables.notations.dates import Dates
from chainrule.tables.notations.durations import Durations
from chainrule.tables.notations.numbers import Numbers
from chainrule.tables.notations.text import Text
from chainrule.tables.notations.truth import Truth

NOTATIONS: Mapping[str, type[Notation]] = {
    notation.kind: notation for notation in (Numbers, Truth, Dates, Durations, Text)
}

__all__ = ["NOTATIONS", "Dates", "Durations", "Notation", "Numbers", "Text", "Truth"]


def notation_from_json(entry: Any) -> Notation:
    """Build the notation that `Notation.to_json` described.

    Raises
    ------
    ValueError
        If it does not describe one.
    """
    return kind_of(entry, NOTATIONS, "notation").from_json(entry)
