"""FU1 to FU3: equal to the chain rule they shorten, and finite where it is not."""

import numpy as np
import pytest
from hypothesis import given

from chainrule.equations import costs
from chainrule.equations import fused_pairs as fused
from chainrule.equations.activations.identity import identity_derivative
from chainrule.equations.activations.sigmoid import sigmoid, sigmoid_derivative
from chainrule.equations.activations.softmax import softmax
from chainrule.equations.backpropagation import output_error, softmax_error
from chainrule.network.registry.costs import COSTS
from tests.numerics import as_float64, assert_within, epsilon
from tests.strategies import n_by_m, n_by_m_logits_and_targets


@given(drawn=n_by_m_logits_and_targets())
def test_fu1_softmax_cross_entropy_error_equals_the_chain_rule(array, dtype, drawn):
    Z, Y = map(array, drawn)
    A = softmax(Z)
    unfused = softmax_error(costs.cross_entropy_gradient(A, Y), A)
    a, y = as_float64(A), as_float64(Y)
    # g a = −y to 2 roundings, its sum over n units to n more, then a product and a difference.
    bound = (a.shape[0] + 4) * epsilon(dtype) * (y + a * y.sum(axis=0))
    assert_within(fused.softmax_cross_entropy_error(A, Y), as_float64(unfused), bound)


def test_fu1_error_is_a_minus_y_when_targets_sum_to_one(array):
    A, Y = array([[0.25, 0.5], [0.75, 0.5]]), array([[0.0, 0.25], [1.0, 0.75]])
    delta = as_float64(fused.softmax_cross_entropy_error(A, Y))
    np.testing.assert_array_equal(delta, [[0.25, 0.25], [-0.25, -0.25]])


def test_fu1_error_of_targets_that_sum_to_two(array):
    A, Y = array([[0.25], [0.75]]), array([[1.0], [1.0]])
    delta = as_float64(fused.softmax_cross_entropy_error(A, Y))
    np.testing.assert_array_equal(delta, [[-0.5], [0.5]])


@given(drawn=n_by_m_logits_and_targets())
def test_fu2_sigmoid_binary_cross_entropy_error_equals_the_chain_rule(array, dtype, drawn):
    Z, Y = map(array, drawn)
    A = sigmoid(Z)
    unfused = output_error(costs.binary_cross_entropy_gradient(A, Y), Z, sigmoid_derivative)
    a, y = as_float64(A), as_float64(Y)
    # The long way divides by the rounded 1 − a, whose error counts 1/(1 − a) times. Sigmoids and
    # products: 16 roundings.
    bound = 16 * epsilon(dtype) * (y + (1 - y) * a * (1 + 1 / (1 - a)))
    assert_within(fused.sigmoid_binary_cross_entropy_error(A, Y), as_float64(unfused), bound)


@given(drawn=n_by_m(count=2))
def test_fu3_identity_mean_squared_error_error_equals_the_chain_rule(array, drawn):
    Z, Y = map(array, drawn)
    unfused = output_error(costs.mean_squared_error_gradient(Z, Y), Z, identity_derivative)
    np.testing.assert_array_equal(
        as_float64(fused.identity_mean_squared_error_error(Z, Y)), as_float64(unfused)
    )


@given(drawn=n_by_m_logits_and_targets())
def test_fu1_cost_from_Z_equals_c3_from_A(array, dtype, drawn):
    Z, Y = map(array, drawn)
    A = softmax(Z)
    a, y = as_float64(A), as_float64(Y)
    # log passes a relative error of a (softmax: 20 for its shift by up to 10, n and 8) on as an
    # absolute one.
    operations = 2 * (20 + a.shape[0] + 8)
    bound = operations * epsilon(dtype) * (y * (1 + np.abs(np.log(a)))).sum(axis=0)
    assert_within(fused.softmax_cross_entropy(Z, Y), as_float64(costs.cross_entropy(A, Y)), bound)


@given(drawn=n_by_m_logits_and_targets())
def test_fu2_cost_from_Z_equals_c2_from_A(array, dtype, drawn):
    Z, Y = map(array, drawn)
    A = sigmoid(Z)
    a, y = as_float64(A), as_float64(Y)
    # As for FU1, with 1 − a made of a rounded a: an error of ε a/(1 − a) in its logarithm.
    terms = y * (1 + np.abs(np.log(a))) + (1 - y) * (1 + np.abs(np.log1p(-a)) + a / (1 - a))
    bound = (16 + a.shape[0]) * epsilon(dtype) * terms.sum(axis=0)
    assert_within(
        fused.sigmoid_binary_cross_entropy(Z, Y),
        as_float64(costs.binary_cross_entropy(A, Y)),
        bound,
    )


@given(drawn=n_by_m(count=2))
def test_fu3_cost_from_Z_equals_c1_from_A(array, drawn):
    Z, Y = map(array, drawn)
    np.testing.assert_array_equal(
        as_float64(fused.identity_mean_squared_error(Z, Y)),
        as_float64(costs.mean_squared_error(Z, Y)),
    )


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (fused.softmax_cross_entropy, [2e4, 0.0]),
        (fused.sigmoid_binary_cross_entropy, [2e4, 0.0]),
        (fused.identity_mean_squared_error, [0.5e8 + 10001**2 / 2, 0.5e8 + 9999**2 / 2]),
    ],
    ids=["FU1", "FU2", "FU3"],
)
def test_cost_from_Z_is_finite_and_right_at_ten_thousand(array, dtype, cost, expected):
    # The first example is as wrong, the second as right, as an output can be.
    Z, Y = array([[1e4, -1e4], [-1e4, 1e4]]), array([[0.0, 0.0], [1.0, 1.0]])
    assert_within(cost(Z, Y), expected, 4 * epsilon(dtype) * np.array(expected))


def test_fu2_cost_of_a_confident_correct_output_keeps_relative_accuracy(array, dtype):
    C = fused.sigmoid_binary_cross_entropy(array([[60.0, -60.0]]), array([[1.0, 0.0]]))
    expected = np.exp(-60.0) * np.ones(2)
    assert_within(C, expected, 16 * epsilon(dtype) * expected)


def test_fu1_cost_shifts_each_column_by_its_own_maximum(array):
    column = np.array([0.0, 1.0, 3.0])
    Z = array(np.stack([column + 1e4, column - 1e4, column], axis=1))
    C = as_float64(fused.softmax_cross_entropy(Z, array(np.eye(3)[:, [1, 1, 1]])))
    assert C[0] == C[1] == C[2]


def test_every_cost_cancels_with_activations_of_its_range():
    for row in COSTS.values():
        assert set(row.fused) <= set(row.output_activations)
