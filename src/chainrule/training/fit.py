"""`fit`: the one place that conducts a training, whoever asks for it."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from chainrule.errors import TrainingDivergedError
from chainrule.training.checkpointer import Checkpointer
from chainrule.training.checkups import Checkups
from chainrule.training.events import Callback, EpochEnded, Event, Stopped, TrainingStarted
from chainrule.training.lbfgs import minimise
from chainrule.training.loop import Loop
from chainrule.training.plan import LBFGS, Plan
from chainrule.training.state import State


@dataclass(frozen=True)
class Fitted:
    """What a training came to; the parameters are where the plan has them."""

    stopped: Stopped
    objective: float | None = None
    """What was minimised, at the end, where the solver tells."""
    shortfall: str = ""
    """Why a solver did not converge; "" if it did, or cannot tell."""

    @property
    def ended_early(self) -> bool:
        """Whether the training ended before its last epoch: it converged, or somebody asked."""
        return self.stopped.reason != "finished"


def fit(
    plan: Plan,
    consumers: Sequence[Callback] = (),
    checkpointer: Checkpointer | None = None,
    state: State | None = None,
    before_epoch: Callable[[], None] | None = None,
) -> Fitted:
    """Train by a plan, and tell the consumers what happens.

    Parameters
    ----------
    plan : Plan
    consumers : list of callables
        Each is called with every event; returning True after an `EpochEnded` ends the training.
    checkpointer : Checkpointer, optional
        Attached to this plan and state.
    state : State, optional
        By default that in which the plan begins. Give one to look at it after an error.
    before_epoch : callable, optional
        Called before each epoch begins.

    Returns
    -------
    Fitted

    Raises
    ------
    TrainingDivergedError
        If the loss stops being finite; the parameters are then those of an earlier epoch.
    NothingLearnedError
        If L-BFGS leaves no finite parameters.
    """
    conductor = _Conductor(plan, consumers, state or State.of(plan), before_epoch)
    if isinstance(plan.optimizer, LBFGS):
        return conductor.minimised()
    return conductor.trained(checkpointer)


class _Conductor:
    """Hands each event to everyone in turn, and says when a training ends."""

    def __init__(
        self,
        plan: Plan,
        consumers: Sequence[Callback],
        state: State,
        before_epoch: Callable[[], None] | None,
    ) -> None:
        self._plan, self._state = plan, state
        self._consumers, self._before_epoch = tuple(consumers), before_epoch
        self._last: EpochEnded | None = None
        self._converged = False
        self._checkups: Checkups | None = None
        if plan.diagnosed and not isinstance(plan.optimizer, LBFGS):
            self._checkups = Checkups(plan.problem, plan.steps_per_epoch, state.diagnostics)

    def minimised(self) -> Fitted:
        """Train by L-BFGS, which calls back while it works."""
        watched = bool(self._consumers) or self._before_epoch is not None
        value, stopped, shortfall = minimise(self._plan, self._state, self._iterated, watched)
        self._state.epochs = stopped.epochs
        return Fitted(stopped, value, shortfall)

    def _iterated(self, event: Event) -> bool:
        if isinstance(event, EpochEnded):
            self._state.epochs += 1
        asked = self._tell(event)
        if isinstance(event, TrainingStarted | EpochEnded) and not asked:
            self._begin_epoch()
        return asked

    def trained(self, checkpointer: Checkpointer | None) -> Fitted:
        """Train by steps."""
        state = self._state
        try:
            # Closed where it ends early: steps that were taken ahead of that are taken back.
            with closing(Loop(self._plan, state, checkpointer).events()) as events:
                stopped = self._followed(events)
            if checkpointer is not None:
                checkpointer.finish(stopped)
        except TrainingDivergedError:
            if self._checkups is not None:
                self._checkups.diverged()
            raise
        finally:
            if state.stopping is not None and self._plan.epochs > 0:
                state.stopping.restore()
        return Fitted(stopped)

    def _followed(self, events: Iterable[Event]) -> Stopped:
        """Hand on the events until the training ends, by itself or because somebody says so."""
        for event in events:
            if isinstance(event, EpochEnded):
                if self._epoch_ended(event):
                    return self._stopped_early()
                continue
            if isinstance(event, Stopped):
                self._examine_once_more()
                self._tell(event)
                return event
            self._tell(event)
            if isinstance(event, TrainingStarted) and not self._state.start.stopped:
                self._begin_epoch()
        raise AssertionError("a training says when it ends")

    def _epoch_ended(self, event: EpochEnded) -> bool:
        """Let everyone hear of an epoch; True: the training is to end."""
        state, stopping, checkups = self._state, self._state.stopping, self._checkups
        # First of all: whatever a consumer raises, the parameters have seen this epoch.
        state.epochs += 1
        self._last = event
        if checkups is not None and state.epochs >= checkups.next_look:
            checkups.epoch_ended(state.epochs, event)
        if stopping is not None and stopping.epoch_ended(event):
            assert state.optimizer is not None
            slower = stopping.slower(state.optimizer)
            self._converged = slower is None
            state.optimizer = slower or state.optimizer
        asked = self._tell(event)
        if self._plan.next_rate is not None:
            assert state.optimizer is not None
            rate = self._plan.next_rate(state.epochs)
            state.optimizer = replace(state.optimizer, learning_rate=rate)
        if self._converged or asked:
            return True
        self._begin_epoch()
        return False

    def _stopped_early(self) -> Stopped:
        self._examine_once_more()
        stopped = Stopped(self._state.epochs, "converged" if self._converged else "callback")
        self._tell(stopped)
        return stopped

    def _examine_once_more(self) -> None:
        if self._checkups is not None and self._last is not None:
            self._checkups.ended(self._state.epochs, self._last)

    def _tell(self, event: Event) -> bool:
        """Hand an event to all consumers; True: one of them wants the training to end."""
        asked = False
        for consume in self._consumers:
            answer = consume(event)
            if isinstance(answer, bool | np.bool_) and answer:
                asked = True
        return asked

    def _begin_epoch(self) -> None:
        if self._before_epoch is not None and self._state.epochs < self._plan.epochs:
            self._before_epoch()
