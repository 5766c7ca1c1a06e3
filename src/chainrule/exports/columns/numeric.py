"""Columns of numbers in other languages."""

from typing import ClassVar

import numpy as np

from chainrule.exports.c_text import c_double
from chainrule.exports.columns.base import CCode, CField, ExportedKind
from chainrule.exports.onnx_graph import Graph
from chainrule.tables.kinds import NumericColumn


class ExportedNumeric(ExportedKind[NumericColumn]):
    """Numbers, centred and scaled in float64."""

    c_meaning: ClassVar[str] = "a number, NAN if missing"

    def onnx(self, graph: Graph, column: NumericColumn) -> list[str]:
        """See `ExportedKind.onnx`."""
        value = graph.input(column.name, np.float64, 1)
        missing = graph.node("IsNaN", [value])
        for number in column.notation.missing_numbers:
            same = graph.node("Equal", [value, graph.constant(np.float64(number))])
            missing = graph.node("Or", [missing, same])
        if column.scale == 0:
            nothing = graph.node("And", [missing, graph.node("Not", [missing])])
            parts = [graph.cast(nothing, np.float32)]
        else:
            value = graph.node("Where", [missing, graph.constant(np.float64(column.fill)), value])
            value = graph.node("Sub", [value, graph.constant(np.float64(column.center))])
            value = graph.node("Div", [value, graph.constant(np.float64(column.scale))])
            parts = [graph.cast(value, np.float32)]
        return [*parts, graph.cast(missing, np.float32)] if column.flag else parts

    def c(self, column: NumericColumn, field: CField) -> CCode:
        """See `ExportedKind.c`."""
        value, place = field.value, field.place
        missing = f"isnan({value})"
        for number in column.notation.missing_numbers:
            missing += f" || {value} == {c_double(number)}"
        filled = f"({missing} ? {c_double(column.fill)} : {value})"
        if column.scale == 0:
            lines = [f"x[{place}] = 0.0f;"]
        else:
            center, scale = c_double(column.center), c_double(column.scale)
            lines = [f"x[{place}] = (float)(({filled} - {center}) / {scale});"]
        if column.flag:
            lines.append(f"x[{place + 1}] = {missing} ? 1.0f : 0.0f;")
        return CCode(lines)


EXPORTED = ExportedNumeric()
