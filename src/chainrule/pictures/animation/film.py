"""The numbers of a film: what each of its frames shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.network.parameters import Vector, unit_weights
from chainrule.network.spec import NetworkSpec
from chainrule.pictures.curves import TITLES, panels_of
from chainrule.pictures.network_drawing import drawn_layers

Values = NDArray[np.floating]


@dataclass(frozen=True)
class Plane:
    """A plane through the space of the inputs, on which the network's outputs are drawn.

    With a single input it is a line: then the vertical axis is the output.
    """

    labels: tuple[str, str]
    """Of the horizontal and the vertical axis."""
    limits: tuple[float, float, float, float]
    """Left, right, bottom, top."""
    points: Values
    """(n, 2): where the examples lie."""
    targets: Values
    """(n,): the index of the class, or the value."""
    held_out: NDArray[np.bool_]
    """(n,): whether an example is of the validation data."""
    classes: tuple[str, ...] = ()
    """Names of the classes; empty for values."""
    low: float = 0.0
    high: float = 1.0
    """The range of the values."""
    title: str = ""
    is_line: bool = False
    ticks: bool = True
    """Whether the numbers along the axes mean something to the reader."""


class Activations(NamedTuple):
    """The range in which a layer's activations are counted."""

    name: str
    low: float
    high: float


class Scene(NamedTuple):
    """What changes from frame to frame, besides the curves."""

    parameters: Vector
    outputs: Values | None
    """On the plane's grid, the first row at the bottom: (rows, columns, classes) probabilities, or
    (rows, columns) values; on a line (columns, classes) or (columns,). None without a plane."""
    activations: Sequence[Values]
    """Of each layer with weights, the shares of its activations in equal bins."""


@dataclass(frozen=True)
class Film:
    """A recorded training as the numbers of its frames.

    Parameters
    ----------
    spec : NetworkSpec
    epochs : tuple of int
        The epochs of the frames.
    columns : mapping
        The history of the recorded epochs, "epoch", "loss", … as lists of the same length.
    layers : list of Activations
        One for each layer with weights.
    gradient_norms : array (frames, layers with weights)
    scene : callable
        Returns the rest of what a frame shows, by the frame's number.
    plane : Plane or None
    features, outputs : lists of str
        Names of the inputs and the outputs; empty if unknown.
    best_epoch : int or None
        The epoch whose weights were kept.
    """

    spec: NetworkSpec
    epochs: tuple[int, ...]
    columns: Mapping[str, Sequence[float]]
    layers: Sequence[Activations]
    gradient_norms: NDArray[np.float64]
    scene: Callable[[int], Scene]
    plane: Plane | None = None
    features: Sequence[str] = ()
    outputs: Sequence[str] = ()
    best_epoch: int | None = None

    @cached_property
    def row_of(self) -> dict[int, int]:
        """The row of each epoch in `columns`."""
        return {int(epoch): row for row, epoch in enumerate(self.columns["epoch"])}

    @cached_property
    def weight_scale(self) -> float:
        """The magnitude of a weight at which colours end, the same in all frames.

        The largest of the layers' 98 % quantiles, over some frames: an outlier saturates.
        """
        frames = np.unique(np.linspace(0, len(self.epochs) - 1, 12).astype(int))
        ends = [
            float(np.quantile(np.abs(W[np.isfinite(W)]), 0.98)) if np.isfinite(W).any() else 0.0
            for frame in frames
            for W in unit_weights(self.spec, self.scene(int(frame)).parameters)
        ]
        return max(ends) or 1.0

    def described(self, frame: int) -> str:
        """Return the numbers of a frame in a line: "epoch 20: training loss 0.3, …"."""
        texts = [f"{name} {text}" for name, text in self.numbers(frame)]
        return f"epoch {self.epochs[frame]:,}" + (f": {', '.join(texts)}" if texts else "")

    def numbers(self, frame: int) -> list[tuple[str, str]]:
        """Return the losses and metrics of a frame, by name, as short texts."""
        row = self.row_of[self.epochs[frame]]
        names = {"loss": "training loss", "validation_loss": "validation loss"}
        for metric in self.metrics:
            validation = f"validation_{metric}"
            text = metric if metric == "accuracy" else TITLES.get(metric, metric.replace("_", " "))
            if validation in self.columns:
                names[validation] = f"validation {text}"
            elif metric in self.columns:
                names[metric] = text
        return [
            (shown, _short(self.columns[name][row]))
            for name, shown in names.items()
            if name in self.columns and np.isfinite(self.columns[name][row])
        ]

    @property
    def metrics(self) -> list[str]:
        """The names of the metrics, of which some exist for the validation data only."""
        return panels_of(dict(self.columns))[1:]

    @property
    def captions(self) -> list[tuple[int, str]]:
        """The number of units and the description of each drawn column of units."""
        return list(drawn_layers(self.spec))


def grid_of(plane: Plane, size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coordinates of a grid's columns and rows: the middles of equal cells."""
    left, right, bottom, top = plane.limits
    middles = (np.arange(size) + 0.5) / size
    return left + middles * (right - left), bottom + middles * (top - bottom)


def _short(value: float) -> str:
    """Return a number in a form whose length hardly changes from frame to frame."""
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e3 or value == 0 else f"{value:.2e}"
