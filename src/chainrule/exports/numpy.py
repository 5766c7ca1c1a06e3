"""Export to a single Python file that needs NumPy alone, with the equations and the weights.

The source of the activations is copied from `chainrule.equations`, so there is no second version
that could differ. A table's encoder is the source of `numpy_columns.py`, with the columns as plain
data.
"""

import base64
import dis
import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from pprint import pformat
from types import FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.equations.piecewise import piecewise_linear
from chainrule.exports import numpy_columns, numpy_intervals
from chainrule.exports.program import Program
from chainrule.exports.stages import Activations, HeadActivation, activation_names
from chainrule.exports.texts import literal, printable
from chainrule.files.atomic import atomic_path
from chainrule.network.layers.operations import Affine, Binned, GroupedAffine, Periodic
from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.tables.missing_words import MISSING_WORDS


def write(program: Program, path: Path, name: str) -> tuple[Path, ...]:
    """Write a program as a Python file."""
    with atomic_path(path) as temporary:
        temporary.write_text(source(program), encoding="utf-8")
    return (path,)


def source(program: Program) -> str:
    """Return a program as Python source."""
    import chainrule

    numbers: list[str] = []
    stages = _stages(program, numbers)
    scaling = _scaling(program, numbers)
    interval = ""
    if program.interval is not None:
        quantile = _array("QUANTILE", program.interval.quantile, numbers)
        interval = numpy_intervals.source(program, quantile)
    parts = [
        f'"""A model exported by chainrule {chainrule.__version__}; it needs NumPy alone.\n\n'
        f'{_usage(program)}\n"""',
        _IMPORTS if program.columns else _IMPORTS.replace(_OF_COLUMNS, ""),
        "def namespace(array):\n    return np",
        *_equations(program),
        _NUMBERS,
        "\n".join(numbers),
        stages,
    ]
    if program.columns:
        columns = [column.to_json() for column in program.columns]
        template = inspect.getsource(numpy_columns)
        parts += [
            f"COLUMNS = {pformat(columns, width=100, sort_dicts=False)}",
            f"MISSING = {pformat(sorted(MISSING_WORDS), width=100, compact=True)}",
            template[template.index("WORDS = ") :].strip(),
        ]
    parts += [scaling, _answers(program), interval]
    return "\n\n\n".join(part for part in parts if part) + "\n"


_IMPORTS = """\
import base64
import datetime
import re
import zoneinfo
from math import sqrt

import numpy as np

Array = np.ndarray"""
_OF_COLUMNS = "import datetime\nimport re\nimport zoneinfo\n"

_NUMBERS = """\
def _numbers(dtype, shape, text):
    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)"""


def _usage(program: Program) -> str:
    given = (
        "a dict of columns, or a data frame, with the columns\n"
        + textwrap.fill(", ".join(printable(column.name) for column in program.columns), 90)
        + ";\n    None, NaN or empty text is a missing value."
        if program.columns
        else f"an array (rows, {program.n_features})."
    )
    lines = [f"predict(X), where X is {given}"]
    lines = [line.replace("\\", "\\\\").replace('"""', "'''") for line in lines]
    if program.meaning in ("classes", "labels"):
        lines.append("predict_proba(X): the probabilities, in the order of CLASSES.")
    if program.interval is not None:
        which = "set" if program.meaning == "classes" else "interval"
        lines.append(f"predict_{which}(X): in a share COVERAGE of new rows, it holds the true one.")
    lines.append("network(X): the network's own outputs for its own inputs.")
    return "\n".join(lines)


def _equations(program: Program) -> list[str]:
    """Return the source of the activations and the functions they call, callees first."""
    found: dict[str, str] = {}
    for name in activation_names(program.stages):
        _collect(ACTIVATIONS[name].function, found)
    if any(isinstance(stage, Binned) for stage in program.stages):
        _collect(piecewise_linear, found)
    for equation in numpy_intervals.equations(program):
        _collect(equation, found)
    return list(found.values())


def _collect(function: Callable[..., Any], found: dict[str, str]) -> None:
    assert isinstance(function, FunctionType)
    # Not `co_names`: it includes attributes, such as `tanh` in `xp.tanh`, which may have the same
    # name as a function here.
    loaded = [i.argval for i in dis.get_instructions(function) if i.opname == "LOAD_GLOBAL"]
    for name in loaded:
        value = function.__globals__.get(name)
        if isinstance(value, FunctionType) and name != "namespace" and name not in found:
            _collect(value, found)
        elif isinstance(value, float | tuple) and name not in found:
            found[name] = f"{name} = {value!r}"
    found[function.__name__] = inspect.getsource(function).strip()


def _array(name: str, array: NDArray[Any], numbers: list[str]) -> str:
    array = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"))
    lines = textwrap.wrap(base64.b64encode(array.tobytes()).decode("ascii"), 92)
    text = "\n".join(f'    "{line}"' for line in lines) or '    ""'
    numbers.append(f"{name} = _numbers({array.dtype.str!r}, {array.shape!r}, (\n{text}\n))")
    return name


def _stages(program: Program, numbers: list[str]) -> str:
    dtype = np.dtype(program.dtype).newbyteorder("<").str
    lines = [
        "def network(X):",
        f'    """Return the outputs, (rows, {program.n_outputs}), for inputs '
        f'(rows, {program.n_features})."""',
        f"    A = np.asarray(X, {dtype!r}).T",
    ]
    for place, stage in enumerate(program.stages, start=1):
        if isinstance(stage, Affine):
            W = _array(f"W{place}", stage.W, numbers)
            b = _array(f"b{place}", stage.b[:, None], numbers)
            lines.append(f"    A = {W} @ A + {b}")
        elif isinstance(stage, GroupedAffine):
            groups, _, n_in = stage.W.shape
            W = _array(f"W{place}", stage.W, numbers)
            b = _array(f"b{place}", stage.b[:, None], numbers)
            lines += [
                f"    A = {W} @ A.reshape({groups}, {n_in}, A.shape[1])",
                f"    A = A.reshape({len(stage.b)}, A.shape[2]) + {b}",
            ]
        elif isinstance(stage, Binned):
            columns = _array(f"columns{place}", stage.columns.astype(np.int64), numbers)
            lower = _array(f"lower{place}", stage.lower[:, None], numbers)
            width = _array(f"width{place}", stage.width[:, None], numbers)
            bins = f"{piecewise_linear.__name__}(A[{columns}], {lower}, {width})"
            lines.append(f"    A = np.concatenate([A, {bins}])")
        elif isinstance(stage, Periodic):
            w, c, V, d = (
                _array(f"{symbol}{place}", array, numbers)
                for symbol, array in zip("wcVd", stage[1:], strict=True)
            )
            columns = _array(f"columns{place}", stage.columns.astype(np.int64), numbers)
            lines += [
                f"    psi = (2 * np.pi * {w})[:, :, None] * A[{columns}][:, None, :]",
                f"    e = {V} @ np.cos(psi + {c}[:, :, None]) + {d}[:, :, None]",
                "    A = np.concatenate([A, e.reshape(-1, A.shape[1])])",
            ]
        elif isinstance(stage, Activations):
            text = _activated(stage.heads)
            if stage.strength is not None:
                strength = _array(f"strength{place}", stage.strength[:, None], numbers)
                text = f"A + {strength} * ({text} - A)"
            lines.append(f"    A = {text}")
        else:
            scale = _array(f"scale{place}", stage.scale[:, None], numbers)
            shift = _array(f"shift{place}", stage.shift[:, None], numbers)
            lines.append(f"    A = {scale} * A + {shift}")
    return "\n".join([*lines, "    return A.T"])


def _activated(parts: tuple[HeadActivation, ...]) -> str:
    if len(parts) == 1:
        return _call(parts[0], "A")
    each = ", ".join(_call(part, f"A[{part.begin}:{part.end}]") for part in parts)
    return f"np.concatenate([{each}])"


def _call(part: HeadActivation, array: str) -> str:
    sigma = part.activation
    arguments = "".join(f", {name}={value!r}" for name, value in sigma.settings)
    return f"{sigma.row.function.__name__}({array}{arguments})"


def _scaling(program: Program, numbers: list[str]) -> str:
    """Return the source of `_outputs`: scale the inputs, run the network, restore the outputs."""
    undoing = program.transform
    if program.columns:
        inputs = ["    return network(encode(X))"]
    elif program.mean is not None and program.deviation is not None:
        mean = _array("MEAN", program.mean, numbers)
        deviation = _array("DEVIATION", program.deviation, numbers)
        inputs = [f"    return network((np.asarray(X, np.float64) - {mean}) / {deviation})"]
    else:
        inputs = ["    return network(X)"]
    if program.is_single:
        inputs[0] = inputs[0].replace("return", "A =")
        inputs.append("    return np.hstack([1 - A, A])")
    if program.target_mean is not None and program.target_deviation is not None:
        mean = _array("TARGET_MEAN", program.target_mean, numbers)
        deviation = _array("TARGET_DEVIATION", program.target_deviation, numbers)
        inputs[0] = inputs[0].replace("return", "A =")
        inputs.append(f"    return A * {deviation} + {mean}")
        if undoing is not None:
            low, high = undoing.bounds
            inputs += [
                "\n\ndef _outputs(X):",
                f"    t = np.clip(_learned(X), {undoing.low!r}, {undoing.high!r})",
                f"    moved = {undoing.rise!r} * np.exp(t) - {undoing.fall!r} * np.exp(-t)",
                f"    values = {undoing.center!r} + {undoing.spread!r} * moved",
                f"    return np.clip(values, {low!r}, {high!r})",
            ]
    name = "_outputs" if undoing is None else "_learned"
    return "\n".join([f"def {name}(X):", *inputs])


def _answers(program: Program) -> str:
    """Return the source of `predict` and, for classes, `predict_proba`."""
    if program.meaning == "outputs" or (program.meaning == "values" and program.n_outputs > 1):
        return (
            "def predict(X):\n"
            f'    """Return the outputs, (rows, {program.n_outputs})."""\n'
            "    return _outputs(X)"
        )
    if program.meaning == "values":
        return (
            "def predict(X):\n"
            '    """Return the value of each row, (rows,)."""\n'
            "    return _outputs(X)[:, 0]"
        )
    decided = (
        "CLASSES[predict_proba(X).argmax(axis=1)]"
        if program.meaning == "classes"
        else "(predict_proba(X) > 0.5).astype(int)"
    )
    return (
        f"CLASSES = {_classes(program)}\n\n\n"
        "def predict_proba(X):\n"
        '    """Return the probability of each class, (rows, classes)."""\n'
        "    return _outputs(X)\n\n\n"
        "def predict(X):\n"
        '    """Return the class of each row, or whether each label fits it."""\n'
        f"    return {decided}"
    )


def _classes(program: Program) -> str:
    names = ", ".join(map(literal, program.classes))
    # A NumPy string array strips trailing NUL characters; an object array keeps them.
    cut = any(isinstance(name, str) and name.endswith("\0") for name in program.classes)
    return f"np.array([{names}]{', object' if cut else ''})"
