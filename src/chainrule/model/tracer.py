"""`Tracer`: a callback that keeps single steps of a training, with all their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.checks import shown, whole_number
from chainrule.engines.base import Floats, Problem, UpdateRule
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.errors import InvalidArgumentError
from chainrule.inspection.step import Outcome
from chainrule.inspection.trace import Trace, trace_step
from chainrule.training.plan import LBFGS
from chainrule.training.watching import Moment, Training

DEFAULT_MEGABYTES = 512


@dataclass(frozen=True)
class _Before:
    """What a step starts from: copies."""

    moment: Moment
    parameters: Floats
    optimizer: Optimizer
    state: OptimizerState


class Tracer:
    """Records steps of a training, with every number of their equations, as a callback of `fit`.

    It works in `Network.fit`, in the estimators and in `train`, and changes nothing about the
    training. The parameters before and after a step, V and S after it, α and the examples are the
    training's own, to the bit; the arrays between them (Z, A, δ, gradients, V̂, Ŝ) are computed from
    these by the equations, in the network's type. They agree with the numbers within the compiled
    core up to the rounding of sums that are added in another order, and with ``precision="mixed"``
    up to that of bfloat16.

    Parameters
    ----------
    steps : list of int, default (1,)
        The steps to keep, counted from 1 over the whole training: if it is resumed from a
        checkpoint, also over what came before, of which no step is kept. A step that the training
        never takes is left out.
    rows : list of int, optional
        Indices of training examples: only these are shown, if they are in the step's batch. The
        gradients are those of the whole batch nonetheless. By default all examples of the batch.
    most_megabytes : int, default 512
        How much memory the traces may take; a step of n parameters needs about ten times their
        size.

    Attributes
    ----------
    traces : dict of int to Trace
        The steps of the last training that were kept, by their numbers. Of a `TableStream`, their
        `rows` are places in the buffer that the step's rows came from.

    Raises
    ------
    InvalidArgumentError
        If an argument is invalid; when the training begins, if the solver is L-BFGS, which takes no
        gradient steps, if `rows` has none of its examples, or if the traces would need more memory.

    Examples
    --------
    >>> import chainrule as cr
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> net = cr.Network([2, cr.Dense(3, "tanh"), cr.Dense(2, "softmax")],
    ...                  cost="cross_entropy", seed=0)
    >>> tracer = cr.Tracer(steps=[1, 6])
    >>> history = net.fit(X, y, epochs=3, batch_size=2, callbacks=[tracer])
    >>> print(tracer.traces[6].title)
    Step 6 of the training (epoch 3): Adam on 2 examples.
    >>> bool((tracer.traces[6]["new W[1]"] == net.weights[0]).all())
    True
    """

    def __init__(
        self,
        steps: Sequence[int] = (1,),
        rows: Sequence[int] | None = None,
        most_megabytes: int = DEFAULT_MEGABYTES,
    ) -> None:
        self.steps = _whole_numbers("steps", steps, 1)
        self.rows = None if rows is None else _whole_numbers("rows", rows, 0)
        self.most_megabytes = whole_number("most_megabytes", most_megabytes, 1)
        self.traces: dict[int, Trace] = {}
        self._training: Training | None = None
        self._before: _Before | None = None

    def __call__(self, event: object) -> None:
        """Ignore events: steps are recorded between them."""

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_training": None, "_before": None}

    def training_begins(self, training: Training) -> None:
        """Begin anew with a training."""
        plan = training.plan
        if isinstance(plan.optimizer, LBFGS):
            raise InvalidArgumentError(
                "callbacks: expected no Tracer with L-BFGS, which uses line searches instead of "
                "the update of an equation; choose another solver, such as adam"
            )
        if plan.stream is not None and plan.communicator is not None:
            raise InvalidArgumentError(
                "callbacks: expected no Tracer for a stream on several ranks, each of which has "
                "only its own rows of a batch; leave it out, or trace in one process"
            )
        if self.rows is not None and plan.stream is not None:
            raise InvalidArgumentError(
                "rows: expected none for a stream, whose rows have no indices; leave rows out, and "
                "the trace shows the step's whole batch"
            )
        if self.rows is not None:
            count = len(plan.problem.examples.X)
            beyond = [row for row in self.rows if row >= count]
            if beyond:
                raise InvalidArgumentError(
                    f"rows: expected numbers from 0 to {count - 1}, the training examples; got "
                    f"{beyond[0]}"
                )
        self._check_memory(plan.problem, plan.batch_size, plan.optimizer)
        self.traces, self._before, self._training = {}, None, training

    def training_ended(self, error: BaseException | None) -> None:
        """Release the training."""
        self._training = self._before = None

    def steps_left(self, done: int) -> int | None:
        """Return after how many steps the next one begins or ends that is to be kept."""
        if self._before is not None:
            return max(0, self._before.moment.step + 1 - done)
        left = [step - 1 - done for step in self.steps if step - 1 >= done]
        return min(left, default=None)

    def between_steps(self, moment: Moment) -> None:
        """Keep what a step starts from, or what became of it."""
        if self._before is not None and moment.step == self._before.moment.step + 1:
            self._keep(self._before)
            self._before = None
        if moment.step + 1 in self.steps and moment.rows is not None:
            self._before = self._copied(moment)

    def _copied(self, moment: Moment) -> _Before:
        assert self._training is not None
        state = self._training.state
        assert state.optimizer is not None
        assert state.memory is not None
        assert moment.rows is not None
        assert moment.examples is not None
        # Copies: the next steps may write to both.
        batch = moment.examples.take(moment.rows)
        moment = replace(moment, rows=moment.rows.copy(), examples=batch)
        return _Before(moment, state.moving.copy(), state.optimizer, state.memory.copy())

    def _keep(self, before: _Before) -> None:
        assert self._training is not None
        plan, state, moment = self._training.plan, self._training.state, before.moment
        assert state.memory is not None
        assert moment.rows is not None
        assert moment.examples is not None
        problem = replace(plan.problem, parameters=before.parameters, examples=moment.examples)
        columns = self._columns(moment.rows)
        trace = trace_step(
            problem,
            UpdateRule(before.optimizer, plan.max_grad_norm),
            before.state,
            state.noise_key,
            learning_rate=moment.learning_rate,
            outcome=Outcome(state.moving.copy(), state.memory.copy()),
            example=columns[0] if columns else 0,
            columns=columns,
        )
        number = moment.step + 1
        rows = moment.rows if columns is None else moment.rows[columns]
        self.traces[number] = replace(trace, step=number, epoch=moment.epoch, rows=rows)

    def _columns(self, batch: Any) -> list[int] | None:
        """Return the places of the chosen rows in a batch."""
        if self.rows is None:
            return None
        places = {int(row): place for place, row in enumerate(batch)}
        return [places[row] for row in self.rows if row in places]

    def _check_memory(self, problem: Problem, batch_size: int, optimizer: Optimizer) -> None:
        spec, item = problem.spec, problem.parameters.itemsize
        # Parameters before, after, and their difference, the gradient, the state before and after,
        # V̂ and Ŝ; and of each example, inputs, Z, A, δ, ∂C/∂A and σ′.
        vectors = 7 + 2 * optimizer.slots
        examples = batch_size if self.rows is None else min(batch_size, len(self.rows))
        numbers = vectors * problem.parameters.size + 6 * examples * sum(spec.sizes)
        megabytes = len(self.steps) * numbers * item / 2**20
        if megabytes > self.most_megabytes:
            each = max(1, round(megabytes / len(self.steps)))
            remedy = "Keep fewer steps" + ("" if self.rows else ", choose rows")
            raise InvalidArgumentError(
                f"steps: expected traces of at most {self.most_megabytes} MB, most_megabytes; got "
                f"{len(self.steps)} of about {each} MB each. {remedy}, or raise the limit"
            )


def _whole_numbers(name: str, values: object, least: int) -> list[int]:
    if isinstance(values, np.ndarray | range):
        values = list(values)
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise InvalidArgumentError(
            f"{name}: expected a list of whole numbers, such as [1, 2, 100]; got {shown(values)}"
        )
    return sorted({whole_number(name, value, least) for value in values})
