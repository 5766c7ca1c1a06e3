"""The plane through the inputs on which a film draws a network's outputs.

Two inputs span it themselves. More are projected onto the two directions of their largest variance
(principal components, PCA), and the plane goes through the mean of the examples.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.engines import engine_named
from chainrule.engines.base import Examples, Floats
from chainrule.network.spec import NetworkSpec
from chainrule.pictures.animation.film import Plane, grid_of
from chainrule.pictures.projection import principal_components

Units: TypeAlias = Callable[[NDArray[np.floating]], NDArray[np.float64]]

_MARGIN = 0.08
"""What is drawn around the examples, as a share of their range."""


@dataclass(frozen=True)
class Cut:
    """A plane, and where its points lie among the inputs."""

    plane: Plane
    origin: NDArray[np.float64]
    """(n[0],)."""
    directions: NDArray[np.float64]
    """(2, n[0]), or (1, n[0]) of a line."""
    units: Units | None = None
    """From the network's values to those of the reader; None: they are the same."""

    def inputs(self, size: int) -> NDArray[np.float64]:
        """Return the inputs at the points of a grid, row by row from below: (points, n[0])."""
        across, up = grid_of(self.plane, size)
        if self.plane.is_line:
            return np.asarray(self.origin + across[:, None] * self.directions)
        x, y = (axis.ravel() for axis in np.meshgrid(across, up))
        return np.asarray(
            self.origin + x[:, None] * self.directions[0] + y[:, None] * self.directions[1]
        )


def outputs_on(cut: Cut, spec: NetworkSpec, parameters: Floats, inputs: Floats) -> Floats:
    """Return what a network predicts on the grid, as a `Scene` has it; see `Cut.inputs`."""
    outputs = np.empty((len(inputs), spec.n_outputs), spec.dtype)
    engine_named("auto").forward(spec, parameters, inputs, outputs)
    if not cut.plane.classes:
        shown: Floats = outputs[:, 0] if cut.units is None else cut.units(outputs[:, 0])
    elif spec.n_outputs == 1:
        shown = np.concatenate([1 - outputs, outputs], axis=1)
    else:
        shown = outputs
    if cut.plane.is_line:
        return shown
    size = round(len(inputs) ** 0.5)
    return shown.reshape(size, size, *shown.shape[1:])


def cut_through(
    spec: NetworkSpec,
    examples: Examples,
    held_out: Examples | None,
    features: Sequence[str],
    outputs: Sequence[str],
    scaled: bool = False,
    units: Units | None = None,
) -> Cut | None:
    """Return the plane of a film; None if no input is a number (all are codes of categories).

    Parameters
    ----------
    spec : NetworkSpec
    examples, held_out : Examples
        Training and validation examples.
    features, outputs : sequences of str
        Names of the inputs and outputs; empty if unknown.
    scaled : bool
        Whether the inputs were scaled from units that the film does not know.
    units : callable, optional
        From the network's values to those of the reader.
    """
    numbers = [index for index in range(spec.n_features) if index not in spec.layers[0].codes]
    if not numbers:
        return None
    X = examples.X.astype(np.float64)
    origin, directions, labels = _axes(X, numbers, features)
    own = len(numbers) <= 2
    if own and scaled:
        labels = (f"{labels[0]} (scaled)", f"{labels[1]} (scaled)")
    parts = [examples] if held_out is None else [examples, held_out]
    inputs = np.concatenate([part.X.astype(np.float64) for part in parts])
    points = np.inner((inputs - origin)[:, numbers], directions[:, numbers])
    targets, classes, title = _targets(spec, parts, outputs)
    if units is not None and not classes:
        targets = units(targets)
    low, high = _range(targets)
    is_line = len(directions) == 1
    if is_line:
        is_binary = len(classes) == 2
        across = targets if is_binary or not classes else np.zeros(len(targets))
        points = np.column_stack([points[:, 0], across])
        labels = (labels[0], title if not classes else "probability")
    limits = (*_limits(points[:, 0]), *_limits(points[:, 1]))
    if is_line and classes:
        limits = (*limits[:2], -0.05, 1.05)
    is_held_out = np.zeros(len(points), bool)
    is_held_out[len(examples.X) :] = True
    plane = Plane(
        labels,
        limits,
        points,
        targets,
        is_held_out,
        classes,
        low,
        high,
        title,
        is_line,
        own and not scaled,
    )
    return Cut(plane, origin, directions, units)


def _axes(
    X: NDArray[np.float64], numbers: list[int], features: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, str]]:
    """Return the origin, the directions and their labels; codes are held at the commonest one."""
    n = X.shape[1]
    origin = np.zeros(n)
    for index in set(range(n)) - set(numbers):
        codes, counts = np.unique(X[:, index], return_counts=True)
        origin[index] = codes[np.argmax(counts)]
    if len(numbers) <= 2:
        directions = np.eye(n)[numbers]
        names = [features[i] if features else f"x{_subscript(i + 1)}" for i in numbers]
        return origin, directions, (names[0], names[-1])
    origin[numbers] = X[:, numbers].mean(axis=0)
    centred = (X - origin)[:, numbers]
    components = principal_components(centred)
    directions = np.zeros((2, n))
    directions[:, numbers] = components.directions
    return origin, directions, (components.label(1), components.label(2))


def _targets(
    spec: NetworkSpec, parts: list[Examples], outputs: Sequence[str]
) -> tuple[NDArray[np.float64], tuple[str, ...], str]:
    """Return the targets, the names of the classes (none for values), and the title of the map."""
    n = spec.n_outputs
    Y = np.concatenate([part.targets(n) for part in parts]).astype(np.float64)
    if spec.gives_probabilities and (n == 1 or spec.output_activation == "softmax"):
        count = max(2, n)
        if len(outputs) == count:
            names = tuple(outputs)
        elif n == 1:
            names = (f"not {outputs[0]}", outputs[0]) if outputs else ("0", "1")
        else:
            names = tuple(str(index) for index in range(count))
        indices = Y.argmax(axis=1) if n > 1 else (Y[:, 0] > 0.5)
        return indices.astype(np.float64), names, "Decision boundary"
    name = outputs[0] if outputs else "output" if n == 1 else f"output 1 of {n}"
    return Y[:, 0], (), name


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = _range(values)
    margin = _MARGIN * (high - low)
    return low - margin, high + margin


def _subscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
