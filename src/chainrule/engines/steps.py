"""One training step by the equations: gradient, clipping, update, averages and statistics.

The code works with any array library and never reads the value of an array element, as the passes
do: the reference engine runs it with NumPy, and the jax engine traces it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from chainrule.engines.base import Floats, Penalties
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.engines.passes import Batch, flat_gradient, gradient_pass, penalty
from chainrule.equations._array import Array, namespace
from chainrule.equations.averages import average_update
from chainrule.equations.clipping import clipped_gradient
from chainrule.network.layers import TrainingStep
from chainrule.network.parameters import group_indicator, learning_rate_factors, views
from chainrule.network.spec import NetworkSpec


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
    decaying: Array | float
    """1 for the parameters that decoupled weight decay applies to, 0 for the others."""
    factors: Array | float
    """Factors of the learning rate."""


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

    theta: Array
    """The flat vector of the parameters."""
    vectors: Sequence[Array]
    """The optimizer's state vectors; an average by `ema_decay` is the last one."""
    t: int | Array
    """Number of updates so far."""


class Measured(NamedTuple):
    """What is recorded of a step, before its update."""

    cost: Array
    gradient_norm: Array
    penalty: Array | float
    """0 if it is not recorded."""


def constants_of(recipe: Recipe, max_grad_norm: float) -> Constants:
    """Return the constants of a training."""
    spec, optimizer = recipe.spec, recipe.optimizer
    return Constants(
        optimizer.hyperparameters,
        max_grad_norm,
        group_indicator(spec, "weights") if optimizer.decays else 1.0,
        learning_rate_factors(spec),
    )


def training_step(
    recipe: Recipe, constants: Constants, before: Moving, batch: Batch, numbers: StepNumbers
) -> tuple[Moving, Measured]:
    """Return what the step of a batch leads to, and what was measured before its update."""
    spec, optimizer, penalties = recipe.spec, recipe.optimizer, recipe.penalties
    xp = namespace(before.theta)
    theta = views(spec, before.theta)
    step = TrainingStep(numbers.noise, weights=batch.weights)
    found = gradient_pass(spec, theta, batch, step, penalties, numbers.penalty_share)
    gradient = flat_gradient(spec, found.gradients, before.theta)
    norm = xp.sqrt(xp.sum(xp.square(xp.astype(gradient, xp.float64))))
    added: Array | float = 0.0
    if recipe.records_penalty:
        added = penalty(spec, theta, penalties, numbers.penalty_share)

    downhill = clipped_gradient(gradient, constants.max_grad_norm) if recipe.clips else gradient
    own = len(optimizer.equations.vectors)
    after, state = optimizer.update(
        before.theta,
        downhill,
        optimizer.equations.state(before.vectors[:own], before.t),
        numbers.learning_rate * constants.factors,
        constants.decaying,
        numbers.average_share,
        constants.hyperparameters,
    )
    after = _with_statistics(after, found.statistics)
    vectors = optimizer.equations.vectors_of(state)
    if optimizer.ema_decay:
        vectors.append(average_update(before.vectors[own], after, numbers.average_share))
    return Moving(after, tuple(vectors), before.t + 1), Measured(found.J, norm, added)


def store(new: Moving, after: OptimizerState, parameters: Floats, state: OptimizerState) -> None:
    """Write what steps have led to into the parameters and the state, and the counts of `after`.

    An interruption comes after all of it is written.
    """
    try:
        _write(new, after, parameters, state)
    except BaseException:
        # Ctrl-C must not leave parameters and state half written: write all of them again.
        _write(new, after, parameters, state)
        raise


def _write(new: Moving, after: OptimizerState, parameters: Floats, state: OptimizerState) -> None:
    parameters[...] = new.theta
    for slot, value in zip(state.slots, new.vectors, strict=True):
        slot[...] = value
    state.t, state.weight = after.t, after.weight


def _with_statistics(theta: Array, statistics: Sequence[tuple[slice, Array]]) -> Array:
    """Return θ with the new statistics in their places, which no update reaches."""
    if not statistics:
        return theta
    xp = namespace(theta)
    parts, start = [], 0
    for place, value in statistics:
        parts += [theta[start : place.start], xp.reshape(value, (-1,))]
        start = place.stop
    return xp.concat([*parts, theta[start:]])
