"""The costs with their gradients, and J1 and J2, which combine examples."""

import math

import jax
import numpy as np
import pytest
from hypothesis import given

from chainrule.equations import costs
from chainrule.equations.backpropagation import bias_gradient, weight_gradient
from chainrule.network.cost import cost_of
from chainrule.network.registry.costs import COSTS
from chainrule.network.registry.values import BETWEEN_0_AND_1
from tests.equations.cost_oracles import CASES, ORACLES
from tests.numerics import as_float64, assert_within, epsilon
from tests.strategies import n_by_m_logits_and_targets

# Of one example.
AUTOMATIC = {
    str(case): jax.jit(
        jax.vmap(
            jax.value_and_grad(lambda a, y, cost=case.cost: cost(a, y).sum()),
            in_axes=1,
            out_axes=(0, 1),
        )
    )
    for case in CASES
}
every_cost = pytest.mark.parametrize("case", CASES, ids=str)
entropies = pytest.mark.parametrize(
    "case", [case for case in CASES if COSTS[case.name].outputs is BETWEEN_0_AND_1], ids=str
)


def equations(case):
    """Return C and ∇ₐC with the parameters filled in."""
    return cost_of(case.text).equations


def test_c1_mean_squared_error_of_a_worked_example(array, dtype):
    A, Y = array([[0.8, 1.0], [0.4, 3.0]]), array([[1.0, 1.0], [0.0, 1.0]])
    # ½(0.2² + 0.4²) and ½(0² + 2²)
    assert_within(costs.mean_squared_error(A, Y), [0.1, 2.0], 8 * epsilon(dtype))
    assert_within(
        costs.mean_squared_error_gradient(A, Y), [[-0.2, 0.0], [0.4, 2.0]], epsilon(dtype)
    )


def test_c2_binary_cross_entropy_of_a_worked_example(array, dtype):
    A, Y = array([[0.8, 0.5], [0.4, 0.5]]), array([[1.0, 0.5], [0.0, 0.0]])
    # The minus sign makes it positive: −log 0.8 − log 0.6, and log 2 + log 2.
    expected = [-math.log(0.8) - math.log(0.6), 2 * math.log(2)]
    assert_within(costs.binary_cross_entropy(A, Y), expected, 16 * epsilon(dtype))
    assert_within(
        costs.binary_cross_entropy_gradient(A, Y),
        [[-1.25, 0.0], [1 / 0.6, 2.0]],
        8 * epsilon(dtype),
    )


def test_c3_cross_entropy_of_a_worked_example(array, dtype):
    A, Y = array([[0.8, 0.25], [0.2, 0.75]]), array([[1.0, 0.5], [0.0, 0.5]])
    expected = [-math.log(0.8), 0.5 * math.log(4) + 0.5 * math.log(4 / 3)]
    assert_within(costs.cross_entropy(A, Y), expected, 16 * epsilon(dtype))
    assert_within(
        costs.cross_entropy_gradient(A, Y), [[-1.25, -2.0], [0.0, -2 / 3]], 8 * epsilon(dtype)
    )


@every_cost
@given(drawn=n_by_m_logits_and_targets())
def test_cost_and_gradient_equal_automatic_differentiation(array, dtype, case, drawn):
    Z, Y = drawn
    A, Y = array(1 / (1 + np.exp(-Z))), array(Y)
    a, y = as_float64(A), as_float64(Y)
    cost, gradient = AUTOMATIC[str(case)](a, y)
    # Each term errs by 4 units in the last place of a logarithm, as many of a power and 3
    # operations; 1 − a errs by ε/2, which counts 1/(1 − a) times as much in what is made of it.
    terms = 1 + np.abs(np.log(a)) + np.abs(np.log1p(-a)) + 1 / (1 - a)
    operations = 12 + a.shape[0]
    bound = operations * epsilon(dtype) * terms
    assert_within(equations(case).function(A, Y), cost, bound.sum(axis=0))
    bound = 8 * epsilon(dtype) * (1 / a + 1 / (1 - a) ** 2)
    assert_within(equations(case).gradient(A, Y), gradient, bound)


@every_cost
def test_cost_gradient_equals_central_differences(array64, case):
    a, y = np.array([0.1, 0.35, 0.6, 0.9]), np.array([0.0, 1.0, 0.25, 0.8])
    h = epsilon("float64") ** (1 / 3)
    cost = equations(case).function
    # One element at a time: each is a column of its own.
    above, below = (as_float64(cost(array64([a + s * h]), array64([y]))) for s in (1, -1))
    # |C‴| ≤ 2/min(a, 1 − a)³ = 2000, and 3000 for the focal costs with γ ≤ 3; C itself errs by 16 ε
    # of at most log 10 < 3. No y lies at a kink.
    bound = 3000 * h**2 / 6 + 16 * 3 * epsilon("float64") / h
    gradient = equations(case).gradient(array64([a]), array64([y]))
    assert_within(gradient, [(above - below) / (2 * h)], bound)


def test_every_cost_is_compared_with_automatic_differentiation():
    assert list(ORACLES) == list(COSTS)


def test_c1_gradient_is_zero_at_the_minimum(array):
    Y = array([[0.5, -3.0]])
    np.testing.assert_array_equal(as_float64(costs.mean_squared_error_gradient(Y, Y)), [[0.0, 0.0]])
    np.testing.assert_array_equal(as_float64(costs.mean_squared_error(Y, Y)), [0.0, 0.0])


def test_c2_gradient_is_zero_at_the_minimum(array, dtype):
    Y = array([[0.125, 0.5, 0.9]])
    # −1 + 1, each with a few roundings.
    assert_within(costs.binary_cross_entropy_gradient(Y, Y), [[0.0] * 3], 4 * epsilon(dtype))


def test_c3_gradient_is_the_same_for_every_unit_at_the_minimum(array):
    # On Σa = 1 the minimum is where no unit gains from another's share.
    Y = array([[0.125, 0.3], [0.875, 0.7]])
    np.testing.assert_array_equal(as_float64(costs.cross_entropy_gradient(Y, Y)), -np.ones((2, 2)))


@entropies
@pytest.mark.parametrize("y", [0.0, 1.0])
@pytest.mark.parametrize("a", [0.0, 1.0])
def test_cost_and_gradient_of_a_saturated_output_are_finite(array, case, a, y):
    A, Y = array([[a]]), array([[y]])
    assert np.all(np.isfinite(as_float64(equations(case).function(A, Y))))
    assert np.all(np.isfinite(as_float64(equations(case).gradient(A, Y))))


@entropies
def test_cost_of_a_saturated_correct_output_is_zero(array, case):
    A = array([[1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(as_float64(equations(case).function(A, A)), [0.0, 0.0])


@every_cost
def test_cost_of_nan_is_nan(array, case):
    C = as_float64(equations(case).function(array([[np.nan, 0.5]]), array([[1.0, 1.0]])))
    np.testing.assert_array_equal(np.isnan(C), [True, False])


def test_j1_batch_cost_is_the_mean_over_examples(array):
    assert as_float64(costs.batch_cost(array([1.0, 2.0, 6.0]))) == 3.0


def test_j1_weighted_cost_equals_that_of_repeated_examples(array, dtype):
    C, weights = array([1.0, 0.25, 7.0]), array([1.0, 3.0, 2.0])
    repeated = array([1.0, 0.25, 0.25, 0.25, 7.0, 7.0])
    expected = as_float64(costs.batch_cost(repeated))
    # Two sums of at most 6 terms and a quotient; all terms are positive.
    assert_within(costs.batch_cost(C, weights), expected, 14 * epsilon(dtype) * expected)


def test_j2_weighted_gradients_equal_those_of_repeated_examples(array, dtype):
    delta, A_prev = [[0.5, -1.0, 2.0]], [[1.0, 2.0, 3.0], [-1.0, 0.5, 0.1]]
    times = [1, 3, 2]
    weighted = costs.weighted_error(array(delta), array(times))
    repeated = array(np.repeat(delta, times, axis=1))
    A_repeated = array(np.repeat(A_prev, times, axis=1))
    # Sums of 6 terms of at most 6, with J2's three roundings each.
    bound = (6 + 4) * epsilon(dtype) * 6
    assert_within(
        weight_gradient(weighted, array(A_prev)),
        as_float64(weight_gradient(repeated, A_repeated)),
        bound,
    )
    assert_within(bias_gradient(weighted), as_float64(bias_gradient(repeated)), bound)


def test_j2_equal_weights_change_nothing(array):
    delta = array([[0.5, -1.0, 2.0, 8.0]])
    weighted = costs.weighted_error(delta, array([0.25] * 4))
    np.testing.assert_array_equal(as_float64(weighted), as_float64(delta))
