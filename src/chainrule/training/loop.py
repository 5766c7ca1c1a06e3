"""The loop itself: a generator of events."""

import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Batches, Floats, StepRecords, UpdateRule
from chainrule.engines.finite import all_finite
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.engines.orders import epoch_orders
from chainrule.engines.passes import mean_cost
from chainrule.errors import TrainingDivergedError
from chainrule.training.checkpointer import Checkpointer
from chainrule.training.events import Event, Resumed, StepsEnded, Stopped, TrainingStarted
from chainrule.training.lookahead import SECONDS_AHEAD, train_ahead
from chainrule.training.plan import Plan
from chainrule.training.reports import Reports
from chainrule.training.state import BEGINNING, Position, State

# The engine is handed so many steps at once that a call takes about this many seconds: parts of a
# long epoch, or several short ones. It changes no number, for the steps are the same; training
# can be watched and interrupted that often.
_SECONDS_A_CALL = 0.05


class _Pace:
    """How many steps to hand to the engine at once."""

    def __init__(self) -> None:
        self.steps = 1

    def learn(self, steps: int, seconds: float) -> None:
        """Take note that so many steps took so long."""
        self.steps = max(1, int(steps * min(100.0, _SECONDS_A_CALL / max(seconds, 1e-9))))


class Loop:
    """One training by steps, as a generator of events.

    Parameters
    ----------
    plan : Plan
    state : State
        Changed as it goes.
    checkpointer : Checkpointer, optional
        Is asked between the calls of the engine, and may write a checkpoint or end the training.
    """

    def __init__(self, plan: Plan, state: State, checkpointer: Checkpointer | None = None) -> None:
        self.plan, self.state = plan, state
        self._checkpointer = checkpointer
        self._reports = Reports(plan)

    @property
    def _optimizer(self) -> Optimizer:
        assert self.state.optimizer is not None
        return self.state.optimizer

    @property
    def _memory(self) -> OptimizerState:
        assert self.state.memory is not None
        return self.state.memory

    def events(self) -> Generator[Event, None, None]:
        """Train, and yield what happens.

        Raises
        ------
        TrainingDivergedError
            If the loss stops being finite; the parameters are then those of an earlier epoch.
        """
        events = self._events()
        return events if self._checkpointer is None else self._checkpointer.followed(events)

    def _events(self) -> Generator[Event, None, None]:
        plan, before = self.plan, self.state.epochs_before
        m, steps = len(plan.problem.examples.X), plan.steps_per_epoch
        size = int(plan.problem.parameters.size)
        yield TrainingStarted(plan.epochs, steps, m, size, plan.engine.name)
        start = self.state.start
        if start.behind is not None:
            yield Resumed(start.behind, start.epochs * steps + start.steps)
        if start.stopped:
            yield Stopped(start.epochs, start.stopped)
            return
        pace = _Pace()
        epoch = before + start.epochs + 1
        end = before + plan.epochs + 1
        while epoch < end:
            certain = max(1, min(pace.steps // steps, end - epoch, self._most_together()))
            tried = min(self._most_tried(certain, pace) // steps, end - epoch)
            train = partial(self._train_epochs, pace=pace, start=start)
            if tried > certain:
                ahead = range(epoch, epoch + tried)
                trained = yield from train_ahead(self.plan, self.state, ahead, train)
            else:
                yield from train(range(epoch, epoch + certain))
                trained = certain
            epoch, start = epoch + trained, BEGINNING
            if self._checkpointer is not None:
                yield from self._checkpointer.reached(Position(epoch - 1 - before))
        yield Stopped(plan.epochs, "finished")

    def _most_together(self) -> int:
        # Validation and metrics are of the parameters at the end of their own epoch; a user's
        # function for the learning rate is asked no further ahead than an epoch.
        plan, stopping = self.plan, self.state.stopping
        alone = (
            plan.watched
            or self._optimizer.schedule.asks_user
            or plan.validation is not None
            or bool(plan.metrics)
            or plan.next_rate is not None
            or (stopping is not None and stopping.rule.keeps_best)
            # An epoch's penalties are read from the next one's first step, if that is of the same
            # parameters.
            or (self._optimizer.evaluated_at_average and bool(plan.problem.penalties))
        )
        if alone:
            return 1
        # Whoever stops on the losses knows how soon that can be.
        most = plan.epochs if stopping is None else min(plan.epochs, stopping.lookahead())
        if self._checkpointer is not None:
            most = min(most, self._checkpointer.steps_left() // plan.steps_per_epoch)
        return most

    def _most_tried(self, certain: int, pace: _Pace) -> int:
        """Return how many steps to try at once where `certain` epochs are known to be wanted."""
        if self.plan.orders is None or self._checkpointer is not None or certain == 1:
            return 0  # (one epoch: who decides may well change something after each)
        return int(pace.steps * SECONDS_AHEAD / _SECONDS_A_CALL)

    def _train_epochs(self, epochs: range, pace: _Pace, start: Position) -> Iterator[Event]:
        """Train some epochs: one, in parts, or several at once.

        `start`: where the first of them is already, alone then.
        """
        plan, parameters, memory = self.plan, self.state.parameters, self._memory
        if start.order is not None:
            order = start.order[None]
        elif plan.orders is None:
            order = epoch_orders(plan.seed, epochs, len(plan.problem.examples.X), plan.shuffle)
        else:
            order = plan.orders(epochs)
        if len(epochs) == 1:
            yield from self._train_in_order(order, epochs, pace, start)
            return
        saved, remembered = parameters.copy(), memory.copy()
        try:
            yield from self._train_in_order(order, epochs, pace, start)
        except TrainingDivergedError:
            # None of them has been told. Which of them it was, and what the one before it left,
            # must not depend on how many went together: once more, one at a time.
            parameters[...] = saved
            memory.restore(remembered)
            self._checkpointer = None  # there is nothing to go on from
            for place, epoch in enumerate(epochs):
                own = order[place : place + 1]
                alone = range(epoch, epoch + 1)
                yield from self._train_in_order(own, alone, pace, start)

    def _train_in_order(
        self,
        order: NDArray[np.int32],
        epochs: range,
        pace: _Pace,
        start: Position,
    ) -> Iterator[Event]:
        started = time.perf_counter() - start.seconds
        plan, parameters = self.plan, self.state.parameters
        steps = plan.steps_per_epoch
        before = parameters.copy() if start.before is None else start.before
        planned = self._optimizer.planned(plan.epochs * steps, steps)
        done = start.steps
        rates = planned.learning_rates(self._memory.t + 1 - done, order.shape[0] * steps)
        records = StepRecords(
            np.empty(rates.size),
            np.empty(rates.size),
            np.empty(rates.size) if plan.problem.penalties else None,
        )
        if start.records is not None:
            for array, saved in zip(records, start.records, strict=True):
                if array is not None:
                    array[:done] = saved
        shares = self._reports.batch_shares(order)
        while done < rates.size:
            call_started = time.perf_counter()
            stop = rates.size if len(epochs) > 1 else min(done + self._most_steps(pace), steps)
            part = slice(done, self._take_steps(order, slice(done, stop), rates, records))
            self._check_finite(records, part, epochs[0], steps, rates, before)
            pace.learn(part.stop - done, time.perf_counter() - call_started)
            done = part.stop
            if done < rates.size:
                if part.start < done:
                    loss = float(mean_cost(records.cost[part], shares[0, part]))
                    yield StepsEnded(epochs[0], done, steps, loss)
                if self._checkpointer is not None:
                    position = Position(
                        epochs[0] - 1 - self.state.epochs_before,
                        done,
                        time.perf_counter() - started,
                        None if plan.orders is None else order[0],
                        records.part(slice(done)) if done else None,
                        before if done else None,
                    )
                    yield from self._checkpointer.reached(position)
        if not all_finite(parameters):
            self._diverged(f"the end of epoch {epochs[-1]}", float(rates[-1]), before)
        seconds = (time.perf_counter() - started) / len(epochs)
        last_rates = rates[steps - 1 :: steps]
        yield from self._reports.of_epochs(epochs, records, shares, last_rates, seconds)

    def _most_steps(self, pace: _Pace) -> int:
        """Return how many steps of an epoch go into one call of the engine."""
        if self._checkpointer is None:
            return pace.steps
        return min(pace.steps, self._checkpointer.steps_left())

    def _take_steps(
        self,
        order: NDArray[np.int32],
        part: slice,
        rates: NDArray[np.float64],
        records: StepRecords,
    ) -> int:
        """Take these steps of some epochs; return where that ended: earlier after an interruption.

        With a checkpointer, an interruption (Ctrl-C) waits for it: inside an epoch for the end of
        a step, among short epochs for their end.
        """
        plan, memory = self.plan, self._memory
        problem = replace(plan.problem, parameters=self.state.moving)
        steps, batch = plan.steps_per_epoch, plan.batch_size
        done: int = part.start
        while done < part.stop:
            # What is left of an epoch, or whole ones.
            whole = done % steps == 0 and part.stop - done >= steps
            stop = part.stop if whole else min(part.stop, (done // steps + 1) * steps)
            rows = order[done // steps : -(-stop // steps)]
            if not whole:
                rows = rows[:, done % steps * batch : ((stop - 1) % steps + 1) * batch]
            taken = memory.t
            try:
                plan.engine.train(
                    problem,
                    UpdateRule(self._optimizer, plan.max_grad_norm),
                    memory,
                    Batches(
                        np.ascontiguousarray(rows), batch, rates[done:stop], self.state.noise_key
                    ),
                    records.part(slice(done, stop)),
                )
            except KeyboardInterrupt as interrupt:
                if self._checkpointer is None or not self._checkpointer.stop(interrupt):
                    raise
                done += memory.t - taken
                if len(order) == 1:
                    break
            else:
                done = stop
            finally:
                self.state.publish()
        return done

    def _check_finite(
        self,
        records: StepRecords,
        part: slice,
        first_epoch: int,
        steps: int,
        rates: np.ndarray,
        before: Floats,
    ) -> None:
        finite = np.isfinite(records.cost[part]) & np.isfinite(records.gradient_norm[part])
        if not finite.all():
            epoch, step = divmod(part.start + int(np.argmin(finite)), steps)
            where = f"step {step + 1} of epoch {first_epoch + epoch}"
            self._diverged(where, float(rates[epoch * steps + step]), before)

    def _diverged(self, where: str, rate: float, before: Floats) -> None:
        self.state.parameters[...] = before
        raise TrainingDivergedError(
            f"the loss or its gradient is not finite at {where} (learning rate {rate:g}); the "
            "network holds finite parameters from before that. Use a smaller learning_rate, "
            "or bring the inputs to mean 0 and standard deviation 1"
        )
