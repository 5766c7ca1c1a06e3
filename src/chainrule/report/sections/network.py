"""The network: drawn with its weights, and its layers in numbers."""

import math

import numpy as np
from numpy.typing import NDArray

from chainrule.number_texts import count, number, plain
from chainrule.report.charts.network import MOST_UNITS, network_picture
from chainrule.report.charts.small import small_bars
from chainrule.report.markup import Html, element, join
from chainrule.report.sections.elements import section, table
from chainrule.report.subject import Subject


def network(subject: Subject) -> Html:
    """Return the section."""
    net = subject.model.network
    spec = net.spec
    outputs = subject.classes or [subject.target]
    if spec.n_outputs == 1:
        outputs = outputs[-1:]
    inputs = list(map(str, subject.model.encoder.get_feature_names_out()))
    units = spec.unit_names(inputs)
    columns = count(len(subject.model.encoder.columns_), "column")
    lead = (
        f"{count(len(inputs), 'input')} from {columns}, "
        f"{count(len(net.parameters), 'parameter')}, cost: {str(spec.cost).replace('_', ' ')}."
    )
    caption = (
        "Inputs are on the left, outputs on the right. Edges are weights, and a circle’s fill is a "
        "bias: the stronger, the larger."
    )
    if max(spec.sizes) > MOST_UNITS:
        caption += (
            f" A layer with more than {MOST_UNITS} units is represented by the {MOST_UNITS} with "
            "the largest weights."
        )
    colours = element(
        "ul",
        element("li", element("span", class_="swatch positive", aria_hidden="true"), "Positive"),
        element("li", element("span", class_="swatch negative", aria_hidden="true"), "Negative"),
        class_="legend",
    )
    return section(
        "network",
        "The network",
        lead,
        element(
            "figure",
            colours,
            element("div", network_picture(net, units, outputs), class_="scroll"),
            element("figcaption", caption),
            class_="wide",
        ),
        _layers(subject),
    )


def _layers(subject: Subject) -> Html:
    net = subject.model.network
    rows = []
    weights = iter(zip(net.weights, net.biases, strict=True))
    for index, layer in enumerate(net.spec.layers, 1):
        size = net.spec.sizes[index]
        if not layer.has_weights:
            rows.append([f"{index}", layer.kind.replace("_", " "), plain(size), "", "", "", "", ""])
            continue
        W, b = (np.asarray(given, np.float64).ravel() for given in next(weights))
        rows.append(
            [
                f"{index}",
                str(layer.activation),
                plain(size),
                plain(sum(math.prod(block.shape) for block in net.spec.blocks()[index - 1])),
                number(float(np.sqrt(np.mean(W**2)))),
                number(float(np.abs(W).max())),
                _histogram(W),
                number(float(np.abs(b).max())),
            ]
        )
    columns = [
        ("Layer", ""),
        ("Kind", ""),
        ("Units", "number"),
        ("Parameters", "number"),
        ("Typical weight", "number"),
        ("Largest weight", "number"),
        ("Weights", "picture"),
        ("Largest bias", "number"),
    ]
    note = element(
        "p",
        "Typical weight: root mean square. The small charts are histograms of the weights, "
        "from the most negative to the most positive.",
        class_="fine",
    )
    return join([table("Layers of the network", columns, rows, "layers"), note])


def _histogram(W: NDArray[np.float64]) -> Html:
    end = float(np.abs(W).max()) or 1.0
    counts = np.histogram(W, 31, (-end, end))[0]
    return small_bars(counts, f"Distribution of the weights from −{number(end)} to {number(end)}")
