"""Drawing a network: units as circles, weights as coloured edges."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.network.parameters import Vector, named_views, unit_weights, weights_between
from chainrule.network.spec import NetworkSpec
from chainrule.pictures.canvas import FAINT, INK, blank, shortened
from chainrule.pictures.picture import Picture, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize
    from matplotlib.figure import Figure

# Larger layers are drawn by their first and last units only.
_MOST_UNITS = 32

# Lengths in inches, which are the units of the axes.
_TALLEST = 7.6
_WIDEST = 40.0
_WIDEST_GAP = 0.62
_BETWEEN_LAYERS = 2.7
_ABOVE, _BELOW = 0.75, 0.95
_RADIUS = 0.42
"""Radius of a circle as a fraction of the gap between two units; at most `_LARGEST_RADIUS`."""
_LARGEST_RADIUS = 0.16
_NAME_LENGTH = 28


@dataclass(frozen=True)
class _Column:
    """A layer as drawn."""

    x: float
    units: list[int]
    """Indices of the units that are drawn."""
    y: NDArray[np.float64]
    """Their y coordinates."""
    gap: float
    middle: float
    whole: bool
    """Whether all units are drawn; otherwise an ellipsis marks the gap in the middle."""


def network_drawing(
    spec: NetworkSpec,
    parameters: Vector,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
) -> Picture:
    """Return a drawing of a network: edges are weights, and a circle's fill is a unit's bias.

    Blue is positive and red negative; the larger a weight, the thicker and more opaque its edge.
    All layers share one colour scale. Of a layer with more than 32 units, only the first and last
    ones are drawn. Dropout and batch normalisation are named above the units that they act on; the
    embedded values of categories are drawn among the inputs.

    Parameters
    ----------
    spec : NetworkSpec
    parameters : array (number of parameters,)
        Not copied.
    feature_names, class_names : sequences of str, optional
        Names of the inputs and of the outputs.

    Raises
    ------
    InvalidArgumentError
        If the number of names is not that of the inputs or outputs.
    """
    features = _names("feature_names", feature_names, spec.n_features)
    if features:
        features = spec.unit_names(features)
    outputs = _names("class_names", class_names, spec.n_outputs)
    layers = " → ".join(detail for _, detail in drawn_layers(spec))
    return Picture(
        lambda: _figure(spec, parameters, features, outputs),
        f"{wrapped(f'Network: {layers}')}\n{_ranges(spec, parameters)}",
        f"The network, layer by layer: {layers}",
    )


def _ranges(spec: NetworkSpec, parameters: Vector) -> str:
    """Return a line for each layer of weights: the numbers that the drawing shows as colours."""
    lines = [f"{'layer':>7} {'weights':>12} {'smallest':>10} {'largest':>10} {'typical size':>13}"]
    for number, W in enumerate(unit_weights(spec, parameters), 1):
        values = np.asarray(W, np.float64)
        typical = float(np.sqrt(np.mean(values**2)))
        lines.append(
            f"{number:>7} {values.size:>12,} {values.min():>10.3g} {values.max():>10.3g} "
            f"{typical:>13.3g}"
        )
    return "\n".join(lines)


def _figure(
    spec: NetworkSpec, parameters: Vector, features: list[str], outputs: list[str]
) -> "Figure":
    left = 0.6 + 0.075 * max((len(name) for name in features), default=2)
    right = 0.6 + 0.085 * max((len(name) for name in outputs), default=2)
    columns = _columns(spec, left)
    width = columns[-1].x + right
    height = 2 * (columns[0].middle - _BELOW) + _BELOW + _ABOVE
    weights = [np.asarray(W, np.float64) for W in unit_weights(spec, parameters)]
    figure = blank(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    colors, scale = _color_scale(weights)
    between = weights_between(spec, parameters, [column.units for column in columns])
    for below, above, W in zip(columns[:-1], columns[1:], between, strict=True):
        _draw_weights(axes, below, above, W, colors, scale)
    biases: list[NDArray[np.floating] | None] = [None]
    biases += [b.reshape(-1) for b in named_views(spec, parameters, "b")]
    for column, bias in zip(columns, biases, strict=True):
        _draw_units(axes, column, bias, colors, scale)
    _write_names(axes, columns[0], features, side=-1)
    _write_names(axes, columns[-1], outputs, side=1)
    _write_captions(axes, spec, columns, height - 0.33)
    _draw_color_bar(axes, width / 2, colors, scale)
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    return figure


def _names(argument: str, names: Sequence[str] | None, expected: int) -> list[str]:
    if names is None:
        return []
    if len(names) != expected:
        raise InvalidArgumentError(f"{argument}: expected {expected} names; got {len(names)}")
    return [shortened(str(name), _NAME_LENGTH) for name in names]


def drawn_layers(spec: NetworkSpec) -> list[tuple[int, str]]:
    """Return size and description of the inputs and of every layer with weights.

    A layer without weights shares the units of the layer below, and is added to its description. So
    are category embeddings, whose outputs are drawn as the inputs of the layer above.
    """
    drawn = [(spec.n_features, str(spec.n_features))]
    for layer, size in zip(spec.layers, spec.sizes[1:], strict=True):
        if layer.has_weights:
            drawn.append((size, f"{size} {layer.detail}"))
            continue
        name = layer.kind.replace("_", " ")
        drawn[-1] = (size, f"{drawn[-1][1]}, {name} {layer.detail}".strip())
    return drawn


def _columns(spec: NetworkSpec, left: float) -> list[_Column]:
    sizes = [size for size, _ in drawn_layers(spec)]
    slots_of = [min(size, _MOST_UNITS) for size in sizes]
    height = min(_TALLEST, max(2.2, max(slots_of) * _WIDEST_GAP))
    middle = _BELOW + height / 2
    between = min(_BETWEEN_LAYERS, _WIDEST / len(slots_of))
    columns = []
    for index, (size, slots) in enumerate(zip(sizes, slots_of, strict=True)):
        gap = min(_WIDEST_GAP, height / slots)
        y = np.asarray(middle + ((slots - 1) / 2 - np.arange(slots)) * gap, np.float64)
        units = list(range(size))
        if size > slots:
            half = (slots - 2) // 2  # two slots are left free for the ellipsis
            units = [*range(half), *range(size - half, size)]
            y = np.delete(y, [half, half + 1])
        columns.append(_Column(left + index * between, units, y, gap, middle, size == slots))
    return columns


def _color_scale(weights: Sequence[NDArray[np.float64]]) -> "tuple[Colormap, Normalize]":
    """Return colours from red over grey to blue, and a scale from −end to end for the weights."""
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    # The scale ends at the largest of the layers' 99 % quantiles: a single outlier saturates
    # instead of making all other weights pale.
    ends = [float(np.quantile(np.abs(W), 0.99)) for W in weights]
    end = max(ends) or 1.0
    colors = LinearSegmentedColormap.from_list(
        "weights", ["#9E0F25", "#D6604D", "#E9E5E1", "#4393C3", "#08519C"]
    )
    return colors, Normalize(-end, end)


class EdgeStyle(NamedTuple):
    """How the weights between two layers are drawn: weak ones first, strong ones on top."""

    order: NDArray[np.intp]
    """Indices of the weights, row by row, in the order in which they are drawn."""
    colours: NDArray[np.float64]
    """(weights, 4): red, green, blue and opacity, in that order."""
    widths: NDArray[np.float64]
    """In points, in that order."""


def edge_style(W: NDArray[np.floating], colors: "Colormap", scale: "Normalize") -> EdgeStyle:
    """Return how the weights between two layers are drawn: the larger, the thicker and opaquer.

    A weight of 0 is no edge.
    """
    strength = np.clip(np.abs(W) / scale.vmax, 0, 1).ravel()
    rgba = colors(scale(W.ravel()))
    # Among few edges even weak ones should be visible; thousands would merge into a grey block.
    room = min(1.0, 150 / W.size)
    rgba[:, 3] = np.where(strength > 0, np.clip(0.3 * room + 0.8 * strength**1.5, 0, 1), 0)
    widths = 0.3 + 2.6 * max(0.5, room**0.25) * strength**1.3
    order = np.argsort(strength, kind="stable")
    return EdgeStyle(order, rgba[order], widths[order])


def _draw_weights(
    axes: "Axes",
    below: _Column,
    above: _Column,
    W: NDArray[np.floating],
    colors: "Colormap",
    scale: "Normalize",
) -> None:
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path as Curve

    style = edge_style(W, colors, scale)
    codes = [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4]
    bend = 0.35 * (above.x - below.x)
    curves = [
        Curve(
            [(below.x, low), (below.x + bend, low), (above.x - bend, high), (above.x, high)], codes
        )
        for high in above.y
        for low in below.y
    ]
    axes.add_collection(
        PathCollection(
            [curves[index] for index in style.order],
            facecolors="none",
            edgecolors=style.colours,
            linewidths=style.widths,
            capstyle="round",
        )
    )


def _draw_units(
    axes: "Axes",
    column: _Column,
    bias: NDArray[np.floating] | None,
    colors: "Colormap",
    scale: "Normalize",
) -> None:
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Circle

    radius = min(_LARGEST_RADIUS, _RADIUS * column.gap)
    filling: Any = "white" if bias is None else colors(scale(np.asarray(bias)[column.units]))
    axes.add_collection(
        PatchCollection(
            [Circle((column.x, y), radius) for y in column.y],
            facecolors=filling,
            edgecolors=INK,
            linewidths=1.0,
            zorder=3,
        )
    )
    if not column.whole:
        heights = column.middle + np.array([-1, 0, 1]) * 0.4 * column.gap
        axes.scatter([column.x] * 3, heights, s=7, color=INK, zorder=3)


def _write_names(axes: "Axes", column: _Column, names: list[str], side: int) -> None:
    if not names:
        return
    size = float(np.clip(column.gap * 72 * 0.62, 5.5, 11))
    for unit, y in zip(column.units, column.y, strict=True):
        axes.text(
            column.x + side * (min(_LARGEST_RADIUS, _RADIUS * column.gap) + 0.1),
            y,
            names[unit],
            ha="right" if side < 0 else "left",
            va="center_baseline",
            fontsize=size,
            color=INK,
            parse_math=False,
        )


def _write_captions(axes: "Axes", spec: NetworkSpec, columns: list[_Column], top: float) -> None:
    for index, (column, (_, detail)) in enumerate(zip(columns, drawn_layers(spec), strict=True)):
        last = index == len(columns) - 1
        title = "inputs" if index == 0 else "output" if last else f"layer {index}"
        style: dict[str, Any] = {"ha": "center", "va": "center", "parse_math": False}
        axes.text(column.x, top, title, fontsize=11, fontweight="bold", color=INK, **style)
        axes.text(column.x, top - 0.22, detail, fontsize=9.5, color=FAINT, **style)


def _draw_color_bar(axes: "Axes", middle: float, colors: "Colormap", scale: "Normalize") -> None:
    length, height, bottom = 2.4, 0.11, 0.40
    start = middle - length / 2
    axes.imshow(
        np.linspace(0, 1, 256)[np.newaxis],
        cmap=colors,
        extent=(start, start + length, bottom, bottom + height),
        aspect="auto",
        interpolation="bilinear",
    )
    end = f"{scale.vmax:.2g}"
    for x, text in ((0.0, f"−{end}"), (0.5, "0"), (1.0, f"+{end}")):
        axes.text(
            start + x * length,
            bottom - 0.14,
            text,
            ha="center",
            va="center",
            fontsize=8,
            color=FAINT,
        )
    axes.text(
        middle,
        bottom + height + 0.12,
        "weight (edge), bias (circle)",
        ha="center",
        va="center",
        fontsize=9,
        color=INK,
    )
