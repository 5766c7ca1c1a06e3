"""Common parts of the Python files exported for PyTorch and Keras."""

import os
from pathlib import Path
from pprint import pformat

from chainrule.errors import InvalidArgumentError, InvalidModelFileError
from chainrule.exports.program import Program
from chainrule.exports.texts import literal
from chainrule.files.model_file import describe_model_file

_MEANINGS = {
    "outputs": "The outputs are those of the network.",
    "classes": "The outputs are probabilities, in the order of CLASSES.",
    "labels": "The outputs are the probabilities of CLASSES, of which any may fit.",
    "values": "The outputs are values, in the target's units.",
}


_FIRST = '"""A network exported by chainrule '


def script_beside(path: Path) -> Path:
    """Return the path of the Python file beside a weights file.

    Raises
    ------
    InvalidArgumentError
        If another file would be overwritten: a Python file that is not an export, or a model file
        of this package, which has the same suffix as PyTorch's weights.
    """
    script = path.with_suffix(".py")
    if os.path.lexists(script) and not _is_ours(script):
        raise InvalidArgumentError(
            f"path: {script} would be written beside {path.name}, and is there already with "
            "something else in it; choose another name"
        )
    try:
        describe_model_file(path)
    except InvalidModelFileError:
        return script
    raise InvalidArgumentError(
        f"path: {path} is a model of chainrule, which the export would replace; choose another name"
    )


def _is_ours(script: Path) -> bool:
    if not script.is_file():  # opening a pipe would block
        return False
    with script.open("rb") as file:
        return file.read(len(_FIRST)) == _FIRST.encode()


def begin(program: Program, framework: str, usage: str) -> str:
    """Return the docstring of an exported Python file."""
    import chainrule

    meaning = _MEANINGS[program.meaning]
    if program.is_single:
        meaning = "The output is the probability of the second of CLASSES."
    if program.columns:
        meaning += (
            "\n\nInputs are the columns INPUTS of the encoded table: "
            "chainrule.load(path).encoder.transform(table)."
        )
        if program.meaning == "values":
            meaning = meaning.replace(
                "values, in the target's units", "(value - TARGET_MEAN)/TARGET_DEVIATION"
            )
        if program.transform is not None:
            meaning = meaning.replace(
                "(value - TARGET_MEAN)/TARGET_DEVIATION",
                "of a transform of the target; values_of gives them its units",
            )
    return f'{_FIRST}{chainrule.__version__} to {framework}.\n\n{usage}\n{meaning}\n"""'


def _values_of(program: Program) -> list[str]:
    """Return the lines of a function that undoes the target's transform (TT3), with clipping."""
    transform = program.transform
    if transform is None:
        return []
    low, high = transform.bounds
    return [
        "",
        "",
        "def values_of(outputs):",
        '    """Return outputs, as an array in NumPy\'s memory, in the target\'s units."""',
        "    import numpy as np",
        "",
        "    t = np.asarray(outputs, np.float64) * TARGET_DEVIATION + TARGET_MEAN",
        f"    t = np.clip(t, {transform.low!r}, {transform.high!r})",
        f"    moved = {transform.rise!r} * np.exp(t) - {transform.fall!r} * np.exp(-t)",
        f"    values = {transform.center!r} + {transform.spread!r} * moved",
        f"    return np.clip(values, {low!r}, {high!r})",
    ]


def inputs_of(program: Program) -> str:
    """Return Python source with the names of a table's inputs and its classes or target scale."""
    lines = []
    if program.columns:
        names = [name for column in program.columns for name in column.feature_names()]
        lines.append(f"INPUTS = {pformat(names, width=100)}")
        if program.target_mean is not None and program.target_deviation is not None:
            lines.append(f"TARGET_MEAN = {float(program.target_mean[0])!r}")
            lines.append(f"TARGET_DEVIATION = {float(program.target_deviation[0])!r}")
            lines += _values_of(program)
    if program.classes:
        classes = "".join(f"    {literal(name)},\n" for name in program.classes)
        lines.append(f"CLASSES = [\n{classes}]")
    return "\n".join(lines)
