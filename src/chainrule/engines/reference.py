"""The reference engine: the equations on NumPy. The oracle's subject and the teacher's copy."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples, Floats, Objective, StepRecords
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.engines.passes import (
    as_columns,
    backward_pass,
    example_costs,
    forward_pass,
    mean_cost,
    new_statistics,
    penalty,
    with_penalties,
)
from chainrule.equations.averages import average_update
from chainrule.equations.clipping import clipped_gradient
from chainrule.network.layers import TrainingStep
from chainrule.network.parameters import (
    group_indicator,
    learning_rate_factors,
    placed_blocks,
    views,
)
from chainrule.network.random import step_noise
from chainrule.network.spec import NetworkSpec

# Rows of a forward pass at a time: memory stays O(block), whatever the number of rows.
_BLOCK_ROWS = 4096

# inf and NaN are answers, which the caller looks for; NumPy's warnings would only come before them.
_OVERFLOW_IS_AN_ANSWER = np.errstate(over="ignore", invalid="ignore")

NewStatistics: TypeAlias = Sequence[tuple[slice, Floats]]
"""Blocks that no gradient moves: where they lie in the flat vector, and their new values."""


class ReferenceEngine:
    """Executes the equations with NumPy."""

    name = "reference"

    def __init__(self, threads: int | None = None) -> None:
        """`threads` is for engines that have any: NumPy decides here."""

    @_OVERFLOW_IS_AN_ANSWER
    def forward(self, spec: NetworkSpec, parameters: Floats, X: Floats, out: Floats) -> None:
        """Write the network's outputs for the rows of X to `out`, in blocks of rows."""
        theta = views(spec, parameters)
        for start in range(0, len(X), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            passes = forward_pass(spec, theta, as_columns(X[block]))
            out[block] = as_columns(passes[-1].A)

    @_OVERFLOW_IS_AN_ANSWER
    def loss(
        self, spec: NetworkSpec, parameters: Floats, examples: Examples, objective: Objective
    ) -> float:
        """Return J plus penalties over all examples, in blocks of rows."""
        theta = views(spec, parameters)
        costs = np.empty(len(examples.X), spec.dtype)
        for start in range(0, len(costs), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            passes = forward_pass(spec, theta, as_columns(examples.X[block]))
            costs[block] = example_costs(
                spec, passes[-1], as_columns(examples.targets(spec.n_outputs, block))
            )
        J = mean_cost(costs.astype(np.float64), examples.weights)
        own = objective.over(examples.weight)
        return float(J) + penalty(spec, theta, own.l1, own.l2)

    @_OVERFLOW_IS_AN_ANSWER
    def loss_and_gradient(
        self,
        spec: NetworkSpec,
        parameters: Floats,
        examples: Examples,
        objective: Objective,
        gradient: Floats,
    ) -> float:
        """Write ∂(J + penalties)/∂θ to `gradient` and return J + penalties."""
        theta = views(spec, parameters)
        own = objective.over(examples.weight)
        J, _ = self._gradient(spec, theta, examples, own, None, gradient)
        return J + penalty(spec, theta, own.l1, own.l2)

    @_OVERFLOW_IS_AN_ANSWER
    def train(
        self,
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
        noise_key: int = 0,
    ) -> None:
        """Take one step for each batch of `order`, epoch by epoch."""
        theta, gradient = views(spec, parameters), np.empty_like(parameters)
        weights = group_indicator(spec, "weights") if optimizer.decays else 1.0
        factors = learning_rate_factors(spec)
        shares = optimizer.shares(state, learning_rates)
        still = [p.slice for p in placed_blocks(spec) if p.block.group == "statistics"]
        batches = (
            epoch[start : start + batch_size]
            for epoch in order
            for start in range(0, len(epoch), batch_size)
        )
        for step, rows in enumerate(batches):
            batch = examples.take(rows)
            own = objective.over(batch.weight)
            training = TrainingStep(step_noise(noise_key, state.t + 1), weights=batch.weights)
            cost, statistics = self._gradient(spec, theta, batch, own, training, gradient)
            if records.penalty is not None:
                records.penalty[step] = penalty(spec, theta, own.l1, own.l2)
            downhill = gradient
            if objective.clips:
                downhill = clipped_gradient(gradient, objective.max_grad_norm)
            share = 1.0 if shares is None else float(shares[step])
            new_theta, new_state = optimizer.update(
                parameters,
                downhill,
                optimizer.equation_state(state),
                float(learning_rates[step]) * factors,
                weights,
                share,
            )
            records.cost[step] = cost
            records.gradient_norm[step] = np.sqrt(np.sum(np.square(gradient, dtype=np.float64)))
            for place in still:
                new_theta[place] = parameters[place]
            for place, value in statistics:
                new_theta[place] = value.ravel()
            vectors = optimizer.equations.vectors_of(new_state)
            if optimizer.ema_decay:
                vectors.append(average_update(optimizer.average(state), new_theta, share))
            after = OptimizerState(np.empty(0), state.t, weight=state.weight)
            optimizer.count(after, learning_rates[step : step + 1])
            try:
                _put(parameters, new_theta, state, vectors, after)
            except BaseException:
                # A finished step's results are put in place together, Ctrl-C or not.
                _put(parameters, new_theta, state, vectors, after)
                raise

    def _gradient(
        self,
        spec: NetworkSpec,
        theta: Sequence[Sequence[Floats]],
        examples: Examples,
        objective: Objective,
        step: TrainingStep | None,
        gradient: Floats,
    ) -> tuple[float, NewStatistics]:
        """Write ∂(J + penalties)/∂θ to `gradient`; return J alone, and new statistics."""
        X, weights = as_columns(examples.X), examples.weights
        Y = as_columns(examples.targets(spec.n_outputs))
        # Examples without weight have no say: only the penalties are left.
        silent = weights is not None and not weights.sum() > 0
        if silent:
            step = None
        passes = forward_pass(spec, theta, X, step)
        J = mean_cost(example_costs(spec, passes[-1], Y), weights)
        if silent:
            gradients = [tuple(np.zeros_like(block) for block in layer) for layer in theta]
        else:
            gradients = backward_pass(spec, theta, X, Y, passes, weights).gradients
        gradients = with_penalties(spec, theta, gradients, objective.l1, objective.l2)
        for target, layer in zip(views(spec, gradient), gradients, strict=True):
            for block, value in zip(target, layer, strict=False):
                block[...] = value
            for statistic in target[len(layer) :]:
                statistic[...] = 0
        return float(J), [] if step is None else new_statistics(spec, theta, passes)


def _put(
    parameters: Floats,
    new_theta: Floats,
    state: OptimizerState,
    vectors: Sequence[Floats],
    after: OptimizerState,
) -> None:
    parameters[...] = new_theta
    for slot, value in zip(state.slots, vectors, strict=True):
        slot[...] = value
    state.t, state.weight = after.t, after.weight
