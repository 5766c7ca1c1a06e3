"""The columns of a table as inputs of an ONNX graph."""

from collections.abc import Sequence

from chainrule.exports.columns import EXPORTED_KINDS
from chainrule.exports.onnx_graph import Graph
from chainrule.tables.kinds import Column


def encoded(graph: Graph, columns: Sequence[Column]) -> str:
    """Declare an input for each column, and return the network's inputs, (N, inputs) of float32."""
    parts: list[str] = []
    for column in columns:
        parts += EXPORTED_KINDS[column.kind].onnx(graph, column)
    return graph.node("Concat", parts, axis=1) if len(parts) > 1 else parts[0]
