"""The network with its weights, as a chart inside the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from chainrule.model.network import Network
from chainrule.network.parameters import unit_weights, weights_between
from chainrule.pictures.canvas import shortened
from chainrule.pictures.network_drawing import drawn_layers
from chainrule.report.charts.plot import svg
from chainrule.report.markup import Html, coordinate, element

MOST_UNITS = 24
"""Of a layer with more units, only those with the largest weights are drawn."""

_WIDTH = 980.0
_TALLEST = 520.0
_WIDEST_GAP = 40.0
_TOP, _BOTTOM = 56.0, 16.0
_NAME_LENGTH = 26
_LETTER = 7.3
_NOTE_LETTER = 6.6
# If there are many edges, those weaker than this fraction of the scale are left out.
_WEAKEST, _MANY_EDGES = 0.06, 300


@dataclass(frozen=True)
class _Column:
    """A layer as drawn."""

    x: float
    units: NDArray[np.intp]
    y: NDArray[np.float64]
    radius: float
    size: int


def network_picture(
    network: Network, input_names: Sequence[str], output_names: Sequence[str]
) -> Html:
    """Return a drawing of the network: edges are weights, and a circle's fill is a unit's bias.

    Of a layer with more than `MOST_UNITS` units, those with the largest weights are drawn.
    """
    weights = [np.asarray(W, np.float64) for W in unit_weights(network.spec, network.parameters)]
    scale = max(float(np.quantile(np.abs(W), 0.99)) for W in weights) or 1.0
    inputs = [shortened(name, _NAME_LENGTH) for name in input_names]
    outputs = [shortened(name, _NAME_LENGTH) for name in output_names]
    columns = _columns(_strengths(network, weights), inputs, outputs)
    between = weights_between(
        network.spec, network.parameters, [column.units.tolist() for column in columns]
    )
    marks: list[Html] = []
    for below, above, W in zip(columns, columns[1:], between, strict=False):
        marks += _edges(below, above, W.astype(np.float64) / scale)
    biases: list[NDArray[np.float64] | None] = [None]
    biases += [np.asarray(b, np.float64).ravel() / scale for b in network.biases]
    for column, bias in zip(columns, biases, strict=True):
        marks += _circles(column, None if bias is None else bias[column.units])
    marks += _names(columns[0], inputs, side=-1)
    marks += _names(columns[-1], outputs, side=1)
    descriptions = [detail for _, detail in drawn_layers(network.spec)]
    marks += _captions(columns, descriptions)
    height = float(columns[0].y.mean() - _TOP) * 2 + _TOP + _BOTTOM
    label = f"The network, layer by layer: {', '.join(descriptions)}"
    return svg(_WIDTH, height, label, *marks, class_="chart network-picture")


def _strengths(network: Network, weights: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Return the sum of the squared weights from and to each unit of each layer."""
    spec = network.spec
    layers = [layer for layer in spec.layers if layer.has_weights]
    sizes = [spec.sizes[spec.layers.index(layers[0])], *(W.shape[0] for W in weights)]
    strengths: list[NDArray[np.float64]] = [np.zeros(size) for size in sizes]
    for index, (layer, W) in enumerate(zip(layers, weights, strict=True)):
        squared = W**2
        strengths[index + 1] = strengths[index + 1] + squared.sum(axis=1)
        if W.shape[1] == sizes[index]:
            strengths[index] = strengths[index] + squared.sum(axis=0)
            continue
        for unit, row in enumerate(squared):
            seen = layer.seen(unit, sizes[index])
            strengths[index][seen.start : seen.stop] += row
    return strengths


def _columns(
    strengths: list[NDArray[np.float64]], inputs: list[str], outputs: list[str]
) -> list[_Column]:
    sizes = [len(strength) for strength in strengths]
    left = 24 + _LETTER * max(map(len, inputs), default=0)
    right = 24 + _LETTER * max(map(len, outputs), default=0)
    most = min(max(sizes), MOST_UNITS)
    height = min(_TALLEST, max(90.0, most * _WIDEST_GAP))
    columns = []
    for layer, (size, strength) in enumerate(zip(sizes, strengths, strict=True)):
        order = np.argsort(-strength, kind="stable")
        units = np.sort(order[:MOST_UNITS])
        gap = min(_WIDEST_GAP, height / len(units))
        y = _TOP + height / 2 + (np.arange(len(units)) - (len(units) - 1) / 2) * gap
        x = left + layer * (_WIDTH - left - right) / (len(sizes) - 1)
        columns.append(_Column(x, units, np.asarray(y, np.float64), min(7.5, 0.36 * gap), size))
    return columns


def _edges(below: _Column, above: _Column, shown: NDArray[np.float64]) -> list[Html]:
    strength = np.clip(np.abs(shown), 0, 1)
    # Among few edges even weak ones should be visible; hundreds would merge into a grey block.
    room = min(1.0, 150 / shown.size)
    bend = 0.35 * (above.x - below.x)
    marks = []
    for flat in np.argsort(strength, axis=None, kind="stable"):  # strong ones on top
        row, column = divmod(int(flat), shown.shape[1])
        strong = float(strength[row, column])
        if not strong or (shown.size > _MANY_EDGES and strong < _WEAKEST):
            continue
        low, high = coordinate(float(below.y[column])), coordinate(float(above.y[row]))
        start, end = coordinate(below.x), coordinate(above.x)
        first, second = coordinate(below.x + bend), coordinate(above.x - bend)
        opacity = min(1.0, 0.25 * room + 0.8 * strong**1.4)
        marks.append(
            element(
                "path",
                d=f"M{start} {low}C{first} {low} {second} {high} {end} {high}",
                class_="edge positive" if shown[row, column] >= 0 else "edge negative",
                stroke_width=float(0.4 + 3.2 * max(0.5, room**0.25) * strong**1.3),
                stroke_opacity=float(opacity),
            )
        )
    return marks


def _circles(column: _Column, bias: NDArray[np.float64] | None) -> list[Html]:
    marks = []
    for index, y in enumerate(column.y):
        marks.append(element("circle", cx=column.x, cy=float(y), r=column.radius, class_="unit"))
        if bias is not None:
            marks.append(
                element(
                    "circle",
                    cx=column.x,
                    cy=float(y),
                    r=column.radius,
                    class_="bias positive" if bias[index] >= 0 else "bias negative",
                    fill_opacity=float(min(1.0, abs(bias[index]))),
                )
            )
    return marks


def _names(column: _Column, names: list[str], side: int) -> list[Html]:
    if not names:
        return []
    return [
        element(
            "text",
            names[unit],
            x=column.x + side * (column.radius + 7),
            y=float(y) + 4,
            text_anchor="end" if side < 0 else "start",
        )
        for unit, y in zip(column.units, column.y, strict=True)
    ]


def _captions(columns: list[_Column], descriptions: list[str]) -> list[Html]:
    marks = []
    gap = min(right.x - left.x for left, right in pairwise(columns))
    most = min(34, int(gap / _NOTE_LETTER))
    for index, (column, detail) in enumerate(zip(columns, descriptions, strict=True)):
        last = index == len(columns) - 1
        title = "Inputs" if index == 0 else "Output" if last else f"Layer {index}"
        if len(column.units) < column.size:
            detail = f"{detail} ({len(column.units)} drawn)"
        marks.append(element("text", title, x=column.x, y=16, text_anchor="middle", class_="title"))
        marks.append(
            element(
                "text",
                shortened(detail, most),
                x=column.x,
                y=34,
                text_anchor="middle",
                class_="note",
            )
        )
    return marks
