"""Entries of a file that name their kind: a column's, a notation's."""

from collections.abc import Mapping
from typing import Any, TypeVar

_Kind = TypeVar("_Kind")


def kind_of(entry: Any, kinds: Mapping[str, _Kind], what: str) -> _Kind:
    """Return the kind that an entry names; `what` is what it is called in the error.

    Raises
    ------
    ValueError
        If it names none of them.
    """
    kind = entry.get("kind") if isinstance(entry, Mapping) else None
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"unknown {what} {str(kind)[:40]!r}")
    return kinds[kind]
