"""All parameters in one contiguous vector; W[l] and b[l] are views into it."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import check_memory
from chainrule.equations.optimizers import Matrices
from chainrule.network.layers import Block, Draws
from chainrule.network.random import Stream, generator
from chainrule.network.registry.initializers import INITIALIZERS
from chainrule.network.spec import NetworkSpec

Vector: TypeAlias = NDArray[np.floating]


class PlacedBlock(NamedTuple):
    """A block and its place in the flat vector."""

    layer: int
    """l, counted from 1."""
    block: Block
    slice: slice
    matrices: int = 0
    """How many weight matrices of a hidden layer it consists of, one above the other; or 0."""

    @property
    def name(self) -> str:
        """The block's name in the equations: "W[1]"."""
        return f"{self.block.name}[{self.layer}]"


def placed_blocks(spec: NetworkSpec) -> Iterator[PlacedBlock]:
    """Yield every parameter block with its slice of the flat vector."""
    start = 0
    weighted = [index for index, layer in enumerate(spec.layers, start=1) if layer.has_weights]
    for l, blocks in enumerate(spec.blocks(), start=1):  # noqa: E741 - the field's letter
        hidden = l in weighted[1:-1]
        for block in blocks:
            stop = start + prod(block.shape)
            matrices = spec.layers[l - 1].matrices if hidden and block.name == "W" else 0
            yield PlacedBlock(l, block, slice(start, stop), matrices)
            start = stop


def parameter_count(spec: NetworkSpec) -> int:
    """Return the length of the flat parameter vector."""
    return sum(prod(block.shape) for blocks in spec.blocks() for block in blocks)


def views(spec: NetworkSpec, vector: Vector) -> list[list[NDArray[np.floating]]]:
    """Return, for each layer, the arrays of its blocks: views into `vector`, no copies."""
    layers: list[list[NDArray[np.floating]]] = [[] for _ in spec.layers]
    for placed in placed_blocks(spec):
        layers[placed.layer - 1].append(vector[placed.slice].reshape(placed.block.shape))
    return layers


def named_views(spec: NetworkSpec, vector: Vector, name: str) -> list[NDArray[np.floating]]:
    """Return views of all blocks with the given name ("W", "b"), in layer order."""
    return [
        vector[placed.slice].reshape(placed.block.shape)
        for placed in placed_blocks(spec)
        if placed.block.name == name
    ]


def unit_weights(spec: NetworkSpec, vector: Vector) -> list[NDArray[np.floating]]:
    """Return what the units of each layer with weights multiply the units below by.

    Returns
    -------
    weights : list of array
        A row for each unit, with a column for each unit below that it sees: W, or, if members share
        W, its product with their factors.
    """
    theta = zip(spec.layers, views(spec, vector), strict=True)
    return [layer.unit_weights(blocks) for layer, blocks in theta if layer.has_weights]


def weights_between(
    spec: NetworkSpec,
    vector: Vector,
    units: Sequence[Sequence[int]] | None = None,
    parameters_only: bool = False,
) -> list[NDArray[np.floating]]:
    """Return the weights between units of each layer that has weights and units below.

    Parameters
    ----------
    spec : NetworkSpec
    vector : array
    units : list of list of int, optional
        Which of the first such layer's inputs, then which units of each such layer; by default all.
    parameters_only : bool, default False
        Whether to return the entries of W, without the factors of members that share it.

    Returns
    -------
    weights : list of array
        A row for each unit and a column for each one below; 0 where the unit does not see it.
    """
    places = [index for index, layer in enumerate(spec.layers) if layer.has_weights]
    if units is None:
        units = [range(spec.sizes[places[0]]), *(range(spec.sizes[i + 1]) for i in places)]
    weights = named_views(spec, vector, "W") if parameters_only else unit_weights(spec, vector)
    between = []
    for index, W, below, above in zip(places, weights, units, units[1:], strict=False):
        layer = spec.layers[index]
        columns, found = np.asarray(below), np.zeros((len(above), len(below)), vector.dtype)
        for row, unit in enumerate(above):
            seen = layer.seen(unit, spec.sizes[index])
            inside = (columns >= seen.start) & (columns < seen.stop)
            own = layer.row(unit) if parameters_only else unit
            found[row, inside] = W[own, columns[inside] - seen.start]
        between.append(found)
    return between


def group_views(spec: NetworkSpec, vector: Vector, group: str) -> list[NDArray[np.floating]]:
    """Return views of all blocks in the given group ("embeddings"), in layer order."""
    return [
        vector[placed.slice].reshape(placed.block.shape)
        for placed in placed_blocks(spec)
        if placed.block.group == group
    ]


def group_indicator(spec: NetworkSpec, group: str) -> Vector:
    """Return a vector shaped like the parameters: 1 for those in the group, 0 for the others."""
    indicator = np.zeros(parameter_count(spec), spec.dtype)
    for placed in placed_blocks(spec):
        indicator[placed.slice] = placed.block.group == group
    return indicator


def hidden_matrices(spec: NetworkSpec) -> tuple[Matrices, ...]:
    """Return the places of the weight matrices of hidden layers, which O11 orthogonalises.

    They are those of the layers between the first layer with weights and the output layer. In a
    grouped layer each group has a matrix of its own; members of a batch ensemble share one.
    """
    return tuple(
        Matrices(placed.slice.start, placed.matrices, rows // placed.matrices, columns)
        for placed in placed_blocks(spec)
        if placed.matrices
        for rows, columns in [placed.block.shape]
    )


def learning_rate_factors(spec: NetworkSpec) -> Vector | float:
    """Return the learning rate factor of each parameter, or the scalar 1.0 if all factors are 1."""
    blocks = list(placed_blocks(spec))
    if all(placed.block.learning_rate_factor == 1 for placed in blocks):
        return 1.0
    factors = np.ones(parameter_count(spec), spec.dtype)
    for placed in blocks:
        factors[placed.slice] = placed.block.learning_rate_factor
    return factors


def neutral_parameters(spec: NetworkSpec) -> Vector:
    """Return a vector with the constant initial value of each block that has one, else 0.

    Raises
    ------
    InvalidArgumentError
        If the vector is larger than the machine's memory.
    """
    count = parameter_count(spec)
    check_memory(
        f"layers: the network's {count} parameters",
        count * np.dtype(spec.dtype).itemsize,
        "Use smaller layers",
    )
    vector = np.zeros(count, spec.dtype)
    for placed in placed_blocks(spec):
        if isinstance(placed.block.initializer, float):
            vector[placed.slice] = placed.block.initializer
    return vector


def initial_parameters(spec: NetworkSpec, seed: int) -> Vector:
    """Draw the initial parameter vector.

    Every block has its own random stream, drawn in float64 and then rounded to the network's
    dtype. A layer's weights therefore depend only on the seed, the block's position and its shape,
    and float32 and float64 networks start from the same values.
    """
    vector = neutral_parameters(spec)
    for index, placed in enumerate(placed_blocks(spec)):
        if isinstance(placed.block.initializer, float):
            continue
        random = generator(seed, Stream.INITIALIZATION, index)
        vector[placed.slice] = _drawn(placed.block, random).ravel()
    return vector


def _drawn(block: Block, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw the initial values of a block whose initialiser is not a constant."""
    if isinstance(block.initializer, Draws):
        return _draws(block, random, block.initializer.distribution) * block.initializer.scale
    row = INITIALIZERS[str(block.initializer)]
    rows, n_in = block.shape
    n_out = rows if block.n_out is None else block.n_out
    initial: NDArray[np.float64] = row.function(_draws(block, random, row.draws), n_in, n_out)
    return initial


def _draws(block: Block, random: np.random.Generator, distribution: str) -> NDArray[np.float64]:
    if distribution == "normal":
        return random.standard_normal(block.shape)
    uniform = random.uniform(-1, 1, block.shape)
    return np.where(uniform < 0, -1.0, 1.0) if distribution == "signs" else uniform
