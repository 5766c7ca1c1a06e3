"""One pass forward and one back through the layers, as the equations do, in columns.

Generic over the array library; the reference engine and the trace run the same lines.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from chainrule.equations._array import Array
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


def as_columns(rows: Array) -> Array:
    """Turn rows (m, n) into columns (n, m): a transposed view of the same memory, no copy.

    The one place where what users hand in (an example a row) meets the equations (an example a
    column); the same view turns columns back into rows.
    """
    return rows.T


def cost_equations(spec: NetworkSpec) -> BoundCost:
    """Return C(A, Y) and ∇ₐC of a network in columns; a user's own cost speaks rows."""
    if not isinstance(spec.cost, CustomCost):
        return cost_of(spec.cost).equations
    own = spec.cost
    return BoundCost(
        lambda A, Y: own.cost(as_columns(A), as_columns(Y)),
        lambda A, Y: as_columns(own.gradient(as_columns(A), as_columns(Y))),
        None,
    )


class BackwardPass(NamedTuple):
    """What came down: δ[l] at index l−1, and the gradient of each layer's blocks that have one."""

    deltas: list[Array]
    gradients: list[tuple[Array, ...]]


def forward_pass(
    spec: NetworkSpec,
    theta: Sequence[Sequence[Array]],
    X: Array,
    step: TrainingStep | None = None,
) -> list[LayerPass]:
    """Return Z[l] and A[l] of every layer (F1, F2); X is (n[0], m).

    With `step` it is the pass of a training step: dropout drops, batches have statistics.
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
    """Return C of each example, (m,): from Z for a fused pair, else from A."""
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
    output = passes[-1]
    if spec.fused_pair is not None:
        delta = spec.fused_pair.error(output.A, Y)
    else:
        grad_A = cost_equations(spec).gradient(output.A, Y)
        delta = spec.layers[-1].through_activation(output)(grad_A)
    if weights is not None:
        delta = weighted_error(delta, weights)

    deltas = [delta]
    gradients: list[tuple[Any, ...]] = []
    for index in reversed(range(len(spec.layers))):
        layer, layer_pass = spec.layers[index], passes[index]
        A_prev = passes[index - 1].A if index else X
        gradients.append(layer.gradients(layer_pass, delta, A_prev))
        if index:
            through = spec.layers[index - 1].through_activation(passes[index - 1])
            delta = layer.error_below(theta[index], layer_pass, delta, through)
            deltas.append(delta)
    return BackwardPass(deltas[::-1], gradients[::-1])


def new_statistics(
    spec: NetworkSpec, theta: Sequence[Sequence[Array]], passes: Sequence[LayerPass]
) -> list[tuple[slice, Array]]:
    """Return what a training step makes of the blocks that no gradient moves, and their places."""
    values = [
        value
        for layer, layer_theta, layer_pass in zip(spec.layers, theta, passes, strict=True)
        for value in layer.statistics(layer_theta, layer_pass)
    ]
    places = [p.slice for p in placed_blocks(spec) if p.block.group == "statistics"]
    return list(zip(places, values, strict=True))


def mean_cost(C: Array, weights: Array | None) -> Array:
    """J of a batch; 0 where every example has weight 0."""
    if weights is not None and not float(weights.sum()) > 0:
        return C.sum() * 0
    return batch_cost(C, weights)


def penalty(spec: NetworkSpec, theta: Sequence[Sequence[Array]], l1: float, l2: float) -> float:
    """Return the sum of the penalties P1 and P2 over all blocks of weights."""
    total = 0.0
    if not (l1 or l2):
        return total
    for blocks, arrays in zip(spec.blocks(), theta, strict=True):
        for block, array in zip(blocks, arrays, strict=True):
            if block.group == "weights":
                total += float(l2_penalty(array, l2)) if l2 else 0.0
                total += float(l1_penalty(array, l1)) if l1 else 0.0
    return total


def with_penalties(
    spec: NetworkSpec,
    theta: Sequence[Sequence[Array]],
    gradients: Sequence[tuple[Array, ...]],
    l1: float,
    l2: float,
) -> list[tuple[Array, ...]]:
    """Return the gradients with those of P1 and P2 added to the blocks of weights."""
    if not (l1 or l2):
        return list(gradients)
    result = []
    for blocks, arrays, layer_gradients in zip(spec.blocks(), theta, gradients, strict=True):
        layer = []
        # Blocks without a gradient are a layer's last ones.
        for block, array, gradient in zip(blocks, arrays, layer_gradients, strict=False):
            if block.group == "weights" and l2:
                gradient = gradient + l2_penalty_gradient(array, l2)
            if block.group == "weights" and l1:
                gradient = gradient + l1_penalty_gradient(array, l1)
            layer.append(gradient)
        result.append(tuple(layer))
    return result
