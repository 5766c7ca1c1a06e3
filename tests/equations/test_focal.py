"""C8, C9, FU4 and FU5: hand-worked values, γ = 0, the chain rule, and saturated outputs."""

import math

import numpy as np
import pytest
from hypothesis import given

from chainrule.equations import costs, focal
from chainrule.equations import fused_pairs as fused
from chainrule.equations.activations.sigmoid import sigmoid, sigmoid_derivative
from chainrule.equations.activations.softmax import softmax
from chainrule.equations.backpropagation import output_error, softmax_error
from tests.numerics import as_float64, assert_within, epsilon
from tests.strategies import n_by_m_logits_and_targets

GAMMAS = pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])


def test_c8_binary_focal_of_a_worked_example(array, dtype):
    A, Y = array([[0.75, 0.75]]), array([[1.0, 0.0]])
    # Right: 0.25² · −log 0.75. Wrong: 0.75² · −log 0.25.
    expected = [-0.0625 * math.log(0.75), -0.5625 * math.log(0.25)]
    assert_within(focal.binary_focal(A, Y, 2.0), expected, 16 * epsilon(dtype))
    # f′(p) = 2 (1 − p) log p − (1 − p)²/p
    slopes = [
        0.5 * math.log(0.75) - 0.0625 / 0.75,
        -(1.5 * math.log(0.25) - 0.5625 / 0.25),
    ]
    assert_within(focal.binary_focal_gradient(A, Y, 2.0), [slopes], 32 * epsilon(dtype))


def test_c9_focal_of_a_worked_example(array, dtype):
    A, Y = array([[0.75, 0.5], [0.25, 0.5]]), array([[1.0, 0.5], [0.0, 0.5]])
    expected = [-0.25 * math.log(0.75), 0.5 * math.log(2)]
    assert_within(focal.focal(A, Y, 1.0), expected, 16 * epsilon(dtype))


@given(drawn=n_by_m_logits_and_targets())
def test_c8_and_c9_with_gamma_zero_are_the_cross_entropies(array, dtype, drawn):
    Z, Y = map(array, drawn)
    A = sigmoid(Z)
    np.testing.assert_array_equal(
        as_float64(focal.focal(A, Y, 0.0)), as_float64(costs.cross_entropy(A, Y))
    )
    eps = epsilon(dtype)
    expected = as_float64(costs.binary_cross_entropy(A, Y))
    # 1 − (1 − a) rounds a once more: ε/a in its logarithm's argument.
    bound = (12 + A.shape[0]) * eps * (1 + expected) + eps * (1 / as_float64(A)).sum(axis=0)
    assert_within(focal.binary_focal(A, Y, 0.0), expected, bound)


def test_c8_easy_examples_count_for_less_than_hard_ones(array64):
    # With γ = 2 an example costs a hundredth of its cross-entropy at p = 0.9, four fifths at 0.1.
    A, Y = array64([[0.9, 0.1]]), array64([[1.0, 1.0]])
    share = as_float64(focal.binary_focal(A, Y)) / as_float64(costs.binary_cross_entropy(A, Y))
    assert_within(share, [0.01, 0.81], 1e-14)


def _slack(a, gamma, eps):
    """Bound the error of ∇ₐC: 24 operations and powers of a rounded 1 − a."""
    r = 1 - a
    parts = gamma * r ** (gamma - 1) * np.abs(np.log(a)) + r**gamma / a
    second = gamma * abs(gamma - 1) * r ** (gamma - 2) * np.abs(np.log(a))
    second = second + 2 * gamma * r ** (gamma - 1) / a + r**gamma / a**2
    return eps * (24 * parts * (1 + gamma * np.abs(np.log(r))) + 2 * second)


@GAMMAS
@given(drawn=n_by_m_logits_and_targets())
def test_fu4_softmax_focal_error_equals_the_chain_rule(array, dtype, gamma, drawn):
    Z, Y = drawn
    if len(Z) == 1:  # whose softmax is 1 exactly: both errors are 0
        Z, Y = np.concatenate([Z, -Z]), np.concatenate([Y, Y])
    A, Y = softmax(array(Z)), array(Y)
    unfused = softmax_error(focal.focal_gradient(A, Y, gamma), A)
    a, y = as_float64(A), as_float64(Y)
    part = a * y * _slack(np.minimum(a, 1 - epsilon(dtype)), gamma, epsilon(dtype))
    bound = (a.shape[0] + 4) * (part + a * part.sum(axis=0))
    assert_within(focal.softmax_focal_error(A, Y, gamma), as_float64(unfused), bound)


@GAMMAS
@given(drawn=n_by_m_logits_and_targets())
def test_fu5_sigmoid_binary_focal_error_equals_the_chain_rule(array, dtype, gamma, drawn):
    Z, Y = map(array, drawn)
    A = sigmoid(Z)
    unfused = output_error(focal.binary_focal_gradient(A, Y, gamma), Z, sigmoid_derivative)
    a, y = as_float64(A), as_float64(Y)
    eps = epsilon(dtype)
    slack = y * _slack(a, gamma, eps) + (1 - y) * _slack(1 - a, gamma, eps)
    # σ′ from the two sigmoids and a (1 − a) from the rounded one differ by ε/(1 − a).
    bound = 4 * a * (1 - a) * slack * (1 + 1 / (1 - a))
    assert_within(focal.sigmoid_binary_focal_error(A, Y, gamma), as_float64(unfused), bound)


@GAMMAS
@given(drawn=n_by_m_logits_and_targets())
def test_fu4_cost_from_Z_equals_c9_from_A(array, dtype, gamma, drawn):
    Z, Y = map(array, drawn)
    A = softmax(Z)
    a, y = as_float64(A), as_float64(Y)
    # As FU1's, times a weight of at most 1, the same in both.
    operations = 2 * (20 + a.shape[0] + 8)
    bound = operations * epsilon(dtype) * (y * (1 + np.abs(np.log(a)))).sum(axis=0)
    assert_within(focal.softmax_focal(Z, Y, gamma), as_float64(focal.focal(A, Y, gamma)), bound)


@GAMMAS
@given(drawn=n_by_m_logits_and_targets())
def test_fu5_cost_from_Z_equals_c8_from_A(array, dtype, gamma, drawn):
    Z, Y = map(array, drawn)
    A = sigmoid(Z)
    a, y = as_float64(A), as_float64(Y)
    # As FU2's; both weights are powers of probabilities, one of them of a rounded 1 − a.
    terms = y * (1 + np.abs(np.log(a))) + (1 - y) * (1 + np.abs(np.log1p(-a)) + a / (1 - a))
    terms = terms * (1 + gamma / (1 - a))
    bound = (16 + a.shape[0]) * epsilon(dtype) * terms.sum(axis=0)
    expected = as_float64(focal.binary_focal(A, Y, gamma))
    assert_within(focal.sigmoid_binary_focal(Z, Y, gamma), expected, bound)


@given(drawn=n_by_m_logits_and_targets())
def test_fu4_and_fu5_with_gamma_zero_are_fu1_and_fu2(array, dtype, drawn):
    Z, Y = map(array, drawn)
    eps = epsilon(dtype)
    n = Z.shape[0]
    for mine, theirs, A in (
        (focal.softmax_focal_error, fused.softmax_cross_entropy_error, softmax(Z)),
        (
            focal.sigmoid_binary_focal_error,
            fused.sigmoid_binary_cross_entropy_error,
            sigmoid(Z),
        ),
    ):
        expected = as_float64(theirs(A, Y))
        assert_within(mine(A, Y, 0.0), expected, (n + 8) * eps * (1 + n))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
@pytest.mark.parametrize("z", [-1e4, 1e4])
def test_fu4_and_fu5_are_finite_and_right_at_ten_thousand(array, gamma, y, z):
    wrong = (z > 0) != (y > 0)
    Z, Y = array([[z]]), array([[y]])
    assert as_float64(focal.sigmoid_binary_focal(Z, Y, gamma))[0] == (1e4 if wrong else 0.0)
    delta = as_float64(focal.sigmoid_binary_focal_error(sigmoid(Z), Y, gamma))[0, 0]
    assert delta == (np.sign(z) if wrong else 0.0)
    Z, Y = array([[z], [-z]]), array([[y], [1 - y]])
    assert as_float64(focal.softmax_focal(Z, Y, gamma))[0] == (2e4 if wrong else 0.0)
    delta = as_float64(focal.softmax_focal_error(softmax(Z), Y, gamma))[:, 0]
    np.testing.assert_array_equal(delta, [np.sign(z), -np.sign(z)] if wrong else [0.0, 0.0])
