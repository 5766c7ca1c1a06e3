"""AT1 to AT3: hand-worked values, and the integral of a function that is known."""

import numpy as np
import pytest

from chainrule.equations.attribution import (
    gradient_times_input,
    integrated_gradients,
    way_from_reference,
)
from tests.numerics import as_float64, assert_within, epsilon


def test_at1_is_exact_for_a_linear_function(array, dtype):
    # f = 2a − 3b + 1 has f(3, 1) − f(1, 2) = 4 + 3.
    X, reference = array([[3.0], [1.0]]), array([[1.0], [2.0]])
    R = gradient_times_input(X, reference, array([[2.0], [-3.0]]))
    assert_within(R, [[4.0], [3.0]], 4 * epsilon(dtype))


def test_at2_goes_from_the_reference_to_the_example(array, dtype):
    X, reference = array([[3.0], [1.0]]), array([[1.0], [2.0]])
    way = way_from_reference(X, reference, array([0.0, 0.25, 1.0]))
    assert_within(way, [[1.0, 1.5, 3.0], [2.0, 1.75, 1.0]], 4 * epsilon(dtype))


def test_at3_integrates_a_polynomial_worked_by_hand(array, dtype):
    # f = a² b from (1, 2) to (3, 1): on the way a = 1 + 2t, b = 2 − t, and
    # ∫ 2ab·2 dt = 4 ∫ (2 + 3t − 2t²) dt = 34/3,  ∫ a²·(−1) dt = −13/3; f moves by 9 − 2 = 7.
    X, reference = array([[3.0], [1.0]]), array([[1.0], [2.0]])
    nodes, weights = np.polynomial.legendre.leggauss(2)  # exact for polynomials of degree 3
    way = as_float64(way_from_reference(X, reference, array((nodes + 1) / 2)))
    gradient = array(np.stack([2 * way[0] * way[1], way[0] ** 2]))
    R = integrated_gradients(X, reference, gradient, array(weights / 2))
    assert_within(R, [[34 / 3], [-13 / 3]], 40 * epsilon(dtype))
    assert as_float64(R).sum() == pytest.approx(7, rel=40 * epsilon(dtype))


def test_at3_of_the_reference_itself_is_nothing(array):
    X = array([[3.0], [1.0]])
    R = integrated_gradients(X, X, array([[2.0, 1.0], [1.0, 5.0]]), array([0.5, 0.5]))
    np.testing.assert_array_equal(as_float64(R), [[0.0], [0.0]])
