"""The jax engine: the same equations, compiled by XLA for a GPU, a TPU or the CPU. An extra.

It is imported only where the engine is asked for, because JAX takes long to import.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import cache, lru_cache
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh
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
from chainrule.engines.jax_devices import default_device, mesh_of, put, spans_processes
from chainrule.engines.jax_pieces import blocks_of, filled, pieces_of
from chainrule.engines.jax_processes import check_same, gathered
from chainrule.engines.jax_programs import Shapes
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.engines.passes import mean_cost, penalty
from chainrule.engines.steps import (
    Moving,
    Parts,
    Recipe,
    StepNumbers,
    by_block,
    constants_of,
    store,
)
from chainrule.errors import InvalidArgumentError
from chainrule.names import Precision
from chainrule.network.cost import CustomCost
from chainrule.network.parameters import views
from chainrule.network.random import step_noises
from chainrule.network.spec import NetworkSpec


class JaxEngine:
    """Executes the equations compiled by XLA, on JAX's default device or on several.

    Several devices divide the examples of each batch. Losses and predictions that are not part of
    a step are computed by this process alone.

    Parameters
    ----------
    threads : int, optional
        Ignored: XLA decides how many threads it uses on a CPU.
    precision : {"full", "mixed", "split"}, default "full"
        How float32 networks multiply, for `with_precision`. "mixed": gradients and steps round the
        factors to bfloat16. "split": each factor is the sum of three bfloat16 pieces, also in
        `loss` and `forward`.
    devices : int, default 1
        How many devices of each process take part in a step.
    alone : bool, default False
        Whether this process trains alone even if mpiexec has started several. By default their
        steps are the same steps: all must train the same network on the same examples.
    """

    name = "jax"
    ends_early = False

    def __init__(
        self,
        threads: int | None = None,
        precision: Precision = "full",
        *,
        devices: int = 1,
        alone: bool = False,
    ) -> None:
        self.precision = precision
        self._devices, self._alone = devices, alone
        self._mesh = mesh_of(devices, alone)
        self._together = spans_processes(self._mesh)
        self._checked = False
        self._held: dict[int, tuple[NDArray[Any], Any]] = {}

    @property
    def surroundings(self) -> Mapping[str, str]:
        """The kind of the device and the version of JAX, and the precision of products."""
        kind = default_device().device_kind
        if self._mesh is not None:
            kind = f"{self._mesh.size} × {kind}"
        return {"instruction set": f"{kind}, JAX {jax.__version__}", "precision": self.precision}

    def lacking(self, spec: NetworkSpec) -> str:
        """Return a cost of the user's own that JAX cannot trace, in words; "" for none."""
        return _lacking(spec)

    def with_precision(self, precision: Precision) -> "JaxEngine | str":
        """Return the same engine with bfloat16 products, or the reason why it is unavailable."""
        reason = _missing(precision, default_device())
        return reason or JaxEngine(precision=precision, devices=self._devices, alone=self._alone)

    def agreed(self, seconds: float) -> float:
        """Return the seconds of the first of the processes that train together."""
        return float(gathered(np.array(seconds))[0]) if self._together else seconds

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
                    added[id(array)] = (array, put(array, self._mesh))
        self._held.update(added)
        self._checked = False
        try:
            yield
        finally:
            self._checked = False
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
            for rows, size in blocks_of(len(X), spec):
                given = (theta, filled(X[rows], size))
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
            for rows, size in blocks_of(len(found), spec):
                X, Y = examples.X[rows], examples.Y[rows]
                given = (theta, filled(X, size), filled(Y, size))
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
        # Processes that train together each compute a whole loss, at which they may arrive apart.
        mesh = None if self._together else self._mesh
        static = (spec, penalties, Shapes.of(examples), mesh)
        with arithmetic():
            given = put((problem.parameters, self._on_device(examples, mesh), share), mesh)
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
        if self._together:
            self._check_together(problem, rule, state, batches)
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
        vectors = tuple(_parts(problem.spec, slot) for slot in state.slots)
        reached = (Moving(_parts(problem.spec, problem.parameters), vectors, state.t), 0)
        try:
            with arithmetic():
                examples = self._on_device(problem.examples, self._mesh)
                constants = put(constants, self._mesh)
                for piece in pieces_of(batches, shapes.rows):
                    moving, done = reached
                    part = slice(done, done + piece.steps)
                    given = (moving, examples, constants, *piece.arrays(numbers, part))
                    given = given if self._mesh is None else put(given, self._mesh)
                    static = (recipe, shapes, piece.size, piece.rest, self._mesh)
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

    def _on_device(self, examples: Examples, mesh: Mesh | None) -> Examples:
        X, Y, weights = (self._put(array, mesh) for array in examples)
        return Examples(X, Y, weights)

    def _put(self, array: NDArray[Any] | None, mesh: Mesh | None) -> Any:
        if array is None:
            return None
        held = self._held.get(id(array)) if mesh is self._mesh else None
        return held[1] if held is not None and held[0] is array else put(array, mesh)

    def _check_together(
        self, problem: Problem, rule: UpdateRule, state: OptimizerState, batches: Batches
    ) -> None:
        """Check at the first steps of a training that all processes take the same ones."""
        if self._checked:
            return
        check_same(
            {
                "networks or settings": (problem.spec, problem.penalties, rule, batches.size),
                "examples": tuple(problem.examples),
                "parameters": (problem.parameters, state.slots, state.t),
                "orders of examples or learning rates": (
                    batches.order, batches.learning_rates, batches.noise_key,
                ),
            }
        )  # fmt: skip
        self._checked = bool(self._held)


def _parts(spec: NetworkSpec, vector: Floats) -> Parts:
    """Return a vector in the parts that steps take, which are views of it."""
    return by_block(spec, vector) if programs.steps_by_block(spec) else (vector,)


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
