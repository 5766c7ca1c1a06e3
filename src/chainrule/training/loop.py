"""The loop itself: a generator of events."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from chainrule.engines.base import Engine, Examples, Floats, Objective, StepRecords
from chainrule.engines.optimizers import Optimizer
from chainrule.engines.passes import mean_cost, penalty
from chainrule.errors import TrainingDivergedError
from chainrule.network.parameters import views
from chainrule.network.random import epoch_order
from chainrule.network.spec import NetworkSpec
from chainrule.training.events import EpochEnded, Event, StepsEnded, Stopped, TrainingStarted
from chainrule.training.metrics import Metric

# An epoch is handed to the engine in pieces of about this many seconds, so that it can be watched
# and interrupted. The pieces change no number: the steps are the same.
_PIECE_SECONDS = 0.1


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

    def events(self) -> Iterator[Event]:
        """Train, and yield what happens.

        Raises
        ------
        TrainingDivergedError
            If the loss stops being finite; the parameters are then those before that epoch.
        """
        m = len(self.examples.X)
        steps = -(-m // self.batch_size)
        state = self.optimizer.new_state(self.parameters)
        yield TrainingStarted(self.epochs, steps, m, int(self.parameters.size), self.engine.name)
        records = StepRecords(np.empty(steps), np.empty(steps))
        for epoch in range(self.epochs_before + 1, self.epochs_before + self.epochs + 1):
            before = self.parameters.copy()
            started = time.perf_counter()
            order = epoch_order(self.seed, epoch, m, self.shuffle)
            rates = self.optimizer.learning_rates(state.t + 1, steps)
            shares = self._batch_shares(order)
            done, piece = 0, 1
            while done < steps:
                piece_started = time.perf_counter()
                taken = slice(done, min(done + piece, steps))
                self.engine.train(
                    self.spec,
                    self.parameters,
                    self.optimizer,
                    state,
                    self.examples,
                    self.objective,
                    order[taken.start * self.batch_size : taken.stop * self.batch_size],
                    self.batch_size,
                    rates[taken],
                    StepRecords(records.cost[taken], records.gradient_norm[taken]),
                )
                self._check_finite(records, taken, epoch, rates, before)
                # A coarse clock may stand still meanwhile.
                elapsed = max(time.perf_counter() - piece_started, 1e-9)
                piece = max(1, int((taken.stop - done) * min(100, _PIECE_SECONDS / elapsed)))
                done = taken.stop
                if done < steps:
                    loss = float(mean_cost(records.cost[taken], shares[taken]))
                    yield StepsEnded(epoch, done, steps, loss)
            yield self._epoch_ended(epoch, records, shares, float(rates[-1]), started, before)
        yield Stopped(self.epochs, "finished")

    def _batch_shares(self, order: np.ndarray) -> np.ndarray:
        """Return the weight of each batch in the epoch's mean: its sum of example weights."""
        starts = np.arange(0, len(order), self.batch_size)
        if self.examples.weights is None:
            return np.diff(starts, append=len(order)).astype(np.float64)
        shares = np.add.reduceat(self.examples.weights[order].astype(np.float64), starts)
        return np.asarray(shares)

    def _check_finite(
        self,
        records: StepRecords,
        taken: slice,
        epoch: int,
        rates: np.ndarray,
        before: Floats,
    ) -> None:
        finite = np.isfinite(records.cost[taken]) & np.isfinite(records.gradient_norm[taken])
        if not finite.all():
            step = taken.start + int(np.argmin(finite))
            self._diverged(f"step {step + 1} of epoch {epoch}", float(rates[step]), before)

    def _diverged(self, where: str, rate: float, before: Floats) -> None:
        self.parameters[...] = before
        raise TrainingDivergedError(
            f"the loss or its gradient is not finite at {where} (learning rate {rate:g}); the "
            "network holds the parameters from before that epoch. Use a smaller learning_rate, "
            "or bring the inputs to mean 0 and standard deviation 1"
        )

    def _epoch_ended(
        self,
        epoch: int,
        records: StepRecords,
        shares: np.ndarray,
        rate: float,
        started: float,
        before: Floats,
    ) -> EpochEnded:
        seconds = time.perf_counter() - started
        if not np.isfinite(self.parameters).all():
            self._diverged(f"the end of epoch {epoch}", rate, before)
        theta = views(self.spec, self.parameters)
        validation_loss = None
        validation_metrics: dict[str, float] = {}
        if self.validation is not None:
            validation_loss = self.engine.loss(
                self.spec, self.parameters, self.validation, Objective()
            )
            validation_metrics = self._metrics(self.validation)
        return EpochEnded(
            epoch=epoch,
            loss=float(np.average(records.cost, weights=shares)),
            penalty=penalty(self.spec, theta, self.objective.l1, self.objective.l2),
            learning_rate=rate,
            gradient_norm=float(np.mean(records.gradient_norm)),
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
