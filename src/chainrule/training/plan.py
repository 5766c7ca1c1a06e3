"""The plan of a training: everything that is decided before it begins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chainrule.communication.communicator import Communicator
from chainrule.engines.base import Engine, Examples, Problem
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.training.memories import Remembers
from chainrule.training.metrics import Metric
from chainrule.training.stopping import StoppingRule
from chainrule.training.streaming import ExampleStream


class Orders(Remembers, Protocol):
    """The orders of the examples in the epochs, drawn one after the other."""

    def __call__(self, epochs: range) -> NDArray[np.int32]:
        """Return the orders of the next epochs, (epochs, examples)."""

    def mark(self) -> Callable[[], None]:
        """Return a function that resets the orders to their current state.

        It lets short epochs be trained speculatively, and undone if they are not wanted.
        """


@dataclass(frozen=True)
class LBFGS:
    """SciPy's L-BFGS on all examples at once; an epoch of the plan is an iteration."""

    max_evaluations: int
    tolerance: float
    """It ends when no component of the gradient is larger than this."""
    prints: bool = False
    """Whether SciPy prints its progress, as for scikit-learn; from 1.15 on, it prints nothing."""


@dataclass(frozen=True)
class Plan:
    """Everything that determines a training; its values have been checked by its creator."""

    problem: Problem
    optimizer: Optimizer | LBFGS
    """The optimizer to begin with: a rule may change its learning rate between epochs."""
    engine: Engine
    epochs: int
    batch_size: int
    seed: int
    """Determines the random numbers of the steps and, unless `orders` are given, the orders."""
    max_grad_norm: float = float("inf")
    """A gradient of a larger norm is scaled down to this norm (G1)."""
    shuffle: bool = True
    orders: Orders | None = None
    validation: Examples | None = None
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    training_metrics: bool = True
    """Whether metrics are evaluated on the training data too, which takes a pass over them."""
    stopping: StoppingRule | None = None
    next_rate: Callable[[int], float] | None = None
    """A function from the number of finished epochs to the next epoch's learning rate, called after
    all consumers have received the last epoch's event."""
    epochs_before: int = 0
    """Epochs of earlier trainings of this network: each epoch's order depends on its number."""
    optimizer_state: OptimizerState | None = None
    """The optimizer's state from an earlier training; None for a new one."""
    watched: bool = True
    """Whether the parameters are needed after each epoch. If not, short epochs may go through the
    engine together, and their events follow."""
    diagnosed: bool = False
    """Whether the training is diagnosed: see `chainrule.training.checkups`."""
    communicator: Communicator | None = None
    """The ranks that share each batch, and take the same steps; see `chainrule.training.ranks`."""
    local_steps: int = 1
    """After how many steps the ranks average their parameters; 1: they sum gradients in every step.
    See `chainrule.engines.local_steps`."""
    stream: ExampleStream | None = None
    """Where the training examples come from, if they need not fit into memory. Those of the problem
    are then a sample of them, for what looks at examples beside the steps: diagnoses, pictures."""

    @property
    def n_examples(self) -> int:
        """Number of training examples."""
        return len(self.problem.examples.X) if self.stream is None else self.stream.rows

    @property
    def steps_per_epoch(self) -> int:
        """Number of steps in an epoch; the last one may have fewer examples."""
        return steps_per_epoch(self.n_examples, self.batch_size)


def steps_per_epoch(n_examples: int, batch_size: int) -> int:
    """Return the number of batches, the last of which may be smaller."""
    return -(-n_examples // batch_size)
