"""P1, P2 and P3."""

import numpy as np
import pytest

from chainrule.equations import penalties
from chainrule.equations.costs import batch_cost
from tests.numerics import as_float64, assert_within, epsilon

W = [[3.0, -4.0], [0.0, 1.0]]


def test_p1_l2_penalty_of_a_worked_example(array, dtype):
    # 0.1/2 · (9 + 16 + 0 + 1)
    assert_within(penalties.l2_penalty(array(W), 0.1), 1.3, 4 * epsilon(dtype))


def test_p1_l2_gradient_of_a_worked_example(array):
    gradient = penalties.l2_penalty_gradient(array(W), 0.5)
    np.testing.assert_array_equal(as_float64(gradient), [[1.5, -2.0], [0.0, 0.5]])


def test_p2_l1_penalty_of_a_worked_example(array, dtype):
    assert_within(penalties.l1_penalty(array(W), 0.1), 0.8, 2 * epsilon(dtype))


def test_p2_l1_gradient_is_the_sign_and_zero_at_zero(array):
    gradient = penalties.l1_penalty_gradient(array(W), 0.5)
    np.testing.assert_array_equal(as_float64(gradient), [[0.5, -0.5], [0.0, 0.5]])


@pytest.mark.parametrize(
    ("penalty", "gradient"),
    [
        (penalties.l2_penalty, penalties.l2_penalty_gradient),
        (penalties.l1_penalty, penalties.l1_penalty_gradient),
    ],
    ids=["P1", "P2"],
)
def test_penalty_gradient_equals_central_differences(array64, penalty, gradient):
    w = np.array([3.0, -4.0, 0.5])
    h = epsilon("float64") ** (1 / 3)
    rows = np.eye(3) * h
    above = [float(penalty(array64(w + row), 0.1)) for row in rows]
    below = [float(penalty(array64(w - row), 0.1)) for row in rows]
    # No third derivative; the values, about 1, err by 8 roundings.
    bound = 2 * 8 * epsilon("float64") / h
    assert_within(gradient(array64(w), 0.1), (np.array(above) - below) / (2 * h), bound)


@pytest.mark.parametrize("penalty", [penalties.l2_penalty, penalties.l1_penalty], ids=["P1", "P2"])
def test_penalty_of_zero_strength_is_zero(array, penalty):
    assert as_float64(penalty(array(W), 0.0)) == 0.0


def test_p3_shared_strength_penalises_the_sum_of_the_costs(array, dtype):
    # (1 · 2 + 3 · 6 + 0.1 · 26/2)/4: the weighted sum of two costs and the whole P1, over Σw.
    C, weights = array([2.0, 6.0]), array([1.0, 3.0])
    strength = penalties.shared_strength(0.1, 4.0)
    total = as_float64(batch_cost(C, weights)) + as_float64(
        penalties.l2_penalty(array(W), strength)
    )
    assert_within(array([total]), [(20.0 + 1.3) / 4], 32 * epsilon(dtype))
