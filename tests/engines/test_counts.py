"""A network of counts, exponential + C10 or the long way, on every engine."""

from dataclasses import replace

import numpy as np
import pytest

from chainrule.engines import engine_named
from chainrule.engines.base import Problem
from chainrule.errors import InvalidArgumentError
from chainrule.inspection.gradient_check import check_gradients
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from chainrule.training.examples import as_targets
from tests.strategies_networks import problem_of

SPEC = NetworkSpec(3, (Dense(5, "tanh"), Dense(2, "exponential")), "poisson", dtype="float64")


def problem(output="exponential", fused=True):
    spec = replace(SPEC, layers=(Dense(5, "tanh"), Dense(2, output)), fused=fused)
    made = problem_of(spec, 21, weighted=True)
    return made._replace(Y=np.random.default_rng(1).poisson(2.0, (21, 2)).astype(float))


@pytest.mark.parametrize("output", ["exponential", "softplus"])
@pytest.mark.parametrize("fused", [True, False])
def test_the_gradient_of_counts_equals_central_differences(engine, output, fused):
    made = problem(output, fused)
    assert check_gradients(Problem(made.spec, made.theta, made.examples), engine)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_engine_has_the_same_cost_and_gradient_of_counts(engine, dtype, fused):
    made = problem(fused=fused).rounded(dtype)
    gradients = np.empty_like(made.theta), np.empty_like(made.theta)
    losses = [
        e.loss_and_gradient(made, gradient)
        for e, gradient in zip((engine, engine_named("reference")), gradients, strict=True)
    ]
    # Sums of 21 terms of at most about 10, with a few roundings each.
    tolerance = 21 * 10 * 8 * float(np.finfo(dtype).eps)
    assert losses[0] == pytest.approx(losses[1], abs=tolerance)
    np.testing.assert_allclose(*gradients, rtol=0, atol=tolerance)


def test_counts_below_zero_are_refused():
    with pytest.raises(InvalidArgumentError, match=r"^Y: the cost poisson expects targets ≥ 0"):
        as_targets(SPEC, [[-1.0, 2.0]], 1)


def test_an_output_that_can_be_negative_is_refused_for_counts():
    with pytest.raises(InvalidArgumentError, match="poisson needs outputs above 0"):
        NetworkSpec(3, (Dense(1, "identity"),), "poisson")
