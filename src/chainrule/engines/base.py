"""The contract between the training loop and whoever executes the steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.equations.penalties import shared_strength
from chainrule.network.spec import NetworkSpec

Floats: TypeAlias = NDArray[np.floating]

Predictor: TypeAlias = Callable[[Floats, Any], Floats | None]
"""A function of parameters and X to outputs, or None where X takes a closer look."""


@dataclass(frozen=True)
class Penalties:
    """What is minimised beside the cost: P1 and P2 of the weights."""

    l1: float = 0.0
    l2: float = 0.0
    shared: bool = False
    """Whether a batch's penalties are divided by its sum of weights, P3 (none if that is 0)."""

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.l1 or self.l2)

    def share(self, weight: float) -> float:
        """Return the factor of l1 and l2 for a batch of that sum of weights."""
        if not self.shared:
            return 1.0
        return shared_strength(1.0, weight) if weight > 0 else 0.0

    def over(self, weight: float) -> "Penalties":
        """Return those of a batch of that sum of weights: its own l1 and l2."""
        if not self.shared:
            return self
        share = self.share(weight)
        return Penalties(self.l1 * share, self.l2 * share)


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
    """What is minimised: cost and penalties of a network over examples, by its parameters."""

    spec: NetworkSpec
    parameters: Floats
    """Where it begins; a training updates this vector in place."""
    examples: Examples
    penalties: Penalties = Penalties()

    def in_float64(self) -> "Problem":
        """Return its twin in double precision, with parameters of its own."""
        spec, examples = replace(self.spec, dtype="float64"), self.examples
        if self.spec.dtype != "float64":
            examples = examples.astype("float64")
        return Problem(spec, self.parameters.astype(np.float64), examples, self.penalties)


@dataclass(frozen=True)
class UpdateRule:
    """What a step makes of its gradient."""

    optimizer: Optimizer
    max_grad_norm: float = float("inf")
    """A gradient, penalties included, is scaled down to this norm if longer (G1)."""

    @property
    def clips(self) -> bool:
        """Whether there is a bound on the gradient."""
        return self.max_grad_norm < float("inf")


class Batches(NamedTuple):
    """The batches of some steps, in their order, and what else differs from step to step."""

    order: NDArray[np.int32]
    """(epochs, examples): indices of rows. The last batch of each epoch may be short; no batch
    goes across epochs."""
    size: int
    learning_rates: NDArray[np.float64]
    """(steps,)"""
    noise_key: int = 0
    """Whatever a step draws at random (dropout) depends on this and the step's number alone."""


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

    @property
    def surroundings(self) -> Mapping[str, str]:
        """What its rounding depends on, beside its name: a checkpoint goes on where it is equal.

        "instruction set" and "precision" (full or mixed).
        """

    def lacking(self, spec: NetworkSpec) -> str:
        """Return what a network has that the engine cannot run, in words; "" for nothing."""

    def mixed_precision(self) -> "Engine | str":
        """Return its twin whose products are of bfloat16, or why there is none here."""

    def predictor(self, spec: NetworkSpec) -> Predictor:
        """Return the way to a prediction with the least around it.

        It gives None, and not an error, where X is anything but a finite C-ordered array of the
        network's type and width: `forward`, after a closer look, is for those.
        """

    def forward(self, spec: NetworkSpec, parameters: Floats, X: Floats, out: Floats) -> None:
        """Write the network's outputs for the rows of X, (m, n[L]), to `out`."""

    def loss(self, problem: Problem) -> float:
        """Return J plus penalties over all examples."""

    def loss_and_gradient(self, problem: Problem, gradient: Floats) -> float:
        """Write ∂(J + penalties)/∂θ to `gradient` and return J + penalties."""

    def train(
        self,
        problem: Problem,
        rule: UpdateRule,
        state: OptimizerState,
        batches: Batches,
        records: StepRecords,
    ) -> None:
        """Take one step for each batch, the first of them numbered one more than `state.t`.

        Updates the problem's parameters and `state` in place. An interruption (an exception in the
        calling thread) leaves both as they were after some whole step.
        """
