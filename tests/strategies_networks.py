"""Hypothesis strategies for networks, and problems: a network with parameters and examples.

Widths come from a short list, so that JAX compiles each operation for few shapes; numbers come
from a seed. Everything is drawn in float64; `Problem.rounded` gives the float32 twin.
"""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from chainrule.engines.base import Examples, Penalties
from chainrule.network.activation import activation_of
from chainrule.network.function_names import examples
from chainrule.network.layers import Dense
from chainrule.network.registry.activations import ACTIVATIONS as ACTIVATION_ROWS
from chainrule.network.registry.costs import COSTS as COST_ROWS
from chainrule.network.registry.initializers import INITIALIZERS
from chainrule.network.registry.values import ANY
from chainrule.network.spec import NetworkSpec

ACTIVATION_NAMES = tuple(ACTIVATION_ROWS)
ACTIVATIONS = (*ACTIVATION_NAMES, *examples(ACTIVATION_ROWS))
COSTS = (*COST_ROWS, *examples(COST_ROWS))


def _outputs_of(cost):
    """Return the output activations that a cost is tried with: those that have its range."""
    row = COST_ROWS[cost.partition("(")[0]]
    if cost == "mse":
        return ACTIVATIONS
    return ("identity", "sigmoid") if row.outputs is ANY else row.output_activations


OUTPUT_PAIRS = tuple((activation, cost) for cost in COSTS for activation in _outputs_of(cost))
"""(output activation, cost): every cost, and every activation that fits the squared error."""

FUSED_PAIRS = tuple(
    (activation, cost) for cost in COSTS for activation in COST_ROWS[cost.partition("(")[0]].fused
)

_WIDTHS = (1, 2, 5)
_EXAMPLES = (1, 4)


class Problem(NamedTuple):
    """A network at some parameters, examples (rows), and what is minimised."""

    spec: NetworkSpec
    theta: np.ndarray
    X: np.ndarray
    Y: np.ndarray
    weights: np.ndarray | None
    penalties: Penalties

    @property
    def parameters(self):
        return self.theta

    @property
    def examples(self):
        return Examples(self.X, self.Y, self.weights)

    def rounded(self, dtype):
        """Return the same problem with every number rounded to `dtype`."""
        weights = None if self.weights is None else self.weights.astype(dtype)
        return Problem(
            replace(self.spec, dtype=dtype),
            self.theta.astype(dtype),
            self.X.astype(dtype),
            self.Y.astype(dtype),
            weights,
            self.penalties,
        )

    def unfused(self):
        """Return the same problem, taking the long way at the output."""
        return self._replace(spec=replace(self.spec, fused=False))


def targets_for(spec, m, random):
    """Draw targets in rows that the cost is defined for; an example's need not sum to 1."""
    shape = (m, spec.n_outputs)
    return random.standard_normal(shape) if for_values(spec.cost) else random.uniform(0, 1, shape)


def for_values(cost):
    """Whether a cost, as text, is for any targets."""
    return COST_ROWS[cost.partition("(")[0]].targets is ANY


def least_outputs(activation, cost):
    """Return how many outputs a network needs at least for its gradient not to be 0 always."""
    needs_two = COST_ROWS[cost.partition("(")[0]].of_one_output
    return 2 if needs_two or (activation == "softmax" and not for_values(cost)) else 1


def problem_of(spec, m=4, seed=0, weighted=False, penalties=None):
    """Make a problem of a network: parameters that keep Z of order 1, examples of order 1."""
    random = np.random.default_rng(seed)
    X = random.standard_normal((m, spec.n_features))
    parts, A = [], X
    for layer in spec.layers:
        n_in = A.shape[1]
        W = random.standard_normal((layer.units, n_in)) / np.sqrt(n_in)
        W /= max(1.0, np.sqrt(np.mean(A**2)))
        b = random.standard_normal(layer.units) / 2
        parts += [W.ravel(), b]
        A = activation_of(layer.activation).function((A @ W.T + b).T).T
    Y = targets_for(spec, m, random)
    weights = random.uniform(0.5, 2, m) if weighted else None
    if weighted and m > 1:
        weights[0] = 0.0
    return Problem(spec, np.concatenate(parts), X, Y, weights, penalties or Penalties())


@st.composite
def problems(draw, output=None, hidden=None, depths=(1, 6), penalties=True):
    """Draw a problem of 1 to 6 layers.

    `output` fixes (output activation, cost); `hidden` the activation of all hidden layers.
    """
    output_activation, cost = output or draw(st.sampled_from(OUTPUT_PAIRS))
    depth = draw(st.integers(*depths))
    widths = draw(st.lists(st.sampled_from(_WIDTHS), min_size=depth, max_size=depth))
    # The softmax of a single unit is 1, whatever Z.
    widths[-1] = max(least_outputs(output_activation, cost), widths[-1])
    hidden_activations = (
        [hidden] * (depth - 1)
        if hidden
        else draw(st.lists(st.sampled_from(ACTIVATIONS), min_size=depth - 1, max_size=depth - 1))
    )
    spec = NetworkSpec(
        draw(st.sampled_from(_WIDTHS)),
        tuple(map(Dense, widths, [*hidden_activations, output_activation])),
        cost,
        dtype="float64",
    )
    strengths = st.sampled_from((0.0, 0.1)) if penalties else st.just(0.0)
    return problem_of(
        spec,
        draw(st.sampled_from(_EXAMPLES)),
        draw(st.integers(0, 2**32 - 1)),
        draw(st.booleans()),
        Penalties(l1=draw(strengths), l2=draw(strengths)),
    )


def activation_texts():
    """Draw an activation as a user may write it, parameters of any finite value included."""
    numbers = st.floats(allow_nan=False, allow_infinity=False)
    with_parameters = [
        numbers.map(partial(" {} ( {} = {!r} ) ".format, name, key))
        for name, row in ACTIVATION_ROWS.items()
        for key in row.parameters
    ]
    return st.one_of(st.sampled_from(ACTIVATION_NAMES), *with_parameters)


@st.composite
def specs(draw):
    """Draw any specification that can be built."""
    output_activation, cost = draw(st.sampled_from(OUTPUT_PAIRS))
    depth = draw(st.integers(1, 6))
    units = [draw(st.integers(1, 5000)) for _ in range(depth)]
    units[-1] = max(least_outputs(output_activation, cost), units[-1])
    inits = st.sampled_from((None, "auto", *INITIALIZERS))
    layers = [Dense(n, draw(activation_texts()), draw(inits)) for n in units[:-1]]
    return NetworkSpec(
        draw(st.integers(1, 10**6)),
        (*layers, Dense(units[-1], output_activation, draw(inits))),
        cost,
        draw(st.sampled_from(("auto", *INITIALIZERS))),
        draw(st.sampled_from(("float32", "float64"))),
        draw(st.booleans()),
    )
