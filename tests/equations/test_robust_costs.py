"""C4 to C7: hand-worked values, minima, and what each is far from the target and next to it."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given

from chainrule.equations import costs, robust_costs
from tests.numerics import as_float64, assert_within, epsilon
from tests.strategies import n_by_m


def test_c4_absolute_error_of_a_worked_example(array):
    A, Y = array([[1.5, 1.0], [0.25, 3.0]]), array([[1.0, 1.0], [0.5, 1.0]])
    np.testing.assert_array_equal(as_float64(robust_costs.absolute_error(A, Y)), [0.75, 2.0])
    np.testing.assert_array_equal(
        as_float64(robust_costs.absolute_error_gradient(A, Y)), [[1.0, 0.0], [-1.0, 1.0]]
    )


def test_c4_median_of_the_targets_is_the_minimum(array64):
    Y = array64([[0.0, 1.0, 10.0]])
    totals = [
        float(as_float64(robust_costs.absolute_error(array64([[a] * 3]), Y)).sum())
        for a in (0.5, 1.0, 2.0)
    ]
    assert totals[1] == 10.0 == min(totals)


def test_c5_huber_of_a_worked_example(array):
    # d = 2: ½·1² inside; 2 (5 − 1) outside; at the border both are 2.
    A, Y = array([[1.0, 5.0, -2.0]]), array([[0.0, 0.0, 0.0]])
    C = robust_costs.huber(A, Y, 2.0)
    np.testing.assert_array_equal(as_float64(C), [0.5, 8.0, 2.0])
    np.testing.assert_array_equal(
        as_float64(robust_costs.huber_gradient(A, Y, 2.0)), [[1.0, 2.0, -2.0]]
    )


@given(drawn=n_by_m(count=2))
def test_c5_huber_with_a_wide_delta_is_the_squared_error(array, dtype, drawn):
    A, Y = map(array, drawn)
    C = robust_costs.huber(A, Y, 1e3)
    # Two factors in another order, and a sum.
    expected = as_float64(costs.mean_squared_error(A, Y))
    bound = (4 + drawn[0].shape[0]) * epsilon(dtype) * expected
    assert_within(C, expected, bound)
    np.testing.assert_array_equal(
        as_float64(robust_costs.huber_gradient(A, Y, 1e3)),
        as_float64(costs.mean_squared_error_gradient(A, Y)),
    )


def test_c6_quantile_of_a_worked_example(array, dtype):
    # Too low by 2 costs 0.9 · 2, too high by 2 costs 0.1 · 2.
    A, Y = array([[1.0, 5.0, 3.0]]), array([[3.0, 3.0, 3.0]])
    C = robust_costs.quantile(A, Y, 0.9)
    assert_within(C, [1.8, 0.2, 0.0], 2 * epsilon(dtype))
    gradient = robust_costs.quantile_gradient(A, Y, 0.9)
    assert_within(gradient, [[-0.9, 0.1, 0.0]], epsilon(dtype))


@pytest.mark.parametrize("q", [0.1, 0.5, 0.75, 0.9])
def test_c6_quantile_of_the_targets_is_the_minimum(array64, q):
    # Nine of eleven gaps have their own quantile; NumPy's sits at a target for these q.
    targets = np.arange(21.0)
    best = np.quantile(targets, q)
    totals = {
        a: float(
            as_float64(
                robust_costs.quantile(array64(np.full((1, 21), a)), array64(targets[None]), q)
            ).sum()
        )
        for a in np.linspace(0, 20, 81)
    }
    assert min(totals, key=lambda a: (round(totals[a], 9), abs(a - best))) == pytest.approx(best)


@given(drawn=n_by_m(count=2))
def test_c6_median_costs_half_of_the_absolute_error(array, drawn):
    A, Y = map(array, drawn)
    np.testing.assert_array_equal(
        2 * as_float64(robust_costs.quantile(A, Y, 0.5)),
        as_float64(robust_costs.absolute_error(A, Y)),
    )


@pytest.mark.parametrize(
    "e", [0.0, 1e-12, 1e-6, 1e-3, 0.1, 0.5, 0.87, 0.88, 1.0, 3.0, 20.0, 500.0, 1e4]
)
def test_c7_log_cosh_keeps_relative_accuracy_near_and_far(array, dtype, e):
    A = array([[e, -e]])
    e = float(as_float64(A)[0, 0])
    with mpmath.workdps(60):
        exact = float(mpmath.log(mpmath.cosh(mpmath.mpf(e))))
    C = robust_costs.log_cosh(A, array([[0.0, 0.0]]))
    # Half an e² that underflows is 0; the branch from 0.875 cancels two thirds at most; JAX's
    # log1p, of arguments above 0, errs by less than 16 ε.
    smallest = float(np.finfo(dtype).smallest_normal)
    assert_within(C, [exact, exact], 24 * epsilon(dtype) * exact + smallest)


def test_c7_log_cosh_far_from_the_target_is_the_distance_less_log_two(array, dtype):
    C = robust_costs.log_cosh(array([[40.0]]), array([[0.0]]))
    assert_within(C, [40.0 - math.log(2)], 40 * epsilon(dtype))
    gradient = robust_costs.log_cosh_gradient(array([[40.0, -40.0, 0.0]]), array([[0.0] * 3]))
    np.testing.assert_array_equal(as_float64(gradient), [[1.0, -1.0, 0.0]])


@pytest.mark.parametrize(
    ("function", "ids"),
    [
        (robust_costs.absolute_error_gradient, "C4"),
        (robust_costs.huber_gradient, "C5"),
        (robust_costs.quantile_gradient, "C6"),
        (robust_costs.log_cosh_gradient, "C7"),
    ],
    ids=["C4", "C5", "C6", "C7"],
)
def test_gradient_at_the_target_is_zero_and_bounded_far_from_it(array, function, ids):
    Y = array([[0.5, -3.0]])
    np.testing.assert_array_equal(as_float64(function(Y, Y)), [[0.0, 0.0]])
    far = as_float64(function(array([[1e30, -1e30]]), Y))
    assert (np.abs(far) <= 1.0).all()
    assert far[0, 0] > 0 > far[0, 1]


def test_sides_change_where_the_gradient_does(array):
    Y = array([[1.0, 1.0, 1.0, 1.0]])
    A = array([[0.0, 0.9, 1.1, 3.5]])
    for side in (robust_costs.absolute_error_side, robust_costs.quantile_side):
        np.testing.assert_array_equal(np.asarray(side(A, Y)), [[False, False, True, True]])
    side = np.asarray(robust_costs.huber_side(A, Y, 0.5))
    np.testing.assert_array_equal(side, [[True, False, False, True]])
