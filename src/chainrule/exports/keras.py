"""Export to Keras: the weights as .npz, and a Python file that builds the model and sets them.

The format is not ``.weights.h5``, because its layout varies between releases of Keras and writing
it requires h5py, whereas ``set_weights`` has taken the same list of arrays in every release. Nor is
it ``.keras``, which holds code for custom parts. NumPy reads the .npz file without pickle.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.exports.program import Program
from chainrule.exports.scripts import begin, inputs_of, script_beside
from chainrule.files.atomic import atomic_path
from chainrule.network.activation import Activation, ActivationHeads
from chainrule.network.layers.operations import (
    Activated,
    Affine,
    Binned,
    Dropped,
    GroupedAffine,
    Multiplied,
    Normalized,
    Periodic,
)
from chainrule.network.parameters import views


def write(program: Program, path: Path, name: str) -> tuple[Path, ...]:
    """Write a program as an .npz archive of weights and a Python file beside it."""
    lines, weights = _layers(program)
    script, text = script_beside(path), _source(program, lines, path.name)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **{f"{place:04}": array for place, array in enumerate(weights)})  # type: ignore[arg-type]
    with atomic_path(script) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path, script


def _layers(program: Program) -> tuple[list[str], list[NDArray[Any]]]:
    """Return the statements that turn input x into output x, and the weights in layer order."""
    spec = program.network.spec
    lines: list[str] = []
    weights: list[NDArray[Any]] = []
    if program.mean is not None and program.deviation is not None:
        scale, offset = 1 / program.deviation, -program.mean / program.deviation
        lines.append(f"x = layers.Rescaling({scale.tolist()}, {offset.tolist()})(x)")
    for layer, units, theta in zip(
        spec.layers, spec.sizes[1:], views(spec, program.network.parameters), strict=True
    ):
        for operation in layer.operations(theta) or ():
            match operation:
                case Affine(W, b):
                    lines.append(f"x = layers.Dense({units})(x)")
                    weights += [W.T, b]
                case GroupedAffine(W, b):
                    lines += _grouped(*W.shape)
                    weights += [W, b.reshape(W.shape[:2])]
                case Normalized(gamma, beta, mean, variance, epsilon, momentum):
                    lines.append(
                        f"x = layers.BatchNormalization(momentum={momentum!r}, "
                        f"epsilon={epsilon!r})(x)"
                    )
                    weights += [gamma, beta, mean, variance]
                case Binned(columns, lower, width):
                    lines += [
                        f"columns = {columns.tolist()}",
                        f"lower, width = np.array({_texts(lower, spec.dtype)}), "
                        f"np.array({_texts(width, spec.dtype)})",
                        "bins = (keras.ops.take(x, columns, axis=1) - lower) / width",
                        "x = keras.ops.concatenate([x, keras.ops.clip(bins, 0, 1)], axis=1)",
                    ]
                case Multiplied(factors):
                    lines.append(f'x = layers.EinsumDense("ij,j->ij", output_shape=({units},))(x)')
                    weights.append(factors)
                case Periodic(columns, w, c, V, d):
                    lines += _periodic(columns.tolist(), *V.shape)
                    weights += [2 * np.pi * w, c, V, d]
                case Dropped(rate):
                    lines.append(f"x = layers.Dropout({rate!r})(x)")
                case Activated(sigma, None):
                    lines += _activation(sigma)
                case Activated(sigma, strength) if strength is not None:
                    factors = f'layers.EinsumDense("ij,j->ij", output_shape=({units},))'
                    moved = "layers.Subtract()([x, z])"
                    lines += ["z = x", *_activation(sigma)]
                    lines.append(f"x = layers.Add()([z, {factors}({moved})])")
                    weights.append(strength)
    if not program.columns and program.target_mean is not None:
        assert program.target_deviation is not None
        scale, offset = program.target_deviation.tolist(), program.target_mean.tolist()
        lines.append(f"x = layers.Rescaling({scale}, {offset})(x)")
    return lines, weights


def _texts(numbers: NDArray[Any], dtype: str) -> str:
    """Return the arguments of a NumPy array of numbers in a precision."""
    return f"{numbers.astype(dtype).tolist()}, {dtype!r}"


def _grouped(groups: int, n_out: int, n_in: int) -> list[str]:
    shape = f'output_shape=({groups}, {n_out}), bias_axes="gj"'
    return [
        f"x = layers.Reshape(({groups}, {n_in}))(x)",
        f'x = layers.Flatten()(layers.EinsumDense("igk,gjk->igj", {shape})(x))',
    ]


def _periodic(columns: list[int], k: int, s: int, F: int) -> list[str]:
    phases = f'layers.EinsumDense("ij,jk->ijk", output_shape=({k}, {F}), bias_axes="jk")'
    mixed = f'layers.EinsumDense("ijk,jlk->ijl", output_shape=({k}, {s}), bias_axes="jl")'
    return [
        f"z = {phases}(keras.ops.take(x, {columns}, axis=1))",
        f"z = {mixed}(keras.ops.cos(z))",
        "x = layers.Concatenate()([x, layers.Flatten()(z)])",
    ]


def _activation(sigma: Activation | ActivationHeads) -> list[str]:
    if isinstance(sigma, Activation):
        return [] if sigma.name == "identity" else [f"x = {_layer(sigma)}(x)"]
    lines, names = [], []
    for place, (units, head) in enumerate(sigma.slices(), start=1):
        name = f"head{place}"
        lines.append(f"{name} = x[:, {units.start}:{units.stop}]")
        if head.function.name != "identity":
            lines.append(f"{name} = {_layer(head.function)}({name})")
        names.append(name)
    if len(names) == 1:
        return [*lines, "x = head1"]
    return [*lines, f"x = layers.Concatenate()([{', '.join(names)}])"]


def _layer(sigma: Activation) -> str:
    text = sigma.row.keras.format(**sigma.parameters)
    return text if "(" in text else f"layers.Activation({text!r})"


def _source(program: Program, lines: list[str], weights: str) -> str:
    usage = f"model = load(); y = model(x), x an array (rows, {program.n_features})."
    statements = "\n".join(f"    {line}" for line in lines)
    parts = [
        begin(program, "Keras", usage),
        "from pathlib import Path\n\nimport keras\nimport numpy as np\nfrom keras import layers",
        inputs_of(program),
        'def build():\n    """Return the model, with weights yet to be set."""\n'
        f"    inputs = x = keras.Input(({program.n_features},))\n"
        f"{statements}\n    return keras.Model(inputs, x)",
        f"def load(path=Path(__file__).with_name({weights!r})):\n"
        '    """Return the model with the weights of the file."""\n'
        f"    keras.config.set_floatx({program.dtype!r})\n"
        "    model = build()\n"
        "    with np.load(path) as file:\n"
        "        model.set_weights([file[name] for name in sorted(file.files)])\n"
        "    return model",
    ]
    return "\n\n\n".join(part for part in parts if part) + "\n"
