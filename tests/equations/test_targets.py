"""Y1: hand-worked values, and what smoothing must keep."""

import numpy as np

from chainrule.equations.targets import smoothed_targets
from tests.numerics import as_float64, assert_within, epsilon


def test_y1_smoothed_targets_of_a_worked_example(array, dtype):
    Y = array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    expected = [[0.925, 0.025], [0.025, 0.025], [0.025, 0.925], [0.025, 0.025]]
    assert_within(smoothed_targets(Y, 0.1, 4), expected, 2 * epsilon(dtype))


def test_y1_of_yes_and_no_goes_half_way_towards_one_half(array, dtype):
    smoothed = smoothed_targets(array([[1.0, 0.0]]), 0.5, 2)
    assert_within(smoothed, [[0.75, 0.25]], epsilon(dtype))


def test_y1_keeps_the_sum_of_a_distribution(array, dtype):
    Y = np.random.default_rng(0).dirichlet(np.ones(5), 7).T
    smoothed = as_float64(smoothed_targets(array(Y), 0.3, 5))
    assert_within(smoothed.sum(axis=0), np.ones(7), 12 * epsilon(dtype))


def test_y1_without_smoothing_changes_nothing(array):
    Y = array([[1.0, 0.25]])
    np.testing.assert_array_equal(as_float64(smoothed_targets(Y, 0.0, 3)), [[1.0, 0.25]])
