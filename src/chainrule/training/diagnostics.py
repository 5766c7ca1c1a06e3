"""Diagnosis of a network in training, from a sample of its examples.

`diagnose` runs the reference equations forward and back on rows spread evenly over the examples. It
changes nothing and draws no random numbers, so the training's results do not depend on it.
`chainrule.training.checkups` decides when a training is diagnosed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples, Floats, Problem
from chainrule.engines.passes import (
    as_columns,
    cost_equations,
    forward_pass,
    layer_errors,
    mean_cost,
)
from chainrule.network.activation import Activation, activation_of
from chainrule.network.cost import CustomCost
from chainrule.network.layers import LayerPass, TrainingStep
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec
from chainrule.training.one_thread import OneThread

MOST_ROWS = 256
"""Rows of a sample: a unit that is inactive for all of this many examples is as good as dead."""

# Limit on the numbers in a sample's outputs, and in the targets that a baseline is computed from.
_MOST_NUMBERS = 2**20

# A layer counts as dead if more than half of its units are, and as saturated if nearly all of its
# values are.
_DEAD, _SATURATED = 0.5, 0.9

# Thresholds for the ratio of the root mean squares of δ[l] and the outputs' δ. With the common
# initialisers, a layer changes δ by a factor of less than 10.
_VANISHED, _EXPLODED = 1e-5, 1e4

# A gradient only counts as vanishing if it does so over at least this many layers. Over fewer, the
# cause is small weights, to which a penalty leads if there is nothing to learn.
_DEEP = 3

_CALM = (
    "Use a smaller learning_rate, max_grad_norm=1, init='auto', or BatchNorm between the layers, "
    "and bring the inputs (and values to predict) to mean 0 and standard deviation 1"
)


@dataclass(frozen=True)
class Diagnosis:
    """A problem that keeps a network from learning."""

    kind: str
    """unscaled_inputs, unscaled_targets, dead_units, saturated_units, vanishing_gradient,
    exploding_gradient or stuck_loss."""
    layer: int | None
    """l, counted from 1; None if the problem is the whole network's."""
    value: float
    """The evidence: a share of units or values, a ratio of errors δ, or a loss."""
    message: str
    """The problem and its remedy in a sentence or two."""
    epoch: int = 0
    """The epoch after which it was found; 0 before the first."""

    def __str__(self) -> str:
        return self.message


class Sample(NamedTuple):
    """The arrays of one forward and backward pass, with examples as columns."""

    passes: list[LayerPass]
    deltas: list[Floats]


def diagnose(problem: Problem) -> list[Diagnosis]:
    """Return the problems that a sample of the examples shows.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    list of Diagnosis
        Dead and saturated layers; if there are none, vanishing and exploding gradients, which the
        former may cause.
    """
    spec, sample = problem.spec, _sampled(problem)
    found = [*_dead(spec, sample.passes), *_saturated(spec, sample.passes)]
    return found or _gradients(sample.deltas)


def exploded(problem: Problem, seen: str) -> Diagnosis:
    """Return the diagnosis of an exploding gradient, for the layer with the largest error δ.

    `seen` is the evidence for the message, such as "the loss is not finite".
    """
    sizes = _sizes(_sampled(problem).deltas)
    l = int(np.argmax(sizes)) + 1  # noqa: E741 - the field's letter
    return Diagnosis(
        "exploding_gradient",
        l,
        float(sizes[l - 1]),
        f"layer {l}: {seen}, and the error is largest here. {_CALM}",
    )


def rows_of(examples: Examples, n_outputs: int) -> int:
    """Return the number of rows in a sample."""
    return max(1, min(len(examples.X), MOST_ROWS, _MOST_NUMBERS // n_outputs))


def baseline(spec: NetworkSpec, examples: Examples) -> float:
    """Return the mean cost of a constant output: the targets' mean or median, whichever is better.

    Infinity for a `CustomCost`, which need not be defined at these outputs.
    """
    if isinstance(spec.cost, CustomCost):
        return float("inf")
    some = spread(examples, max(1, min(len(examples.X), _MOST_NUMBERS // spec.n_outputs)))
    rows = some.targets(spec.n_outputs).astype(np.float64)
    weights = None if some.weights is None else some.weights.astype(np.float64)
    if weights is not None and not weights.sum() > 0:
        return float("inf")
    Y, cost = as_columns(rows), cost_equations(spec).function
    costs = []
    with np.errstate(all="ignore"):
        for constant in (np.average(rows, axis=0, weights=weights), np.median(rows, axis=0)):
            A = np.broadcast_to(constant[:, None], Y.shape)
            costs.append(float(mean_cost(cost(A, Y), weights)))
    return min((J for J in costs if np.isfinite(J)), default=float("inf"))


def stuck(loss: float, constant: float, epoch: int) -> Diagnosis:
    """Return the diagnosis of a loss that is no better than that of a constant prediction."""
    return Diagnosis(
        "stuck_loss",
        None,
        loss,
        f"the loss is stuck at {loss:.4g}, no better than the {constant:.4g} of a constant "
        "prediction: the network has learned nothing from X. Bring the inputs (and values to "
        "predict) to mean 0 and standard deviation 1, change the learning_rate by factors of 10, "
        "and check that the rows of X and Y correspond",
        epoch,
    )


def spread(examples: Examples, n: int) -> Examples:
    """Return n examples, spread evenly over all of them, since tables are often sorted."""
    if n == len(examples.X):
        return examples
    return examples.take(np.linspace(0, len(examples.X) - 1, n).astype(np.int64))


def _sampled(problem: Problem) -> Sample:
    """Run a sample forward and back as a training step would, dropout included."""
    spec, examples = problem.spec, problem.examples
    some = spread(examples, rows_of(examples, spec.n_outputs))
    weights = some.weights
    if weights is not None and not weights.sum() > 0:
        weights = None
    theta = [
        [block.view(OneThread) if block.shape[1] > 1 else block for block in blocks]
        for blocks in views(spec, problem.parameters)
    ]
    X, Y = as_columns(some.X), as_columns(some.targets(spec.n_outputs))
    with np.errstate(all="ignore"):
        passes = forward_pass(spec, theta, X, TrainingStep(0, weights=weights))
        deltas = layer_errors(spec, theta, Y, passes, weights)
    return Sample(passes, deltas)


def _hidden(
    spec: NetworkSpec, passes: Sequence[LayerPass]
) -> list[tuple[int, Activation, NDArray[np.floating]]]:
    """Return l, σ if A[l] = σ(Z[l]), and Z[l] of all layers but the output layer."""
    found = []
    for l, (layer, layer_pass) in enumerate(  # noqa: E741 - the field's letter
        zip(spec.layers[:-1], passes[:-1], strict=True), start=1
    ):
        sigma = activation_of(layer.plain_activation)
        assert isinstance(sigma, Activation)  # only the outputs have heads
        found.append((l, sigma, layer_pass.Z))
    return found


def _dead(spec: NetworkSpec, passes: Sequence[LayerPass]) -> list[Diagnosis]:
    """Return the layers in which most units are 0 for every example of the sample."""
    found = []
    for l, sigma, Z in _hidden(spec, passes):  # noqa: E741
        zero = sigma.row.zero_below
        share = float(np.mean(~(zero < Z).any(axis=1))) if zero > -np.inf else 0.0
        if share > _DEAD:
            found.append(
                Diagnosis(
                    "dead_units",
                    l,
                    share,
                    f"layer {l}: {share:.0%} of its '{sigma.name}' units are 0 for every example, "
                    "so they no longer have a gradient. Use a smaller learning_rate, bring the "
                    "inputs to mean 0 and standard deviation 1, or use 'leaky_relu' or 'silu'",
                )
            )
    return found


def _saturated(spec: NetworkSpec, passes: Sequence[LayerPass]) -> list[Diagnosis]:
    """Return the layers whose activation is saturated for nearly all values."""
    found = []
    for l, sigma, Z in _hidden(spec, passes):  # noqa: E741
        share = float(np.mean(np.abs(Z) > sigma.row.flat_beyond))
        if share > _SATURATED:
            found.append(
                Diagnosis(
                    "saturated_units",
                    l,
                    share,
                    f"layer {l}: {share:.0%} of the values of its '{sigma.name}' are saturated, so "
                    "hardly any gradient passes through. Bring the inputs to mean 0 and standard "
                    "deviation 1, use a smaller learning_rate or init='glorot_uniform', or put "
                    "BatchNorm before the activation",
                )
            )
    return found


def _sizes(deltas: Sequence[Floats]) -> NDArray[np.float64]:
    """Return the root mean square of each layer's δ."""
    with np.errstate(all="ignore"):
        return np.array([np.sqrt(np.mean(np.square(d, dtype=np.float64))) for d in deltas])


def _gradients(deltas: Sequence[Floats]) -> list[Diagnosis]:
    """Return where the errors δ vanish or explode most on their way from the outputs down."""
    sizes = _sizes(deltas)
    if len(sizes) < 2 or not 0 < sizes[-1] < np.inf:
        return []
    ratios = sizes[:-1] / sizes[-1]
    least, most = int(np.argmin(ratios)), int(np.argmax(ratios))
    found = []
    if ratios[least] < _VANISHED and len(ratios) - least >= _DEEP:
        found.append(
            Diagnosis(
                "vanishing_gradient",
                least + 1,
                float(ratios[least]),
                f"layer {least + 1}: the error here is {ratios[least]:.1e} times that at the "
                "outputs, so this layer and those below it learn next to nothing. Use fewer "
                "layers, 'relu' or 'silu' instead of 'sigmoid' and 'tanh', init='auto', or "
                "BatchNorm between the layers",
            )
        )
    if not ratios[most] < _EXPLODED:
        found.append(
            Diagnosis(
                "exploding_gradient",
                most + 1,
                float(ratios[most]),
                f"layer {most + 1}: the error here is {ratios[most]:.1e} times that at the "
                f"outputs, which makes its steps as much too large. {_CALM}",
            )
        )
    return found
