"""Export to a single C99 file: float32, only the C library, no allocation, no mutable globals.

The file is its own header: if NAME_DECLARE is defined before it is included, it only has
declarations. A table's row is a struct, which is encoded in double and then rounded, as in the
package.
"""

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.exports import c_intervals
from chainrule.exports.c_activations import definitions
from chainrule.exports.c_columns import Columns
from chainrule.exports.c_text import c_double, c_float, c_texts
from chainrule.exports.program import Program
from chainrule.exports.stages import Activations, HeadActivation, activation_names
from chainrule.exports.texts import check_utf8, texts_of
from chainrule.files.atomic import atomic_path
from chainrule.network.layers.operations import Affine, Periodic


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
    width = max(n_inputs, *program.network.spec.sizes)
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
        _DENSE if any(isinstance(stage, Affine) for stage in program.stages) else "",
        _PERIODIC if any(isinstance(stage, Periodic) for stage in program.stages) else "",
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


_DENSE = """\
static void dense(const float *W, const float *b, const float *x, float *y, int n_in, int n_out)
{
    int i, j;
    for (j = 0; j < n_out; j++) {
        float sum = 0.0f;
        for (i = 0; i < n_in; i++)
            sum += W[i] * x[i];
        y[j] = sum + b[j];
        W += n_in;
    }
}"""


_PERIODIC = """\
/* Values V cos(2 pi w x + c) + d of a unit x, from its f frequencies. */
static void periodic(float x, const float *w, const float *c, const float *V, const float *d,
                     int f, int s, float *e)
{
    int h, o;
    for (o = 0; o < s; o++)
        e[o] = d[o];
    for (h = 0; h < f; h++) {
        float cosine = cosf(w[h] * x + c[h]);
        for (o = 0; o < s; o++)
            e[o] += V[o * f + h] * cosine;
    }
}"""


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
    """Return the constants, and the statements from x to y, which alternate between `a` and `z`."""
    constants: list[str] = []
    body: list[str] = []
    a, z, units = "a", "z", program.n_features
    for place, stage in enumerate(program.stages, start=1):
        if isinstance(stage, Affine):
            n_out, n_in = stage.W.shape
            constants += [_floats(f"W{place}", stage.W), _floats(f"b{place}", stage.b)]
            body.append(f"dense(W{place}, b{place}, {a}, {z}, {n_in}, {n_out});")
            a, z, units = z, a, n_out
        elif isinstance(stage, Periodic):
            body += _periodic(stage, place, a, units, constants)
            units += stage.d.size
        elif isinstance(stage, Activations):
            strength = ""
            if stage.strength is not None:
                strength = f"strength{place}"
                constants.append(_floats(strength, stage.strength))
            body += [line for part in stage.heads for line in _activated(part, a, strength)]
        else:
            constants += [
                _floats(f"scale{place}", stage.scale),
                _floats(f"shift{place}", stage.shift),
            ]
            body += _loop(len(stage.scale), f"{a}[i] = {a}[i] * scale{place}[i] + shift{place}[i];")
    for name in ("mean", "deviation", "target_mean", "target_deviation"):
        array = getattr(program, name)
        if array is not None:
            constants.append(_floats(name, array, "double"))
    return constants, [*_begin(program), *body, *_end(program, a)]


def _periodic(stage: Periodic, place: int, a: str, units: int, constants: list[str]) -> list[str]:
    """Return the statements that append PE2 of some units to the `units` ones in `a`."""
    k, s, F = stage.V.shape
    w, c, V, d = (f"{name}{place}" for name in ("w", "c", "V", "d"))
    rates = (2 * np.pi * stage.w.astype(np.float64)).astype(np.float32)
    constants += [_floats(w, rates), _floats(c, stage.c), _floats(V, stage.V), _floats(d, stage.d)]
    columns = f"columns{place}"
    constants.append(_whole_numbers(columns, stage.columns))
    arguments = f"{w} + i * {F}, {c} + i * {F}, {V} + i * {s * F}, {d} + i * {s}, {F}, {s}"
    return _loop(k, f"periodic({a}[{columns}[i]], {arguments}, {a} + {units} + i * {s});")


def _activated(part: HeadActivation, a: str, strength: str) -> list[str]:
    sigma = part.activation
    if sigma.name == "identity":
        return []
    if sigma.of_layer:
        return [f"{sigma.name}({a} + {part.begin}, {part.end - part.begin});"]
    more = "".join(f", {c_float(value)}" for _, value in sigma.settings)
    value = f"{sigma.name}_of({a}[i]{more})"
    if strength:
        value = f"{a}[i] + {strength}[i] * ({value} - {a}[i])"
    statement = f"{a}[i] = {value};"
    return [f"for (i = {part.begin}; i < {part.end}; i++)", f"    {statement}"]


def _begin(program: Program) -> list[str]:
    if program.mean is not None:
        return _loop(program.n_features, "a[i] = (float)((x[i] - mean[i]) / deviation[i]);")
    return _loop(program.n_features, "a[i] = x[i];")


def _end(program: Program, a: str) -> list[str]:
    if program.is_single:
        return [f"y[0] = 1.0f - {a}[0];", f"y[1] = {a}[0];"]
    if program.target_mean is not None:
        value = f"{a}[i] * target_deviation[i] + target_mean[i]"
        if program.transform is not None:
            return _loop(program.n_outputs, f"t[i] = {value};")
        value = f"(float)({value})"
        return _loop(program.n_outputs, f"y[i] = {value};")
    return _loop(program.n_outputs, f"y[i] = {a}[i];")


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
    body = [f"double t[{n}];", "int i;", "learned(x, t);", *_loop(n, "y[i] = (float)undone(t[i]);")]
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


def _loop(count: int, statement: str) -> list[str]:
    return [f"for (i = 0; i < {count}; i++)", f"    {statement}"]


def _floats(name: str, array: NDArray[Any], kind: str = "float") -> str:
    number = c_float if kind == "float" else c_double
    numbers = _wrapped(map(number, array.ravel()))
    return f"static const {kind} {name}[{array.size}] = {{\n{numbers}\n}};"


def _whole_numbers(name: str, numbers: Sequence[int]) -> str:
    return f"static const int {name}[{len(numbers)}] = {{\n{_wrapped(map(str, numbers))}\n}};"


def _wrapped(numbers: Iterable[str]) -> str:
    every = list(numbers)
    rows = (every[start : start + 6] for start in range(0, len(every), 6))
    return ",\n".join("    " + ", ".join(row) for row in rows)
