"""Every engine's loss and gradient against automatic differentiation and central differences."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chainrule.engines.base import Penalties, Problem
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from tests import oracles_networks as oracle
from tests.engine_names import ULPS
from tests.error_bounds import error_bounds
from tests.numerics import assert_within, epsilon
from tests.strategies_networks import ACTIVATIONS, FUSED_PAIRS, OUTPUT_PAIRS, problem_of, problems

DTYPES = ("float32", "float64")


def _assert_agrees_with_automatic_differentiation(engine, problem):
    bounds = error_bounds(problem, ULPS[engine.name])
    assume(bounds.clear_of_kinks)
    _assert_within_bounds_of_automatic_differentiation(engine, problem, bounds)


def _assert_within_bounds_of_automatic_differentiation(engine, problem, bounds):
    expected_loss, expected = oracle.loss_and_gradient(problem)
    gradient = np.full_like(problem.theta, np.nan)
    loss = engine.loss_and_gradient(problem, gradient)
    # The oracle computes in float64, with errors of the same kind.
    float64 = error_bounds(problem.rounded("float64"), 4)
    assert_within(loss, expected_loss, bounds.loss + float64.loss)
    assert_within(gradient, expected, bounds.gradient + float64.gradient)
    loss = engine.loss(problem)
    assert_within(loss, expected_loss, bounds.loss + float64.loss)


@pytest.mark.parametrize("output", OUTPUT_PAIRS, ids=" and ".join)
@settings(max_examples=6)
@given(data=st.data())
def test_gradient_of_every_output_and_cost_equals_automatic_differentiation(engine, output, data):
    problem = data.draw(problems(output=output))
    _assert_agrees_with_automatic_differentiation(
        engine, problem.rounded(data.draw(st.sampled_from(DTYPES)))
    )


@pytest.mark.parametrize("hidden", ACTIVATIONS)
@settings(max_examples=5)
@given(data=st.data())
def test_gradient_through_every_hidden_activation_equals_automatic_differentiation(
    engine, hidden, data
):
    problem = data.draw(problems(hidden=hidden, depths=(2, 4)))
    _assert_agrees_with_automatic_differentiation(
        engine, problem.rounded(data.draw(st.sampled_from(DTYPES)))
    )


@pytest.mark.parametrize("output", FUSED_PAIRS, ids=" and ".join)
@settings(max_examples=10)
@given(data=st.data())
def test_the_long_way_of_a_fused_pair_equals_automatic_differentiation(engine, output, data):
    problem = data.draw(problems(output=output)).unfused()
    _assert_agrees_with_automatic_differentiation(
        engine, problem.rounded(data.draw(st.sampled_from(DTYPES)))
    )


@pytest.mark.parametrize("output", FUSED_PAIRS, ids=" and ".join)
@settings(max_examples=15)
@given(data=st.data())
def test_fused_and_long_way_agree(engine, output, data):
    fused = data.draw(problems(output=output)).rounded(data.draw(st.sampled_from(DTYPES)))
    results, bounds = [], []
    for problem in (fused, fused.unfused()):
        bounds.append(error_bounds(problem, ULPS[engine.name]))
        gradient = np.empty_like(problem.theta)
        loss = engine.loss_and_gradient(problem, gradient)
        results.append((loss, gradient))
    assume(bounds[0].clear_of_kinks)
    assert_within(results[0][0], results[1][0], bounds[0].loss + bounds[1].loss)
    assert_within(results[0][1], results[1][1], bounds[0].gradient + bounds[1].gradient)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [3, 16, 30, 65])
def test_gradient_over_many_examples_equals_automatic_differentiation(engine, width, dtype):
    # Over so many examples, sums are made in parts, which go on from numbers in memory; widths that
    # fill no whole vectors are what could write over these.
    spec = NetworkSpec(
        width, (Dense(30, "tanh"), Dense(width, "tanh"), Dense(2, "softmax")), "cross_entropy"
    )
    problem = problem_of(spec, m=2300, weighted=True).rounded(dtype)
    bounds = error_bounds(problem, ULPS[engine.name])
    _assert_within_bounds_of_automatic_differentiation(engine, problem, bounds)


# A five-point difference errs by h⁴ J⁽⁵⁾/30, here about 1e−13 J⁽⁵⁾, and by 1.5 ε|J|/h times the
# operations behind J.
_STEP = 1e-3
_STENCIL = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))


@settings(max_examples=60)
@given(problem=problems(), seed=st.integers(0, 2**32 - 1), long_way=st.booleans())
def test_gradient_equals_central_differences_along_random_directions(
    engine, problem, seed, long_way
):
    if long_way:
        problem = problem.unfused()
    direction = np.random.default_rng(seed).standard_normal(problem.theta.shape)
    direction /= np.linalg.norm(direction)
    points = [problem.theta + k * _STEP * direction for k, _ in _STENCIL]
    sides = [oracle.sides_of_kinks(problem, point) for point in points]
    assume(all(np.array_equal(sides[0], other) for other in sides[1:]))

    losses = [
        engine.loss(Problem(problem.spec, point, problem.examples, problem.penalties))
        for point in points
    ]
    difference = sum(c * J for (_, c), J in zip(_STENCIL, losses, strict=True)) / _STEP
    gradient = np.empty_like(problem.theta)
    engine.loss_and_gradient(problem, gradient)
    rounding = 1.5 * error_bounds(problem, ULPS[engine.name]).loss / _STEP
    assert_within(gradient @ direction, difference, 1e-7 * np.linalg.norm(gradient) + rounding)


@settings(max_examples=20)
@given(problem=problems())
def test_loss_and_gradient_leave_everything_but_the_gradient_alone(engine, problem):
    for array in (problem.theta, problem.X, problem.Y, problem.weights):
        if array is not None:
            array.flags.writeable = False  # a write into what was handed in would now fail
    gradient = np.empty_like(problem.theta)
    engine.loss_and_gradient(problem, gradient)
    again = np.empty_like(gradient)
    engine.loss_and_gradient(problem, again)
    np.testing.assert_array_equal(gradient, again)


@settings(max_examples=20)
@given(problem=problems(penalties=False))
def test_weight_2_equals_the_example_twice(engine, problem):
    m = len(problem.X)
    weights = np.arange(1, m + 1) % 3 * 1.0
    weights[-1] = 2.0
    rows = np.repeat(np.arange(m), weights.astype(int))
    once = problem._replace(weights=weights)
    twice = problem._replace(X=problem.X[rows], Y=problem.Y[rows], weights=None)
    losses, gradients, bounds = [], [], []
    for variant in (once, twice):
        gradients.append(np.empty_like(problem.theta))
        losses.append(
            engine.loss_and_gradient(
                Problem(variant.spec, variant.theta, variant.examples, variant.penalties),
                gradients[-1],
            )
        )
        bounds.append(error_bounds(variant, ULPS[engine.name]))
    assume(bounds[0].clear_of_kinks)
    assert_within(losses[0], losses[1], bounds[0].loss + bounds[1].loss)
    assert_within(gradients[0], gradients[1], bounds[0].gradient + bounds[1].gradient)


@settings(max_examples=20)
@given(problem=problems())
def test_penalties_act_on_weights_and_not_on_biases(engine, problem):
    penalties = problem.penalties
    gradients = []
    for variant in (problem, problem._replace(penalties=Penalties())):
        gradients.append(np.empty_like(problem.theta))
        engine.loss_and_gradient(
            Problem(variant.spec, variant.theta, variant.examples, variant.penalties), gradients[-1]
        )
    with_them, without = (oracle.blocks(problem.spec, g) for g in gradients)
    theta = oracle.blocks(problem.spec, problem.theta)
    for (dW, db), (dW_cost, db_cost), (W, _) in zip(with_them, without, theta, strict=True):
        added = penalties.l2 * W + penalties.l1 * np.sign(W)
        size = np.abs(dW_cost) + penalties.l2 * np.abs(W) + penalties.l1
        assert_within(dW - dW_cost, added, 8 * epsilon("float64") * size)
        np.testing.assert_array_equal(db, db_cost)


def test_examples_without_weight_leave_only_the_penalty(engine):
    problem = _zero_weights()
    gradient = np.full_like(problem.theta, np.nan)
    loss = engine.loss_and_gradient(problem, gradient)
    assert loss == 0.0
    assert not gradient.any()


def test_loss_of_examples_without_weight_is_zero(engine):
    problem = _zero_weights()
    loss = engine.loss(problem)
    assert loss == 0.0


def _zero_weights():
    spec = NetworkSpec(3, (Dense(4, "tanh"), Dense(2, "softmax")), "cross_entropy")
    problem = problem_of(spec).rounded("float32")
    return problem._replace(weights=np.zeros(4, np.float32))
