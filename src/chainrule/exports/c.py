"""Export to a single C99 file: float32, only the C library, no allocation, no mutable globals.

The file is its own header: if NAME_DECLARE is defined before it is included, it only has
declarations. A table's row is a struct, which is encoded in double and then rounded, as in the
package.
"""

import textwrap
from pathlib import Path
from typing import Any

from chainrule.errors import InvalidArgumentError
from chainrule.exports import c_intervals, c_stages
from chainrule.exports.c_activations import definitions
from chainrule.exports.c_columns import Columns
from chainrule.exports.c_text import c_array, c_double, c_loop, c_texts
from chainrule.exports.program import Program
from chainrule.exports.stages import activation_names, stage_units
from chainrule.exports.texts import check_utf8, texts_of
from chainrule.files.atomic import atomic_path


def write(program: Program, path: Path, name: str) -> tuple[Path, ...]:
    """Write a program as a C file."""
    with atomic_path(path) as temporary:
        temporary.write_text(source(program, name), encoding="ascii")
    return (path,)


def source(program: Program, name: str) -> str:
    """Return a program as C source.

    Raises
    ------
    InvalidArgumentError
        If C cannot represent a string or a kind of column.
    """
    for whose, text in texts_of(program):
        check_utf8(whose, text)
        if "\0" in text:
            raise InvalidArgumentError(
                f"{whose} has a character NUL, which ends a text in C; export to another target"
            )
    columns = Columns(program.columns, name) if program.columns else None
    constants, body = _network(program)
    n_inputs = program.n_features
    width = max(n_inputs, *(units for _, units in stage_units(program.stages, n_inputs)))
    outputs = max(program.n_outputs, 1 + program.is_single)
    parts = [
        _head(program, name),
        f"#ifndef {name}_DECLARED\n#define {name}_DECLARED",
        '#ifdef __cplusplus\nextern "C" {\n#endif',
        f"enum {{ {name}_INPUTS = {n_inputs}, {name}_OUTPUTS = {outputs} }};",
        "/* From the inputs x to the outputs y, as above. */\n"
        f"void {name}_predict(const float *x, float *y);",
        f"extern const char *const {name}_classes[{outputs}];" if _has_classes(program) else "",
        columns.declarations() if columns else "",
        c_intervals.declarations(program, name),
        "#ifdef __cplusplus\n}\n#endif\n#endif",
        f"#ifndef {name}_DECLARE",
        f"#include <math.h>{_newline_if(columns, '#include <string.h>')}",
        *constants,
        _classes(program, name, outputs),
        *c_stages.functions(program.stages),
        *definitions(activation_names(program.stages)),
        _undoing(program),
        f"{_signature(program, name)}\n{{\n"
        f"    float a[{width}], z[{width}];\n    int i;\n"
        + textwrap.indent("\n".join(body), "    ")
        + "\n}",
        _transformed(program, name),
        columns.definitions() if columns else "",
        c_intervals.definitions(program, name),
        "#endif",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _newline_if(condition: Any, text: str) -> str:
    return f"\n{text}" if condition else ""


def _has_classes(program: Program) -> bool:
    return program.meaning in ("classes", "labels")


def _head(program: Program, name: str) -> str:
    import chainrule

    meaning = {
        "outputs": "y has the network's outputs.",
        "classes": f"y has the probability of each of {name}_classes.",
        "labels": f"y has the probability of each of {name}_classes, of which any may fit.",
        "values": "y has the values, in the target's units.",
    }[program.meaning]
    given = (
        f"{name}_predict_row takes a row of the table; {name}_predict its encoding."
        if program.columns
        else f"{name}_predict takes {program.n_features} numbers."
    )
    lines = [
        f"A model exported by chainrule {chainrule.__version__}: C99, nothing but the C library.",
        f"{given} {meaning}",
        f"Compile it with -lm. In other files: #define {name}_DECLARE, then #include this one.",
    ]
    return "/* " + "\n * ".join(lines) + "\n */"


def _classes(program: Program, name: str, count: int) -> str:
    if not _has_classes(program):
        return ""
    assert len(program.classes) == count
    return c_texts("const char *const", f"{name}_classes", [str(x) for x in program.classes])


def _network(program: Program) -> tuple[list[str], list[str]]:
    """Return the constants, and the statements from x to y."""
    constants, body, end = c_stages.statements(program.stages, program.n_features)
    for name in ("mean", "deviation", "target_mean", "target_deviation"):
        array = getattr(program, name)
        if array is not None:
            constants.append(c_array("double", name, array))
    return constants, [*_begin(program), *body, *_end(program, end)]


def _begin(program: Program) -> list[str]:
    if program.mean is not None:
        return c_loop(program.n_features, "a[i] = (float)((x[i] - mean[i]) / deviation[i]);")
    return c_loop(program.n_features, "a[i] = x[i];")


def _end(program: Program, a: str) -> list[str]:
    if program.is_single:
        return [f"y[0] = 1.0f - {a}[0];", f"y[1] = {a}[0];"]
    if program.target_mean is not None:
        value = f"{a}[i] * target_deviation[i] + target_mean[i]"
        if program.transform is not None:
            return c_loop(program.n_outputs, f"t[i] = {value};")
        value = f"(float)({value})"
        return c_loop(program.n_outputs, f"y[i] = {value};")
    return c_loop(program.n_outputs, f"y[i] = {a}[i];")


def _signature(program: Program, name: str) -> str:
    """Return the head of the function that runs the network."""
    if program.transform is None:
        return f"void {name}_predict(const float *x, float *y)"
    return "/* The transformed target. */\nstatic void learned(const float *x, double *t)"


def _transformed(program: Program, name: str) -> str:
    """Return the prediction of a transformed target; "" if there is none."""
    if program.transform is None:
        return ""
    n = program.n_outputs
    undone = c_loop(n, "y[i] = (float)undone(t[i]);")
    body = [f"double t[{n}];", "int i;", "learned(x, t);", *undone]
    return (
        f"void {name}_predict(const float *x, float *y)\n{{\n"
        + textwrap.indent("\n".join(body), "    ")
        + "\n}"
    )


def _undoing(program: Program) -> str:
    """Return the function that undoes the target's transformation: TT3, within the bounds."""
    transform = program.transform
    if transform is None:
        return ""
    low, high = map(c_double, transform.bounds)
    first, last = c_double(transform.low), c_double(transform.high)
    rise, fall = c_double(transform.rise), c_double(transform.fall)
    return (
        "static double undone(double t)\n{\n    double y;\n"
        f"    t = t < {first} ? {first} : t > {last} ? {last} : t;\n"
        f"    y = {rise} * exp(t) - {fall} * exp(-t);\n"
        f"    y = {c_double(transform.center)} + {c_double(transform.spread)} * y;\n"
        f"    return y < {low} ? {low} : y > {high} ? {high} : y;\n}}"
    )
