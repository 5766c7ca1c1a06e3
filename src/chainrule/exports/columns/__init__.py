"""The kinds of column in other languages; a new one is a file and a line in `EXPORTED_KINDS`."""

from collections.abc import Mapping
from typing import Any

from chainrule.exports.columns.base import CCode, CField, ExportedKind
from chainrule.exports.columns.boolean import ExportedBoolean
from chainrule.exports.columns.category import ExportedCategory
from chainrule.exports.columns.date import ExportedDate
from chainrule.exports.columns.numeric import ExportedNumeric

EXPORTED_KINDS: Mapping[str, ExportedKind[Any]] = {
    "numeric": ExportedNumeric(),
    "boolean": ExportedBoolean(),
    "category": ExportedCategory(),
    "date": ExportedDate(),
}

__all__ = ["EXPORTED_KINDS", "CCode", "CField", "ExportedKind"]
