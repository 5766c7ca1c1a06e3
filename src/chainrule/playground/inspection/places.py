"""Layers and parameters as the drawing counts them, and the examples that a step is shown for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.checks import shown
from chainrule.engines.base import Examples, Problem
from chainrule.errors import InvalidArgumentError
from chainrule.network.parameters import PlacedBlock, placed_blocks
from chainrule.network.spec import NetworkSpec
from chainrule.playground.session.snapshot import Snapshot


def drawn_layers(spec: NetworkSpec) -> list[int]:
    """Return l of each layer that has weights, in order; the drawing counts these from 1."""
    return [l for l, one in enumerate(spec.layers, start=1) if one.has_weights]  # noqa: E741


def layer_index(spec: NetworkSpec, layer: int) -> int:
    """Return l of the equations for a layer of the drawing.

    Raises
    ------
    InvalidArgumentError
        If there is no such layer.
    """
    drawn = drawn_layers(spec)
    if not 1 <= layer <= len(drawn):
        raise InvalidArgumentError(f"layer: expected 1 to {len(drawn)}; got {shown(layer)}")
    return drawn[layer - 1]


def parameter(
    spec: NetworkSpec, name: str, layer: int, row: int, column: int = 0
) -> tuple[PlacedBlock, int]:
    """Return the block of a weight or bias, and the parameter's index in the flat vector.

    Parameters
    ----------
    spec : NetworkSpec
    name : {"W", "b"}
    layer : int
        As the drawing counts, from 1.
    row, column : int
        The unit, and the unit below that a weight comes from; from 0.

    Raises
    ------
    InvalidArgumentError
        If the network has no such parameter.
    """
    if name not in ("W", "b"):
        raise InvalidArgumentError(f"name: expected 'W' or 'b'; got {shown(name)}")
    l = layer_index(spec, layer)  # noqa: E741 - the field's letter
    placed = next(p for p in placed_blocks(spec) if p.layer == l and p.block.name == name)
    rows, columns = placed.block.shape
    units, seen, own = range(spec.sizes[l]), range(columns), row
    if name == "W" and row in units:
        seen, own = spec.layers[l - 1].seen(row, spec.sizes[l - 1]), spec.layers[l - 1].row(row)
    for place, value, some in (("row", row, units), ("column", column, seen)):
        if value not in some:
            raise InvalidArgumentError(
                f"{place}: expected {some[0]} to {some[-1]}, as {placed.name} is {rows} × "
                f"{columns}; got {shown(value)}"
            )
    return placed, placed.slice.start + own * columns + column - seen.start


def whole(values: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """Return a whole number of a message.

    Raises
    ------
    InvalidArgumentError
        If it is missing without a default, or no whole number.
    """
    value = values.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidArgumentError(f"{name}: expected a whole number; got {shown(value)}")
    return value


def known_examples(snapshot: Snapshot) -> Examples:
    """Return the training examples; of a model that is shown with other rows only, these.

    Raises
    ------
    InvalidArgumentError
        If there are no rows at all.
    """
    for examples in (snapshot.examples, snapshot.test):
        if examples is not None and len(examples.X):
            return examples
    raise InvalidArgumentError(
        "example: expected rows to compute with; this model is shown without its table. Open the "
        "folder of its run instead"
    )


def batch_of(snapshot: Snapshot) -> Examples:
    """Return the next step's examples; while they are not drawn, the first ones of the data."""
    if snapshot.rows is not None:
        return snapshot.examples.take(snapshot.rows)
    examples = known_examples(snapshot)
    return examples.take(np.arange(min(snapshot.plan.batch_size, len(examples.X))))


def step_problem(snapshot: Snapshot, examples: Examples | None = None) -> Problem:
    """Return what a step minimises: at the parameters that it updates, on these examples.

    Parameters
    ----------
    snapshot : Snapshot
    examples : Examples, optional
        By default those of `batch_of`.
    """
    return replace(
        snapshot.plan.problem,
        parameters=snapshot.moving,
        examples=batch_of(snapshot) if examples is None else examples,
        penalties=snapshot.penalties,
    )
