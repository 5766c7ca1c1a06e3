"""`fit`, which conducts every training: that of a `Network`, an estimator or a run."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import cast

import numpy as np

from chainrule.communication.agreement import anywhere, ending_all
from chainrule.errors import TrainingDivergedError
from chainrule.training.checkpointer import Checkpointer
from chainrule.training.checkups import Checkups
from chainrule.training.epochs import Epochs, TakesEpochs, takes_epochs
from chainrule.training.events import Callback, EpochEnded, Event, Stopped, TrainingStarted
from chainrule.training.lbfgs import minimise
from chainrule.training.loop import Loop
from chainrule.training.own_functions import check_cost
from chainrule.training.plan import LBFGS, Plan
from chainrule.training.state import State
from chainrule.training.stopping import Stopping
from chainrule.training.watching import Halts, Training, tell_beginning


@dataclass(frozen=True)
class Fitted:
    """The result of a training; the trained parameters are in the plan's vector."""

    stopped: Stopped
    objective: float | None = None
    """The final value of the objective, if the solver reports it."""
    shortfall: str = ""
    """Why the solver did not converge; "" if it did, or does not report it."""

    @property
    def ended_early(self) -> bool:
        """Whether training ended before its last epoch: by early stopping or by a callback."""
        return self.stopped.reason != "finished"


def fit(
    plan: Plan,
    consumers: Sequence[Callback] = (),
    checkpointer: Checkpointer | None = None,
    state: State | None = None,
    before_epoch: Callable[[], None] | None = None,
) -> Fitted:
    """Train by a plan, and pass all events to the consumers.

    Parameters
    ----------
    plan : Plan
    consumers : list of callables
        Each is called with every event; if one returns True after an `EpochEnded`, training ends.
        See `chainrule.training.events.Callback` and `chainrule.training.watching`.
    checkpointer : Checkpointer, optional
        A checkpointer that is attached to this plan and state.
    state : State, optional
        By default the plan's initial state. A caller that needs the state after an error passes
        its own.
    before_epoch : callable, optional
        Called before each epoch begins.

    Returns
    -------
    Fitted

    Raises
    ------
    TrainingDivergedError
        If the loss is no longer finite; the parameters are then those of an earlier epoch.
    NothingLearnedError
        If the parameters that L-BFGS ends with are not finite.
    """
    check_cost(plan.problem)
    state = state or State.of(plan)
    conductor = _Conductor(plan, consumers, state, before_epoch)
    with ending_all(plan.communicator), ExitStack() as stack:
        for consumer in consumers:
            ended = getattr(consumer, "training_ended", None)
            if callable(ended):
                stack.push(partial(_tell_end, ended))
        tell_beginning(consumers, Training(plan, state))
        if isinstance(plan.optimizer, LBFGS):
            return conductor.minimised()
        return conductor.trained(checkpointer)


def _tell_end(
    ended: Callable[[BaseException | None], object],
    kind: type[BaseException] | None,
    error: BaseException | None,
    trace: TracebackType | None,
) -> None:
    """Tell a consumer that the training ended; called by an ExitStack."""
    ended(error)


class _Conductor:
    """Passes each event to all parts of a training in order, and decides when it ends."""

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
            if plan.epochs and not plan.epochs_before:
                self._checkups.begin()

    def minimised(self) -> Fitted:
        """Train by L-BFGS, which calls `_iterated` after each iteration."""
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
        """Train by gradient steps."""
        state = self._state
        try:
            # The loop may have trained some epochs ahead. Closing its generator when training ends
            # early undoes them.
            halts = Halts(self._consumers)
            together = checkpointer is None and self._takes_epochs()
            # Ranks ask each other for the end of the training after the same events.
            together = not anywhere(self._plan.communicator, not together)
            loop = Loop(self._plan, state, checkpointer, halts, together)
            with closing(loop.events()) as events:
                stopped = self._followed(events)
            if checkpointer is not None:
                checkpointer.finish(stopped)
        except TrainingDivergedError:
            if self._checkups is not None:
                self._checkups.diverged()
            raise
        finally:
            # After an error or an interruption, too, the network gets its best weights.
            if state.stopping is not None and self._plan.epochs > 0:
                state.stopping.restore()
        return Fitted(stopped)

    def _takes_epochs(self) -> bool:
        """Whether all parts of the training take epochs that ended together."""
        stopping = self._state.stopping
        return (
            self._checkups is None
            and self._before_epoch is None
            and (stopping is None or stopping.takes_epochs)
            and all(map(takes_epochs, self._consumers))
        )

    def _followed(self, events: Iterable[Event | Epochs]) -> Stopped:
        """Pass on the events until training ends, by itself or by request."""
        for event in events:
            if isinstance(event, Epochs):
                if self._epochs_ended(event):
                    return self._ended(Stopped(self._state.epochs, "converged"))
                continue
            if isinstance(event, EpochEnded):
                if self._epoch_ended(event):
                    reason = "converged" if self._converged else "callback"
                    return self._ended(Stopped(self._state.epochs, reason))
                continue
            if isinstance(event, Stopped):
                return self._ended(event)
            self._tell(event)
            if isinstance(event, TrainingStarted) and not self._state.start.stopped:
                self._begin_epoch()
        raise AssertionError("the events of a training end with Stopped")

    def _epoch_ended(self, event: EpochEnded) -> bool:
        """Process the end of an epoch; return whether training should end.

        The order matters: the stopping rule comes before the consumers, which read its state, and
        the next learning rate after them, since it may depend on what they recorded.
        """
        state, stopping, checkups = self._state, self._state.stopping, self._checkups
        # Counted first: if a consumer raises, the parameters have been trained for this epoch all
        # the same.
        state.epochs += 1
        self._last = event
        if checkups is not None and state.epochs >= checkups.next_look:
            checkups.epoch_ended(state.epochs, event)
        if stopping is not None and stopping.epoch_ended(event):
            self._run_out_of_patience(stopping)
        asked = self._tell(event)
        if self._plan.next_rate is not None:
            assert state.optimizer is not None
            rate = self._plan.next_rate(state.epochs)
            state.optimizer = replace(state.optimizer, learning_rate=rate)
        if anywhere(self._plan.communicator, self._converged or asked):
            return True
        self._begin_epoch()
        return False

    def _epochs_ended(self, epochs: Epochs) -> bool:
        """Process epochs that ended together; return whether training should end."""
        state, stopping = self._state, self._state.stopping
        if stopping is not None and stopping.epochs_ended(epochs):
            self._run_out_of_patience(stopping)
        state.epochs += len(epochs)
        for consumer in cast("Sequence[TakesEpochs]", self._consumers):
            consumer.epochs_ended(epochs)
        return anywhere(self._plan.communicator, self._converged)

    def _run_out_of_patience(self, stopping: Stopping) -> None:
        """Reduce an adaptive learning rate; training ends if it cannot be reduced further."""
        assert self._state.optimizer is not None
        slower = stopping.slower(self._state.optimizer)
        self._converged = slower is None
        self._state.optimizer = slower or self._state.optimizer

    def _ended(self, stopped: Stopped) -> Stopped:
        self._examine_once_more()
        if self._state.stopping is not None:
            stopped = self._state.stopping.described(stopped)
        self._tell(stopped)
        return stopped

    def _examine_once_more(self) -> None:
        if self._checkups is not None and self._last is not None:
            self._checkups.ended(self._state.epochs, self._last)

    def _tell(self, event: Event) -> bool:
        """Pass an event to all consumers; return whether one of them asks for the end."""
        asked = False
        # No short cut after the first request: every consumer receives every event.
        for consume in self._consumers:
            answer = consume(event)
            # Only True itself counts: a callback may return any other object without meaning.
            if isinstance(answer, bool | np.bool_) and answer:
                asked = True
        return asked

    def _begin_epoch(self) -> None:
        if self._before_epoch is not None and self._state.epochs < self._plan.epochs:
            self._before_epoch()
