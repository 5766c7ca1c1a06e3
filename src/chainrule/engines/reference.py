"""The reference engine: the equations on NumPy, readable and checked against an oracle."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from chainrule.engines.base import (
    Batches,
    Examples,
    Floats,
    Penalties,
    Predictor,
    Problem,
    StepRecords,
    UpdateRule,
)
from chainrule.engines.optimizer import OptimizerState
from chainrule.engines.passes import (
    Batch,
    as_columns,
    example_costs,
    forward_pass,
    gradient_pass,
    mean_cost,
    penalty,
)
from chainrule.equations.averages import average_update
from chainrule.equations.clipping import clipped_gradient
from chainrule.names import Precision
from chainrule.network.layers import TrainingStep
from chainrule.network.parameters import (
    group_indicator,
    hidden_matrices,
    learning_rate_factors,
    placed_blocks,
    views,
)
from chainrule.network.random import step_noise
from chainrule.network.spec import NetworkSpec

# Rows per block of a forward pass, so that memory does not grow with the number of rows.
_BLOCK_ROWS = 4096

# inf and NaN are valid results that the caller checks for, so NumPy's warnings are suppressed.
_OVERFLOW_IS_AN_ANSWER = np.errstate(over="ignore", invalid="ignore")

NewStatistics: TypeAlias = Sequence[tuple[slice, Floats]]
"""For each block without a gradient: its slice of the flat vector, and its new values."""


class ReferenceEngine:
    """Executes the equations with NumPy."""

    name = "reference"
    ends_early = False

    surroundings: Mapping[str, str] = MappingProxyType(
        {"instruction set": "none", "precision": "full"}
    )

    def __init__(self, threads: int | None = None) -> None:
        """Accept and ignore `threads`: NumPy decides how many threads it uses."""

    def lacking(self, spec: NetworkSpec) -> str:
        """Return "": the reference engine supports every network."""
        return ""

    def with_precision(self, precision: Precision) -> str:
        """Return the reason why there are no bfloat16 products."""
        return "the reference engine has none"

    def predictor(self, spec: NetworkSpec) -> Predictor:
        """Return a predictor that always returns None, so that `forward` is used."""
        return lambda parameters, X: None

    @_OVERFLOW_IS_AN_ANSWER
    def forward(self, spec: NetworkSpec, parameters: Floats, X: Floats, out: Floats) -> None:
        """Write the network's outputs for the rows of X to `out`, in blocks of rows."""
        theta = views(spec, parameters)
        for start in range(0, len(X), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            passes = forward_pass(spec, theta, as_columns(X[block]))
            out[block] = as_columns(passes[-1].A)

    @_OVERFLOW_IS_AN_ANSWER
    def loss(self, problem: Problem) -> float:
        """Return J plus penalties over all examples, in blocks of rows."""
        spec, examples = problem.spec, problem.examples
        theta = views(spec, problem.parameters)
        costs = np.empty(len(examples.X), spec.dtype)
        for start in range(0, len(costs), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            passes = forward_pass(spec, theta, as_columns(examples.X[block]))
            costs[block] = example_costs(
                spec, passes[-1], as_columns(examples.targets(spec.n_outputs, block))
            )
        J = mean_cost(costs.astype(np.float64), examples.weights)
        share = problem.penalties.share(examples.weight)
        return float(J + penalty(spec, theta, problem.penalties, share))

    @_OVERFLOW_IS_AN_ANSWER
    def loss_and_gradient(self, problem: Problem, gradient: Floats) -> float:
        """Write ∂(J + penalties)/∂θ to `gradient` and return J + penalties."""
        spec, theta = problem.spec, views(problem.spec, problem.parameters)
        examples, penalties = problem.examples, problem.penalties
        share = penalties.share(examples.weight)
        J, _ = self._gradient(spec, theta, examples, penalties, share, None, gradient)
        return float(J + penalty(spec, theta, penalties, share))

    @_OVERFLOW_IS_AN_ANSWER
    def train(
        self,
        problem: Problem,
        rule: UpdateRule,
        state: OptimizerState,
        batches: Batches,
        records: StepRecords,
    ) -> None:
        """Take one step for each batch, epoch by epoch."""
        spec, parameters, optimizer = problem.spec, problem.parameters, rule.optimizer
        penalties = problem.penalties
        theta, gradient = views(spec, parameters), np.empty_like(parameters)
        weights = group_indicator(spec, "weights") if optimizer.decays else 1.0
        factors, matrices = learning_rate_factors(spec), hidden_matrices(spec)
        shares = optimizer.shares(state, batches.learning_rates)
        still = [p.slice for p in placed_blocks(spec) if not p.block.has_gradient]
        rows_of_batches = (
            epoch[start : start + batches.size]
            for epoch in batches.order
            for start in range(0, len(epoch), batches.size)
        )
        for step, rows in enumerate(rows_of_batches):
            batch = problem.examples.take(rows)
            penalty_share = penalties.share(batch.weight)
            noise = step_noise(batches.noise_key, state.t + 1)
            training = TrainingStep(noise, weights=batch.weights)
            cost, statistics = self._gradient(
                spec, theta, batch, penalties, penalty_share, training, gradient
            )
            if records.penalty is not None:
                records.penalty[step] = penalty(spec, theta, penalties, penalty_share)
            downhill = gradient
            if rule.clips:
                downhill = clipped_gradient(gradient, rule.max_grad_norm)
            average_share = 1.0 if shares is None else float(shares[step])
            new_theta, new_state = optimizer.update(
                parameters,
                downhill,
                optimizer.equation_state(state),
                float(batches.learning_rates[step]) * factors,
                weights,
                average_share,
                matrices,
            )
            records.cost[step] = cost
            records.gradient_norm[step] = np.sqrt(np.sum(np.square(gradient, dtype=np.float64)))
            for place in still:
                new_theta[place] = parameters[place]
            for place, value in statistics:
                new_theta[place] = value.ravel()
            vectors = optimizer.equations.vectors_of(new_state)
            if optimizer.ema_decay:
                vectors.append(average_update(optimizer.average(state), new_theta, average_share))
            after = OptimizerState(np.empty(0), state.t, weight=state.weight)
            optimizer.count(after, batches.learning_rates[step : step + 1])
            try:
                _put(parameters, new_theta, state, vectors, after)
            except BaseException:
                # Ctrl-C must not leave parameters and state half written: write all of them again.
                _put(parameters, new_theta, state, vectors, after)
                raise

    def _gradient(
        self,
        spec: NetworkSpec,
        theta: Sequence[Sequence[Floats]],
        examples: Examples,
        penalties: Penalties,
        share: float,
        step: TrainingStep | None,
        gradient: Floats,
    ) -> tuple[float, NewStatistics]:
        """Write ∂(J + penalties)/∂θ to `gradient`; return J alone and the new statistics."""
        targets = as_columns(examples.targets(spec.n_outputs))
        batch = Batch(as_columns(examples.X), targets, examples.weights)
        found = gradient_pass(spec, theta, batch, step, penalties, share)
        for target, layer in zip(views(spec, gradient), found.gradients, strict=True):
            for block, value in zip(target, layer, strict=False):
                block[...] = value
            for statistic in target[len(layer) :]:
                statistic[...] = 0
        return float(found.J), found.statistics


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
