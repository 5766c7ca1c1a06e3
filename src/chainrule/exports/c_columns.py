"""The columns of a table in C: a struct for a row, and its encoding."""

import math
import re
import unicodedata
from collections.abc import Sequence

from chainrule.errors import InvalidArgumentError
from chainrule.exports.c_text import c_double, c_texts
from chainrule.tables.kinds import (
    BooleanColumn,
    CategoryColumn,
    Column,
    DateColumn,
    NumericColumn,
)
from chainrule.tables.kinds.category import missing_texts
from chainrule.tables.kinds.date import PERIODS

# What every field begins with. A column's name by itself may be a keyword of one of the standards
# of C and C++, a compiler's own word (`typeof`, `linux`) or a macro of some header that stands
# before this file (`HUGE_VAL`, `near`, `st_mtime`); no list of them is complete. None begins so.
_PREFIX = "column_"

_MEANINGS = {
    "numeric": "a number, NAN if missing",
    "boolean": "1 or 0, NAN if missing",
    "category": "text in UTF-8, NULL or empty if missing",
    "date": "seconds since 1970-01-01 00:00 of its own clock, NAN if missing",
}


class Columns:
    """Columns under names that C allows.

    Parameters
    ----------
    columns : sequence of Column
    name : str
        What everything begins with.
    """

    def __init__(self, columns: Sequence[Column], name: str) -> None:
        for column in columns:
            if column.kind not in _MEANINGS:
                raise InvalidArgumentError(f"column {column.name!r}: its kind cannot be exported")
        self.columns = columns
        self.name = name
        self.fields = _fields([column.name for column in columns])

    def declarations(self) -> str:
        """Return the struct and the functions that take it."""
        fields = [
            f"    /* {_comment(column.name)}: {_MEANINGS[column.kind]} */\n"
            f"    {'const char *' if column.kind == 'category' else 'double '}{field};"
            for field, column in zip(self.fields, self.columns, strict=True)
        ]
        name = self.name
        return (
            "/* A row of the table. */\ntypedef struct {\n"
            + "\n".join(fields)
            + f"\n}} {name}_row;\n\n"
            + f"/* From a row to the inputs of {name}_predict, and to the outputs. */\n"
            + f"void {name}_encode(const {name}_row *row, float *x);\n"
            + f"void {name}_predict_row(const {name}_row *row, float *y);"
        )

    def definitions(self) -> str:
        """Return the functions."""
        kinds = {column.kind for column in self.columns}
        lines: list[str] = []
        tables: list[str] = []
        place = 0
        for number, (field, column) in enumerate(zip(self.fields, self.columns, strict=True), 1):
            value = f"row->{field}"
            if isinstance(column, NumericColumn):
                lines += _numeric(value, column.fill, column.flag, place, column)
            elif isinstance(column, BooleanColumn):
                lines += _numeric(value, column.fill, column.flag, place, None)
            elif isinstance(column, CategoryColumn):
                kind = "static const char *const"
                tables.append(c_texts(kind, f"categories{number}", column.categories))
                absent = missing_texts(column)
                if absent:
                    tables.append(c_texts(kind, f"missing{number}", absent))
                lines += _category(value, number, len(absent), column, place)
            elif isinstance(column, DateColumn):
                lines += _date(value, column, place)
            place += column.width
        name = self.name
        body = "\n".join("    " + line for line in lines)
        return "\n\n".join(
            [
                *tables,
                *([_CODE] if "category" in kinds else []),
                *([_CLOCK] if "date" in kinds else []),
                f"void {name}_encode(const {name}_row *row, float *x)\n{{\n"
                + ("    int i;\n" if "category" in kinds else "")
                + ("    double part[5];\n" if "date" in kinds else "")
                + f"{body}\n}}",
                f"void {name}_predict_row(const {name}_row *row, float *y)\n{{\n"
                f"    float x[{place}];\n    {name}_encode(row, x);\n"
                f"    {name}_predict(x, y);\n}}",
            ]
        )


_CODE = """\
/* 0: unknown; 1, 2, ...: the categories; count + 1: missing. Spaces around a text do not count. */
static int code_of(const char *text, const char *const *categories, int count)
{
    int i;
    size_t length;
    if (text == NULL)
        return count + 1;
    text += strspn(text, " \\t\\r\\n");
    length = strlen(text);
    while (length > 0 && strchr(" \\t\\r\\n", text[length - 1]) != NULL)
        length--;
    if (length == 0)
        return count + 1;
    for (i = 0; i < count; i++)
        if (strlen(categories[i]) == length && memcmp(text, categories[i], length) == 0)
            return i + 1;
    return 0;
}"""

# Hinnant 2014, "chrono-compatible low-level date algorithms", in double, which is exact here.
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
_PARTS = ("year", *PERIODS)


def _numeric(
    value: str, fill: float, flag: bool, place: int, scaled: NumericColumn | None
) -> list[str]:
    missing = f"isnan({value})"
    for number in getattr(scaled.notation, "missing", ()) if scaled is not None else ():
        missing += f" || {value} == {c_double(number)}"
    filled = f"({missing} ? {c_double(fill)} : {value})"
    if scaled is None:
        lines = [f"x[{place}] = (float){filled};"]
    elif scaled.scale == 0:
        lines = [f"x[{place}] = 0.0f;"]
    else:
        center, scale = c_double(scaled.center), c_double(scaled.scale)
        lines = [f"x[{place}] = (float)(({filled} - {center}) / {scale});"]
    return [*lines, f"x[{place + 1}] = {missing} ? 1.0f : 0.0f;"] if flag else lines


def _category(
    value: str, number: int, absent: int, column: CategoryColumn, place: int
) -> list[str]:
    count = len(column.categories)
    lines = [f"i = code_of({value}, categories{number}, {count});"]
    if absent:
        lines += [
            f"if (code_of({value}, missing{number}, {absent}) != 0)",
            f"    i = {count + 1};",
        ]
    if column.as_codes:
        code = "i" if column.missing else f"(i == {count + 1} ? 0 : i)"
        return [*lines, f"x[{place}] = (float){code};"]
    lines += [
        f"memset(x + {place}, 0, {column.width} * sizeof(float));",
        f"if (i >= 1 && i <= {count})",
        f"    x[{place} + i - 1] = 1.0f;",
    ]
    if column.other:
        lines += ["if (i == 0)", f"    x[{place + count}] = 1.0f;"]
    if column.missing:
        lines += [f"if (i == {count + 1})", f"    x[{place + column.width - 1}] = 1.0f;"]
    return lines


def _date(value: str, column: DateColumn, place: int) -> list[str]:
    lines = [f"clock_of(isnan({value}) ? 0.0 : {value}, part);"]
    for name in column.parts:
        part = f"part[{_PARTS.index(name)}]"
        if name == "year":
            center, scale = c_double(column.year_center), c_double(column.year_scale)
            results = [f"({part} - {center}) / {scale}"]
        else:
            angle = f"{part} * {c_double(2 * math.pi / PERIODS[name])}"
            results = [f"sin({angle})", f"cos({angle})"]
        for result in results:
            lines.append(f"x[{place}] = isnan({value}) ? 0.0f : (float)({result});")
            place += 1
    return [*lines, f"x[{place}] = isnan({value}) ? 1.0f : 0.0f;"] if column.flag else lines


def _fields(names: Sequence[str]) -> list[str]:
    """Return names that C allows, each another one, as like the columns' as can be."""
    fields: dict[str, None] = {}
    counts: dict[str, int] = {}
    for name in names:
        letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
        # With numbers behind them still told apart: C looks at 63 characters.
        word = re.sub(r"[^A-Za-z0-9]+", "_", letters).strip("_")[:40].rstrip("_")
        field = stem = _PREFIX + (word or "unnamed")
        while field in fields:
            counts[stem] = counts.get(stem, 1) + 1
            field = f"{stem}_{counts[stem]}"
        fields[field] = None
    return list(fields)


def _comment(text: str) -> str:
    """Return text as a comment of C can hold it: neither its end nor a line that goes on."""
    plain = re.sub(r"[^A-Za-z0-9 _.,:;()<>=+\x80-\U0010ffff-]", "_", text)
    return plain.encode("ascii", "backslashreplace").decode("ascii")
