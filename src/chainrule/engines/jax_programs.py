"""What JAX traces: the equations of passes and steps, and the loop over the steps of a call.

Each function is pure. Its first arguments are static, and compiled programs are found by them.
"""

from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax
from jax.sharding import Mesh

from chainrule.engines.base import Examples, Penalties
from chainrule.engines.jax_devices import divided, whole
from chainrule.engines.jax_products import reordered
from chainrule.engines.passes import (
    Batch,
    GradientPass,
    as_columns,
    example_costs,
    flat_gradient,
    forward_pass,
    gradient_pass,
    penalty,
)
from chainrule.engines.steps import (
    Constants,
    Measured,
    Moving,
    Recipe,
    StepNumbers,
    training_step,
)
from chainrule.equations._array import Array
from chainrule.network.parameters import parameter_count, views
from chainrule.network.spec import NetworkSpec

# With so many parameters, one pass over all of them takes less time than one for each block, though
# XLA then copies each block that a product reads.
_MOST_IN_ONE_PART = 2**14


class Shapes(NamedTuple):
    """What the shapes of a problem's arrays follow from, besides its network."""

    rows: int
    classes: bool
    """Whether the targets are class indices."""
    weighted: bool

    @classmethod
    def of(cls, examples: Examples) -> "Shapes":
        """Return the shapes of some examples."""
        return cls(len(examples.X), examples.Y.ndim == 1, examples.weights is not None)


class Counts(NamedTuple):
    """How the rows of a piece of an order are divided into batches."""

    epochs: int | Array
    period: int | Array
    """Rows of an epoch."""
    full: int | Array
    """Batches of an epoch that have the whole size."""


def outputs(spec: NetworkSpec, rows: int, theta: Array, X: Array) -> Array:
    """Return the outputs of some rows."""
    return as_columns(forward_pass(spec, views(spec, theta), as_columns(X))[-1].A)


def costs(spec: NetworkSpec, rows: int, classes: bool, theta: Array, X: Array, Y: Array) -> Array:
    """Return the cost of each of some rows."""
    passes = forward_pass(spec, views(spec, theta), as_columns(X))
    return example_costs(spec, passes[-1], _targets(spec, X, Y))


def loss_and_gradient(
    spec: NetworkSpec,
    penalties: Penalties,
    shapes: Shapes,
    mesh: Mesh | None,
    theta: Array,
    examples: Examples,
    share: Array,
) -> tuple[Array, Array]:
    """Return J plus penalties, and their gradient."""
    batch = _batch(spec, examples, mesh)
    blocks, share = views(spec, theta), jnp.asarray(share, theta.dtype)

    def gradient(blocks: Any, batch: Batch, share: Array) -> GradientPass:
        return gradient_pass(spec, blocks, batch, None, penalties, share)

    found = reordered(gradient)(blocks, batch, share)
    J = jnp.asarray(found.J, jnp.float64) + penalty(spec, blocks, penalties, share)
    return whole((J, flat_gradient(spec, found.gradients, theta)), mesh)


def steps(
    recipe: Recipe,
    shapes: Shapes,
    size: int,
    rest: int,
    mesh: Mesh | None,
    before: Moving,
    examples: Examples,
    constants: Constants,
    order: Array,
    numbers: StepNumbers,
    counts: Counts,
) -> tuple[Moving, Array]:
    """Take the steps of some epochs; return what they led to, and the measurements, (3, steps).

    Each epoch has some batches of `size` rows of `order`, and then one of `rest`, unless that is 0.
    How many is no part of the program, so that the number of steps in a call may vary.
    """
    spec, dtype = recipe.spec, before.theta[0].dtype
    arrays: tuple[Array, ...] = numbers
    stepped = reordered(partial(training_step, recipe))

    def step(first: Array, rows: int, state: Any) -> Any:
        moving, records, index = state
        own = _batch(spec, _taken(examples, lax.dynamic_slice(order, (first,), (rows,))), mesh)
        noise, *others = (array[index] for array in arrays)
        # Scalars of an array are not rounded to the type of the vectors, as Python's numbers are.
        of_step = StepNumbers(noise, *(jnp.asarray(number, dtype) for number in others))
        moving, measured = stepped(constants, moving, own, of_step)
        moving = whole(moving, mesh)
        record = jnp.stack([jnp.asarray(value, jnp.float64) for value in measured])
        return moving, records.at[:, index].set(record), index + 1

    def epoch(number: Array, state: Any) -> Any:
        begin = number * counts.period
        state = lax.fori_loop(
            0, counts.full, lambda batch, now: step(begin + batch * size, size, now), state
        )
        return step(begin + counts.full * size, rest, state) if rest else state

    records = jnp.zeros((len(Measured._fields), len(arrays[0])), jnp.float64)
    state = (before, records, jnp.asarray(0, jnp.int32))
    moving, records, _ = lax.fori_loop(0, counts.epochs, epoch, state)
    return whole((moving, records), mesh)


def steps_by_block(spec: NetworkSpec) -> bool:
    """Return whether steps take each block as a part.

    The caller divides and joins the vectors: XLA's concatenation of some million numbers takes
    longer on a CPU than several steps.
    """
    return parameter_count(spec) > _MOST_IN_ONE_PART


def _taken(examples: Examples, rows: Array) -> Examples:
    """Return some of the examples."""
    arrays: tuple[Array, ...] = examples
    taken: Any = (
        None if array is None else array.at[rows].get(mode="promise_in_bounds") for array in arrays
    )
    return Examples(*taken)


def _batch(spec: NetworkSpec, examples: Examples, mesh: Mesh | None) -> Batch:
    """Return examples as columns, which lie divided among the devices."""
    arrays: tuple[Array, ...] = examples
    X, Y, weights = (None if one is None else divided(one, mesh) for one in arrays)
    return Batch(as_columns(X), _targets(spec, X, Y), weights)


def _targets(spec: NetworkSpec, X: Array, Y: Array) -> Array:
    """Return targets as columns, (n[L], m); class indices stand for one-hot columns."""
    if Y.ndim == 2:
        return as_columns(Y)
    return jnp.asarray(Y[None, :] == jnp.arange(spec.n_outputs)[:, None], X.dtype)
