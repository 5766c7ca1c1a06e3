"""The contract between the training loop and whoever executes the steps."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.network.spec import NetworkSpec

Floats: TypeAlias = NDArray[np.floating]


@dataclass(frozen=True)
class Objective:
    """What a step goes down beside the cost, and how long its gradient may be."""

    l1: float = 0.0
    l2: float = 0.0
    """Penalties on the weights (P2, P1)."""
    shared: bool = False
    """Whether a batch's penalties are divided by its sum of weights, P3 (none if that is 0)."""
    max_grad_norm: float = float("inf")
    """A step's gradient, penalties included, is scaled down to this norm if longer (G1)."""

    @property
    def penalised(self) -> bool:
        """Whether there is any penalty."""
        return bool(self.l1 or self.l2)

    @property
    def clips(self) -> bool:
        """Whether there is a bound on the gradient."""
        return self.max_grad_norm < float("inf")

    def over(self, weight: float) -> "Objective":
        """Return the objective of a batch of that sum of weights: its own l1 and l2."""
        if not self.shared:
            return self
        share = 1 / weight if weight > 0 else 0.0
        return replace(self, l1=self.l1 * share, l2=self.l2 * share, shared=False)


class Examples(NamedTuple):
    """Inputs and targets, one example a row, C-ordered and of the network's dtype."""

    X: Floats
    """(m, n[0])."""
    Y: Floats | NDArray[np.int32]
    """(m, n[L]) values, or (m,) class indices: which entry of a row of zeros is 1."""
    weights: Floats | None = None
    """(m,), non-negative; None: all 1."""

    def targets(self, n_outputs: int, rows: slice = slice(None)) -> Floats:
        """Return the targets of some examples as rows of values, (m, n[L]); no copy of such."""
        if self.Y.ndim == 2:
            return self.Y[rows]  # type: ignore[return-value]
        # Into the result at once: tables of many millions of rows have no room for detours.
        classes = self.Y[rows]
        targets = np.empty((len(classes), n_outputs), self.X.dtype)
        np.equal(classes[:, None], np.arange(n_outputs), out=targets)
        return targets

    def take(self, rows: NDArray[np.integer]) -> "Examples":
        """Return the examples of these rows, copied together."""
        weights = None if self.weights is None else self.weights[rows]
        return Examples(self.X[rows], self.Y[rows], weights)

    def astype(self, dtype: str) -> "Examples":
        """Return the examples in another precision."""
        weights = None if self.weights is None else self.weights.astype(dtype)
        Y = self.Y if self.Y.ndim == 1 else self.Y.astype(dtype)
        return Examples(self.X.astype(dtype), Y, weights)

    @property
    def weight(self) -> float:
        """The sum of the weights."""
        if self.weights is None:
            return float(len(self.X))
        return float(self.weights.sum(dtype=np.float64))


@dataclass(frozen=True)
class Problem:
    """What is minimised: the objective of a network over examples, as a function of parameters."""

    spec: NetworkSpec
    parameters: Floats
    """Where it begins; a training updates this vector in place."""
    examples: Examples
    objective: Objective = field(default_factory=Objective)

    def in_float64(self) -> "Problem":
        """Return its twin in double precision, with parameters of its own."""
        spec, examples = replace(self.spec, dtype="float64"), self.examples
        if self.spec.dtype != "float64":
            examples = examples.astype("float64")
        return Problem(spec, self.parameters.astype(np.float64), examples, self.objective)


class StepRecords(NamedTuple):
    """Where an engine writes what it saw at each step, before that step's update."""

    cost: NDArray[np.float64]
    """(steps,): J of the batch, without penalties."""
    gradient_norm: NDArray[np.float64]
    """(steps,): Euclidean norm of the whole gradient, penalties included, before any clipping."""
    penalty: NDArray[np.float64] | None = None
    """(steps,): the penalties; None: nobody wants to know."""

    def part(self, steps: slice) -> "StepRecords":
        """Return the records of some steps: views."""
        penalty = None if self.penalty is None else self.penalty[steps]
        return StepRecords(self.cost[steps], self.gradient_norm[steps], penalty)


class Engine(Protocol):
    """Executes passes and steps of a network on arrays that the caller owns and has checked.

    `forward`, `loss` and `loss_and_gradient` are of the network as it predicts: nothing is dropped,
    and batch normalisation takes its running statistics. Only the steps of `train` differ, and
    only they move the running statistics, whose entries of a gradient are 0.
    """

    name: str

    def forward(self, spec: NetworkSpec, parameters: Floats, X: Floats, out: Floats) -> None:
        """Write the network's outputs for the rows of X, (m, n[L]), to `out`."""

    def loss(
        self, spec: NetworkSpec, parameters: Floats, examples: Examples, objective: Objective
    ) -> float:
        """Return J plus penalties over all examples."""

    def loss_and_gradient(
        self,
        spec: NetworkSpec,
        parameters: Floats,
        examples: Examples,
        objective: Objective,
        gradient: Floats,
    ) -> float:
        """Write ∂(J + penalties)/∂θ to `gradient` and return J + penalties."""

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
        """Take one step for each batch of `order`, (epochs, examples): indices of rows.

        The last batch of each row of `order` may be short; no batch goes across rows. Updates
        `parameters` and `state` in place. Whatever a step draws at random (dropout) depends on
        `noise_key` and the step's number alone: one more than `state.t`. An interruption (an
        exception in the calling thread) leaves both as they were after some whole step.
        """
