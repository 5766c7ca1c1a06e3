"""Steps one by one: each batch's gradient from an engine, its update by the equations."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples, Floats, Objective, StepRecords
from chainrule.engines.optimizers import Optimizer, OptimizerState
from chainrule.engines.passes import penalty
from chainrule.equations.clipping import clipped_gradient
from chainrule.network.layers import TrainingStep
from chainrule.network.parameters import group_indicator, views
from chainrule.network.random import step_noise
from chainrule.network.spec import NetworkSpec

# inf and NaN are answers, which the caller looks for; NumPy's warnings would only come before them.
OVERFLOW_IS_AN_ANSWER = np.errstate(over="ignore", invalid="ignore")


NewStatistics: TypeAlias = Sequence[tuple[slice, Floats]]
"""Blocks that no gradient moves: where they lie in the flat vector, and their new values."""

GradientOf: TypeAlias = Callable[
    [Examples, Objective, TrainingStep, Floats], tuple[float, NewStatistics]
]
"""Writes ∂(J + penalties)/∂θ of a batch with its own penalties to a vector; returns J alone, and
what the step makes of statistics."""


@OVERFLOW_IS_AN_ANSWER
def take_steps(
    spec: NetworkSpec,
    parameters: Floats,
    optimizer: Optimizer,
    state: OptimizerState,
    examples: Examples,
    objective: Objective,
    order: NDArray[np.int32],
    batch_size: int,
    learning_rates: NDArray[np.float64],
    records: StepRecords,
    noise_key: int,
    gradient_of: GradientOf,
) -> None:
    """Take one step for each batch of `order`, epoch by epoch; see `Engine.train`."""
    theta, gradient = views(spec, parameters), np.empty_like(parameters)
    weights = group_indicator(spec, "weights") if optimizer.decays else 1.0
    batches = (
        epoch[start : start + batch_size]
        for epoch in order
        for start in range(0, len(epoch), batch_size)
    )
    for step, rows in enumerate(batches):
        batch = examples.take(rows)
        own = objective.over(batch.weight)
        training = TrainingStep(step_noise(noise_key, state.t + 1), weights=batch.weights)
        cost, statistics = gradient_of(batch, own, training, gradient)
        if records.penalty is not None:
            records.penalty[step] = penalty(spec, theta, own.l1, own.l2)
        downhill = gradient
        if objective.clips:
            downhill = clipped_gradient(gradient, objective.max_grad_norm)
        new_theta, new_state = optimizer.update(
            parameters,
            downhill,
            optimizer.equation_state(state),
            float(learning_rates[step]),
            weights,
        )
        records.cost[step] = cost
        records.gradient_norm[step] = np.sqrt(np.sum(np.square(gradient, dtype=np.float64)))
        # A finished step's results, put in place together.
        for place, value in statistics:
            new_theta[place] = value.ravel()
        parameters[...] = new_theta
        for slot, value in zip(state.slots, new_state, strict=False):
            slot[...] = value
        state.t += 1
