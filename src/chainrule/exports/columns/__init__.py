"""The kinds of column in other languages, each in a module named after the kind."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from chainrule.exports.columns.base import CCode, CField, ExportedKind
from chainrule.tables.kinds import KINDS

EXPORTED_KINDS: Mapping[str, ExportedKind[Any]] = {
    name: import_module(f"{__name__}.{name}").EXPORTED for name in KINDS
}

__all__ = ["EXPORTED_KINDS", "CCode", "CField", "ExportedKind"]
