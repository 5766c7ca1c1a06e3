"""The forward pass and the loss of every engine, at sizes around its blocks of rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.engines.base import Examples, Problem
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from tests import oracles_networks as oracle
from tests.engine_names import ULPS
from tests.error_bounds import error_bounds
from tests.numerics import assert_within, epsilon
from tests.strategies_networks import OUTPUT_PAIRS, problem_of, problems

SPEC = NetworkSpec(3, (Dense(5, "gelu"), Dense(2, "softmax")), "cross_entropy")


@settings(max_examples=60)
@given(problem=problems(penalties=False), dtype=st.sampled_from(("float32", "float64")))
def test_outputs_are_those_of_jax(engine, problem, dtype):
    problem = problem.rounded(dtype)
    out = np.full(problem.Y.shape, np.nan, dtype)
    engine.forward(problem.spec, problem.theta, problem.X, out)
    _, expected = oracle.forward(problem.spec, problem.theta, problem.X)[-1]
    bounds = error_bounds(problem, ULPS[engine.name]).outputs
    bounds = bounds + error_bounds(problem.rounded("float64"), 4).outputs
    assert_within(out, expected, bounds)


@pytest.mark.parametrize("m", [1, 2, 63, 64, 65, 4095, 4096, 4097, 8193])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_row_gets_its_own_output_whatever_their_number(engine, m, dtype):
    few = problem_of(SPEC, m=7).rounded(dtype)
    rows = np.arange(m) % 7
    out = np.full((m, 2), np.nan, dtype)
    engine.forward(few.spec, few.theta, few.X[rows], out)
    _, expected = oracle.forward(few.spec, few.theta, few.X)[-1]
    bounds = 2 * error_bounds(few, ULPS[engine.name]).outputs
    assert_within(out, expected[rows], bounds[rows])


@pytest.mark.parametrize("m", [1, 2, 65, 4096, 4097])
@pytest.mark.parametrize("weighted", [False, True])
def test_loss_is_the_mean_over_all_rows_whatever_their_number(engine, m, weighted):
    problem = problem_of(SPEC, m=m, weighted=weighted).rounded("float32")
    loss = engine.loss(problem)
    bounds = error_bounds(problem, ULPS[engine.name])
    assert_within(loss, oracle.loss(problem), 2 * bounds.loss)


def test_forward_writes_its_output_and_nothing_else(engine):
    problem = problem_of(SPEC, m=9).rounded("float32")
    for array in (problem.theta, problem.X):
        array.flags.writeable = False
    guarded = np.full((13, 2), 7.0, np.float32)
    engine.forward(problem.spec, problem.theta, problem.X, guarded[2:11])
    assert (guarded[[0, 1, 11, 12]] == 7.0).all()
    assert not (guarded[2:11] == 7.0).any()


def test_fused_loss_is_finite_however_far_the_outputs_are_saturated(engine):
    for activation, cost, units in (
        ("softmax", "cross_entropy", 2),
        ("sigmoid", "binary_cross_entropy", 1),
        ("softmax", "focal", 2),
        ("softmax", "focal(gamma=0.5)", 2),
        ("sigmoid", "binary_focal", 1),
        ("sigmoid", "binary_focal(gamma=0.5)", 1),
    ):
        spec = NetworkSpec(1, (Dense(units, activation),), cost)
        theta = np.zeros(2 * units, np.float32)
        theta[0] = 1000.0
        examples = Examples(np.array([[1.0], [-1.0]], np.float32), np.zeros((2, units), np.float32))
        examples.Y[0, -1] = examples.Y[1, 0] = 1.0
        wrong = 500.0 if units == 1 else 1000.0  # one of the two rows is right, for one unit
        loss = engine.loss(Problem(spec, theta, examples))
        assert_within(loss, wrong, 8 * epsilon("float32") * wrong)
        gradient = np.empty_like(theta)
        assert engine.loss_and_gradient(Problem(spec, theta, examples), gradient) == loss
        assert np.isfinite(gradient).all()


def test_counts_as_targets_of_a_saturated_output_cost_a_finite_gradient_without_a_warning(engine):
    # FU1 needs no ∇ₐC, whose −y/a would overflow here.
    spec = NetworkSpec(1, (Dense(2, "softmax"),), "cross_entropy")
    theta = np.array([500.0, -500.0, 0.0, 0.0], np.float32)
    examples = Examples(np.ones((1, 1), np.float32), np.array([[0.0, 5.0]], np.float32))
    gradient = np.empty_like(theta)
    loss = engine.loss_and_gradient(Problem(spec, theta, examples), gradient)
    assert loss == 5000.0
    np.testing.assert_array_equal(gradient, [5.0, -5.0, 5.0, -5.0])


@pytest.mark.parametrize("pair", OUTPUT_PAIRS, ids=" and ".join)
def test_a_nan_among_the_parameters_reaches_the_loss(engine, pair):
    activation, cost = pair
    problem = problem_of(NetworkSpec(3, (Dense(4, "relu"), Dense(2, activation)), cost))
    problem = problem.rounded("float32")
    problem.theta[0] = np.nan
    with np.errstate(invalid="ignore"):
        loss = engine.loss(Problem(problem.spec, problem.theta, problem.examples))
    assert np.isnan(loss)
