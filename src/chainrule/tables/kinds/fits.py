"""What fitting a column comes to where it is not used, and the settings that decide it."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from chainrule.tables.notes import Note

if TYPE_CHECKING:
    import polars as pl

Scaling: TypeAlias = Literal["standard", "robust", "none"]

LEAST_ROWS_OF_IDS = 20
"""Of fewer rows, values that are all different may still be measurements or categories."""


class Options(NamedTuple):
    """The settings of `TableEncoder`."""

    scaling: Scaling
    max_categories: int
    min_frequency: int | None
    embed_above: int | None
    categorical: Collection[str]


class FreeText(NamedTuple):
    """A column of sentences, which no kind can take."""

    name: str
    values: int
    """How many different ones there are."""


def all_missing(column: "pl.Series") -> Note:
    """Return the note on a column without a value."""
    return Note(
        column.name,
        "has no value in any row",
        "it is left out; fill it in, or take it out of the table",
    )


def constant(column: "pl.Series") -> Note:
    """Return the note on a column of which all values are the same."""
    value = str(column.drop_nulls()[0])
    shown = value if len(value) <= 40 else f"{value[:39]}…"
    return Note(
        column.name,
        f"is {shown} in all {column.len():,} rows",
        "it is left out; nothing can be learned from it",
    )
