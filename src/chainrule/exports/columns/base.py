"""The interface of an exported kind of column: its encoding in ONNX and in C."""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, NamedTuple, TypeVar

from chainrule.exports.onnx_graph import Graph
from chainrule.tables.kinds import Column

KindOfColumn = TypeVar("KindOfColumn", bound=Column)


class CField(NamedTuple):
    """The position of a column in an exported C program."""

    value: str
    """The C expression of its value, a field of the row struct."""
    number: int
    """The number of the column, used in the names of its constants."""
    place: int
    """The index of its first input in `x`."""


class CCode(NamedTuple):
    """The encoding of a column in C."""

    lines: list[str]
    """Statements that write its inputs."""
    constants: tuple[str, ...] = ()
    """Definitions that precede all functions."""


class ExportedKind(ABC, Generic[KindOfColumn]):
    """Encodes a kind of column in other languages, as `chainrule.tables.kinds` does."""

    c_type: ClassVar[str] = "double "
    """The C type of the field in the row struct."""
    c_meaning: ClassVar[str]
    """The meaning of the field, for its comment."""
    c_support: ClassVar[str] = ""
    """The definition of a function that the statements call."""
    c_local: ClassVar[str] = ""
    """The declaration of a variable that the statements use."""

    @abstractmethod
    def onnx(self, graph: Graph, column: KindOfColumn) -> list[str]:
        """Declare the column's graph input, and return its network inputs, in order."""

    @abstractmethod
    def c(self, column: KindOfColumn, field: CField) -> CCode:
        """Return the statements that encode the column."""
