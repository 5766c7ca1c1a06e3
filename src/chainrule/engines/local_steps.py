"""Local SGD: every rank takes some steps alone, then the ranks average what these have led to.

With gradients that are summed in every step, ranks exchange a message a step. Here each takes up to
H steps on its shares of the batches, and parameters and state vectors are averaged by one allreduce
after each update whose number is a multiple of H, and at the end of each epoch and of each call.
Outside of `train`, all ranks therefore have the same bits. A rank counts in the average by the
weight of the examples that it has gone through, so that a single step of gradient descent between
two averages is the step of the whole batch.

All state vectors are running averages of gradients, of their squares or of parameters, or sums of
steps; the mean over ranks is one, too. The average of θ and the state of a schedule-free optimizer
fit together, because θ is linear in the state.

Source: Stich 2019, "Local SGD Converges Fast and Communicates Little"; Yu, Jin and Yang 2019, "On
the Linear Speedup Analysis of Communication Efficient Momentum SGD for Distributed Non-Convex
Optimization", for the averaged momentum.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.communication.communicator import Communicator
from chainrule.communication.shares import Share, share_of
from chainrule.engines.base import (
    Batches,
    Engine,
    Examples,
    Floats,
    Predictor,
    Problem,
    StepRecords,
    UpdateRule,
)
from chainrule.engines.data_parallel import over_ranks
from chainrule.engines.optimizer import OptimizerState
from chainrule.names import Precision
from chainrule.network.random import noise_key
from chainrule.network.spec import NetworkSpec


def averaging_over_ranks(
    engine: Engine, spec: NetworkSpec, communicator: Communicator, local_steps: int
) -> Engine:
    """Return an engine whose ranks average their parameters after every `local_steps` steps.

    Raises
    ------
    InvalidArgumentError
        If the engine, or a layer, needs the whole batch in one process.
    """
    over_ranks(engine, spec, communicator)  # what is refused there is refused here
    return LocalStepsEngine(engine, communicator, local_steps)


class _Weights(NamedTuple):
    """Sums of the weights of each batch's examples, (steps,)."""

    own: NDArray[np.float64]
    """Those of this rank's share."""
    whole: NDArray[np.float64]

    def shares(self, ranks: int) -> NDArray[np.float64]:
        """Return this rank's share of each batch; that of nothing is as large on all ranks."""
        share = np.full(len(self.whole), 1 / ranks)
        np.divide(self.own, self.whole, out=share, where=self.whole > 0)
        return share

    def share(self, ranks: int) -> float:
        """Return this rank's share of all batches together."""
        whole = self.whole.sum()
        return float(self.own.sum() / whole) if whole > 0 else 1 / ranks


class _Group(NamedTuple):
    """Steps with batches of the same size."""

    steps: slice
    own: NDArray[np.int32]
    """(steps, examples): this rank's share of each batch."""
    weights: _Weights


class LocalStepsEngine:
    """Takes steps with the engine of each rank alone, and averages their results over the ranks.

    What `train` records of a step are the means over ranks. Gradients are clipped, and units are
    dropped, on each rank by itself.

    Parameters
    ----------
    engine : Engine
        The engine of this rank, which knows no others.
    communicator : Communicator
    local_steps : int
        H.
    """

    ends_early = False

    def __init__(self, engine: Engine, communicator: Communicator, local_steps: int) -> None:
        self.name = engine.name
        self._engine, self._communicator = engine, communicator
        self._most = local_steps

    @property
    def surroundings(self) -> Mapping[str, str]:
        """Those of this rank's engine."""
        return self._engine.surroundings

    def lacking(self, spec: NetworkSpec) -> str:
        """Return a network feature that this rank's engine does not support; "" for none."""
        return self._engine.lacking(spec)

    def with_precision(self, precision: Precision) -> "LocalStepsEngine | str":
        """Return the same engine with bfloat16 products, or the reason why it is unavailable."""
        own = self._engine.with_precision(precision)
        return own if isinstance(own, str) else self._around(own, self._communicator)

    def with_communicator(self, communicator: Communicator) -> "LocalStepsEngine":
        """Return the same engine as one of several ranks."""
        return self._around(self._engine, communicator)

    def _around(self, engine: Engine, communicator: Communicator) -> "LocalStepsEngine":
        return LocalStepsEngine(engine, communicator, self._most)

    def holding(self, examples: Examples) -> AbstractContextManager[None]:
        """Keep examples where this rank's engine computes."""
        return self._engine.holding(examples)

    def agreed(self, seconds: float) -> float:
        """Return the duration by which the caller may decide."""
        return self._engine.agreed(seconds)

    def predictor(self, spec: NetworkSpec) -> Predictor:
        """Return the predictor of this rank's engine."""
        return self._engine.predictor(spec)

    def forward(self, spec: NetworkSpec, parameters: Floats, X: Floats, out: Floats) -> None:
        """Write the network's outputs for the rows of X to `out`."""
        self._engine.forward(spec, parameters, X, out)

    def loss(self, problem: Problem) -> float:
        """Return J plus penalties over all examples."""
        return self._engine.loss(problem)

    def loss_and_gradient(self, problem: Problem, gradient: Floats) -> float:
        """Write ∂(J + penalties)/∂θ to `gradient` and return J + penalties."""
        return self._engine.loss_and_gradient(problem, gradient)

    def train(
        self,
        problem: Problem,
        rule: UpdateRule,
        state: OptimizerState,
        batches: Batches,
        records: StepRecords,
    ) -> None:
        """Take one step for each batch, and average after every H-th update and at each end.

        An interruption leaves parameters and state as they were after the last average.
        """
        # A share's penalties would be divided by the weight of the share instead of the batch's.
        assert not problem.penalties.shared
        for part, own in _stretches(batches, state.t, self._most, share_of(self._communicator)):
            self._stretch(problem, rule, state, own, records.part(part))

    def _stretch(
        self,
        problem: Problem,
        rule: UpdateRule,
        state: OptimizerState,
        batches: Batches,
        records: StepRecords,
    ) -> None:
        """Take the steps between two averages, and average."""
        parameters = problem.parameters
        vectors = [parameters, *state.slots]
        measured = [array for array in records if array is not None]
        before, remembered = parameters.copy(), state.copy()
        try:
            groups = _groups(batches, problem.examples, share_of(self._communicator))
            self._alone(problem, rule, state, batches, groups, records)
            mean = self._mean(vectors, measured, _joined(groups))
        except BaseException:
            parameters[...] = before
            state.restore(remembered)
            raise
        try:
            _write(mean, [*vectors, *measured])
        except BaseException:
            # Ctrl-C must not leave them half written: write all of them again.
            _write(mean, [*vectors, *measured])
            raise

    def _alone(
        self,
        problem: Problem,
        rule: UpdateRule,
        state: OptimizerState,
        batches: Batches,
        groups: Sequence[_Group],
        records: StepRecords,
    ) -> None:
        """Take this rank's steps, on its shares of the batches."""
        # The keys of ranks differ, so that units are dropped independently of each other.
        key = noise_key(batches.noise_key, self._communicator.rank)
        for steps, own, _ in groups:
            rates, recorded = batches.learning_rates[steps], records.part(steps)
            if own.size:
                order = np.ascontiguousarray(own).reshape(1, -1)
                alone = Batches(order, own.shape[1], rates, key)
                self._engine.train(problem, rule, state, alone, recorded)
                continue
            rule.optimizer.count(state, rates)
            for array in recorded:
                if array is not None:
                    array.fill(0.0)

    def _mean(
        self, vectors: list[Floats], measured: list[NDArray[np.float64]], weights: _Weights
    ) -> Floats:
        """Return the means over ranks of vectors and of records, one after the other."""
        ranks, size = self._communicator.size, vectors[0].size
        share, shares = weights.share(ranks), weights.shares(ranks)
        end = len(vectors) * size
        message = np.empty(end + len(measured) * len(shares), vectors[0].dtype)
        # inf and NaN are valid results, which the caller checks for.
        with np.errstate(over="ignore", invalid="ignore"):
            for row, vector in zip(message[:end].reshape(-1, size), vectors, strict=True):
                np.multiply(vector, share, out=row)
            for row, array in zip(message[end:].reshape(-1, len(shares)), measured, strict=True):
                row[...] = array * shares
            self._communicator.allreduce(message)
        return message


def _stretches(
    batches: Batches, t: int, most: int, share: Share
) -> Iterator[tuple[slice, Batches]]:
    """Yield the steps between two averages, and their batches.

    An average comes after each update whose number is a multiple of `most`, and after each epoch:
    so it does not depend on how calls divide the steps, if they end there.
    """
    first, size, total = 0, batches.size, batches.total
    # The rows that `order` has for a whole batch.
    width = size if total is None else share.count(size)
    for epoch in batches.order:
        done, end = 0, len(epoch) if total is None else total
        steps = -(-end // size)
        while done < steps:
            stop = min(steps, done + most - (t + first + done) % most)
            part = slice(first + done, first + stop)
            yield (
                part,
                batches._replace(
                    order=epoch[None, done * width : stop * width],
                    learning_rates=batches.learning_rates[part],
                    total=None if total is None else min(stop * size, end) - done * size,
                ),
            )
            done = stop
        first += steps


def _groups(batches: Batches, examples: Examples, share: Share) -> list[_Group]:
    """Return the steps with whole batches, and that with a smaller last one.

    A last batch that is smaller is a group of its own, because the shares of a smaller batch need
    not be the smaller ones.
    """
    (order,), total = batches.order, batches.total
    full, left = divmod(len(order) if total is None else total, batches.size)
    groups, done = [], 0
    for steps, size in ((slice(full), batches.size), (slice(full, full + 1), left)):
        count = steps.stop - (steps.start or 0)
        if count == 0 or size == 0:
            continue
        width = size if total is None else share.count(size)
        rows = order[done : done + count * width].reshape(count, width)
        done += rows.size
        if total is None:
            own = rows[:, share.of(size)]
            weights = _Weights(_weights_of(examples, own), _weights_of(examples, rows))
        else:
            own = rows
            weights = _Weights(np.full(count, float(width)), np.full(count, float(size)))
        groups.append(_Group(steps, own, weights))
    return groups


def _joined(groups: Sequence[_Group]) -> _Weights:
    """Return the weights of all groups, one after the other."""
    own, whole = zip(*(group.weights for group in groups), strict=True)
    return _Weights(np.concatenate(own), np.concatenate(whole))


def _weights_of(examples: Examples, rows: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the sum of the weights of each batch, (steps,), from its rows, (steps, size)."""
    if examples.weights is None:
        return np.full(len(rows), float(rows.shape[1]))
    return np.asarray(examples.weights[rows].sum(axis=1, dtype=np.float64))


def _write(mean: Floats, arrays: list[Floats]) -> None:
    """Write a message's parts, one after the other, to arrays."""
    begin = 0
    for array in arrays:
        array[...] = mean[begin : begin + array.size]
        begin += array.size
