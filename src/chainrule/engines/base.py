"""The interface between the training loop and the engines."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.communication.communicator import Communicator
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.equations.penalties import shared_strength
from chainrule.names import Precision
from chainrule.network.spec import NetworkSpec

Floats: TypeAlias = NDArray[np.floating]

Predictor: TypeAlias = Callable[[Floats, Any], Floats | None]
"""Maps parameters and X to outputs, or to None if X must be validated or converted first."""


@dataclass(frozen=True)
class Penalties:
    """The penalties P1 and P2 on the weights, minimised in addition to the cost."""

    l1: float = 0.0
    l2: float = 0.0
    shared: bool = False
    """Whether a batch's penalties are divided by its sum of weights, P3 (0 if the sum is 0)."""
    per: float = 1.0
    """What the strengths were divided by already: those that were asked for are l1·per, l2·per."""

    def changed(self, l1: float | None, l2: float | None) -> "Penalties":
        """Return the penalties of other strengths, divided alike; None: the same strength."""
        return replace(
            self,
            l1=self.l1 if l1 is None else l1 / self.per,
            l2=self.l2 if l2 is None else l2 / self.per,
        )

    def __bool__(self) -> bool:
        """Whether any penalty is nonzero."""
        return bool(self.l1 or self.l2)

    def share(self, weight: float) -> float:
        """Return the factor of l1 and l2 for a batch whose weights sum to `weight`."""
        if not self.shared:
            return 1.0
        return shared_strength(1.0, weight) if weight > 0 else 0.0

    def over(self, weight: float) -> "Penalties":
        """Return the penalties of a batch whose weights sum to `weight`, with scaled l1 and l2."""
        if not self.shared:
            return self
        share = self.share(weight)
        return Penalties(self.l1 * share, self.l2 * share)


class Examples(NamedTuple):
    """Inputs and targets, one example per row, C-ordered and of the network's dtype."""

    X: Floats
    """(m, n[0])."""
    Y: Floats | NDArray[np.int32]
    """(m, n[L]) values, or (m,) class indices, which stand for one-hot rows."""
    weights: Floats | None = None
    """(m,), non-negative; None: all 1."""

    def targets(self, n_outputs: int, rows: slice = slice(None)) -> Floats:
        """Return the targets of some examples as rows, (m, n[L]); copied only for class indices."""
        if self.Y.ndim == 2:
            return self.Y[rows]  # type: ignore[return-value]
        # Written directly to the result: with millions of rows, temporaries may not fit in memory.
        classes = self.Y[rows]
        targets = np.empty((len(classes), n_outputs), self.X.dtype)
        np.equal(classes[:, None], np.arange(n_outputs), out=targets)
        return targets

    def take(self, rows: NDArray[np.integer]) -> "Examples":
        """Return copies of the examples in these rows."""
        weights = None if self.weights is None else self.weights[rows]
        return Examples(self.X[rows], self.Y[rows], weights)

    def weight_of(self, rows: NDArray[np.integer]) -> float:
        """Return the sum of the weights of the examples in these rows."""
        if self.weights is None:
            return float(len(rows))
        return float(self.weights[rows].sum(dtype=np.float64))

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
    """The optimisation problem: a network, its parameters, examples and penalties."""

    spec: NetworkSpec
    parameters: Floats
    """The initial parameters; training updates this vector in place."""
    examples: Examples
    penalties: Penalties = Penalties()

    def in_float64(self) -> "Problem":
        """Return the same problem in float64, with a copy of the parameters."""
        spec, examples = replace(self.spec, dtype="float64"), self.examples
        if self.spec.dtype != "float64":
            examples = examples.astype("float64")
        return Problem(spec, self.parameters.astype(np.float64), examples, self.penalties)


@dataclass(frozen=True)
class UpdateRule:
    """How a step turns its gradient into an update."""

    optimizer: Optimizer
    max_grad_norm: float = float("inf")
    """Maximum norm of the gradient, including penalties; longer gradients are scaled down (G1)."""

    @property
    def clips(self) -> bool:
        """Whether the gradient's norm is bounded."""
        return self.max_grad_norm < float("inf")


class LossRule(NamedTuple):
    """A rule of early stopping on the training loss, with its counters.

    Steps end after the first epoch whose loss is not finite, or with which more than `patience`
    consecutive epochs have not improved on the best loss by the tolerance. The loss of an epoch is
    its mean cost, divided by `outputs`, plus the penalties if they are recorded.
    """

    best: float
    """The best loss so far."""
    tolerance: float
    patience: float
    stale: int
    """Consecutive epochs without an improvement so far."""
    outputs: float


class Batches(NamedTuple):
    """The batches of consecutive steps, and other values that vary by step."""

    order: NDArray[np.int32]
    """(epochs, examples): row indices. The last batch of each epoch may be smaller; no batch
    spans two epochs."""
    size: int
    learning_rates: NDArray[np.float64]
    """(steps,)"""
    noise_key: int = 0
    """A step's random numbers (dropout) depend only on this key and the step number."""
    rule: LossRule | None = None
    """When the steps end before the last batch, if the engine `ends_early`. Its sums may be rounded
    in another way than the caller's: the caller decides again, from the records."""
    total: int | None = None
    """The number of examples of all ranks together, if the examples are this rank's own: `order`
    then has those of its share of each batch, in a single epoch, and the examples have no weights.
    None: all ranks have the same examples and order."""


class StepRecords(NamedTuple):
    """Arrays for each step's measurements, which an engine takes before the step's update."""

    cost: NDArray[np.float64]
    """(steps,): J of the batch, without penalties."""
    gradient_norm: NDArray[np.float64]
    """(steps,): Euclidean norm of the whole gradient, penalties included, before any clipping."""
    penalty: NDArray[np.float64] | None = None
    """(steps,): the penalties; None: not recorded."""

    def first(self, steps: int) -> "StepRecords":
        """Return views of the records of the first steps."""
        return self.part(slice(steps))

    def part(self, steps: slice) -> "StepRecords":
        """Return views of the records of some steps."""
        penalty = None if self.penalty is None else self.penalty[steps]
        return StepRecords(self.cost[steps], self.gradient_norm[steps], penalty)


class Engine(Protocol):
    """Executes passes and steps of a network on arrays that the caller owns and has validated.

    `forward`, `loss` and `loss_and_gradient` evaluate the network in prediction mode: without
    dropout, and with the running statistics of batch normalisation. Only the steps of `train` use
    training mode, and only they update the running statistics, whose gradient entries are 0.
    """

    name: str
    ends_early: bool
    """Whether `train` follows the rule of its batches; if not, it takes a step for each batch."""

    @property
    def surroundings(self) -> Mapping[str, str]:
        """What rounding depends on besides the engine name; a resumed checkpoint compares it.

        The keys are "instruction set" and "precision" (full, mixed or split).
        """

    def lacking(self, spec: NetworkSpec) -> str:
        """Return a network feature that the engine does not support, in words; "" for none."""

    def with_precision(self, precision: Precision) -> "Engine | str":
        """Return the same engine with bfloat16 products, or the reason why it is unavailable.

        `precision` is "mixed" (products of rounded factors, in training steps) or "split" (products
        of float32 factors, each as three pieces; in predictions too).
        """

    def with_communicator(self, communicator: Communicator) -> "Engine | str":
        """Return the same engine as one of several ranks, or the reason why that is impossible.

        `train` then computes this rank's share of every batch, and sums gradient and cost over the
        ranks before the update, which is the same on all of them. All ranks are given the same
        arguments, but for examples of their own (`Batches.total`), and all other calls are this
        process's own.
        """

    def holding(self, examples: Examples) -> AbstractContextManager[None]:
        """Keep examples where the engine computes; they do not change until the context ends.

        Calls of `train` with the same arrays then need not copy them.
        """

    def agreed(self, seconds: float) -> float:
        """Return a duration by which the caller may decide: the same in all processes.

        Decisions by the clock have to be the same where processes train together; each passes its
        own duration, and all get that of the first. Elsewhere it is the caller's own.
        """

    def predictor(self, spec: NetworkSpec) -> Predictor:
        """Return a function for predictions with minimal overhead.

        It returns None instead of raising if X is not a finite C-ordered array of the network's
        dtype and width; the caller then validates X and calls `forward`.
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
        """Take one step for each batch; the first step has the number `state.t` + 1.

        There are fewer steps if the engine `ends_early` and the rule of the batches ends them.
        Updates the problem's parameters and `state` in place. An interruption (an exception in the
        calling thread) leaves both as they were after a completed step.
        """
