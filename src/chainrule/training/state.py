"""Where a training stands, and what it changes as it goes."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Floats, StepRecords
from chainrule.engines.memory import writable
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.network.parameters import placed_blocks
from chainrule.network.random import noise_key
from chainrule.training.diagnostics import Diagnosis
from chainrule.training.events import EpochEnded
from chainrule.training.plan import LBFGS, Plan
from chainrule.training.stopping import Stopping


@dataclass(frozen=True)
class Position:
    """Where a training stands, between two of its steps."""

    epochs: int = 0
    """Finished ones of this training."""
    steps: int = 0
    """Of the epoch in progress."""
    seconds: float = 0.0
    """That the epoch in progress has taken."""
    order: NDArray[np.int32] | None = None
    """(examples,): of the epoch in progress; None: it follows from the seed."""
    records: StepRecords | None = None
    """Of the steps of the epoch in progress."""
    before: Floats | None = None
    """The parameters when the epoch in progress began; None: as they are."""
    stopped: str = ""
    """Why the training ended; "" while it has not."""
    behind: tuple[EpochEnded, ...] | None = None
    """The finished epochs, of a training that goes on from a checkpoint."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what of the epoch in progress is arrays."""
        found = {"epoch.order": self.order, "epoch.parameters": self.before}
        if self.records is not None:
            found |= {f"epoch.{name}": array for name, array in self.records._asdict().items()}
        return {name: array for name, array in found.items() if array is not None}


BEGINNING = Position()
"""Where a training stands that has not begun, and an epoch."""


@dataclass
class State:
    """What a training changes as it goes: whoever made it may look at any time, after an error too.

    `optimizer` may be exchanged between epochs for one with the same slots.
    """

    parameters: Floats
    """Those at which the network is evaluated; updated in place, and so is `memory`."""
    optimizer: Optimizer | None = None
    """None: the solver is L-BFGS, which keeps its own memory."""
    memory: OptimizerState | None = None
    """The optimizer's."""
    noise_key: int = 0
    """Decides, with a step's number, what it draws at random."""
    epochs_before: int = 0
    stopping: Stopping | None = None
    start: Position = BEGINNING
    """Where the training goes on, if it was interrupted; all else is of there already."""
    epochs: int = 0
    """Finished ones of this training, those before an interruption as well."""
    diagnostics: list[Diagnosis] = field(default_factory=list)
    statistics: tuple[slice, ...] = ()
    """Where the parameters are running statistics that an average has no part in."""

    @property
    def moving(self) -> Floats:
        """The parameters that the steps move: where an average is evaluated, not those."""
        assert self.memory is not None
        return self.parameters if self.memory.theta is None else self.memory.theta

    def publish(self) -> None:
        """Bring the parameters to those at which the network is to be evaluated."""
        assert self.memory is not None
        if self.memory.theta is None:
            return
        assert self.optimizer is not None
        self.parameters[...] = self.optimizer.average(self.memory)
        for place in self.statistics:
            self.parameters[place] = self.memory.theta[place]

    @classmethod
    def of(cls, plan: Plan, stopping: Stopping | None = None) -> "State":
        """Return the state in which a plan begins.

        Parameters
        ----------
        plan : Plan
        stopping : Stopping, optional
            That of an earlier training which this one continues; by default it begins anew.
        """
        optimizer, parameters = plan.optimizer, plan.problem.parameters
        if isinstance(optimizer, LBFGS):
            return cls(parameters, epochs_before=plan.epochs_before)
        # Running statistics follow the steps; a mean of all steps' lags behind its own network.
        statistics = tuple(
            placed.slice
            for placed in placed_blocks(plan.problem.spec)
            if optimizer.averages and placed.block.group == "statistics"
        )
        memory = plan.optimizer_state
        if memory is None or not _continues(memory, optimizer, parameters, statistics):
            memory = optimizer.new_state(parameters)
        memory.slots = writable(memory.slots)
        if memory.theta is not None:
            memory.theta = writable(memory.theta)
        if stopping is None and plan.stopping is not None:
            stopping = Stopping(plan.stopping, parameters)
        # Where an optimizer goes on, so do its steps' random numbers.
        before = max(0, plan.epochs_before - memory.t // plan.steps_per_epoch)
        key = noise_key(plan.seed, before)
        return cls(
            parameters,
            optimizer,
            memory,
            key,
            plan.epochs_before,
            stopping,
            statistics=statistics,
        )


def _continues(
    memory: OptimizerState,
    optimizer: Optimizer,
    parameters: Floats,
    statistics: tuple[slice, ...],
) -> bool:
    """Whether an optimizer can go on from a memory: an average must be that of the parameters."""
    if not optimizer.evaluated_at_average:
        return memory.theta is None
    if memory.theta is None:
        return False
    published = State(parameters.copy(), optimizer, memory, statistics=statistics)
    published.publish()
    return np.array_equal(published.parameters, parameters)
