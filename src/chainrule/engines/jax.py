"""The jax engine: the same equations, compiled by XLA for a GPU, a TPU or the CPU. An extra.

It is imported only where the engine is asked for, because JAX takes long to import.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import cache, lru_cache
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from chainrule.communication.communicator import Communicator
from chainrule.engines import jax_programs as programs
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
from chainrule.engines.jax_compiler import arithmetic, compiled
from chainrule.engines.jax_programs import Counts, Shapes
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.engines.passes import mean_cost, penalty
from chainrule.engines.steps import Moving, Recipe, StepNumbers, constants_of, store
from chainrule.errors import InvalidArgumentError
from chainrule.names import Precision
from chainrule.network.cost import CustomCost
from chainrule.network.parameters import views
from chainrule.network.random import step_noises
from chainrule.network.spec import NetworkSpec

# A program takes so many steps and rows of an order at most; a call of more goes in pieces, after
# each of which Ctrl-C can end it.
_MOST_STEPS, _MOST_ROWS = 4096, 2**16
# Rows per block of a forward pass: so many at most, and so many numbers of a layer.
_BLOCK_ROWS, _BLOCK_NUMBERS = 2**15, 2**24


class JaxEngine:
    """Executes the equations compiled by XLA, on JAX's default device.

    Parameters
    ----------
    threads : int, optional
        Ignored: XLA decides how many threads it uses on a CPU.
    precision : {"full", "mixed", "split"}, default "full"
        How float32 networks multiply, for `with_precision`. "mixed": gradients and steps round the
        factors to bfloat16. "split": each factor is the sum of three bfloat16 pieces, also in
        `loss` and `forward`.
    """

    name = "jax"
    ends_early = False

    def __init__(self, threads: int | None = None, precision: Precision = "full") -> None:
        self.precision = precision
        self._held: dict[int, tuple[NDArray[Any], Any]] = {}

    @property
    def surroundings(self) -> Mapping[str, str]:
        """The kind of the device and the version of JAX, and the precision of products."""
        kind = _device().device_kind
        return {"instruction set": f"{kind}, JAX {jax.__version__}", "precision": self.precision}

    def lacking(self, spec: NetworkSpec) -> str:
        """Return a cost of the user's own that JAX cannot trace, in words; "" for none."""
        return _lacking(spec)

    def with_precision(self, precision: Precision) -> "JaxEngine | str":
        """Return the same engine with bfloat16 products, or the reason why it is unavailable."""
        reason = _missing(precision, _device())
        return reason or JaxEngine(precision=precision)

    def with_communicator(self, communicator: Communicator) -> str:
        """Return the reason why there are no ranks."""
        return "its compiled programs take many steps at once; use the engine native or reference"

    @contextmanager
    def holding(self, examples: Examples) -> Iterator[None]:
        """Keep the examples on the device, so that no call has to copy them there."""
        added = {}
        with arithmetic():
            for array in examples:
                if array is not None and id(array) not in self._held:
                    added[id(array)] = (array, jax.device_put(array))
        self._held.update(added)
        try:
            yield
        finally:
            for key in added:
                self._held.pop(key, None)

    def predictor(self, spec: NetworkSpec) -> Predictor:
        """Return a predictor that always returns None, so that `forward` is used."""
        return lambda parameters, X: None

    def forward(self, spec: NetworkSpec, parameters: Floats, X: Floats, out: Floats) -> None:
        """Write the network's outputs for the rows of X to `out`, in blocks of rows."""
        precision = self._of_predictions
        with arithmetic():
            theta = jax.device_put(parameters)
            for rows, size in _blocks(len(X), spec):
                given = (theta, _filled(X[rows], size))
                program = compiled(programs.outputs, (spec, size), given, precision)
                out[rows] = np.asarray(program(*given))[: len(X[rows])]

    def loss(self, problem: Problem) -> float:
        """Return J plus penalties over all examples, in blocks of rows."""
        spec, examples, precision = problem.spec, problem.examples, self._of_predictions
        _require(spec)
        found = np.empty(len(examples.X), spec.dtype)
        classes = examples.Y.ndim == 1
        with arithmetic():
            theta = jax.device_put(problem.parameters)
            for rows, size in _blocks(len(found), spec):
                X, Y = examples.X[rows], examples.Y[rows]
                given = (theta, _filled(X, size), _filled(Y, size))
                program = compiled(programs.costs, (spec, size, classes), given, precision)
                found[rows] = np.asarray(program(*given))[: len(X)]
        with np.errstate(over="ignore", invalid="ignore"):  # inf and NaN are answers
            J = mean_cost(found.astype(np.float64), examples.weights)
            share = problem.penalties.share(examples.weight)
            added = penalty(spec, views(spec, problem.parameters), problem.penalties, share)
        return float(J + added)

    def loss_and_gradient(self, problem: Problem, gradient: Floats) -> float:
        """Write ∂(J + penalties)/∂θ to `gradient` and return J + penalties."""
        spec, examples = problem.spec, problem.examples
        _require(spec)
        penalties, strength = _normalised(problem.penalties)
        share = strength * penalties.share(examples.weight)
        static = (spec, penalties, Shapes.of(examples))
        with arithmetic():
            given = (problem.parameters, self._on_device(examples), share)
            program = compiled(programs.loss_and_gradient, static, given, self.precision)
            J, found = program(*given)
            gradient[...] = np.asarray(found)
            return float(J)

    def train(
        self,
        problem: Problem,
        rule: UpdateRule,
        state: OptimizerState,
        batches: Batches,
        records: StepRecords,
    ) -> None:
        """Take one step for each batch."""
        if batches.order.size == 0:
            return
        _require(problem.spec)
        optimizer, rates = rule.optimizer, batches.learning_rates
        penalties, strength = _normalised(problem.penalties)
        recorded = records.penalty is not None
        recipe = Recipe(problem.spec, optimizer, penalties, rule.clips, recorded)
        constants = constants_of(recipe, rule.max_grad_norm, programs.steps_by_block(recipe.spec))
        recipe = replace(recipe, optimizer=_structure(optimizer))
        shapes = Shapes.of(problem.examples)
        shares = optimizer.shares(state, rates)
        numbers = StepNumbers(
            step_noises(batches.noise_key, range(state.t + 1, state.t + 1 + len(rates))),
            rates,
            np.ones_like(rates) if shares is None else shares,
            strength * _penalty_shares(problem.penalties, problem.examples, batches),
        )
        # Assigned together, so that an interruption finds the parameters of as many steps.
        slots = tuple((slot,) for slot in state.slots)
        reached = (Moving((problem.parameters,), slots, state.t), 0)
        try:
            with arithmetic():
                examples = self._on_device(problem.examples)
                constants = jax.device_put(constants)
                for piece in _pieces(batches, shapes.rows):
                    moving, done = reached
                    part = slice(done, done + piece.steps)
                    given = (moving, examples, constants, *piece.arrays(numbers, part))
                    static = (recipe, shapes, piece.size, piece.rest)
                    program = compiled(programs.steps, static, given, self.precision)
                    moving, found = program(*given)
                    measured = np.asarray(found)[:, : piece.steps]
                    for record, of_steps in zip(records, measured, strict=True):
                        if record is not None:
                            record[part] = of_steps
                    reached = (moving, part.stop)
        finally:
            moving, done = reached
            if done:
                after = OptimizerState(np.empty(0), state.t, weight=state.weight)
                optimizer.count(after, rates[:done])
                store(moving, after, problem.parameters, state)

    @property
    def _of_predictions(self) -> Precision:
        return "split" if self.precision == "split" else "full"

    def _on_device(self, examples: Examples) -> Examples:
        X, Y, weights = map(self._put, examples)
        return Examples(X, Y, weights)

    def _put(self, array: NDArray[Any] | None) -> Any:
        if array is None:
            return None
        held = self._held.get(id(array))
        return held[1] if held is not None and held[0] is array else jax.device_put(array)


class _Piece(NamedTuple):
    """Consecutive batches that a program takes at once: of several epochs, or of a part of one."""

    order: NDArray[np.int32]
    """(epochs, rows)."""
    size: int
    capacity: int
    """Most steps of a piece."""

    @property
    def rest(self) -> int:
        """Rows of the last batch of each epoch, if it is smaller."""
        return int(self.order.shape[1] % self.size)

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.order) * -(-int(self.order.shape[1]) // self.size)

    def arrays(
        self, numbers: StepNumbers, part: slice
    ) -> tuple[NDArray[np.int32], StepNumbers, Counts]:
        """Return rows, numbers of the steps and counts, each in arrays of the same shape."""
        epochs, period = self.order.shape
        rows = _filled(self.order.ravel(), self.capacity * self.size)
        arrays: tuple[Any, ...] = numbers
        padded = StepNumbers(*(_filled(array[part], self.capacity) for array in arrays))
        return rows, padded, Counts(epochs, period, period // self.size)


def _pieces(batches: Batches, examples: int) -> Iterator[_Piece]:
    """Yield the batches in pieces, each of which fits into arrays of the same shape."""
    order, size = batches.order, min(batches.size, examples)
    epochs, rows = order.shape
    capacity = max(1, min(_MOST_STEPS, _MOST_ROWS // size))
    steps = -(-rows // size)
    if steps <= capacity:
        together = capacity // steps
        for first in range(0, epochs, together):
            yield _Piece(order[first : first + together], size, capacity)
        return
    most = capacity * size
    for epoch in order:
        for first in range(0, rows, most):
            yield _Piece(epoch[None, first : first + most], size, capacity)


def _penalty_shares(
    penalties: Penalties, examples: Examples, batches: Batches
) -> NDArray[np.float64]:
    """Return the factor of l1 and l2 for each step."""
    if not penalties or not penalties.shared:
        return np.ones(len(batches.learning_rates))
    starts = np.arange(0, batches.order.shape[1], batches.size)
    shares = []
    for epoch in batches.order:
        weights = np.ones(len(epoch)) if examples.weights is None else examples.weights[epoch]
        shares += [
            penalties.share(weight)
            for weight in np.add.reduceat(weights, starts, dtype=np.float64).tolist()
        ]
    return np.array(shares)


def _normalised(penalties: Penalties) -> tuple[Penalties, float]:
    """Return penalties of which one has strength 1, for a program, and the factor of them."""
    strength = penalties.l2 or penalties.l1 or 1.0
    return replace(
        penalties, l1=penalties.l1 / strength, l2=penalties.l2 / strength, per=1.0
    ), strength


@lru_cache(maxsize=256)
def _structure(optimizer: Optimizer) -> Optimizer:
    """Return the optimizer with which all those share a program that have the same equations."""
    flags: dict[str, Any] = {
        one.name: value
        for one in fields(optimizer)
        if isinstance(value := getattr(optimizer, one.name), bool)
    }
    if optimizer.ema_decay:
        flags["ema_decay"] = 0.5
    return type(optimizer)(**flags)


def _blocks(rows: int, spec: NetworkSpec) -> Iterator[tuple[slice, int]]:
    """Yield slices of rows, and the power of two to which their block is filled up."""
    most = _power_of_two(max(1, min(_BLOCK_ROWS, _BLOCK_NUMBERS // max(spec.sizes))))
    for start in range(0, rows, most):
        stop = min(rows, start + most)
        yield slice(start, stop), min(most, _power_of_two(stop - start))


def _power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()


def _filled(array: NDArray[Any], length: int) -> NDArray[Any]:
    """Return the array, filled up with zeros to a length."""
    if len(array) == length:
        return array
    filled = np.zeros((length, *array.shape[1:]), array.dtype)
    filled[: len(array)] = array
    return filled


def _require(spec: NetworkSpec) -> None:
    if lack := _lacking(spec):
        raise InvalidArgumentError(
            f'engine: the jax engine cannot run {lack}; use engine="reference"'
        )


@lru_cache(maxsize=256)
def _lacking(spec: NetworkSpec) -> str:
    own = spec.cost
    if not isinstance(own, CustomCost):
        return ""
    with arithmetic():
        array = jax.ShapeDtypeStruct((2, spec.n_outputs), spec.dtype)  # type: ignore[no-untyped-call]
        try:
            jax.eval_shape(lambda A, Y: (own.costs(A, Y), own.gradients(A, Y)), array, array)
        except InvalidArgumentError:
            return ""  # what a function returned is wrong, which is said where it is called
        except Exception as error:
            return (
                f"{own.name}, a cost of your own whose functions JAX cannot trace "
                f"({type(error).__name__}: use operators and methods of their arguments, or "
                "their array namespace)"
            )
    return ""


def _device() -> jax.Device:
    chosen = jax.config.jax_default_device  # type: ignore[attr-defined]
    if isinstance(chosen, str):
        return jax.devices(chosen)[0]
    return chosen or jax.devices()[0]


@cache
def _missing(precision: Precision, device: jax.Device) -> str:
    """Return why there are no such products; "" if there are."""
    if device.platform == "cpu":
        return "XLA multiplies float32 numbers on a CPU"
    side = np.full((256, 256), 1 + 2.0**-12, np.float32)

    def product(A: Any) -> Any:
        return A @ A

    try:
        with arithmetic():
            found = np.asarray(compiled(product, (), (side,), precision)(side))
    except Exception as error:  # each backend refuses in its own way
        return f"XLA has none for {device.device_kind}: {type(error).__name__}"
    if precision == "mixed" and (found != 256.0).any():
        return f"XLA multiplies float32 numbers on {device.device_kind}"
    return ""
