"""The state of a training: its position, and everything that changes during it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Floats, Penalties, StepRecords
from chainrule.engines.memory import writable
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.network.parameters import placed_blocks
from chainrule.network.random import noise_key
from chainrule.network.spec import NetworkSpec
from chainrule.training.diagnostics import Diagnosis
from chainrule.training.events import EpochEnded
from chainrule.training.plan import LBFGS, Plan
from chainrule.training.stopping import Stopping


@dataclass(frozen=True)
class Position:
    """A position in a training, between two of its steps."""

    epochs: int = 0
    """Finished epochs of this training."""
    steps: int = 0
    """Finished steps of the current epoch."""
    seconds: float = 0.0
    """Time that the current epoch has taken."""
    order: NDArray[np.int32] | None = None
    """Order of the examples in the current epoch, (examples,); None if it follows from the seed."""
    records: StepRecords | None = None
    """Records of the finished steps of the current epoch."""
    before: Floats | None = None
    """The parameters at the beginning of the current epoch; None if no step has been taken."""
    stopped: str = ""
    """Why the training ended; "" as long as it has not."""
    behind: tuple[EpochEnded, ...] | None = None
    """The finished epochs of a training that is resumed from a checkpoint; None otherwise."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that belong to the current epoch, by name."""
        found = {"epoch.order": self.order, "epoch.parameters": self.before}
        if self.records is not None:
            found |= {f"epoch.{name}": array for name, array in self.records._asdict().items()}
        return {name: array for name, array in found.items() if array is not None}


BEGINNING = Position()
"""The position at the beginning of a training, and of an epoch."""


@dataclass
class State:
    """Everything that changes during a training; its creator can read it at any time.

    `optimizer` may be replaced between epochs by one with the same slots, and so may `penalties`.
    """

    parameters: Floats
    """The parameters at which the network is evaluated; updated in place, as is `memory`."""
    optimizer: Optimizer | None = None
    """None if the solver is L-BFGS, which keeps its own state."""
    memory: OptimizerState | None = None
    """The optimizer's state."""
    noise_key: int = 0
    """Determines, together with a step's number, the random numbers of that step."""
    epochs_before: int = 0
    stopping: Stopping | None = None
    start: Position = BEGINNING
    """The position to resume at after an interruption; all other fields are already restored."""
    epochs: int = 0
    """Finished epochs of this training, including those before an interruption."""
    diagnostics: list[Diagnosis] = field(default_factory=list)
    statistics: tuple[slice, ...] = ()
    """The places of running statistics, if the optimizer does not average them."""
    penalties: Penalties = field(default_factory=Penalties)
    """The penalties that the next steps minimise: at the beginning, those of the problem."""

    @property
    def moving(self) -> Floats:
        """The parameters that the steps update, which differ from an average that is evaluated."""
        assert self.memory is not None
        return self.parameters if self.memory.theta is None else self.memory.theta

    def publish(self) -> None:
        """Set `parameters` to those at which the network is to be evaluated."""
        assert self.memory is not None
        if self.memory.theta is None:
            return
        assert self.optimizer is not None
        self.parameters[...] = self.optimizer.average(self.memory)
        for place in self.statistics:
            self.parameters[place] = self.memory.theta[place]

    @classmethod
    def of(cls, plan: Plan, stopping: Stopping | None = None) -> "State":
        """Return the initial state of a plan.

        Parameters
        ----------
        plan : Plan
        stopping : Stopping, optional
            The stopping rule's state from an earlier training, if this one continues it; by default
            a new one.
        """
        optimizer, parameters = plan.optimizer, plan.problem.parameters
        if isinstance(optimizer, LBFGS):
            return cls(
                parameters, epochs_before=plan.epochs_before, penalties=plan.problem.penalties
            )
        statistics = _unaveraged(optimizer, plan.problem.spec)
        memory = plan.optimizer_state
        if memory is None or not continues(memory, optimizer, plan.problem.spec, parameters):
            memory = optimizer.new_state(parameters)
        memory.slots = writable(memory.slots)
        if memory.theta is not None:
            memory.theta = writable(memory.theta)
        if stopping is None and plan.stopping is not None:
            stopping = Stopping(plan.stopping, parameters)
        # If the optimizer's state is continued, so are the steps' random numbers: their key is that
        # of the epoch in which t was 0.
        key = memory.noise_key
        if key is None:
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
            penalties=plan.problem.penalties,
        )


def _unaveraged(optimizer: Optimizer, spec: NetworkSpec) -> tuple[slice, ...]:
    """Return the places of the parameters that an optimizer's average is not used for."""
    # Running statistics follow the steps: an average of theirs would lag behind the network.
    if not optimizer.averages:
        return ()
    return tuple(each.slice for each in placed_blocks(spec) if not each.block.has_gradient)


def continues(
    memory: OptimizerState, optimizer: Optimizer, spec: NetworkSpec, parameters: Floats
) -> bool:
    """Tell whether an optimizer can continue from a state: its average must be the parameters."""
    if not optimizer.evaluated_at_average:
        return memory.theta is None
    if memory.theta is None:
        return False
    statistics = _unaveraged(optimizer, spec)
    published = State(parameters.copy(), optimizer, memory, statistics=statistics)
    published.publish()
    return np.array_equal(published.parameters, parameters)
