"""The loop itself: a generator of events."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Engine, Examples, Floats, Objective, StepRecords
from chainrule.engines.finite import all_finite
from chainrule.engines.memory import writable
from chainrule.engines.optimizers import Optimizer, OptimizerState
from chainrule.engines.orders import epoch_orders
from chainrule.engines.passes import mean_cost
from chainrule.errors import TrainingDivergedError
from chainrule.network.random import noise_key
from chainrule.network.spec import NetworkSpec
from chainrule.training.ahead import SECONDS_AHEAD, train_ahead
from chainrule.training.checkpointing import BEGINNING, Checkpointer, Position
from chainrule.training.events import (
    EpochEnded,
    Event,
    Resumed,
    StepsEnded,
    Stopped,
    TrainingStarted,
)
from chainrule.training.metrics import Metric

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


@dataclass
class Training:
    """Everything that one training needs; checked by whoever builds it.

    `parameters` is updated in place, and so is `state`. `optimizer` may be exchanged after an
    `EpochEnded` for one with the same state, to change the learning rate.
    """

    spec: NetworkSpec
    parameters: Floats
    examples: Examples
    optimizer: Optimizer
    engine: Engine
    epochs: int
    batch_size: int
    seed: int
    objective: Objective = field(default_factory=Objective)
    validation: Examples | None = None
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    training_metrics: bool = True
    """Whether the metrics are of the training data too, which takes a pass over all of them."""
    shuffle: bool = True
    epochs_before: int = 0
    """Epochs that the network has seen already: the next one's order is a new one."""
    watched: bool = True
    """Whether someone looks at the parameters after each epoch. If not, short epochs may go
    through the engine together, and their events come after."""
    lookahead: Callable[[], int] | None = None
    """Where nobody watches: how many epochs may go together at most, asked each time. Whoever
    stops on the losses knows how soon that can be."""
    orders: Callable[[range], NDArray[np.int32]] | None = None
    """The orders of consecutive epochs, (epochs, examples); None: drawn from the seed."""
    mark: Callable[[], Callable[[], None]] | None = None
    """Returns a function that takes `orders` back to where they are now. With it, short epochs may
    be tried beyond the lookahead, and are taken back where they turn out not to be wanted."""
    state: OptimizerState | None = None
    """What the optimizer remembers from earlier; None: nothing."""
    noise_key: int | None = None
    """Decides what steps draw at random; None: by the seed and the epochs before."""
    checkpointer: Checkpointer | None = None
    """Is asked between the calls of the engine, and may write a checkpoint or end the training."""
    start: Position = BEGINNING
    """Where it goes on, if it was interrupted; `parameters` and `state` are of there already."""

    def __post_init__(self) -> None:
        if self.state is not None:
            self.state.slots = writable(self.state.slots)
        m = len(self.examples.X)
        starts = np.arange(0, m, self.batch_size)
        self._starts = starts
        self._sizes = np.diff(starts, append=m).astype(np.float64)
        self._shares = self._sizes[None]
        self._weight = self.examples.weight
        one = slice(0, 1)
        self._weightless = Examples(
            self.examples.X[one], self.examples.Y[one], np.zeros(1, self.examples.X.dtype)
        )

    def events(self) -> Generator[Event, None, None]:
        """Train, and yield what happens.

        Raises
        ------
        TrainingDivergedError
            If the loss stops being finite; the parameters are then those of an earlier epoch.
        """
        events = self._events()
        return events if self.checkpointer is None else self.checkpointer.followed(events)

    def _events(self) -> Generator[Event, None, None]:
        m = len(self.examples.X)
        steps = -(-m // self.batch_size)
        yield TrainingStarted(self.epochs, steps, m, int(self.parameters.size), self.engine.name)
        start = self.start
        if start.behind is not None:
            yield Resumed(start.behind, start.epochs * steps + start.steps)
        if start.stopped:
            yield Stopped(start.epochs, start.stopped)
            return
        if self.state is None:
            self.state = self.optimizer.new_state(self.parameters)
        state = self.state
        if self.noise_key is None:
            # Where an optimizer goes on, so do its steps' random numbers.
            before = self.epochs_before - state.t // steps
            self.noise_key = noise_key(self.seed, max(0, before))
        pace = _Pace()
        epoch = self.epochs_before + start.epochs + 1
        end = self.epochs_before + self.epochs + 1
        while epoch < end:
            certain = max(1, min(pace.steps // steps, end - epoch, self._most_together()))
            tried = min(self._most_tried(certain, pace) // steps, end - epoch)
            train = partial(self._train_epochs, steps=steps, state=state, pace=pace, start=start)
            if tried > certain:
                trained = yield from train_ahead(self, range(epoch, epoch + tried), train)
            else:
                yield from train(range(epoch, epoch + certain))
                trained = certain
            epoch, start = epoch + trained, BEGINNING
            if self.checkpointer is not None:
                yield from self.checkpointer.reached(Position(epoch - 1 - self.epochs_before))
        yield Stopped(self.epochs, "finished")

    def _most_together(self) -> int:
        # Validation and metrics are of the parameters at the end of their own epoch; a user's
        # function for the learning rate is asked no further ahead than an epoch.
        alone = (
            self.watched
            or callable(self.optimizer.learning_rate)
            or self.validation is not None
            or bool(self.metrics)
        )
        if alone:
            return 1
        most = self.epochs if self.lookahead is None else self.lookahead()
        if self.checkpointer is not None:
            most = min(most, self.checkpointer.steps_left() // len(self._starts))
        return most

    def _most_tried(self, certain: int, pace: _Pace) -> int:
        """Return how many steps to try at once where `certain` epochs are known to be wanted."""
        if self.mark is None or self.checkpointer is not None or certain == 1:
            return 0  # (one epoch: who decides may well change something after each)
        return int(pace.steps * SECONDS_AHEAD / _SECONDS_A_CALL)

    def _train_epochs(
        self, epochs: range, steps: int, state: OptimizerState, pace: _Pace, start: Position
    ) -> Iterator[Event]:
        """Train some epochs of `steps` steps each: one, in parts, or several at once.

        `start`: where the first of them is already, alone then.
        """
        m = len(self.examples.X)
        if start.order is not None:
            order = start.order[None]
        elif self.orders is None:
            order = epoch_orders(self.seed, epochs, m, self.shuffle)
        else:
            order = self.orders(epochs)
        if len(epochs) == 1:
            yield from self._train_in_order(order, epochs, steps, state, pace, start)
            return
        parameters, slots, t = self.parameters.copy(), state.slots.copy(), state.t
        try:
            yield from self._train_in_order(order, epochs, steps, state, pace, start)
        except TrainingDivergedError:
            # None of them has been told. Which of them it was, and what the one before it left,
            # must not depend on how many went together: once more, one at a time.
            self.parameters[...], state.slots[...], state.t = parameters, slots, t
            self.checkpointer = None  # there is nothing to go on from
            for place, epoch in enumerate(epochs):
                own = order[place : place + 1]
                alone = range(epoch, epoch + 1)
                yield from self._train_in_order(own, alone, steps, state, pace, start)

    def _train_in_order(
        self,
        order: NDArray[np.int32],
        epochs: range,
        steps: int,
        state: OptimizerState,
        pace: _Pace,
        start: Position,
    ) -> Iterator[Event]:
        started = time.perf_counter() - start.seconds
        before = self.parameters.copy() if start.before is None else start.before
        planned = self.optimizer.planned(self.epochs * steps, steps)
        done = start.steps
        rates = planned.learning_rates(state.t + 1 - done, order.shape[0] * steps)
        records = StepRecords(
            np.empty(rates.size),
            np.empty(rates.size),
            np.empty(rates.size) if self.objective.penalised else None,
        )
        if start.records is not None:
            for array, saved in zip(records, start.records, strict=True):
                if array is not None:
                    array[:done] = saved
        shares = self._batch_shares(order)
        while done < rates.size:
            call_started = time.perf_counter()
            stop = rates.size if len(epochs) > 1 else min(done + self._most_steps(pace), steps)
            part = slice(done, self._take_steps(order, slice(done, stop), state, rates, records))
            self._check_finite(records, part, epochs[0], steps, rates, before)
            pace.learn(part.stop - done, time.perf_counter() - call_started)
            done = part.stop
            if done < rates.size:
                if part.start < done:
                    loss = float(mean_cost(records.cost[part], shares[0, part]))
                    yield StepsEnded(epochs[0], done, steps, loss)
                if self.checkpointer is not None:
                    position = Position(
                        epochs[0] - 1 - self.epochs_before,
                        done,
                        time.perf_counter() - started,
                        None if self.orders is None else order[0],
                        records.part(slice(done)) if done else None,
                        before if done else None,
                    )
                    yield from self.checkpointer.reached(position)
        if not all_finite(self.parameters):
            self._diverged(f"the end of epoch {epochs[-1]}", float(rates[-1]), before)
        seconds = (time.perf_counter() - started) / len(epochs)
        yield from self._epochs_ended(epochs, records, shares, rates[steps - 1 :: steps], seconds)

    def _most_steps(self, pace: _Pace) -> int:
        """Return how many steps of an epoch go into one call of the engine."""
        if self.checkpointer is None:
            return pace.steps
        return min(pace.steps, self.checkpointer.steps_left())

    def _take_steps(
        self,
        order: NDArray[np.int32],
        part: slice,
        state: OptimizerState,
        rates: NDArray[np.float64],
        records: StepRecords,
    ) -> int:
        """Take these steps of some epochs; return where that ended: earlier after an interruption.

        With a checkpointer, an interruption (Ctrl-C) waits for it: inside an epoch for the end of
        a step, among short epochs for their end.
        """
        steps, batch = len(self._starts), self.batch_size
        done: int = part.start
        while done < part.stop:
            # What is left of an epoch, or whole ones.
            whole = done % steps == 0 and part.stop - done >= steps
            stop = part.stop if whole else min(part.stop, (done // steps + 1) * steps)
            rows = order[done // steps : -(-stop // steps)]
            if not whole:
                rows = rows[:, done % steps * batch : ((stop - 1) % steps + 1) * batch]
            taken = state.t
            try:
                self.engine.train(
                    self.spec,
                    self.parameters,
                    self.optimizer,
                    state,
                    self.examples,
                    self.objective,
                    np.ascontiguousarray(rows),
                    batch,
                    rates[done:stop],
                    records.part(slice(done, stop)),
                    self.noise_key or 0,
                )
            except KeyboardInterrupt as interrupt:
                if self.checkpointer is None or not self.checkpointer.stop(interrupt):
                    raise
                done += state.t - taken
                if len(order) == 1:
                    break
            else:
                done = stop
        return done

    def _batch_shares(self, order: np.ndarray) -> np.ndarray:
        """Return each batch's share in its epoch's mean, its sum of weights: (epochs, steps)."""
        if self.examples.weights is None:
            if len(self._shares) != len(order):
                self._shares = np.broadcast_to(self._sizes, (len(order), len(self._sizes)))
            return self._shares
        weights = self.examples.weights[order].astype(np.float64)
        return np.asarray(np.add.reduceat(weights, self._starts, axis=1))

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
        self.parameters[...] = before
        raise TrainingDivergedError(
            f"the loss or its gradient is not finite at {where} (learning rate {rate:g}); the "
            "network holds finite parameters from before that. Use a smaller learning_rate, "
            "or bring the inputs to mean 0 and standard deviation 1"
        )

    def _epochs_ended(
        self,
        epochs: range,
        records: StepRecords,
        shares: NDArray[np.float64],
        last_rates: NDArray[np.float64],
        seconds: float,
    ) -> Iterator[EpochEnded]:
        """Yield the events of epochs that ended together; the parameters are the last one's."""
        costs, steps = records.cost.reshape(len(epochs), -1), shares.shape[1]
        losses = (costs * shares).sum(axis=1) / shares.sum(axis=1)
        norms = records.gradient_norm.reshape(costs.shape).mean(axis=1)
        penalties, objectives = [0.0] * len(epochs), losses
        if records.penalty is not None:
            stepwise = records.penalty.reshape(costs.shape)
            objectives = self._over_batches(costs + stepwise)
            penalties = self._end_penalties(stepwise, shares)
        elif self.examples.weights is not None and steps > 1:
            objectives = self._over_batches(costs)
        validation_loss = None
        validation_metrics: dict[str, float] = {}
        if self.validation is not None:
            validation_loss = self.engine.loss(
                self.spec, self.parameters, self.validation, Objective()
            )
            validation_metrics = self._metrics(self.validation)
        metrics = self._metrics(self.examples) if self.training_metrics else {}
        numbers = zip(
            losses.tolist(), penalties, last_rates.tolist(), norms.tolist(), objectives.tolist(),
            strict=True,
        )  # fmt: skip
        common = {
            "seconds": seconds,
            "metrics": metrics,
            "validation_loss": validation_loss,
            "validation_metrics": validation_metrics,
        }
        for epoch, (loss, penalty_now, rate, norm, objective) in zip(epochs, numbers, strict=True):
            # What the constructor of a frozen class does, in a third of its time: a small network
            # has tens of thousands of epochs a second.
            event = object.__new__(EpochEnded)
            vars(event).update(
                common,
                epoch=epoch,
                loss=loss,
                penalty=penalty_now,
                learning_rate=rate,
                gradient_norm=norm,
                objective=objective,
            )
            yield event

    def _over_batches(self, stepwise: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean over each epoch's batches, by their examples: (epochs,)."""
        # A row's sum has the same bits however many rows there are, unlike a product of matrices.
        return np.asarray((stepwise * self._sizes).sum(axis=1) / len(self.examples.X))

    @np.errstate(over="ignore")
    def _end_penalties(
        self, stepwise: NDArray[np.float64], shares: NDArray[np.float64]
    ) -> list[float]:
        """Return the penalties at the end of each epoch, over all examples if they are shared."""
        own = self.objective.over(self._weight)
        # The last comes from the parameters, an earlier one from the next epoch's first step.
        first = stepwise[1:, 0] * (shares[1:, 0] / self._weight if self.objective.shared else 1.0)
        # From the engine, which rounds the earlier ones: without weight, an example has no cost.
        last = self.engine.loss(
            self.spec, self.parameters, self._weightless, Objective(own.l1, own.l2)
        )
        return [*first.tolist(), last]

    def _metrics(self, examples: Examples) -> dict[str, float]:
        if not self.metrics:
            return {}
        outputs = np.empty((len(examples.X), self.spec.n_outputs), self.spec.dtype)
        self.engine.forward(self.spec, self.parameters, examples.X, outputs)
        targets = examples.targets(self.spec.n_outputs)
        with np.errstate(over="ignore", invalid="ignore"):  # of outputs beyond all measure
            return {name: float(metric(outputs, targets)) for name, metric in self.metrics.items()}
