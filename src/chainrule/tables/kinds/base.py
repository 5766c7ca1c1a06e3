"""The base of all kinds of column: plain data that describes how a column is encoded."""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.kinds.fits import FreeText, Options
from chainrule.tables.notations import Notation, Text, notation_from_json
from chainrule.tables.notes import Note

if TYPE_CHECKING:
    import polars as pl

Inputs = NDArray[np.float32]

_LARGEST_INPUT = float(np.finfo(np.float32).max)

MISSING = "(missing)"
"""How the input that flags missing values is named, after the column and "="."""


class Embedding(NamedTuple):
    """What a layer of embeddings needs to know of a column of codes."""

    codes: int
    """Codes are whole numbers from 0 to ``codes − 1``."""
    dimension: int
    """How many numbers to give each code; a suggestion."""


@dataclass(frozen=True)
class Column(ABC):
    """A column of a table, encoded as ``width`` adjacent inputs of the network.

    Everything that the encoding depends on is a field: text, a number, true or false, or a tuple of
    text. Another program can therefore rebuild the encoding from the fields.
    """

    name: str
    notation: Notation = field(default=Text(), kw_only=True)
    """How the values are written if the column is text."""

    kind: ClassVar[str]
    """The name of the kind in files."""
    numbers: ClassVar[tuple[str, ...]] = ()
    """Fields that are numbers: a file keeps them in an array, and not in its header."""

    is_categorical: ClassVar[bool] = False
    """Whether its values only name something, whatever type they have."""
    sparse: ClassVar[bool] = False
    """Whether most of a row's inputs are 0, as in one-hot encoding."""

    @property
    @abstractmethod
    def width(self) -> int:
        """How many inputs it has."""

    @property
    def embedding(self) -> Embedding | None:
        """How many codes there are and what dimension suits them; None if no input is a code."""
        return None

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that its values are compared with; an export writes them down."""
        return ()

    @abstractmethod
    def feature_names(self) -> tuple[str, ...]:
        """Return the names of its inputs, in order."""

    @classmethod
    @abstractmethod
    def holds(cls, dtype: "pl.DataType") -> bool:
        """Whether a column of this type is of this kind; the first of `KINDS` that says so is."""

    @classmethod
    @abstractmethod
    def fit(cls, column: "pl.Series", options: Options) -> "Self | Note | FreeText":
        """Take what the kind needs from the training rows.

        Returns
        -------
        Column, Note or FreeText
            A note where the column is of no use, with the reason.

        Raises
        ------
        InvalidTableError
            If a value cannot be used.
        """

    def encode(self, column: "pl.Series", out: Inputs) -> None:
        """Write the inputs of a column's rows into `out`, (rows, width).

        Raises
        ------
        InvalidTableError
            If a value does not fit this kind; the message names its row, counted from 1.
        """
        out[:] = 0
        self.write(self.prepare(column), out)

    def prepare(self, column: "pl.Series") -> "pl.Series":
        """Return the values in the form that `write` takes; work done once for all rows."""
        return self.notation.read_all(column)[0]

    @abstractmethod
    def write(self, values: "pl.Series", out: Inputs) -> None:
        """Write the inputs of some rows into `out`, which holds zeros."""

    def fault(self) -> str:
        """Return what is wrong with fields that were read from a file, or ""."""
        return ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields and the kind as JSON has them."""
        fields = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        return {"kind": self.kind, **fields, "notation": self.notation.to_json()}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """Build the column that `to_json` described.

        Raises
        ------
        ValueError
            If fields are missing, unknown, of another type, or contradict each other.
        """
        values = {name: value for name, value in entry.items() if name != "kind"}
        if "notation" not in values:
            values = cls.from_second_format(values)
        expected = {one.name for one in dataclasses.fields(cls)}
        if set(values) != expected:
            raise ValueError(f"expected the fields {sorted(expected)}; got {sorted(values)}")
        for one in dataclasses.fields(cls):
            values[one.name] = _checked(one, values[one.name])
        column = cls(**values)
        fault = column.fault()
        if fault:
            raise ValueError(fault)
        return column

    @classmethod
    def from_second_format(cls, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a file of format version 2, which has no notations, in today's form.

        Each kind was read in a single way then, which is its default notation.
        """
        usual = next(one for one in dataclasses.fields(cls) if one.name == "notation").default
        assert isinstance(usual, Notation)
        return {**fields, "notation": usual.to_json()}


class FlaggedColumn(Column):
    """A column with one input, and a second one if missing values are flagged."""

    flag: bool

    @property
    def width(self) -> int:
        """How many inputs it has."""
        return 1 + self.flag

    def feature_names(self) -> tuple[str, ...]:
        """Return the names of its inputs: the column's own name, and that of the flag."""
        return (self.name, f"{self.name}={MISSING}") if self.flag else (self.name,)


def is_input(value: float, center: float, scale: float) -> bool:
    """Whether (value − center)/scale, for a scale above 0, is finite in float32."""
    with np.errstate(over="ignore"):
        encoded = (np.float64(value) - center) / np.float64(scale)
    return bool(abs(encoded) <= _LARGEST_INPUT)


def _checked(one: "dataclasses.Field[Any]", value: Any) -> Any:
    """Return a field's value if it is of the type that the field declares."""
    if one.name == "notation":
        return notation_from_json(value)
    if one.type is float:
        if type(value) in (int, float) and math.isfinite(value):
            return float(value)
    elif one.type == tuple[str, ...]:
        if isinstance(value, list | tuple) and all(type(part) is str for part in value):
            return tuple(value)
    elif type(value) is one.type:
        return value
    raise ValueError(f"{one.name} is {str(value)[:60]!r}")
