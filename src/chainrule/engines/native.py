"""The native engine: the compiled core in native/, the default."""

import os
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.communication.communicator import Communicator
from chainrule.communication.launching import ranks_here
from chainrule.engines import extension
from chainrule.engines.base import (
    Batches,
    Examples,
    Floats,
    Penalties,
    Predictor,
    Problem,
    StepRecords,
    UpdateRule,
)
from chainrule.engines.optimizer import OptimizerState
from chainrule.engines.plans import lacking, plan_of, without_own_cost
from chainrule.errors import InvalidArgumentError
from chainrule.names import Precision
from chainrule.network.spec import NetworkSpec

# More threads would not change results, only contend for cores and exhaust system limits.
_MOST_THREADS = max(64, os.cpu_count() or 1)

# Why a precision is unavailable.
_MISSING: Mapping[Precision, str] = MappingProxyType(
    {
        "mixed": "no AMX, nor AVX-512-BF16 that is faster than float32, is there or was chosen",
        "split": "no AMX is there or was chosen",
    }
)


class NativeEngine:
    """Executes steps in compiled code, with bit-identical results for any number of threads.

    Parameters
    ----------
    threads : int, optional
        Number of threads, at most 64 or the number of cores, whichever is larger. By default, how
        many of at most one per core are the fastest is measured in training; short steps and
        short predictions have one thread.
    precision : {"full", "mixed", "split"}, default "full"
        How float32 networks multiply where the shapes are large enough to benefit and
        `has_precision` is true. "mixed": gradients and steps round the factors to bfloat16; sums,
        parameters and the optimizer stay in float32, as do calls of `loss` and `forward`. "split":
        each factor is the sum of three bfloat16 pieces, and six products of pieces are added in
        float32, also in `loss` and `forward`.
    communicator : Communicator, optional
        The ranks that the batches of `train` are divided between.
    """

    name = "native"
    ends_early = True

    def __init__(
        self,
        threads: int | None = None,
        precision: Precision = "full",
        communicator: Communicator | None = None,
    ) -> None:
        # A negative number tells the core the maximum that it may choose.
        self.threads = -default_threads() if threads is None else min(threads, _MOST_THREADS)
        self.precision = precision
        self._communicator = communicator

    @property
    def surroundings(self) -> Mapping[str, str]:
        """The instruction set, and the precision of products."""
        assert extension.native is not None
        return {
            "instruction set": extension.native.instruction_set(),
            "precision": self.precision,
        }

    def lacking(self, spec: NetworkSpec) -> str:
        """Return a network feature that the compiled core does not support; "" for none."""
        return lacking(spec)

    def with_precision(self, precision: Precision) -> "NativeEngine | str":
        """Return the same engine with bfloat16 products, or the reason why it is unavailable."""
        if not has_precision(precision):
            return _MISSING[precision]
        return NativeEngine(self.threads, precision, self._communicator)

    def with_communicator(self, communicator: Communicator) -> "NativeEngine":
        """Return the same engine as one of several ranks."""
        return NativeEngine(self.threads, self.precision, communicator)

    def holding(self, examples: Examples) -> AbstractContextManager[None]:
        """Do nothing: examples are read where they are."""
        return nullcontext()

    def agreed(self, seconds: float) -> float:
        """Return the seconds: one process trains."""
        return seconds

    def predictor(self, spec: NetworkSpec) -> Predictor:
        """Return a compiled function that takes X unchecked and returns None if X is unsuitable."""
        return _plan(without_own_cost(spec)).predict

    def forward(self, spec: NetworkSpec, parameters: Floats, X: Floats, out: Floats) -> None:
        """Write the network's outputs for the rows of X to `out`."""
        with _held(parameters, X, out):
            _plan(without_own_cost(spec)).forward(parameters, X, out, self.threads, self.precision)

    def loss(self, problem: Problem) -> float:
        """Return J plus penalties over all examples."""
        parameters, examples = problem.parameters, problem.examples
        own = _numbers(problem.penalties.over(examples.weight))
        with _held(parameters, *examples):
            plan = _plan(problem.spec)
            return float(plan.loss(parameters, examples, own, None, self.threads, self.precision))

    def loss_and_gradient(self, problem: Problem, gradient: Floats) -> float:
        """Write ∂(J + penalties)/∂θ to `gradient` and return J + penalties."""
        parameters, examples = problem.parameters, problem.examples
        own = _numbers(problem.penalties.over(examples.weight))
        plan = _plan(problem.spec)
        with _held(parameters, gradient, *examples):
            return float(
                plan.loss(parameters, examples, own, gradient, self.threads, self.precision)
            )

    def train(
        self,
        problem: Problem,
        rule: UpdateRule,
        state: OptimizerState,
        batches: Batches,
        records: StepRecords,
    ) -> None:
        """Take one step for each batch, or fewer if the rule of the batches ends them."""
        order, rates = batches.order, batches.learning_rates
        if rates.size == 0:
            return
        parameters, examples = problem.parameters, problem.examples
        records.cost.fill(np.nan)
        finished = -1
        try:
            shares = rule.optimizer.shares(state, rates)
            arrays = (parameters, state.slots, *examples, order, rates, *records, shares)
            with _held(*arrays):
                finished = _plan(problem.spec).train(
                    parameters,
                    state.slots,
                    examples,
                    order,
                    rates,
                    records,
                    (rule.optimizer.name, rule.optimizer.settings, state.t),
                    _numbers(problem.penalties, rule.max_grad_norm),
                    batches.size,
                    batches.noise_key,
                    self.threads,
                    self.precision,
                    shares,
                    batches.rule,
                    self._ranks(parameters, batches.total),
                )
        finally:
            if finished < 0:  # after Ctrl-C: the finished steps are those that wrote a record
                finished = int(np.count_nonzero(~np.isnan(records.cost)))
            rule.optimizer.count(state, rates[:finished])

    def _ranks(
        self, parameters: Floats, total: int | None
    ) -> tuple[int, int, int, Floats, Callable[[], None]] | None:
        """Return rank, size, the examples of all ranks if each has its own, or 0, and more.

        The rest are the message of a step and a function that sums it over the ranks.
        """
        communicator = self._communicator
        if communicator is None or communicator.size == 1:
            return None
        message = np.zeros(parameters.size + 1, parameters.dtype)
        summed = partial(communicator.allreduce, message)
        return communicator.rank, communicator.size, total or 0, message, summed


@contextmanager
def _held(*arrays: NDArray[Any] | None) -> Iterator[None]:
    """Keep the arrays' memory in place while the core uses it, and report changed arrays as errors.

    NumPy refuses to reallocate an array that has a weak reference (`resize` in another thread, even
    with refcheck=False); a view shares the memory of its base. Another thread may have changed the
    arrays since they were checked at the start of training, so the core checks them again.
    """
    held = []
    for array in arrays:
        owner: Any = array
        while isinstance(owner, np.ndarray):
            held.append(weakref.ref(owner))
            owner = owner.base
    try:
        yield
    except ValueError as error:
        if not str(error).startswith(extension.COMPLAINS):
            raise
        what = str(error).removeprefix(extension.COMPLAINS)
        raise InvalidArgumentError(
            f"the arrays given were changed while they were in use: {what}; give copies of arrays "
            "that another thread writes to"
        ) from error
    except TypeError as error:
        if "incompatible function arguments" not in str(error):
            raise
        raise InvalidArgumentError(
            "the arrays given were changed while they were in use: their shape or type is another; "
            "give copies of arrays that another thread writes to"
        ) from error
    finally:
        held.clear()


def has_precision(precision: Precision) -> bool:
    """Return whether the instruction set in use multiplies in a precision."""
    if precision == "full":
        return True
    return extension.native is not None and precision in extension.native.cpu_info()["precisions"]


def _numbers(
    penalties: Penalties, max_grad_norm: float = float("inf")
) -> tuple[float, float, bool, float]:
    return (penalties.l1, penalties.l2, penalties.shared, max_grad_norm)


def _plan(spec: NetworkSpec) -> "extension.Plan":
    return plan_of(spec, -default_threads())


@cache
def default_threads() -> int:
    """Return the maximum number of threads: CHAINRULE_THREADS, OMP_NUM_THREADS or the core count.

    Ranks that MPI has started on this machine divide the cores between them.

    Process pools such as joblib's set OMP_NUM_THREADS in their workers, so that the workers
    together use each core once.
    """
    assert extension.native is not None
    cores = int(extension.native.cpu_info()["cores"])
    for variable in ("CHAINRULE_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(variable, "")
        # int() raises for texts of thousands of digits.
        if text.isdecimal() and text.strip("0"):
            return cores if len(text) > 9 else min(int(text), cores)
    return max(1, cores // ranks_here())
