"""What a training is, decided before it begins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Engine, Examples, Problem
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.training.memories import Remembers
from chainrule.training.metrics import Metric
from chainrule.training.stopping import StoppingRule


class Orders(Remembers, Protocol):
    """Decides the order of the examples in each epoch, one epoch after the other."""

    def __call__(self, epochs: range) -> NDArray[np.int32]:
        """Return the orders of the next epochs, (epochs, examples)."""

    def mark(self) -> Callable[[], None]:
        """Return a function that goes back to where the orders are now.

        Short epochs may then be trained before it is known whether they are wanted.
        """


@dataclass(frozen=True)
class LBFGS:
    """The other solver: all examples at once, by SciPy; an epoch of the plan is an iteration."""

    max_evaluations: int
    tolerance: float
    """It ends where no component of the gradient is larger."""
    prints: bool = False
    """Whether SciPy prints what it prints for scikit-learn: nothing from 1.15 on."""


@dataclass(frozen=True)
class Plan:
    """Everything that decides one training; checked by whoever makes it."""

    problem: Problem
    optimizer: Optimizer | LBFGS
    """As the training begins with it: a rule may change its learning rate between epochs."""
    engine: Engine
    epochs: int
    batch_size: int
    seed: int
    """Decides the orders, where no `orders` do, and what steps draw at random."""
    max_grad_norm: float = float("inf")
    """A step's gradient is scaled down to this norm if longer (G1)."""
    shuffle: bool = True
    orders: Orders | None = None
    validation: Examples | None = None
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    training_metrics: bool = True
    """Whether the metrics are of the training data too, which takes a pass over all of them."""
    stopping: StoppingRule | None = None
    next_rate: Callable[[int], float] | None = None
    """The learning rate after so many epochs: asked when all consumers have heard of the last."""
    epochs_before: int = 0
    """Epochs that the network has seen already: the next one's order is a new one."""
    optimizer_state: OptimizerState | None = None
    """What the optimizer remembers from earlier; None: nothing."""
    watched: bool = True
    """Whether someone looks at the parameters after each epoch. If not, short epochs may go
    through the engine together, and their events come after."""
    diagnosed: bool = False
    """Whether the training looks at its own health: see `chainrule.training.checkups`."""

    @property
    def steps_per_epoch(self) -> int:
        """How many steps an epoch takes; the last may be of fewer examples."""
        return steps_per_epoch(len(self.problem.examples.X), self.batch_size)


def steps_per_epoch(n_examples: int, batch_size: int) -> int:
    """Return how many batches so many examples make."""
    return -(-n_examples // batch_size)
