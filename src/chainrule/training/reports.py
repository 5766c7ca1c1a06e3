"""The rows of finished epochs: their losses, penalties and metrics."""

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples, Problem, StepRecords
from chainrule.training.epochs import Epochs
from chainrule.training.own_functions import metric_value
from chainrule.training.plan import Plan
from chainrule.training.state import State


class Reports:
    """Creates the rows of the epochs of one training."""

    def __init__(self, plan: Plan, state: State) -> None:
        self._plan, self._state, problem = plan, state, plan.problem
        self._spec, self._parameters = problem.spec, problem.parameters
        self._examples = problem.examples
        m = plan.n_examples
        self._starts = np.arange(0, m, plan.batch_size)
        self._sizes = np.full(len(self._starts), float(plan.batch_size))
        self._sizes[-1] = m - self._starts[-1]
        self._shares = self._sizes[None]
        self._weight = self._examples.weight if plan.stream is None else float(m)
        one = slice(0, 1)
        self._weightless = Examples(
            self._examples.X[one], self._examples.Y[one], np.zeros(1, self._examples.X.dtype)
        )

    def batch_shares(self, epochs: int, order: NDArray[np.int32] | None) -> NDArray[np.float64]:
        """Return each batch's weight in its epoch's mean, the sum of its examples' weights.

        Its shape is (epochs, steps). The examples of a stream, which have no order, have no weights
        either.
        """
        if self._examples.weights is None or order is None:
            if len(self._shares) != epochs:
                self._shares = np.broadcast_to(self._sizes, (epochs, len(self._sizes)))
            return self._shares
        weights = self._examples.weights[order].astype(np.float64)
        return np.asarray(np.add.reduceat(weights, self._starts, axis=1))

    def of_epochs(
        self,
        epochs: range,
        records: StepRecords,
        shares: NDArray[np.float64],
        last_rates: NDArray[np.float64],
        seconds: float,
    ) -> Epochs:
        """Return the rows of epochs that ended together, with the parameters of the last one."""
        costs, steps = records.cost.reshape(len(epochs), -1), shares.shape[1]
        losses = (costs * shares).sum(axis=1) / shares.sum(axis=1)
        norms = records.gradient_norm.reshape(costs.shape).mean(axis=1)
        penalties, objectives = [0.0] * len(epochs), losses
        if records.penalty is not None:
            stepwise = records.penalty.reshape(costs.shape)
            objectives = self._over_batches(costs + stepwise)
            penalties = self._end_penalties(stepwise, shares)
        elif self._examples.weights is not None and steps > 1:
            objectives = self._over_batches(costs)
        validation_loss = None
        validation_metrics: dict[str, float] = {}
        if self._plan.validation is not None:
            validation_loss = self._plan.engine.loss(
                Problem(self._spec, self._parameters, self._plan.validation)
            )
            validation_metrics = self._metrics(self._plan.validation)
        metrics = self._metrics(self._examples) if self._plan.training_metrics else {}
        return Epochs(
            epochs,
            losses.tolist(),
            penalties,
            last_rates.tolist(),
            norms.tolist(),
            objectives.tolist(),
            {
                "seconds": seconds,
                "metrics": metrics,
                "validation_loss": validation_loss,
                "validation_metrics": validation_metrics,
            },
        )

    def _over_batches(self, stepwise: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean over each epoch's batches, weighted by their sizes: (epochs,)."""
        # The bits of a row's sum do not depend on the number of rows; those of a matrix product do.
        return np.asarray((stepwise * self._sizes).sum(axis=1) / self._plan.n_examples)

    @np.errstate(over="ignore")
    def _end_penalties(
        self, stepwise: NDArray[np.float64], shares: NDArray[np.float64]
    ) -> list[float]:
        """Return the penalties at the end of each epoch, over all examples if they are shared."""
        penalties = self._state.penalties
        own = penalties.over(self._weight)
        # An earlier epoch's penalty was recorded in the first step of the next one; that of the
        # last epoch is computed from the current parameters.
        first = stepwise[1:, 0] * (shares[1:, 0] / self._weight if penalties.shared else 1.0)
        # The engine computes it, so that it is rounded as the others are: the loss of an example of
        # weight 0 consists of the penalties alone.
        last = self._plan.engine.loss(Problem(self._spec, self._parameters, self._weightless, own))
        return [*first.tolist(), last]

    def _metrics(self, examples: Examples) -> dict[str, float]:
        if not self._plan.metrics:
            return {}
        outputs = np.empty((len(examples.X), self._spec.n_outputs), self._spec.dtype)
        self._plan.engine.forward(self._spec, self._parameters, examples.X, outputs)
        targets = examples.targets(self._spec.n_outputs)
        with np.errstate(over="ignore", invalid="ignore"):  # huge outputs may overflow
            return {
                name: metric_value(name, metric(outputs, targets))
                for name, metric in self._plan.metrics.items()
            }
