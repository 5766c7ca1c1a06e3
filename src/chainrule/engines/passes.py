"""Forward and backward passes through the layers by the equations, with one example per column.

The code works with any array library and never reads the value of an array element, so libraries
that trace operations (JAX) can run it. The reference engine and the trace share this code.
"""

from collections.abc import Sequence
from itertools import islice, zip_longest
from typing import Any, NamedTuple

from chainrule.engines.base import Examples, Penalties
from chainrule.equations._array import Array, namespace
from chainrule.equations.costs import batch_cost, weighted_error
from chainrule.equations.penalties import (
    l1_penalty,
    l1_penalty_gradient,
    l2_penalty,
    l2_penalty_gradient,
)
from chainrule.network.cost import BoundCost, CustomCost, cost_of
from chainrule.network.layers import LayerPass, TrainingStep
from chainrule.network.parameters import placed_blocks
from chainrule.network.spec import NetworkSpec

_NO_PENALTIES = Penalties()


def as_columns(rows: Array) -> Array:
    """Turn rows (m, n) into columns (n, m): a transposed view of the same memory, no copy.

    Only this function converts between the users' layout (one example per row) and the equations'
    layout (one example per column); it converts in both directions.
    """
    return rows.T


def cost_equations(spec: NetworkSpec) -> BoundCost:
    """Return C(A, Y) and ∇ₐC for columns; a `CustomCost`, which takes rows, is wrapped."""
    if not isinstance(spec.cost, CustomCost):
        return cost_of(spec.cost).equations
    own = spec.cost
    return BoundCost(
        lambda A, Y: own.costs(as_columns(A), as_columns(Y)),
        lambda A, Y: as_columns(own.gradients(as_columns(A), as_columns(Y))),
        None,
    )


class Batch(NamedTuple):
    """A batch of examples, one per column."""

    X: Array
    """(n[0], m)."""
    Y: Array
    """(n[L], m)."""
    weights: Array | None = None
    """(m,), non-negative; None: all 1."""


def columns(spec: NetworkSpec, examples: Examples) -> Batch:
    """Return examples, which have a row each, as a batch."""
    targets = as_columns(examples.targets(spec.n_outputs))
    return Batch(as_columns(examples.X), targets, examples.weights)


class BackwardPass(NamedTuple):
    """δ[l] at index l−1, and the gradients of each layer's blocks that have one."""

    deltas: list[Array]
    gradients: list[tuple[Array, ...]]


def forward_pass(
    spec: NetworkSpec,
    theta: Sequence[Sequence[Array]],
    X: Array,
    step: TrainingStep | None = None,
) -> list[LayerPass]:
    """Return Z[l] and A[l] of every layer (F1, F2); X is (n[0], m).

    With `step`, this is the forward pass of a training step: dropout is active, and batch
    normalisation uses the statistics of the batch.
    """
    passes = []
    A = X
    for l, (layer, layer_theta) in enumerate(  # noqa: E741 - the field's letter
        zip(spec.layers, theta, strict=True), start=1
    ):
        own = None if step is None else step._replace(layer=l)
        passes.append(layer.forward(layer_theta, A, own))
        A = passes[-1].A
    return passes


def example_costs(spec: NetworkSpec, output: LayerPass, Y: Array) -> Array:
    """Return C of each example, (m,), computed from Z for a fused pair, otherwise from A."""
    if spec.fused_pair is not None:
        return spec.fused_pair.cost(output.Z, Y)
    return cost_equations(spec).function(output.A, Y)


def backward_pass(
    spec: NetworkSpec,
    theta: Sequence[Sequence[Array]],
    X: Array,
    Y: Array,
    passes: Sequence[LayerPass],
    weights: Array | None = None,
) -> BackwardPass:
    """Return δ of every layer and the gradient of every block (BP1 to BP4 or FU1 to FU5)."""
    deltas = layer_errors(spec, theta, Y, passes, weights)
    gradients = [
        layer.gradients(layer_pass, delta, A_prev)
        for layer, layer_pass, delta, A_prev in zip(
            spec.layers, passes, deltas, [X, *(one.A for one in passes[:-1])], strict=True
        )
    ]
    return BackwardPass(deltas, gradients)


def layer_errors(
    spec: NetworkSpec,
    theta: Sequence[Sequence[Array]],
    Y: Array,
    passes: Sequence[LayerPass],
    weights: Array | None = None,
) -> list[Array]:
    """Return δ of every layer (BP1 and BP2 or FU1 to FU5)."""
    output = passes[-1]
    if spec.fused_pair is not None:
        delta = spec.fused_pair.error(output.A, Y)
    else:
        grad_A = cost_equations(spec).gradient(output.A, Y)
        delta = spec.layers[-1].through_activation(output)(grad_A)
    if weights is not None:
        delta = weighted_error(delta, weights)

    deltas = [delta]
    for index in reversed(range(1, len(spec.layers))):
        through = spec.layers[index - 1].through_activation(passes[index - 1])
        delta = spec.layers[index].error_below(theta[index], passes[index], delta, through)
        deltas.append(delta)
    return deltas[::-1]


def new_statistics(
    spec: NetworkSpec, theta: Sequence[Sequence[Array]], passes: Sequence[LayerPass]
) -> list[tuple[slice, Array]]:
    """Return the slices and new values of the blocks without a gradient, after a training step."""
    values = [
        value
        for layer, layer_theta, layer_pass in zip(spec.layers, theta, passes, strict=True)
        for value in layer.statistics(layer_theta, layer_pass)
    ]
    places = [place for place, _ in _statistics(spec, theta)]
    return list(zip(places, values, strict=True))


def mean_cost(C: Array, weights: Array | None) -> Array:
    """Return J of a batch; 0 if every example has weight 0."""
    if weights is None:
        return batch_cost(C)
    weights, some = _positive(weights)
    return batch_cost(C, weights) * namespace(C).asarray(some, dtype=C.dtype)


def penalty(
    spec: NetworkSpec,
    theta: Sequence[Sequence[Array]],
    penalties: Penalties,
    share: float | Array = 1.0,
) -> float | Array:
    """Return the sum of the penalties P1 and P2 over all blocks of weights.

    `share` is the batch's factor of both penalties (`Penalties.share`).
    """
    total: Any = 0.0
    for blocks, arrays in zip(spec.blocks(), theta, strict=True):
        for block, array in zip(blocks, arrays, strict=True):
            if block.penalised and penalties:
                xp = namespace(array)
                # The penalties of float32 blocks are added up in float64.
                if penalties.l2:
                    P = l2_penalty(array, penalties.l2 * share)
                    total = total + xp.asarray(P, dtype=xp.float64)
                if penalties.l1:
                    P = l1_penalty(array, penalties.l1 * share)
                    total = total + xp.asarray(P, dtype=xp.float64)
    return total


def with_penalties(
    spec: NetworkSpec,
    theta: Sequence[Sequence[Array]],
    gradients: Sequence[tuple[Array, ...]],
    penalties: Penalties,
    share: float | Array = 1.0,
) -> list[tuple[Array, ...]]:
    """Return the gradients, with the gradients of P1 and P2 added for the blocks of weights."""
    if not penalties:
        return list(gradients)
    result = []
    for blocks, arrays, layer_gradients in zip(spec.blocks(), theta, gradients, strict=True):
        layer = []
        # Blocks without a gradient come last in a layer.
        for block, array, gradient in zip(blocks, arrays, layer_gradients, strict=False):
            if block.penalised and penalties.l2:
                gradient = gradient + l2_penalty_gradient(array, penalties.l2 * share)
            if block.penalised and penalties.l1:
                gradient = gradient + l1_penalty_gradient(array, penalties.l1 * share)
            layer.append(gradient)
        result.append(tuple(layer))
    return result


class GradientPass(NamedTuple):
    """The results of a forward and a backward pass over a batch."""

    J: Array
    """J of the batch, without penalties."""
    gradients: list[tuple[Array, ...]]
    """Gradients of each layer's blocks that have one, including penalties."""
    statistics: list[tuple[slice, Array]]
    """For each block without a gradient: its slice of the flat vector, and its new values."""


def gradient_pass(
    spec: NetworkSpec,
    theta: Sequence[Sequence[Array]],
    batch: Batch,
    step: TrainingStep | None = None,
    penalties: Penalties = _NO_PENALTIES,
    share: float | Array = 1.0,
) -> GradientPass:
    """Return J of a batch, the gradient of J plus penalties, and new statistics.

    Examples of weight 0 have no effect. If all weights are 0, J is 0, the gradient is that of the
    penalties alone, and the statistics keep their values.
    """
    X, Y, weights = batch
    some = None
    if weights is not None:
        weights, some = _positive(weights)
        if step is not None:
            step = step._replace(weights=weights)
    passes = forward_pass(spec, theta, X, step)
    J = batch_cost(example_costs(spec, passes[-1], Y), weights)
    gradients = backward_pass(spec, theta, X, Y, passes, weights).gradients
    statistics = [] if step is None else new_statistics(spec, theta, passes)
    if some is not None:
        xp = namespace(X)
        J = J * xp.asarray(some, dtype=J.dtype)
        gradients = [
            tuple(xp.where(some, value, xp.zeros_like(value)) for value in layer)
            for layer in gradients
        ]
        old = [value for _, value in _statistics(spec, theta)]
        statistics = [
            (place, xp.where(some, new, before))
            for (place, new), before in zip(statistics, old, strict=False)
        ]
    gradients = with_penalties(spec, theta, gradients, penalties, share)
    return GradientPass(J, gradients, statistics)


def flat_gradient(spec: NetworkSpec, gradients: Sequence[tuple[Array, ...]], theta: Array) -> Array:
    """Return the gradients as one vector, in the order of the parameters; 0 for statistics.

    `theta` is the flat vector of the parameters.
    """
    xp = namespace(theta)
    parts = []
    places = placed_blocks(spec)
    for blocks, layer in zip(spec.blocks(), gradients, strict=True):
        # Blocks without a gradient come last in a layer.
        for placed, value in zip_longest(islice(places, len(blocks)), layer):
            own = theta[placed.slice]
            parts.append(xp.zeros_like(own) if value is None else xp.reshape(value, (-1,)))
    return xp.concat(parts)


def _positive(weights: Array) -> tuple[Array, Array]:
    """Return the weights, or all 1 if their sum is 0, and whether their sum is positive."""
    xp = namespace(weights)
    some = xp.sum(weights) > 0
    return xp.where(some, weights, xp.ones_like(weights)), some


def _statistics(spec: NetworkSpec, theta: Sequence[Sequence[Array]]) -> list[tuple[slice, Array]]:
    """Return the slices and arrays of the blocks without a gradient."""
    return [
        (placed.slice, array)
        for placed, array in zip(
            placed_blocks(spec), (array for layer in theta for array in layer), strict=True
        )
        if not placed.block.has_gradient
    ]
