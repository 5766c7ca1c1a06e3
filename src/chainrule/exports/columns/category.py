"""Columns of categories in other languages."""

from typing import ClassVar

import numpy as np

from chainrule.exports.c_text import c_texts
from chainrule.exports.columns.base import CCode, CField, ExportedKind
from chainrule.exports.onnx_graph import Graph
from chainrule.tables.kinds import CategoryColumn

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


class ExportedCategory(ExportedKind[CategoryColumn]):
    """Categories, encoded as codes or one-hot."""

    c_type: ClassVar[str] = "const char *"
    c_meaning: ClassVar[str] = "text in UTF-8, NULL or empty if missing"
    c_support: ClassVar[str] = _CODE
    c_local: ClassVar[str] = "int i;"

    def onnx(self, graph: Graph, column: CategoryColumn) -> list[str]:
        """See `ExportedKind.onnx`."""
        value = graph.input(column.name, np.str_, 1)
        count = len(column.categories)
        missing = column.code_of_missing
        absent = ["", *column.notation.missing_categories]
        code = graph.node(
            "LabelEncoder",
            [value],
            domain="ai.onnx.ml",
            keys_strings=[*column.categories, *absent],
            values_int64s=[*range(1, count + 1), *[missing] * len(absent)],
            default_int64=0,
        )
        if column.as_codes:
            return [graph.cast(code, np.float32)]
        # One row of inputs per code: other categories, each known category, missing values.
        rows = np.zeros((count + 2, column.width), np.float32)
        rows[np.arange(1, count + 1), np.arange(count)] = 1
        if column.other:
            rows[0, count] = 1
        if column.missing:
            rows[count + 1, -1] = 1
        found = graph.node("Gather", [graph.constant(rows), code], axis=0)
        return [graph.node("Reshape", [found, graph.constant(np.array([-1, column.width]))])]

    def c(self, column: CategoryColumn, field: CField) -> CCode:
        """See `ExportedKind.c`."""
        value, number, place = field
        kind = "static const char *const"
        constants = [c_texts(kind, f"categories{number}", column.categories)]
        absent = len(column.notation.missing_categories)
        if absent:
            constants.append(c_texts(kind, f"missing{number}", column.notation.missing_categories))
        count = len(column.categories)
        lines = [f"i = code_of({value}, categories{number}, {count});"]
        if absent:
            lines += [
                f"if (code_of({value}, missing{number}, {absent}) != 0)",
                f"    i = {count + 1};",
            ]
        if column.as_codes:
            code = "i" if column.missing else f"(i == {count + 1} ? 0 : i)"
            return CCode([*lines, f"x[{place}] = (float){code};"], tuple(constants))
        lines += [
            f"memset(x + {place}, 0, {column.width} * sizeof(float));",
            f"if (i >= 1 && i <= {count})",
            f"    x[{place} + i - 1] = 1.0f;",
        ]
        if column.other:
            lines += ["if (i == 0)", f"    x[{place + count}] = 1.0f;"]
        if column.missing:
            lines += [f"if (i == {count + 1})", f"    x[{place + column.width - 1}] = 1.0f;"]
        return CCode(lines, tuple(constants))


EXPORTED = ExportedCategory()
