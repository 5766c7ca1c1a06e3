"""A snapshot: a training at one moment, copied, so that it can be looked at while it goes on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples, Floats, Penalties
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.network.spec import NetworkSpec
from chainrule.training.events import EpochEnded
from chainrule.training.plan import Plan


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A training at one moment.

    Nothing in it changes as the training goes on: the vectors are copies.
    """

    plan: Plan
    """The plan of the training: its examples, engine, batch size, …"""
    epoch: int
    """Finished epochs."""
    step: int
    """Steps so far."""
    parameters: Floats
    """The parameters at which the network is evaluated."""
    optimizer: Optimizer | None
    """The optimizer, with the learning rate of now; None for L-BFGS."""
    memory: OptimizerState | None
    """The optimizer's state; its `theta`, if any, is what the steps update."""
    penalties: Penalties
    """The penalties of now, divided by the total weight as in the plan's problem."""
    noise_key: int
    """Determines the random numbers of the steps (dropout)."""
    rows: NDArray[np.int32] | None
    """The examples of the next step; None at the end of an epoch."""
    learning_rate: float | None
    """The rate of the next step, or of the last one at the end of an epoch; None for L-BFGS."""
    ended: EpochEnded | None
    """The last epoch that ended; None before the first."""
    test: Examples | None
    """The examples that the network does not learn from; None: there are none."""
    at_epoch_end: bool = True
    """Whether it is between two epochs, or before the first."""

    @property
    def spec(self) -> NetworkSpec:
        """The network's specification."""
        return self.plan.problem.spec

    @property
    def examples(self) -> Examples:
        """The training examples."""
        return self.plan.problem.examples

    @property
    def moving(self) -> Floats:
        """The parameters that the steps update; they differ from an average that is evaluated."""
        averaged = self.memory is not None and self.memory.theta is not None
        return self.memory.theta if averaged else self.parameters  # type: ignore[union-attr,return-value]
