"""The training loop, a generator of events."""

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from chainrule.communication.agreement import least
from chainrule.engines.base import Batches, Floats, LossRule, StepRecords, UpdateRule
from chainrule.engines.finite import all_finite
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.engines.orders import epoch_orders
from chainrule.engines.passes import mean_cost
from chainrule.errors import TrainingDivergedError
from chainrule.training.checkpointer import Checkpointer
from chainrule.training.courses import Course, HeldCourse, StreamedCourse, WindowOrder
from chainrule.training.epochs import Epochs
from chainrule.training.events import Event, Resumed, StepsEnded, Stopped, TrainingStarted
from chainrule.training.lookahead import SECONDS_AHEAD, one_by_one, train_ahead
from chainrule.training.plan import Plan
from chainrule.training.reports import Reports
from chainrule.training.settings_text import settings_of
from chainrule.training.state import BEGINNING, Position, State
from chainrule.training.streaming import ExampleStream
from chainrule.training.watching import Halts, Moment

# The number of steps per call of the engine is chosen so that a call takes about this many seconds:
# a part of a long epoch, or several short ones. Between calls, training can be watched and
# interrupted. The division into calls does not change the results, since the steps are the same.
_SECONDS_A_CALL = 0.05
# Each call also takes memory for the arrays of a batch and gives it back, which takes long if the
# network is wide. Long steps therefore go in calls of up to four, if these are at most 40 times as
# long as other calls.
_LONG_STEPS, _LONGER = 4, 40


# The first call, before any is measured, is planned for a fifth of that at this many
# multiplications a second.
_FIRST_CALL, _MULTIPLICATIONS_A_SECOND = 1 / 5, 2e10


class _Pace:
    """The number of steps per call of the engine, adapted to their measured duration.

    Parameters
    ----------
    multiplications : int
        About the number of multiplications of a step.
    """

    def __init__(self, multiplications: int) -> None:
        first = _FIRST_CALL * _SECONDS_A_CALL * _MULTIPLICATIONS_A_SECOND
        self.steps = max(1, int(first / multiplications))

    def learn(self, steps: int, seconds: float) -> None:
        """Adapt to the duration of a call of `steps` steps."""
        usual = steps * min(100.0, _SECONDS_A_CALL / max(seconds, 1e-9))
        self.steps = max(1, int(max(usual, min(_LONG_STEPS, _LONGER * usual))))


class Loop:
    """One training by gradient steps, as a generator of events.

    Parameters
    ----------
    plan : Plan
    state : State
        Updated during the training.
    checkpointer : Checkpointer, optional
        It is called between the calls of the engine, and may write a checkpoint or end the
        training.
    halts : Halts, optional
        Between which steps callbacks look at the training.
    together : bool, default False
        Whether to yield `Epochs` instead of the events of epochs that end together.
    """

    def __init__(
        self,
        plan: Plan,
        state: State,
        checkpointer: Checkpointer | None = None,
        halts: Halts | None = None,
        together: bool = False,
    ) -> None:
        self.plan, self.state = plan, state
        self._together = together
        self._checkpointer = checkpointer
        self._halts = halts or Halts(())
        self._reports = Reports(plan, state)

    @property
    def _optimizer(self) -> Optimizer:
        assert self.state.optimizer is not None
        return self.state.optimizer

    @property
    def _memory(self) -> OptimizerState:
        assert self.state.memory is not None
        return self.state.memory

    def events(self) -> Generator[Event | Epochs, None, None]:
        """Train, and yield the events.

        Raises
        ------
        TrainingDivergedError
            If the loss is no longer finite; the parameters are then those of an earlier epoch.
        """
        if self._together and self._checkpointer is None:
            return self._events()
        events = one_by_one(self._events(), self.state)
        return events if self._checkpointer is None else self._checkpointer.followed(events)

    def _events(self) -> Generator[Event | Epochs, None, None]:
        with self.plan.engine.holding(self.plan.problem.examples):
            yield from self._trained()

    def _trained(self) -> Generator[Event | Epochs, None, None]:
        plan, before = self.plan, self.state.epochs_before
        m, steps = plan.n_examples, plan.steps_per_epoch
        size = int(plan.problem.parameters.size)
        yield TrainingStarted(plan.epochs, steps, m, size, plan.engine.name, settings_of(plan))
        start = self.state.start
        if start.behind is not None:
            yield Resumed(start.behind, start.epochs * steps + start.steps)
        if start.stopped:  # the checkpoint is that of a finished training
            yield Stopped(start.epochs, start.stopped)
            return
        pace = _Pace(3 * size * min(m, plan.batch_size))
        epoch = before + start.epochs + 1
        end = before + plan.epochs + 1
        while epoch < end:
            # `certain` epochs can go through the engine together, because none of them but the last
            # can be the end of the training. `tried` more may be trained speculatively.
            certain = max(1, min(pace.steps // steps, end - epoch, self._most_together()))
            if start is not BEGINNING:  # the rest of an epoch
                certain = 1
            tried = min(self._most_tried(certain, pace) // steps, end - epoch)
            # They depend on times, and ranks that end together must have gone together.
            certain, tried = least(plan.communicator, certain, tried)
            train = partial(self._train_epochs, pace=pace, start=start)
            if tried > certain:
                ahead = range(epoch, epoch + tried)
                trained = yield from train_ahead(self.plan, self.state, ahead, train)
            else:
                yield from train(range(epoch, epoch + certain), ends_early=False)
                trained = certain
            epoch, start = epoch + trained, BEGINNING
            if self._checkpointer is not None:
                yield from self._checkpointer.reached(Position(epoch - 1 - before))
        yield Stopped(plan.epochs, "finished")

    def _most_together(self) -> int:
        # Validation, metrics and callbacks need the parameters at the end of each epoch, and a
        # learning rate that is a function must not be called further ahead than one epoch.
        plan, stopping = self.plan, self.state.stopping
        alone = (
            plan.watched
            or plan.stream is not None
            or bool(self._halts)
            or self._optimizer.schedule.asks_user
            or plan.validation is not None
            or bool(plan.metrics)
            or plan.next_rate is not None
            or (stopping is not None and stopping.rule.keeps_best)
            # An epoch's penalties are read from the next one's first step, if that is of the same
            # parameters.
            or (self._optimizer.evaluated_at_average and bool(self.state.penalties))
        )
        if alone:
            return 1
        # A rule on the training losses alone knows the earliest epoch at which it can stop.
        most = plan.epochs if stopping is None else min(plan.epochs, stopping.lookahead())
        if self._checkpointer is not None:
            most = min(most, self._checkpointer.steps_left() // plan.steps_per_epoch)
        return most

    def _most_tried(self, certain: int, pace: _Pace) -> int:
        """Return how many steps to train speculatively; 0 if that is not possible.

        Undoing epochs needs `orders` that can be reset, and a checkpoint must not contain epochs
        that may be undone. If only one epoch is certain, a decision is due after each one.
        """
        if self.plan.orders is None or self._checkpointer is not None or certain == 1:
            return 0
        if self._loss_rule() is not None:
            return pace.steps  # hardly an epoch is ever undone: the engine ends where the rule does
        return int(pace.steps * SECONDS_AHEAD / _SECONDS_A_CALL)

    def _loss_rule(self) -> LossRule | None:
        """Return the stopping rule with its counters, if the engine can end by it."""
        stopping = self.state.stopping
        return stopping.loss_rule if stopping and self.plan.engine.ends_early else None

    def _train_epochs(
        self, epochs: range, pace: _Pace, start: Position, *, ends_early: bool
    ) -> Iterator[Event | Epochs]:
        """Train one epoch in parts, or several epochs in one call.

        `start` is the position within the first epoch if that is resumed; it is then the only one.
        With `ends_early`, the last epochs may be left out, if the stopping rule ends training.
        """
        plan, parameters, memory = self.plan, self.state.parameters, self._memory
        if plan.stream is not None:
            yield from self._train_from(plan.stream, epochs, pace, start)
            return
        if start.order is not None:
            order = start.order[None]
        elif plan.orders is None:
            order = epoch_orders(plan.seed, epochs, plan.n_examples, plan.shuffle)
        else:
            order = plan.orders(epochs)
        held = partial(HeldCourse, plan.problem.examples, batch_size=plan.batch_size)
        if len(epochs) == 1:
            yield from self._train_along(held(order), epochs, pace, start)
            return
        saved, remembered = parameters.copy(), memory.copy()
        rule = self._loss_rule() if ends_early else None
        try:
            yield from self._train_along(held(order), epochs, pace, start, rule)
        except TrainingDivergedError:
            # No event of these epochs has been emitted. The events before the error, and the
            # parameters after it, must not depend on how many epochs were trained together, so they
            # are trained again one by one.
            parameters[...] = saved
            memory.restore(remembered)
            self._checkpointer = None  # no checkpoint of a training that is bound to diverge
            for place, epoch in enumerate(epochs):
                own = held(order[place : place + 1])
                alone = range(epoch, epoch + 1)
                yield from self._train_along(own, alone, pace, start)

    def _train_from(
        self, stream: ExampleStream, epochs: range, pace: _Pace, start: Position
    ) -> Iterator[Event | Epochs]:
        """Train an epoch of a stream, from the window on in which it is resumed."""
        plan, (epoch,) = self.plan, epochs
        batch = plan.batch_size
        with closing(stream.windows(epoch, start.steps * batch, batch)) as windows:
            order = WindowOrder(plan.seed, epoch, plan.shuffle)
            examples, hold = plan.problem.examples, plan.engine.holding
            course = StreamedCourse(windows, batch, order, hold, examples, plan.communicator)
            with course:
                yield from self._train_along(course, epochs, pace, start)

    def _train_along(
        self,
        course: Course,
        epochs: range,
        pace: _Pace,
        start: Position,
        rule: LossRule | None = None,
    ) -> Iterator[Event | Epochs]:
        started = time.perf_counter() - start.seconds
        plan, parameters = self.plan, self.state.parameters
        steps = plan.steps_per_epoch
        # Finite parameters to return to if the epoch diverges.
        before = parameters.copy() if start.before is None else start.before
        planned = self._optimizer.planned(plan.epochs * steps, steps)
        done = start.steps
        # One learning rate per step, from the first step of the epoch on: a schedule depends on t,
        # the number of steps over the whole training.
        rates = planned.learning_rates(self._memory.t + 1 - done, len(epochs) * steps)
        records = StepRecords(
            np.empty(rates.size),
            np.empty(rates.size),
            np.empty(rates.size) if self.state.penalties else None,
        )
        if start.records is not None:  # the epoch's steps before the checkpoint
            for array, saved in zip(records, start.records, strict=True):
                if array is not None:
                    array[:done] = saved
        shares = self._reports.batch_shares(len(epochs), course.order)
        # Time in which callbacks look at the training between steps is not time of the epoch.
        halted = self._halt(epochs[0], done, course, rates)
        while done < rates.size:
            call_started = time.perf_counter()
            most = self._most_steps(pace, epochs[0], done)
            stop = rates.size if len(epochs) > 1 else min(done + most, steps)
            (stop,) = least(plan.communicator, stop)
            part = slice(done, self._take_steps(course, slice(done, stop), rates, records, rule))
            self._check_finite(records, part, epochs[0], steps, rates, before)
            seconds = plan.engine.agreed(time.perf_counter() - call_started)
            pace.learn(part.stop - done, seconds)
            done = part.stop
            if done < rates.size and rule is not None:  # the rule has ended it
                epochs, rates, records = epochs[: done // steps], rates[:done], records.first(done)
                shares = shares[: len(epochs)]
            if done > part.start:
                halted += self._halt(epochs[-1], done, course, rates)
            if done < rates.size:
                if part.start < done:
                    loss = float(mean_cost(records.cost[part], shares[0, part]))
                    yield StepsEnded(epochs[0], done, steps, loss)
                if self._checkpointer is not None:
                    position = Position(
                        epochs[0] - 1 - self.state.epochs_before,
                        done,
                        time.perf_counter() - started - halted,
                        course.order[0] if plan.orders and course.order is not None else None,
                        records.first(done) if done else None,
                        before if done else None,
                    )
                    yield from self._checkpointer.reached(position)
        # Costs are recorded before each update, so the last update is only seen here.
        if not all_finite(parameters):
            self._diverged(f"the end of epoch {epochs[-1]}", float(rates[-1]), before)
        seconds = (time.perf_counter() - started - halted) / len(epochs)
        last_rates = rates[steps - 1 :: steps]
        rows = self._reports.of_epochs(epochs, records, shares, last_rates, seconds)
        if len(epochs) == 1:
            yield from rows.events()
        else:
            yield rows

    def _most_steps(self, pace: _Pace, epoch: int, done: int) -> int:
        """Return how many steps the next call of the engine takes, `done` steps into an epoch."""
        most = pace.steps
        if self._checkpointer is not None:
            most = min(most, self._checkpointer.steps_left())
        left = self._halts.steps_left(self._step(epoch, done)) if self._halts else None
        most = most if left is None else min(most, left)
        # Ranks that step alone average at the end of each call, which must not depend on times.
        return most + -(self._memory.t + most) % self.plan.local_steps

    def _step(self, epoch: int, done: int) -> int:
        """Return how many steps of this training are behind it, `done` steps into an epoch."""
        return (epoch - 1 - self.state.epochs_before) * self.plan.steps_per_epoch + done

    def _halt(self, epoch: int, done: int, course: Course, rates: NDArray[np.float64]) -> float:
        """Let callbacks look at the training, `done` steps into an epoch; return the seconds."""
        if not self._halts:
            return 0.0
        began, over = time.perf_counter(), done >= rates.size
        examples, rows = (None, None) if over else course.batch(done)
        rate = None if over else float(rates[done])
        self._halts.at(Moment(self._step(epoch, done), epoch, rows, rate, examples))
        return time.perf_counter() - began

    def _take_steps(
        self,
        course: Course,
        part: slice,
        rates: NDArray[np.float64],
        records: StepRecords,
        rule: LossRule | None,
    ) -> int:
        """Take the steps `part` of some epochs; return the number of the step where this ended.

        It ends early where the rule ends the training.

        It ends early after Ctrl-C if there is a checkpointer, which then writes a checkpoint here:
        within a single epoch after any step, among several epochs only at their end.
        """
        plan, memory = self.plan, self._memory
        problem, moving, penalties = plan.problem, self.state.moving, self.state.penalties
        if moving is not problem.parameters or penalties is not problem.penalties:
            problem = replace(problem, parameters=moving, penalties=penalties)
        done: int = part.start
        while done < part.stop:
            examples, rows, stop, total = course.part(done, part.stop)
            if examples is not problem.examples:
                problem = replace(problem, examples=examples)
            taken = memory.t
            try:
                plan.engine.train(
                    problem,
                    UpdateRule(self._optimizer, plan.max_grad_norm),
                    memory,
                    Batches(
                        rows,
                        plan.batch_size,
                        rates[done:stop],
                        self.state.noise_key,
                        rule,
                        total,
                    ),
                    records.part(slice(done, stop)),
                )
            except KeyboardInterrupt as interrupt:
                if self._checkpointer is None or not self._checkpointer.stop(interrupt):
                    raise
                # The engine finished the step it was in: t counts the steps that it took.
                done += memory.t - taken
                if course.order is None or len(course.order) == 1:
                    break
            else:
                done += memory.t - taken
                if done < stop:
                    break
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
