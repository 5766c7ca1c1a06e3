"""What can be wrong with a network in training, seen on a sample of its examples.

`diagnose` looks at one moment: a pass forward and back through the reference equations, on rows
spread evenly over the examples. It reads and draws nothing else, so no number of the training
depends on it. When a training looks is for `chainrule.training.checkups`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples, Floats, Problem
from chainrule.engines.passes import (
    as_columns,
    backward_pass,
    cost_equations,
    forward_pass,
    mean_cost,
)
from chainrule.network.activation import Activation, activation_of
from chainrule.network.cost import CustomCost
from chainrule.network.layers import LayerPass, TrainingStep
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec

MOST_ROWS = 256
"""Of a sample: a unit that none of so many examples moves is as good as dead."""

# Numbers of a sample's outputs, and of the targets that a baseline is made of.
_MOST_NUMBERS = 2**20

# More than half of a layer is dead; nearly all of it is flat.
_DEAD, _SATURATED = 0.5, 0.9

# δ[l] against the output's δ, by their root mean squares. A layer of the common initialisers
# changes it by less than 10, up or down.
_VANISHED, _EXPLODED = 1e-5, 1e4

# It fades through so many layers or more. Through fewer, small weights are the cause, as a penalty
# makes them where there is nothing to learn.
_DEEP = 3

_CALM = (
    "Use a smaller learning_rate, max_grad_norm=1, init='auto', or BatchNorm between the layers, "
    "and bring the inputs (and values to predict) to mean 0 and standard deviation 1"
)


@dataclass(frozen=True)
class Diagnosis:
    """Something that keeps a network from learning."""

    kind: str
    """dead_units, saturated_units, vanishing_gradient, exploding_gradient or stuck_loss."""
    layer: int | None
    """l, counted from 1; None where it is of the whole network."""
    value: float
    """The share of units or values, the ratio of errors δ, or the loss that it is seen by."""
    message: str
    """What is wrong and what helps, in a sentence or two."""
    epoch: int = 0
    """After which it was seen."""

    def __str__(self) -> str:
        return self.message


class Sample(NamedTuple):
    """The arrays of one pass forward and back, in columns."""

    passes: list[LayerPass]
    deltas: list[Floats]


def diagnose(problem: Problem) -> list[Diagnosis]:
    """Return what a sample of examples shows to be wrong with a network, causes first.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    list of Diagnosis
        Of dead and of saturated layers; else, of the gradient.
    """
    spec, sample = problem.spec, _sampled(problem)
    found = [*_dead(spec, sample.passes), *_saturated(spec, sample.passes)]
    return found or _gradients(sample.deltas)


def exploded(problem: Problem, seen: str) -> Diagnosis:
    """Return the diagnosis of steps that led away, of the layer whose error δ is largest.

    `seen` says by what: "the loss is not finite".
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
    """Return how many rows a sample has."""
    return max(1, min(len(examples.X), MOST_ROWS, _MOST_NUMBERS // n_outputs))


def baseline(spec: NetworkSpec, examples: Examples) -> float:
    """Return the mean cost of the best constant output that is easily told: the mean or median.

    Infinity where none is known: for a user's own cost, which need not be defined on it.
    """
    if isinstance(spec.cost, CustomCost):
        return float("inf")
    some = _spread(examples, max(1, min(len(examples.X), _MOST_NUMBERS // spec.n_outputs)))
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
    """Return the diagnosis of a loss that is no better than a constant prediction's."""
    return Diagnosis(
        "stuck_loss",
        None,
        loss,
        f"the loss has stopped at {loss:.4g}, and always predicting the same costs {constant:.4g}: "
        "the network has learned nothing from X. Bring the inputs (and values to predict) to mean "
        "0 and standard deviation 1, change the learning_rate by factors of 10, and look whether "
        "the rows of X and Y belong together",
        epoch,
    )


def _spread(examples: Examples, n: int) -> Examples:
    """Return n examples, spread evenly over all: tables are often sorted."""
    if n == len(examples.X):
        return examples
    return examples.take(np.linspace(0, len(examples.X) - 1, n).astype(np.int64))


def _sampled(problem: Problem) -> Sample:
    """Pass a sample forward and back as a training step would, with nothing dropped twice alike."""
    spec, examples = problem.spec, problem.examples
    some = _spread(examples, rows_of(examples, spec.n_outputs))
    weights = some.weights
    if weights is not None and not weights.sum() > 0:
        weights = None
    theta = views(spec, problem.parameters)
    X, Y = as_columns(some.X), as_columns(some.targets(spec.n_outputs))
    with np.errstate(all="ignore"):
        passes = forward_pass(spec, theta, X, TrainingStep(0, weights=weights))
        deltas = backward_pass(spec, theta, X, Y, passes, weights).deltas
    return Sample(passes, deltas)


def _hidden(
    spec: NetworkSpec, passes: Sequence[LayerPass]
) -> list[tuple[int, Activation, NDArray[np.floating]]]:
    """Return l, σ where A[l] = σ(Z[l]), and Z[l] of all layers but the last."""
    found = []
    for l, (layer, layer_pass) in enumerate(  # noqa: E741 - the field's letter
        zip(spec.layers[:-1], passes[:-1], strict=True), start=1
    ):
        sigma = activation_of(layer.plain_activation)
        assert isinstance(sigma, Activation)  # only the outputs have heads
        found.append((l, sigma, layer_pass.Z))
    return found


def _dead(spec: NetworkSpec, passes: Sequence[LayerPass]) -> list[Diagnosis]:
    """Return the layers most of whose units are 0 for every example of the sample."""
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
                    "so that no gradient reaches them any more. Use a smaller learning_rate, bring "
                    "the inputs to mean 0 and standard deviation 1, or take 'leaky_relu' or 'silu'",
                )
            )
    return found


def _saturated(spec: NetworkSpec, passes: Sequence[LayerPass]) -> list[Diagnosis]:
    """Return the layers that are flat at nearly all of their values."""
    found = []
    for l, sigma, Z in _hidden(spec, passes):  # noqa: E741
        share = float(np.mean(np.abs(Z) > sigma.row.flat_beyond))
        if share > _SATURATED:
            found.append(
                Diagnosis(
                    "saturated_units",
                    l,
                    share,
                    f"layer {l}: {share:.0%} of the values of its '{sigma.name}' lie where it is "
                    "flat, and hardly any gradient passes. Bring the inputs to mean 0 and standard "
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
    """Return whether the errors δ fade or grow on their way down, and where it is worst."""
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
                f"layer {least + 1}: of the error at the outputs, {ratios[least]:.1e} arrives: it "
                "learns next to nothing, nor does what lies below. Use fewer layers, 'relu' or "
                "'silu' in the place of 'sigmoid' and 'tanh', init='auto', or BatchNorm between "
                "the layers",
            )
        )
    if not ratios[most] < _EXPLODED:
        found.append(
            Diagnosis(
                "exploding_gradient",
                most + 1,
                float(ratios[most]),
                f"layer {most + 1}: the error at the outputs arrives {ratios[most]:.1e} times as "
                f"large, and steps are as wild. {_CALM}",
            )
        )
    return found
