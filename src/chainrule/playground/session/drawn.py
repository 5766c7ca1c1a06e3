"""Which units and parameters of a network are drawn, and in which order a frame has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Floats
from chainrule.network.layers import Dense, Layer
from chainrule.network.parameters import placed_blocks, weights_between
from chainrule.network.spec import NetworkSpec
from chainrule.playground.session.layout import MAX_DRAWN

# The most parameters that are drawn: a frame has one number for each, and its gradient.
_MOST_VALUES = 640


@dataclass(frozen=True)
class DrawnLayer:
    """A layer with weights in a drawing, and the layers that follow it and have none.

    Parameters
    ----------
    number : int
        Counted from 1 over the layers with weights.
    layer : Layer
    index, last : int
        The places in the network of the layer, and of the last layer that belongs to it.
    units, inputs : int
        n[l] and n[l−1].
    weights : slice
        The place of W in the flat vector.
    biases : int
        Where b begins.
    """

    number: int
    layer: Layer
    index: int
    last: int
    units: int
    inputs: int
    weights: slice
    biases: int

    def seen(self, row: int) -> range:
        """Return the units below that a unit sees: a row of W has a weight for each."""
        return self.layer.seen(row, self.inputs)

    def place(self, name: str, row: int, column: int) -> int:
        """Return where a weight or bias is in the flat vector; `column` is the unit below."""
        if name == "b":
            return self.biases + row
        start: int = self.weights.start
        seen = self.seen(row)
        return start + self.layer.row(row) * len(seen) + column - seen.start


class Drawn:
    """The drawn part of a network: at most 8 units of a layer and 8 inputs, fewer if it is deep.

    Parameters
    ----------
    spec : NetworkSpec
    """

    def __init__(self, spec: NetworkSpec) -> None:
        self.spec = spec
        self.layers = tuple(_dense_layers(spec))
        most = MAX_DRAWN
        while most > 1 and self._count(most) > _MOST_VALUES:
            most -= 1
        self.most = most

    def _count(self, most: int) -> int:
        return sum(min(layer.units, most) * (1 + min(layer.inputs, most)) for layer in self.layers)

    def units(self, layer: DrawnLayer) -> range:
        """Return the drawn units of a layer."""
        return range(min(layer.units, self.most))

    @property
    def inputs(self) -> range:
        """The drawn inputs: columns of W of the first dense layer."""
        return range(min(self.layers[0].inputs, self.most))

    @property
    def n_units(self) -> int:
        """The number of drawn units of all dense layers."""
        return sum(len(self.units(layer)) for layer in self.layers)

    @cached_property
    def values(self) -> tuple[tuple[str, int, int, int], ...]:
        """Name, layer, row and column of each drawn parameter, in the order of a frame.

        Layer by layer, first W row by row, then b.
        """
        return tuple(self._values())

    def _values(self) -> Iterator[tuple[str, int, int, int]]:
        for layer in self.layers:
            for row in self.units(layer):
                columns = (column for column in layer.seen(row) if column < self.most)
                yield from (("W", layer.number, row, column) for column in columns)
            yield from (("b", layer.number, row, 0) for row in self.units(layer))

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """Where the drawn parameters are in the flat vector."""
        found = [
            self.layers[number - 1].place(name, row, column)
            for name, number, row, column in self.values
        ]
        return np.array(found, np.intp)

    @cached_property
    def weights(self) -> tuple[slice, ...]:
        """The places of W of each dense layer in the flat vector."""
        return tuple(layer.weights for layer in self.layers)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the layers of the network for a page."""
        numbers = {layer.index: layer for layer in self.layers}
        last, hidden = self.layers[-1].index, 0
        found = []
        for index, (one, units) in enumerate(
            zip(self.spec.layers, self.spec.sizes[1:], strict=True)
        ):
            layer = numbers.get(index)
            hidden += layer is not None
            name = "output layer" if index == last else f"hidden layer {hidden}"
            if layer is None:
                name = one.kind.replace("_", " ")
            entry: dict[str, Any] = {
                # The page draws a column of units for each of this kind.
                "kind": one.kind if layer is None else Dense.kind,
                "name": name,
                "units": units,
                "activation": str(one.activation),
                "drawn": [] if layer is None else list(self.units(layer)),
            }
            if layer is not None:
                entry["layer"] = layer.number
            detail = getattr(one, "detail", "")
            if layer is None and detail:
                entry["detail"] = detail
            found.append(entry)
        return found


def dense_arrays(spec: NetworkSpec, theta: Floats) -> list[dict[str, Any]]:
    """Return W and b of every layer with weights as lists of numbers, exactly.

    W has a column for each unit below, 0 where a unit does not see it. Members that share W have
    the same numbers here, since a page shows and changes the parameters themselves.
    """
    between = weights_between(spec, theta, parameters_only=True)
    return [
        {
            "W": W.astype(np.float64).tolist(),
            "b": theta[layer.biases : layer.biases + layer.units].astype(np.float64).tolist(),
        }
        for layer, W in zip(_dense_layers(spec), between, strict=True)
    ]


def _dense_layers(spec: NetworkSpec) -> Iterator[DrawnLayer]:
    places = {(placed.layer - 1, placed.block.name): placed.slice for placed in placed_blocks(spec)}
    indices = [index for index, layer in enumerate(spec.layers) if layer.has_weights]
    ends = [*indices[1:], len(spec.layers)]
    for number, (index, end) in enumerate(zip(indices, ends, strict=True), start=1):
        yield DrawnLayer(
            number,
            spec.layers[index],
            index,
            end - 1,
            spec.sizes[index + 1],
            spec.sizes[index],
            places[index, "W"],
            places[index, "b"].start,
        )
