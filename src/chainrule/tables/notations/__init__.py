"""How the values of a column are written; a new notation is a file and a line in `NOTATIONS`."""

from collections.abc import Mapping
from typing import Any

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
    kind = entry.get("kind") if isinstance(entry, Mapping) else None
    if not isinstance(kind, str) or kind not in NOTATIONS:
        raise ValueError(f"unknown notation {str(kind)[:40]!r}")
    return NOTATIONS[kind].from_json(entry)
