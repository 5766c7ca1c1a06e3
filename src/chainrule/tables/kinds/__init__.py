"""The kinds of column that a network can be given; a new one is a file and a line in `KINDS`."""

from collections.abc import Mapping
from typing import Any

from chainrule.tables.kind_entries import kind_of
from chainrule.tables.kinds.base import Column
from chainrule.tables.kinds.boolean import BooleanColumn
from chainrule.tables.kinds.category import CategoryColumn
from chainrule.tables.kinds.date import DateColumn
from chainrule.tables.kinds.numeric import NumericColumn

KINDS: Mapping[str, type[Column]] = {
    kind.kind: kind for kind in (NumericColumn, BooleanColumn, CategoryColumn, DateColumn)
}

__all__ = ["KINDS", "BooleanColumn", "CategoryColumn", "Column", "DateColumn", "NumericColumn"]


def column_from_json(entry: Any) -> Column:
    """Build the column that `Column.to_json` described.

    Raises
    ------
    ValueError
        If it does not describe one.
    """
    return kind_of(entry, KINDS, "kind of column").from_json(entry)
