"""TT1 to TT4: hand-worked values, and the mean that smearing stands for."""

import numpy as np
import pytest

from chainrule.equations.transforms import (
    asinh_target,
    log_target,
    smearing,
    undone_target,
    undone_target_derivative,
)
from tests.numerics import as_float64, assert_within, epsilon


def test_tt1_is_the_logarithm(array, dtype):
    assert_within(log_target(array([1.0, 4.0])), [0.0, 2 * np.log(2)], 4 * epsilon(dtype))


def test_tt2_is_linear_near_the_median_and_a_logarithm_far_from_it(array, dtype):
    # asinh 3/4 = ln(3/4 + 5/4) = ln 2, and asinh is odd.
    t = asinh_target(array([10.0, 11.5, 8.5]), 10.0, 2.0)
    assert_within(t, [0.0, np.log(2), -np.log(2)], 8 * epsilon(dtype))


def test_tt3_undoes_both(array, dtype):
    values = array([0.125, 3.0, 500.0])
    logs = undone_target(log_target(values), 0.0, 1.0, 1.0, 0.0)
    sinhs = undone_target(asinh_target(values, 2.0, 0.5), 2.0, 0.5, 0.5, 0.5)
    for found in (logs, sinhs):
        # An error of t is one of the value, as many times as t is large.
        np.testing.assert_allclose(as_float64(found), as_float64(values), rtol=100 * epsilon(dtype))


def test_tt3_derivative_is_that_of_finite_differences():
    t, h = np.array([-2.0, 0.0, 1.5]), np.finfo(np.float64).eps ** (1 / 3)
    numbers = (0.75, 1.5, 0.25)
    ends = [undone_target(t + step, 3.0, *numbers) for step in (h, -h)]
    slope = undone_target_derivative(t, *numbers)
    np.testing.assert_allclose((ends[0] - ends[1]) / (2 * h), slope, atol=100 * h**2)


@pytest.mark.parametrize("exact", [(1.0, 0.0), (0.5, 0.5)])
def test_tt4_makes_tt3_the_mean_over_the_residuals(exact):
    residuals = np.array([-1.0, 0.25, 0.5, 1.75])
    t = np.array([-0.5, 0.3])
    answered = undone_target(t, 5.0, 2.0, *smearing(residuals, *exact))
    each = [undone_target(t + residual, 5.0, 2.0, *exact) for residual in residuals]
    np.testing.assert_allclose(answered, np.mean(each, axis=0), rtol=1e-14)


def test_tt4_of_a_normal_distribution_is_the_mean_of_the_log_normal():
    residuals = np.random.default_rng(0).normal(0, 0.5, 100_000)
    rise, fall = smearing(residuals, 1.0, 0.0)
    # Its standard error is √(e^σ² (e^σ² − 1)/m) = 0.0019.
    assert rise == pytest.approx(np.exp(0.5**2 / 2), abs=0.008)
    assert fall == 0
