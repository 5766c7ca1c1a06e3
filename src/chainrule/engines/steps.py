"""One training step by the equations: gradient, clipping, update, averages and statistics.

The code works with any array library and never reads the value of an array element, as the passes
do: the reference engine runs it with NumPy, and the jax engine traces it.

The equations of an update hold for each element alike, so a step takes vectors in *parts*: one
part, the flat vector, or a part for each block, in the order of the flat vector.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chainrule.engines.base import Floats, Penalties
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.engines.passes import Batch, GradientPass, flat_gradient, gradient_pass, penalty
from chainrule.equations._array import Array, namespace
from chainrule.equations.averages import average_update
from chainrule.equations.clipping import clipping_factor
from chainrule.equations.optimizers import Matrices
from chainrule.network.layers import TrainingStep
from chainrule.network.parameters import (
    group_indicator,
    hidden_matrices,
    learning_rate_factors,
    placed_blocks,
    views,
)
from chainrule.network.spec import NetworkSpec

Parts: TypeAlias = Sequence[Array]
"""A vector as one part, or a part for each block."""


@dataclass(frozen=True)
class Recipe:
    """What decides which equations a step evaluates."""

    spec: NetworkSpec
    optimizer: Optimizer
    penalties: Penalties
    clips: bool
    """Whether the gradient's norm is bounded."""
    records_penalty: bool


class Constants(NamedTuple):
    """Numbers and vectors that are the same in all steps of a training."""

    hyperparameters: dict[str, Any]
    """Those of the optimizer, by name."""
    max_grad_norm: float | Array
    decaying: Sequence[Array | float]
    """For each part: 1 for the parameters that decoupled weight decay applies to, else 0."""
    factors: Sequence[Array | float]
    """For each part: factors of the learning rate."""


class StepNumbers(NamedTuple):
    """Numbers that differ from step to step."""

    noise: int | Array
    learning_rate: float | Array
    average_share: float | Array
    """c of WA1."""
    penalty_share: float | Array
    """The batch's factor of l1 and l2."""


class Moving(NamedTuple):
    """What a step changes."""

    theta: Parts
    """The parameters."""
    vectors: Sequence[Parts]
    """The optimizer's state vectors; an average by `ema_decay` is the last one."""
    t: int | Array
    """Number of updates so far."""


class Measured(NamedTuple):
    """What is recorded of a step, before its update."""

    cost: Array
    gradient_norm: Array
    penalty: Array | float
    """0 if it is not recorded."""


def constants_of(recipe: Recipe, max_grad_norm: float, by_block: bool = False) -> Constants:
    """Return the constants of a training, with a part for each block or one for all."""
    spec, optimizer = recipe.spec, recipe.optimizer
    decaying: Sequence[Array | float]
    factors: Sequence[Array | float]
    if by_block:
        blocks = [placed.block for placed in placed_blocks(spec)]
        decaying = [float(block.group == "weights") for block in blocks]
        factors = [block.learning_rate_factor for block in blocks]
    else:
        decaying = [group_indicator(spec, "weights") if optimizer.decays else 1.0]
        factors = [learning_rate_factors(spec)]
    return Constants(optimizer.hyperparameters, max_grad_norm, decaying, factors)


def training_step(
    recipe: Recipe, constants: Constants, before: Moving, batch: Batch, numbers: StepNumbers
) -> tuple[Moving, Measured]:
    """Return what the step of a batch leads to, and what was measured before its update."""
    theta = _blocks(recipe.spec, before.theta)
    step = TrainingStep(numbers.noise, weights=batch.weights)
    found = gradient_pass(recipe.spec, theta, batch, step, recipe.penalties, numbers.penalty_share)
    return updated(recipe, constants, before, found, numbers)


def updated(
    recipe: Recipe, constants: Constants, before: Moving, found: GradientPass, numbers: StepNumbers
) -> tuple[Moving, Measured]:
    """Return what the gradient of a batch leads to, and what was measured before the update."""
    spec, optimizer, penalties = recipe.spec, recipe.optimizer, recipe.penalties
    theta = _blocks(spec, before.theta)
    gradient = _gradient(spec, found.gradients, before.theta)
    added: Array | float = 0.0
    if recipe.records_penalty:
        added = penalty(spec, theta, penalties, numbers.penalty_share)
    measured = Measured(found.J, _norm(gradient), added)

    if recipe.clips:
        factor = clipping_factor(_whole(gradient), constants.max_grad_norm)
        gradient = [part * factor for part in gradient]
    own = len(optimizer.equations.vectors)
    after, states = [], []
    matrices = _matrices(recipe, len(before.theta))
    for part, (old, downhill) in enumerate(zip(before.theta, gradient, strict=True)):
        arrays = [old, downhill, *(vector[part] for vector in before.vectors[:own])]
        if matrices[part]:  # they are found by their places in a flat vector
            arrays = [_flat(array) for array in arrays]
        theta_of_part, gradient_of_part, *vectors_of_part = arrays
        new, state = optimizer.update(
            theta_of_part,
            gradient_of_part,
            optimizer.equations.state(vectors_of_part, before.t),
            numbers.learning_rate * constants.factors[part],
            constants.decaying[part],
            numbers.average_share,
            matrices[part],
            constants.hyperparameters,
        )
        updated = [new, *optimizer.equations.vectors_of(state)]
        if matrices[part]:
            updated = [namespace(array).reshape(array, old.shape) for array in updated]
        after.append(updated[0])
        states.append(updated[1:])
    after = _with_statistics(spec, after, found.statistics)
    vectors = [tuple(of_parts) for of_parts in zip(*states, strict=True)]
    if optimizer.ema_decay:
        average = before.vectors[own]
        share = numbers.average_share
        vectors.append(
            tuple(average_update(X, W, share) for X, W in zip(average, after, strict=True))
        )
    return Moving(tuple(after), tuple(vectors), before.t + 1), measured


def _matrices(recipe: Recipe, parts: int) -> Sequence[Sequence[Matrices]]:
    """Return for each part the hidden matrices in it, if the optimizer has steps of their own."""
    if not recipe.optimizer.orthogonal:
        return [()] * parts
    if parts == 1:
        return [hidden_matrices(recipe.spec)]
    return [
        (Matrices(0, block.matrices, block.block.shape[0] // block.matrices, block.block.shape[1]),)
        if block.matrices
        else ()
        for block in placed_blocks(recipe.spec)
    ]


def by_block(spec: NetworkSpec, vector: Array) -> tuple[Array, ...]:
    """Return a flat vector with a part for each block."""
    return tuple(block for layer in views(spec, vector) for block in layer)


def _blocks(spec: NetworkSpec, theta: Parts) -> list[list[Array]]:
    """Return the blocks of each layer."""
    if len(theta) == 1:
        return views(spec, theta[0])
    parts = iter(theta)
    return [list(islice(parts, len(layer))) for layer in spec.blocks()]


def _gradient(
    spec: NetworkSpec, gradients: Sequence[tuple[Array, ...]], theta: Parts
) -> Sequence[Array]:
    """Return the gradient in the parts of θ; 0 for statistics."""
    if len(theta) == 1:
        return [flat_gradient(spec, gradients, theta[0])]
    values = (value for layer in gradients for value in layer)
    return [
        next(values) if placed.block.has_gradient else namespace(part).zeros_like(part)
        for placed, part in zip(placed_blocks(spec), theta, strict=True)
    ]


def _whole(parts: Parts) -> Array:
    """Return a vector in one part."""
    if len(parts) == 1:
        return parts[0]
    xp = namespace(parts[0])
    return xp.concat([_flat(part) for part in parts])


def _flat(part: Array) -> Array:
    return namespace(part).reshape(part, (-1,))


def _norm(parts: Parts) -> Array:
    """Return the Euclidean norm of a vector, added up in float64."""
    xp = namespace(parts[0])
    # Column by column: XLA adds the numbers of one sum one after the other on a CPU.
    squares = [xp.sum(xp.sum(xp.square(xp.astype(part, xp.float64)), axis=0)) for part in parts]
    return xp.sqrt(sum(squares[1:], squares[0]))


def store(new: Moving, after: OptimizerState, parameters: Floats, state: OptimizerState) -> None:
    """Write what steps have led to, and the counts of `after`.

    An interruption comes after all of it is written.
    """
    try:
        _write(new, after, parameters, state)
    except BaseException:
        # Ctrl-C must not leave parameters and state half written: write all of them again.
        _write(new, after, parameters, state)
        raise


def _write(new: Moving, after: OptimizerState, parameters: Floats, state: OptimizerState) -> None:
    _join(new.theta, parameters)
    for slot, parts in zip(state.slots, new.vectors, strict=True):
        _join(parts, slot)
    state.t, state.weight = after.t, after.weight


def _join(parts: Parts, vector: Floats) -> None:
    start = 0
    for part in parts:
        vector[start : start + part.size] = np.ravel(np.asarray(part))
        start += part.size


def _with_statistics(
    spec: NetworkSpec, theta: list[Array], statistics: Sequence[tuple[slice, Array]]
) -> list[Array]:
    """Return θ with the new statistics in their places, which no update reaches."""
    if not statistics:
        return theta
    xp = namespace(theta[0])
    if len(theta) > 1:
        new = {place.start: value for place, value in statistics}
        return [
            part if placed.block.has_gradient else xp.reshape(new[placed.slice.start], part.shape)
            for placed, part in zip(placed_blocks(spec), theta, strict=True)
        ]
    parts, start = [], 0
    for place, value in statistics:
        parts += [theta[0][start : place.start], xp.reshape(value, (-1,))]
        start = place.stop
    return [xp.concat([*parts, theta[0][start:]])]
