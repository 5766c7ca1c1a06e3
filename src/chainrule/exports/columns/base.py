"""What an export asks of a kind of column: its encoding as a graph of ONNX and in C."""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, NamedTuple, TypeVar

from chainrule.exports.onnx_graph import Graph
from chainrule.tables.kinds import Column

KindOfColumn = TypeVar("KindOfColumn", bound=Column)


class CField(NamedTuple):
    """Where a column stands in a program in C."""

    value: str
    """The expression of its value, a field of the row."""
    number: int
    """The number of the column, for the names of its constants."""
    place: int
    """The place of the first of its inputs in `x`."""


class CCode(NamedTuple):
    """The encoding of a column in C."""

    lines: list[str]
    """Statements that write its inputs."""
    constants: tuple[str, ...] = ()
    """Definitions that stand before all functions."""


class ExportedKind(ABC, Generic[KindOfColumn]):
    """How a kind of column is encoded in other languages, as `chainrule.tables.kinds` does it."""

    c_type: ClassVar[str] = "double "
    """The type of a field of the row."""
    c_meaning: ClassVar[str]
    """What the field holds, for the comment beside it."""
    c_support: ClassVar[str] = ""
    """A function that the statements call."""
    c_local: ClassVar[str] = ""
    """A variable that the statements use."""

    @abstractmethod
    def onnx(self, graph: Graph, column: KindOfColumn) -> list[str]:
        """Declare the column's input, and return its parts of the network's inputs, in order."""

    @abstractmethod
    def c(self, column: KindOfColumn, field: CField) -> CCode:
        """Return the statements that encode the column."""
