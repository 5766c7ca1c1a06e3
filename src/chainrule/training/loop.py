"""The loop itself: a generator of events."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from chainrule.engines.base import Engine, Examples, Floats, Objective, StepRecords
from chainrule.engines.optimizers import Optimizer, OptimizerState
from chainrule.engines.orders import epoch_orders
from chainrule.engines.passes import mean_cost, penalty
from chainrule.errors import TrainingDivergedError
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec
from chainrule.training.events import EpochEnded, Event, StepsEnded, Stopped, TrainingStarted
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

    `parameters` is updated in place.
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
    shuffle: bool = True
    epochs_before: int = 0
    """Epochs that the network has seen already: the next one's order is a new one."""
    watched: bool = True
    """Whether someone looks at the parameters after each epoch. If not, short epochs may go
    through the engine together, and their events come after."""

    def events(self) -> Iterator[Event]:
        """Train, and yield what happens.

        Raises
        ------
        TrainingDivergedError
            If the loss stops being finite; the parameters are then those of an earlier epoch.
        """
        m = len(self.examples.X)
        steps = -(-m // self.batch_size)
        yield TrainingStarted(self.epochs, steps, m, int(self.parameters.size), self.engine.name)
        state = self.optimizer.new_state(self.parameters)
        pace = _Pace()
        # Validation, metrics and penalties are of the parameters at the end of their own epoch; a
        # user's function for the learning rate is asked no further ahead than an epoch.
        alone = (
            self.watched
            or callable(self.optimizer.learning_rate)
            or self.validation is not None
            or bool(self.metrics)
            or self.objective.penalised
        )
        epoch, end = self.epochs_before + 1, self.epochs_before + self.epochs + 1
        while epoch < end:
            together = 1 if alone else min(max(1, pace.steps // steps), end - epoch)
            yield from self._train_epochs(range(epoch, epoch + together), steps, state, pace)
            epoch += together
        yield Stopped(self.epochs, "finished")

    def _train_epochs(
        self, epochs: range, steps: int, state: OptimizerState, pace: _Pace
    ) -> Iterator[Event]:
        """Train some epochs of `steps` steps each: one, in parts, or several at once."""
        started = time.perf_counter()
        before = self.parameters.copy()
        m, batch = len(self.examples.X), self.batch_size
        order = epoch_orders(self.seed, epochs, m, self.shuffle)
        planned = self.optimizer.planned(self.epochs * steps, steps)
        rates = planned.learning_rates(state.t + 1, order.shape[0] * steps)
        records = StepRecords(np.empty(rates.size), np.empty(rates.size))
        shares = self._batch_shares(order)
        done = 0
        while done < rates.size:
            call_started = time.perf_counter()
            part = slice(done, rates.size if len(epochs) > 1 else min(done + pace.steps, steps))
            rows = order if len(epochs) > 1 else order[:, part.start * batch : part.stop * batch]
            self.engine.train(
                self.spec,
                self.parameters,
                self.optimizer,
                state,
                self.examples,
                self.objective,
                np.ascontiguousarray(rows),
                batch,
                rates[part],
                StepRecords(records.cost[part], records.gradient_norm[part]),
            )
            self._check_finite(records, part, epochs[0], steps, rates, before)
            pace.learn(part.stop - done, time.perf_counter() - call_started)
            done = part.stop
            if done < rates.size:
                loss = float(mean_cost(records.cost[part], shares[0, part]))
                yield StepsEnded(epochs[0], done, steps, loss)
        if not np.isfinite(self.parameters).all():
            self._diverged(f"the end of epoch {epochs[-1]}", float(rates[-1]), before)
        seconds = (time.perf_counter() - started) / len(epochs)
        losses = np.average(records.cost.reshape(-1, steps), axis=1, weights=shares)
        norms = records.gradient_norm.reshape(-1, steps).mean(axis=1)
        for i, epoch in enumerate(epochs):
            rate = float(rates[(i + 1) * steps - 1])
            yield self._epoch_ended(epoch, float(losses[i]), float(norms[i]), rate, seconds)

    def _batch_shares(self, order: np.ndarray) -> np.ndarray:
        """Return each batch's share in its epoch's mean, its sum of weights: (epochs, steps)."""
        starts = np.arange(0, order.shape[1], self.batch_size)
        if self.examples.weights is None:
            sizes = np.diff(starts, append=order.shape[1]).astype(np.float64)
            return np.broadcast_to(sizes, (len(order), len(starts)))
        weights = self.examples.weights[order].astype(np.float64)
        return np.asarray(np.add.reduceat(weights, starts, axis=1))

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

    def _epoch_ended(
        self, epoch: int, loss: float, gradient_norm: float, rate: float, seconds: float
    ) -> EpochEnded:
        penalty_now = 0.0
        if self.objective.penalised:
            theta = views(self.spec, self.parameters)
            penalty_now = penalty(self.spec, theta, self.objective.l1, self.objective.l2)
        validation_loss = None
        validation_metrics: dict[str, float] = {}
        if self.validation is not None:
            validation_loss = self.engine.loss(
                self.spec, self.parameters, self.validation, Objective()
            )
            validation_metrics = self._metrics(self.validation)
        return EpochEnded(
            epoch=epoch,
            loss=loss,
            penalty=penalty_now,
            learning_rate=rate,
            gradient_norm=gradient_norm,
            seconds=seconds,
            metrics=self._metrics(self.examples),
            validation_loss=validation_loss,
            validation_metrics=validation_metrics,
        )

    def _metrics(self, examples: Examples) -> dict[str, float]:
        if not self.metrics:
            return {}
        outputs = np.empty((len(examples.X), self.spec.n_outputs), self.spec.dtype)
        self.engine.forward(self.spec, self.parameters, examples.X, outputs)
        return {name: float(metric(outputs, examples.Y)) for name, metric in self.metrics.items()}
