"""The columns of a table in C: a struct for a row, and its encoding."""

import re
import unicodedata
from collections.abc import Sequence

from chainrule.exports.columns import EXPORTED_KINDS, CField
from chainrule.tables.kinds import Column

# The prefix of every field. A column's name without it might be a keyword of C or C++, a compiler
# extension (`typeof`, `linux`) or a macro of a previously included header (`HUGE_VAL`, `near`,
# `st_mtime`). No list of these names is complete, but none of them has this prefix.
_PREFIX = "column_"


class Columns:
    """The struct of a table row, with valid C names, and its encoder.

    Parameters
    ----------
    columns : sequence of Column
    name : str
        The prefix of the type and the functions.
    """

    def __init__(self, columns: Sequence[Column], name: str) -> None:
        self.columns = columns
        self.name = name
        self.fields = _fields([column.name for column in columns])

    def declarations(self) -> str:
        """Return the struct and the functions that take it."""
        kinds = [EXPORTED_KINDS[column.kind] for column in self.columns]
        fields = [
            f"    /* {_comment(column.name)}: {kind.c_meaning} */\n    {kind.c_type}{field};"
            for field, column, kind in zip(self.fields, self.columns, kinds, strict=True)
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
        """Return the definitions of the constants and functions."""
        used = {column.kind for column in self.columns}
        kinds = [kind for name, kind in EXPORTED_KINDS.items() if name in used]
        lines: list[str] = []
        constants: list[str] = []
        place = 0
        for number, (field, column) in enumerate(zip(self.fields, self.columns, strict=True), 1):
            at = CField(f"row->{field}", number, place)
            code = EXPORTED_KINDS[column.kind].c(column, at)
            lines += code.lines
            constants += code.constants
            place += column.width
        name = self.name
        body = "\n".join(
            "    " + line for line in (*(kind.c_local for kind in kinds if kind.c_local), *lines)
        )
        return "\n\n".join(
            [
                *constants,
                *(kind.c_support for kind in kinds if kind.c_support),
                f"void {name}_encode(const {name}_row *row, float *x)\n{{\n{body}\n}}",
                f"void {name}_predict_row(const {name}_row *row, float *y)\n{{\n"
                f"    float x[{place}];\n    {name}_encode(row, x);\n"
                f"    {name}_predict(x, y);\n}}",
            ]
        )


def _fields(names: Sequence[str]) -> list[str]:
    """Return distinct valid C names that resemble the columns' names."""
    fields: dict[str, None] = {}
    counts: dict[str, int] = {}
    for name in names:
        letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
        # Short enough to stay distinct with a number appended: C compares 63 characters.
        word = re.sub(r"[^A-Za-z0-9]+", "_", letters).strip("_")[:40].rstrip("_")
        field = stem = _PREFIX + (word or "unnamed")
        while field in fields:
            counts[stem] = counts.get(stem, 1) + 1
            field = f"{stem}_{counts[stem]}"
        fields[field] = None
    return list(fields)


def _comment(text: str) -> str:
    """Return text that is safe in a C comment: it cannot end it or continue a line."""
    plain = re.sub(r"[^A-Za-z0-9 _.,:;()<>=+\x80-\U0010ffff-]", "_", text)
    return plain.encode("ascii", "backslashreplace").decode("ascii")
