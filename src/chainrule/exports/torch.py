"""Export to PyTorch: a state dict as safetensors, and a Python file that builds and loads a module.

Pickle is avoided, because a ``.pt`` file can run code when it is loaded. The module has the
network's own layers, including dropout and batch normalisation, so that its training can continue.
It does not include a table's encoding; the targets `numpy`, `onnx` and `c` do.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.equations.text import equation_text
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
from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.network.spec import NetworkSpec


def write(program: Program, path: Path, name: str) -> tuple[Path, ...]:
    """Write a program as a state dict and a Python file beside it."""
    from safetensors.numpy import save

    modules, state = _modules(program)
    script, text = script_beside(path), _source(program, modules, path.name)
    with atomic_path(path) as temporary:
        temporary.write_bytes(save({key: np.ascontiguousarray(a) for key, a in state.items()}))
    with atomic_path(script) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path, script


def _modules(program: Program) -> tuple[list[str], dict[str, NDArray[Any]]]:
    """Return the modules of an nn.Sequential as Python source, and its state dict."""
    spec = program.network.spec
    dtype = f"dtype=torch.{spec.dtype}"
    modules: list[str] = []
    state: dict[str, NDArray[Any]] = {}

    def add(text: str, **numbers: NDArray[Any]) -> None:
        for key, array in numbers.items():
            state[f"{len(modules)}.{key}"] = array
        modules.append(text)

    if program.mean is not None and program.deviation is not None:
        add(f"Scaled({program.n_features})", mean=program.mean, deviation=program.deviation)
        modules.append(f"To(torch.{spec.dtype})")
    sizes = spec.sizes
    for layer, n_in, n_out, theta in zip(
        spec.layers, sizes, sizes[1:], views(spec, program.network.parameters), strict=False
    ):
        for operation in layer.operations(theta) or ():
            match operation:
                case Affine(W, b):
                    add(f"nn.Linear({n_in}, {n_out}, {dtype})", weight=W, bias=b)
                case GroupedAffine(W, b):
                    add(f"Grouped({n_in}, {n_out}, {len(W)}, {dtype})", weight=W, bias=b)
                case Normalized(gamma, beta, mean, variance, epsilon, momentum):
                    add(
                        # PyTorch's momentum is the weight of the new value.
                        f"nn.BatchNorm1d({n_out}, {epsilon!r}, {1 - momentum!r}, {dtype})",
                        weight=gamma,
                        bias=beta,
                        running_mean=mean,
                        running_var=variance,
                        num_batches_tracked=np.zeros((), np.int64),
                    )
                case Binned(columns, lower, width):
                    add(
                        f"Bins({len(columns)}, {dtype})",
                        columns=columns.astype(np.int64),
                        lower=lower.astype(spec.dtype),
                        width=width.astype(spec.dtype),
                    )
                case Multiplied(factors):
                    add(f"Factors({n_out}, {dtype})", weight=factors)
                case Periodic(columns, w, c, V, d):
                    _, s, F = V.shape
                    add(
                        f"Periodic({columns.tolist()}, {F}, {s}, {dtype})",
                        frequencies=w,
                        phases=c,
                        mixing=V,
                        shifts=d,
                    )
                case Dropped(rate):
                    add(f"nn.Dropout({rate!r})")
                case Activated(sigma, None):
                    add(_activation(sigma))
                case Activated(sigma, strength) if strength is not None:
                    add(f"Partly({_activation(sigma)}, {n_out}, {dtype})", strength=strength)
    center, scale = program.target_mean, program.target_deviation
    if center is not None and scale is not None and not program.columns:
        modules.append("To(torch.float64)")
        add(f"Restored({program.n_outputs})", mean=center, deviation=scale)
    return modules, state


def _activation(sigma: Activation | ActivationHeads) -> str:
    if isinstance(sigma, ActivationHeads):
        each = ", ".join(f"({head.units}, {_activation(head.function)})" for head in sigma.heads)
        return f"Heads([{each}])"
    text = sigma.row.torch.format(**sigma.parameters)
    return text if text.startswith("nn.") else f"{_class_name(sigma.name)}()"


def _class_name(name: str) -> str:
    return name.title().replace("_", "")


def _activation_classes(spec: NetworkSpec) -> list[str]:
    """Return a class for each activation that torch.nn lacks."""
    used = {head.function.name for sigma in spec.activations for head in sigma.parts(0)}
    classes = []
    for name in sorted(used):
        expression = ACTIVATIONS[name].torch
        if expression.startswith("nn."):
            continue
        text = equation_text(ACTIVATIONS[name].function)
        assert text is not None
        classes.append(
            f'class {_class_name(name)}(nn.Module):\n    """{text.formula}."""\n\n'
            f"    def forward(self, z):\n        return {expression}"
        )
    return classes


_CLASSES = {
    "Scaled(": '''\
class Scaled(nn.Module):
    """(x - mean)/deviation."""

    def __init__(self, n):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n, dtype=torch.float64))
        self.register_buffer("deviation", torch.ones(n, dtype=torch.float64))

    def forward(self, x):
        return (x - self.mean) / self.deviation''',
    "Restored(": '''\
class Restored(nn.Module):
    """y * deviation + mean: the target's own units."""

    def __init__(self, n):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n, dtype=torch.float64))
        self.register_buffer("deviation", torch.ones(n, dtype=torch.float64))

    def forward(self, y):
        return y * self.deviation + self.mean''',
    "To(": '''\
class To(nn.Module):
    """Another precision."""

    def __init__(self, dtype):
        super().__init__()
        self.dtype = dtype

    def forward(self, x):
        return x.to(self.dtype)''',
    "Grouped(": '''\
class Grouped(nn.Module):
    """Groups of units, each of which sees its own group of the units below."""

    def __init__(self, n_in, n_out, groups, dtype):
        super().__init__()
        shape = groups, n_out // groups, n_in // groups
        self.weight = nn.Parameter(torch.zeros(shape, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(n_out, dtype=dtype))

    def forward(self, x):
        x = x.unflatten(1, (len(self.weight), -1))
        return torch.einsum("mgi,goi->mgo", x, self.weight).flatten(1) + self.bias''',
    "Bins(": '''\
class Bins(nn.Module):
    """x, followed by the part of each bin that lies below its column of x."""

    def __init__(self, n, dtype):
        super().__init__()
        self.register_buffer("columns", torch.zeros(n, dtype=torch.int64))
        self.register_buffer("lower", torch.zeros(n, dtype=dtype))
        self.register_buffer("width", torch.ones(n, dtype=dtype))

    def forward(self, x):
        bins = (x[:, self.columns] - self.lower) / self.width
        return torch.cat([x, bins.clamp(0, 1)], dim=1)''',
    "Factors(": '''\
class Factors(nn.Module):
    """x * weight, a factor for each unit."""

    def __init__(self, n, dtype):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n, dtype=dtype))

    def forward(self, x):
        return x * self.weight''',
    "Periodic(": '''\
class Periodic(nn.Module):
    """The units, then mixed cosines of those in columns."""

    def __init__(self, columns, frequencies, size, dtype):
        super().__init__()
        self.columns = columns
        k = len(columns)
        self.frequencies = nn.Parameter(torch.zeros(k, frequencies, dtype=dtype))
        self.phases = nn.Parameter(torch.zeros(k, frequencies, dtype=dtype))
        self.mixing = nn.Parameter(torch.zeros(k, size, frequencies, dtype=dtype))
        self.shifts = nn.Parameter(torch.zeros(k, size, dtype=dtype))

    def forward(self, x):
        psi = 2 * torch.pi * self.frequencies * x[:, self.columns, None] + self.phases
        e = torch.einsum("mkf,ksf->mks", torch.cos(psi), self.mixing) + self.shifts
        return torch.cat([x, e.flatten(1)], dim=1)''',
    "Partly(": '''\
class Partly(nn.Module):
    """z + strength * (activation(z) - z), a strength for each unit."""

    def __init__(self, activation, n, dtype):
        super().__init__()
        self.activation = activation
        self.strength = nn.Parameter(torch.ones(n, dtype=dtype))

    def forward(self, z):
        return z + self.strength * (self.activation(z) - z)''',
    "Heads(": '''\
class Heads(nn.Module):
    """Some units with one activation, some with another."""

    def __init__(self, heads):
        super().__init__()
        self.units = [units for units, _ in heads]
        self.activations = nn.ModuleList([activation for _, activation in heads])

    def forward(self, z):
        parts = torch.split(z, self.units, dim=1)
        return torch.cat([f(part) for f, part in zip(self.activations, parts)], dim=1)''',
}


def _source(program: Program, modules: list[str], weights: str) -> str:
    dtype = "float64" if program.mean is not None else program.dtype
    used = [text for call, text in _CLASSES.items() if any(call in module for module in modules)]
    listed = "\n".join(f"        {module}," for module in modules)
    parts = [
        begin(program, "PyTorch", f"model = load(); y = model(x), x a tensor of torch.{dtype}."),
        "from pathlib import Path\n\nimport torch\nfrom torch import nn",
        inputs_of(program),
        *used,
        *_activation_classes(program.network.spec),
        f'def build():\n    """Return the module, with numbers yet to be loaded."""\n'
        f"    return nn.Sequential(\n{listed}\n    )",
        f"def load(path=Path(__file__).with_name({weights!r})):\n"
        '    """Return the module with the numbers of the file, ready to predict."""\n'
        "    from safetensors.torch import load_file\n\n"
        "    model = build()\n"
        "    model.load_state_dict(load_file(path))\n"
        "    return model.eval()",
    ]
    return "\n\n\n".join(part for part in parts if part) + "\n"
