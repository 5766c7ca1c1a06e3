"""Columns of true and false in other languages."""

from typing import ClassVar

import numpy as np

from chainrule.exports.c_text import c_double
from chainrule.exports.columns.base import CCode, CField, ExportedKind
from chainrule.exports.onnx_graph import Graph
from chainrule.tables.kinds import BooleanColumn


class ExportedBoolean(ExportedKind[BooleanColumn]):
    """True and false as 1 and 0."""

    c_meaning: ClassVar[str] = "1 or 0, NAN if missing"

    def onnx(self, graph: Graph, column: BooleanColumn) -> list[str]:
        """See `ExportedKind.onnx`."""
        value = graph.input(column.name, np.float64, 1)
        missing = graph.node("IsNaN", [value])
        value = graph.node("Where", [missing, graph.constant(np.float64(column.fill)), value])
        parts = [graph.cast(value, np.float32)]
        return [*parts, graph.cast(missing, np.float32)] if column.flag else parts

    def c(self, column: BooleanColumn, field: CField) -> CCode:
        """See `ExportedKind.c`."""
        value, place = field.value, field.place
        missing = f"isnan({value})"
        lines = [f"x[{place}] = (float)({missing} ? {c_double(column.fill)} : {value});"]
        if column.flag:
            lines.append(f"x[{place + 1}] = {missing} ? 1.0f : 0.0f;")
        return CCode(lines)


EXPORTED = ExportedBoolean()
