"""Tables: reading them, turning their columns into numbers and back, dividing their rows."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.tables.batches import scan_batches
    from chainrule.tables.encoder import TableEncoder
    from chainrule.tables.leakage import suspicious_columns
    from chainrule.tables.reader import as_table, read_table
    from chainrule.tables.splits import split_rows
    from chainrule.tables.target import TargetEncoder

_HOMES = {
    "TableEncoder": "encoder",
    "TargetEncoder": "target",
    "as_table": "reader",
    "read_table": "reader",
    "scan_batches": "batches",
    "split_rows": "splits",
    "suspicious_columns": "leakage",
}

__all__ = [
    "TableEncoder",
    "TargetEncoder",
    "as_table",
    "read_table",
    "scan_batches",
    "split_rows",
    "suspicious_columns",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'chainrule.tables' has no attribute {name!r}")
    return getattr(importlib.import_module(f"chainrule.tables.{_HOMES[name]}"), name)
