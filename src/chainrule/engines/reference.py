"""The reference engine: the equations on NumPy, readable and checked against an oracle."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType

import numpy as np

from chainrule.communication.communicator import Communicator
from chainrule.communication.shares import share_of
from chainrule.engines.base import (
    Batches,
    Examples,
    Floats,
    Predictor,
    Problem,
    StepRecords,
    UpdateRule,
)
from chainrule.engines.data_parallel import gradient_over_ranks, shares_of_batches
from chainrule.engines.optimizer import OptimizerState
from chainrule.engines.passes import (
    as_columns,
    columns,
    example_costs,
    flat_gradient,
    forward_pass,
    gradient_pass,
    mean_cost,
    penalty,
)
from chainrule.engines.steps import (
    Moving,
    Recipe,
    StepNumbers,
    constants_of,
    store,
    training_step,
    updated,
)
from chainrule.names import Precision
from chainrule.network.parameters import views
from chainrule.network.random import step_noise
from chainrule.network.spec import NetworkSpec

# Rows per block of a forward pass, so that memory does not grow with the number of rows.
_BLOCK_ROWS = 4096

# inf and NaN are valid results that the caller checks for, so NumPy's warnings are suppressed.
_OVERFLOW_IS_AN_ANSWER = np.errstate(over="ignore", invalid="ignore")


class ReferenceEngine:
    """Executes the equations with NumPy."""

    name = "reference"
    ends_early = False

    surroundings: Mapping[str, str] = MappingProxyType(
        {"instruction set": "none", "precision": "full"}
    )

    def __init__(
        self, threads: int | None = None, communicator: Communicator | None = None
    ) -> None:
        """Accept and ignore `threads`: NumPy decides how many threads it uses.

        The batches of `train` are divided between the ranks of the communicator.
        """
        self._communicator = communicator

    def lacking(self, spec: NetworkSpec) -> str:
        """Return "": the reference engine supports every network."""
        return ""

    def with_precision(self, precision: Precision) -> str:
        """Return the reason why there are no bfloat16 products."""
        return "the reference engine has none"

    def with_communicator(self, communicator: Communicator) -> "ReferenceEngine":
        """Return the same engine as one of several ranks."""
        return ReferenceEngine(communicator=communicator)

    def holding(self, examples: Examples) -> AbstractContextManager[None]:
        """Do nothing: examples are read where they are."""
        return nullcontext()

    def agreed(self, seconds: float) -> float:
        """Return the seconds: one process trains."""
        return seconds

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
        batch = columns(spec, examples)
        found = gradient_pass(spec, theta, batch, None, penalties, share)
        gradient[...] = flat_gradient(spec, found.gradients, problem.parameters)
        return float(found.J + penalty(spec, theta, penalties, share))

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
        recorded = records.penalty is not None
        recipe = Recipe(spec, optimizer, penalties, rule.clips, recorded)
        constants = constants_of(recipe, rule.max_grad_norm)
        shares = optimizer.shares(state, batches.learning_rates)
        shares_of_ranks = shares_of_batches(share_of(self._communicator), problem.examples, batches)
        for step, share in enumerate(shares_of_ranks):
            numbers = StepNumbers(
                step_noise(batches.noise_key, state.t + 1),
                float(batches.learning_rates[step]),
                1.0 if shares is None else float(shares[step]),
                penalties.share(share.weight),
            )
            before = Moving((parameters,), tuple((slot,) for slot in state.slots), state.t)
            if self._communicator is None:
                new, measured = training_step(
                    recipe, constants, before, columns(spec, share.examples), numbers
                )
            else:
                found = gradient_over_ranks(self._communicator, recipe, parameters, share, numbers)
                new, measured = updated(recipe, constants, before, found, numbers)
            records.cost[step] = measured.cost
            records.gradient_norm[step] = measured.gradient_norm
            if records.penalty is not None:
                records.penalty[step] = measured.penalty
            after = OptimizerState(np.empty(0), state.t, weight=state.weight)
            optimizer.count(after, batches.learning_rates[step : step + 1])
            store(new, after, parameters, state)
