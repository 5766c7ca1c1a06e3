"""Columns of dates and times in other languages."""

import math
from typing import ClassVar

import numpy as np

from chainrule.exports.c_text import c_double
from chainrule.exports.columns.base import CCode, CField, ExportedKind
from chainrule.exports.onnx_graph import Graph
from chainrule.tables.kinds import DateColumn
from chainrule.tables.kinds.date import PARTS, PERIODS

# Hinnant 2014, "chrono-compatible low-level date algorithms", in double, which represents all
# intermediate integers exactly.
_CLOCK = """\
/* Year, month, day, weekday (all but the year from 0) and hour, of seconds since 1970. */
static void clock_of(double seconds, double *part)
{
    double days = floor(floor(seconds) / 86400.0);
    double shifted = days + 719468.0, era = floor(shifted / 146097.0);
    double day = shifted - era * 146097.0;
    double year = floor((day - floor(day / 1460.0) + floor(day / 36524.0) - floor(day / 146096.0))
                        / 365.0);
    double of_year = day - (365.0 * year + floor(year / 4.0) - floor(year / 100.0));
    double month = floor((5.0 * of_year + 2.0) / 153.0);
    double after = month + 2.0 >= 12.0 ? 1.0 : 0.0;
    part[0] = year + era * 400.0 + after;
    part[1] = month + 2.0 - 12.0 * after;
    part[2] = of_year - floor((153.0 * month + 2.0) / 5.0);
    part[3] = days + 3.0 - 7.0 * floor((days + 3.0) / 7.0);
    part[4] = (floor(seconds) - days * 86400.0) / 3600.0;
}"""


class ExportedDate(ExportedKind[DateColumn]):
    """Dates, encoded as the year and as sine and cosine of the periodic parts."""

    c_meaning: ClassVar[str] = "seconds since 1970-01-01 00:00 of its own clock, NAN if missing"
    c_support: ClassVar[str] = _CLOCK
    c_local: ClassVar[str] = "double part[5];"

    def onnx(self, graph: Graph, column: DateColumn) -> list[str]:
        """See `ExportedKind.onnx`."""
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
                # Every runtime has Sin and Cos for float32.
                angle = graph.cast(angle, np.float32)
                scaled = [graph.node(function, [angle]) for function in ("Sin", "Cos")]
            nothing = graph.constant(np.float32(0))
            for one in scaled:
                one = graph.cast(one, np.float32) if name == "year" else one
                parts.append(graph.node("Where", [missing, nothing, one]))
        if column.flag:
            parts.append(graph.cast(missing, np.float32))
        return parts

    def c(self, column: DateColumn, field: CField) -> CCode:
        """See `ExportedKind.c`."""
        value, place = field.value, field.place
        lines = [f"clock_of(isnan({value}) ? 0.0 : {value}, part);"]
        for name in column.parts:
            part = f"part[{PARTS.index(name)}]"
            if name == "year":
                center, scale = c_double(column.year_center), c_double(column.year_scale)
                results = [f"({part} - {center}) / {scale}"]
            else:
                angle = f"{part} * {c_double(2 * math.pi / PERIODS[name])}"
                results = [f"sin({angle})", f"cos({angle})"]
            for result in results:
                lines.append(f"x[{place}] = isnan({value}) ? 0.0f : (float)({result});")
                place += 1
        if column.flag:
            lines.append(f"x[{place}] = isnan({value}) ? 1.0f : 0.0f;")
        return CCode(lines)


EXPORTED = ExportedDate()


class _Clock:
    """Computes parts of dates from whole seconds since 1970, exactly, in float64.

    Days become a date by Hinnant's algorithm (2014, "chrono-compatible low-level date algorithms"):
    years begin in March, so that the leap day is the last day, and 400 years have 146,097 days.
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
        """Return the remainder value − by · ⌊value/by⌋."""
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
