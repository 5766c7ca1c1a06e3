"""What every kind of column is: plain data that says how a column becomes a network's inputs."""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidTableError

if TYPE_CHECKING:
    import polars as pl

Inputs = NDArray[np.float32]

MISSING = "(missing)"
"""How the input that flags missing values is named, after the column and "="."""


@dataclass(frozen=True)
class Column(ABC):
    """One column of a table and its inputs of the network, ``width`` of them side by side.

    All that a kind needs stands in its fields: text, numbers, true or false, and tuples of text.
    A kind computes with nothing else, so that another program can rebuild the encoding from them.
    """

    name: str

    kind: ClassVar[str]
    """The name of the kind in files."""
    numbers: ClassVar[tuple[str, ...]] = ()
    """Fields that are numbers: a file keeps them in an array, and not in its header."""

    @property
    @abstractmethod
    def width(self) -> int:
        """How many inputs it has."""

    @abstractmethod
    def feature_names(self) -> tuple[str, ...]:
        """Return the names of its inputs, in order."""

    def encode(self, column: "pl.Series", out: Inputs) -> None:
        """Write the inputs of a column's rows into `out`, (rows, width).

        Raises
        ------
        InvalidTableError
            If a value cannot be what this kind holds; the message names the row, counted from 1.
        """
        out[:] = 0
        self.write(self.prepare(column), out)

    def prepare(self, column: "pl.Series") -> "pl.Series":
        """Return what `write` takes, made of all rows at once where that is faster."""
        return column

    @abstractmethod
    def write(self, values: "pl.Series", out: Inputs) -> None:
        """Write the inputs of some rows, as `encode` does, into an `out` that holds zeros."""

    @abstractmethod
    def read_as(self) -> "pl.DataType | type[pl.DataType]":
        """Return the type that the column should be read from a file of text as."""

    def fault(self) -> str:
        """Return what is wrong with fields that were read from a file, or ""."""
        return ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields and the kind as JSON has them."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {"kind": self.kind, **fields}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """Build the column that `to_json` described.

        Raises
        ------
        ValueError
            If fields are missing, unknown, of another type, or contradict each other.
        """
        values = {name: value for name, value in entry.items() if name != "kind"}
        expected = {field.name for field in dataclasses.fields(cls)}
        if set(values) != expected:
            raise ValueError(f"expected the fields {sorted(expected)}; got {sorted(values)}")
        for field in dataclasses.fields(cls):
            values[field.name] = _checked(field, values[field.name])
        column = cls(**values)
        fault = column.fault()
        if fault:
            raise ValueError(fault)
        return column


class FlaggedColumn(Column):
    """A column that is one input, and a second one where missing values have a flag."""

    flag: bool

    @property
    def width(self) -> int:
        """How many inputs it has."""
        return 1 + self.flag

    def feature_names(self) -> tuple[str, ...]:
        """Return the names of its inputs: the column's own, and that of the flag."""
        return (self.name, f"{self.name}={MISSING}") if self.flag else (self.name,)


def _checked(field: "dataclasses.Field[Any]", value: Any) -> Any:
    """Return a field's value if it is of the type that the field declares."""
    if field.type is float:
        if type(value) in (int, float) and math.isfinite(value):
            return float(value)
    elif field.type == tuple[str, ...]:
        if isinstance(value, list | tuple) and all(type(part) is str for part in value):
            return tuple(value)
    elif type(value) is field.type:
        return value
    raise ValueError(f"{field.name} is {str(value)[:60]!r}")


def first_row(wrong: "pl.Series") -> int:
    """Return the number, from 1, of the first row where `wrong` is true."""
    row = wrong.arg_max()
    assert row is not None
    return row + 1


def refuse_values(column: "pl.Series", wrong: "pl.Series", expected: str) -> None:
    """Raise `InvalidTableError` if any value is wrong, naming the first."""
    if wrong.any():
        row = first_row(wrong)
        more = int(wrong.sum()) - 1
        others = f" and {more:,} more" if more else ""
        value = str(column[row - 1])
        shown = value if len(value) <= 40 else f"{value[:39]}…"
        raise InvalidTableError(
            f"column {column.name!r} holds {shown!r} in row {row}{others}, where {expected}"
        )
