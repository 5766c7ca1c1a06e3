"""The columns of a table as inputs of an ONNX graph, encoded as `chainrule.tables.kinds` does."""

import math
from collections.abc import Sequence

import numpy as np

from chainrule.errors import InvalidArgumentError
from chainrule.exports.onnx_graph import Graph
from chainrule.tables.kinds import (
    BooleanColumn,
    CategoryColumn,
    Column,
    DateColumn,
    NumericColumn,
)
from chainrule.tables.kinds.category import missing_texts
from chainrule.tables.kinds.date import PERIODS


def encoded(graph: Graph, columns: Sequence[Column]) -> str:
    """Declare an input for each column, and return the network's inputs, (N, inputs) of float32."""
    parts: list[str] = []
    for column in columns:
        if isinstance(column, NumericColumn):
            parts += _numeric(graph, column.name, column.fill, column.flag, column)
        elif isinstance(column, BooleanColumn):
            parts += _numeric(graph, column.name, column.fill, column.flag, None)
        elif isinstance(column, CategoryColumn):
            parts.append(_category(graph, column))
        elif isinstance(column, DateColumn):
            parts += _date(graph, column)
        else:
            raise InvalidArgumentError(f"column {column.name!r}: its kind cannot be exported")
    return graph.node("Concat", parts, axis=1) if len(parts) > 1 else parts[0]


def _numeric(
    graph: Graph, name: str, fill: float, flag: bool, scaled: NumericColumn | None
) -> list[str]:
    value = graph.input(name, np.float64, 1)
    missing = graph.node("IsNaN", [value])
    for number in getattr(scaled.notation, "missing", ()) if scaled is not None else ():
        same = graph.node("Equal", [value, graph.constant(np.float64(number))])
        missing = graph.node("Or", [missing, same])
    parts = [_number(graph, value, missing, fill, scaled)]
    if flag:
        parts.append(graph.cast(missing, np.float32))
    return parts


def _number(
    graph: Graph, value: str, missing: str, fill: float, scaled: NumericColumn | None
) -> str:
    if scaled is not None and scaled.scale == 0:
        return graph.cast(graph.node("And", [missing, graph.node("Not", [missing])]), np.float32)
    value = graph.node("Where", [missing, graph.constant(np.float64(fill)), value])
    if scaled is not None:
        value = graph.node("Sub", [value, graph.constant(np.float64(scaled.center))])
        value = graph.node("Div", [value, graph.constant(np.float64(scaled.scale))])
    return graph.cast(value, np.float32)


def _category(graph: Graph, column: CategoryColumn) -> str:
    value = graph.input(column.name, np.str_, 1)
    count = len(column.categories)
    missing = count + 1 if column.missing or not column.as_codes else 0
    absent = ["", *missing_texts(column)]
    code = graph.node(
        "LabelEncoder",
        [value],
        domain="ai.onnx.ml",
        keys_strings=[*column.categories, *absent],
        values_int64s=[*range(1, count + 1), *[missing] * len(absent)],
        default_int64=0,
    )
    if column.as_codes:
        return graph.cast(code, np.float32)
    # A row of inputs for each code: the others', each category's, that of a missing value.
    rows = np.zeros((count + 2, column.width), np.float32)
    rows[np.arange(1, count + 1), np.arange(count)] = 1
    if column.other:
        rows[0, count] = 1
    if column.missing:
        rows[count + 1, -1] = 1
    found = graph.node("Gather", [graph.constant(rows), code], axis=0)
    return graph.node("Reshape", [found, graph.constant(np.array([-1, column.width]))])


def _date(graph: Graph, column: DateColumn) -> list[str]:
    value = graph.input(column.name, np.float64, 1)
    missing = graph.node("IsNaN", [value])
    zero = graph.constant(np.float64(0))
    seconds = graph.node("Floor", [graph.node("Where", [missing, zero, value])])
    clock = _Clock(graph, seconds)
    parts = []
    for name in column.parts:
        part = clock.part(name)
        if name == "year":
            part = clock.plus(part, -column.year_center)
            scaled = [clock.over(part, column.year_scale)]
        else:
            angle = clock.times(part, 2 * math.pi / PERIODS[name])
            # In float32, where every runtime has them.
            angle = graph.cast(angle, np.float32)
            scaled = [graph.node(function, [angle]) for function in ("Sin", "Cos")]
        nothing = graph.constant(np.float32(0))
        for one in scaled:
            one = graph.cast(one, np.float32) if name == "year" else one
            parts.append(graph.node("Where", [missing, nothing, one]))
    if column.flag:
        parts.append(graph.cast(missing, np.float32))
    return parts


class _Clock:
    """Parts of dates from whole seconds since 1970, in float64, which holds them exactly.

    Days become a date by Hinnant's algorithm (2014, "chrono-compatible low-level date algorithms"):
    years begin in March, so that the leap day is the last, and 400 of them have 146,097 days.
    """

    def __init__(self, graph: Graph, seconds: str) -> None:
        self.graph = graph
        self.days = self.quotient(seconds, 86400)
        self.second = self._node("Sub", seconds, self.times(self.days, 86400))
        self._civil: dict[str, str] = {}

    def part(self, name: str) -> str:
        """Return a part as `chainrule.tables.kinds.date.part_of` counts it."""
        if name == "hour":
            return self.over(self.second, 3600)
        if name == "weekday":
            # 1970 began on a Thursday.
            return self.remainder(self.plus(self.days, 3), 7)
        if not self._civil:
            self._civil = self._date()
        return self._civil[name]

    def _date(self) -> dict[str, str]:
        shifted = self.plus(self.days, 719468)
        era = self.quotient(shifted, 146097)
        day = self.remainder(shifted, 146097)
        leap = self._node("Sub", self.quotient(day, 36524), self.quotient(day, 1460))
        leap = self._node("Sub", leap, self.quotient(day, 146096))
        year = self.quotient(self._node("Add", day, leap), 365)
        before = self._node("Sub", self.quotient(year, 4), self.quotient(year, 100))
        before = self._node("Add", self.times(year, 365), before)
        of_year = self._node("Sub", day, before)
        month = self.quotient(self.plus(self.times(of_year, 5), 2), 153)
        begins = self.quotient(self.plus(self.times(month, 153), 2), 5)
        # March is the third month: 2, counted from 0.
        from_january = self.remainder(self.plus(month, 2), 12)
        carry = self.quotient(self.plus(month, 2), 12)
        year = self._node("Add", self._node("Add", year, self.times(era, 400)), carry)
        return {
            "year": year,
            "month": from_january,
            "day": self._node("Sub", of_year, begins),
        }

    def quotient(self, value: str, by: int) -> str:
        """Return ⌊value/by⌋."""
        return self.graph.node("Floor", [self.over(value, by)])

    def remainder(self, value: str, by: int) -> str:
        """Return what ⌊value/by⌋ leaves."""
        return self._node("Sub", value, self.times(self.quotient(value, by), by))

    def over(self, value: str, by: float) -> str:
        """Return value/by."""
        return self._node("Div", value, self._constant(by))

    def times(self, value: str, by: float) -> str:
        """Return value · by."""
        return self._node("Mul", value, self._constant(by))

    def plus(self, value: str, more: float) -> str:
        """Return value + more."""
        return self._node("Add", value, self._constant(more))

    def _constant(self, number: float) -> str:
        return self.graph.constant(np.float64(number))

    def _node(self, operator: str, left: str, right: str) -> str:
        return self.graph.node(operator, [left, right])
