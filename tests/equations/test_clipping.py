"""G1: hand-worked values, direction, and ends of the range of numbers."""

import numpy as np
import pytest
from hypothesis import given

from chainrule.equations.clipping import clipped_gradient
from tests.numerics import as_float64, assert_within, epsilon
from tests.strategies import n_by_m


def test_g1_clipped_gradient_of_a_worked_example(array, dtype):
    # ‖(3, −4)‖ = 5
    assert_within(clipped_gradient(array([3.0, -4.0]), 1.0), [0.6, -0.8], 4 * epsilon(dtype))


@pytest.mark.parametrize("max_norm", [5.0, 5.5, 1e30])
def test_g1_a_gradient_that_is_short_enough_stays_as_it_is(array, max_norm):
    gradient = array([3.0, -4.0])
    np.testing.assert_array_equal(as_float64(clipped_gradient(gradient, max_norm)), [3.0, -4.0])


@given(drawn=n_by_m())
def test_g1_keeps_the_direction_and_bounds_the_norm(array, dtype, drawn):
    gradient = array(drawn.ravel())
    g = as_float64(gradient)
    norm = np.linalg.norm(g)
    max_norm = 0.25
    clipped = as_float64(clipped_gradient(gradient, max_norm))
    expected = g * min(1.0, max_norm / norm)
    # A sum of n squares, of which a root halves the error, and four more operations.
    assert_within(clipped, expected, (g.size / 2 + 8) * epsilon(dtype) * np.abs(expected))


def test_g1_of_nothing_is_nothing(array):
    clipped = clipped_gradient(array([0.0, 0.0]), 1.0)
    np.testing.assert_array_equal(as_float64(clipped), [0.0, 0.0])


def test_g1_squares_do_not_overflow(array, dtype):
    large = float(np.finfo(dtype).max) / 8
    clipped = clipped_gradient(array([large, -large, 0.0]), 1.0)
    assert_within(clipped, [0.5**0.5, -(0.5**0.5), 0.0], 8 * epsilon(dtype))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_g1_a_gradient_that_is_not_finite_does_not_look_finite(array, wrong):
    with np.errstate(invalid="ignore"):
        clipped = as_float64(clipped_gradient(array([1.0, wrong]), 0.5))
    assert not np.isfinite(clipped).all()
