"""How a consumer of events inspects a running training: its state, between any two steps.

A callback may have these methods beside `training_ended` of `chainrule.training.events.Callback`:

- ``training_begins(training)`` is called once, before the first event, with the `Training`.
- ``steps_left(done)`` and ``between_steps(moment)``: after `done` steps, how many may be taken
  before the training has to halt, and what is called when it halts; see `StepWatcher`.
- ``needs_each_epoch = False`` says that it need not see the parameters at the end of each epoch:
  short epochs then go through the engine together, and the parameters may be ahead of the event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples, Floats
from chainrule.network.spec import NetworkSpec
from chainrule.training.events import Callback
from chainrule.training.plan import Plan
from chainrule.training.state import State


@dataclass(frozen=True)
class Training:
    """A running training: its plan, and its state, which changes with every step.

    Read the state only within a call of the callback: between calls, the steps change it.
    """

    plan: Plan
    state: State

    @property
    def spec(self) -> NetworkSpec:
        """The network's specification."""
        return self.plan.problem.spec

    @property
    def parameters(self) -> Floats:
        """The parameters at which the network is evaluated: the live vector, not a copy."""
        return self.state.parameters


@dataclass(frozen=True)
class Moment:
    """A point of a training between two of its steps.

    The beginning and the end of an epoch are moments too. At the end of an epoch, the next step's
    examples have not been drawn; they are known at the moment that begins the next epoch.
    """

    step: int
    """Steps of this training so far."""
    epoch: int
    """The current epoch, counted from 1 over all trainings of the network."""
    rows: NDArray[np.int32] | None
    """Indices of the next step's examples; None at the end of an epoch. Of a stream on several
    ranks, they are those of this rank's share."""
    learning_rate: float | None
    """α of the next step; None at the end of an epoch."""
    examples: Examples | None = None
    """What the indices refer to, while the training waits: the next step's window of a stream, or
    all examples; None at the end of an epoch."""


class StepWatcher(Protocol):
    """A callback that sees a training between any two of its steps."""

    def __call__(self, event: object) -> bool | None:
        """Consume an event."""

    def steps_left(self, done: int) -> int | None:
        """Return how many steps may be taken, after `done` steps, before the training halts.

        0: it halts now, which then is the moment after `done` steps. None: it never halts. It is
        asked at the beginning of each epoch and whenever the training has halted.
        """

    def between_steps(self, moment: Moment) -> None:
        """Look at the training, which waits until this returns."""


def watches_epochs(consumers: Sequence[object]) -> bool:
    """Return whether any consumer may look at the parameters at the end of each epoch."""
    return any(getattr(one, "needs_each_epoch", True) for one in consumers)


def tell_beginning(consumers: Sequence[Callback], training: Training) -> None:
    """Tell every consumer that asks for it that a training begins."""
    for consumer in consumers:
        begins = getattr(consumer, "training_begins", None)
        if callable(begins):
            begins(training)


class Halts:
    """Decides when a training halts for the callbacks that watch single steps.

    Parameters
    ----------
    consumers : list of callables
        The consumers of the events; those that are no `StepWatcher` are passed over.
    """

    def __init__(self, consumers: Sequence[Callback]) -> None:
        self._watchers = [one for one in consumers if _watches_steps(one)]

    def __bool__(self) -> bool:
        """Whether any consumer watches steps."""
        return bool(self._watchers)

    def steps_left(self, done: int) -> int | None:
        """Return how many steps may be taken before any watcher wants to look; None: any number.

        It is at least 1: watchers that wanted to look after `done` steps have done so.
        """
        left = [watcher.steps_left(done) for watcher in self._watchers]
        numbers = [max(1, number) for number in left if number is not None]
        return min(numbers, default=None)

    def at(self, moment: Moment) -> None:
        """Let those watchers look that want to look at this moment."""
        for watcher in self._watchers:
            if watcher.steps_left(moment.step) == 0:
                watcher.between_steps(moment)


def _watches_steps(consumer: object) -> TypeGuard[StepWatcher]:
    return all(callable(getattr(consumer, name, None)) for name in ("steps_left", "between_steps"))
