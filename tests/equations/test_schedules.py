"""LR1 to LR7: values worked out by hand, ends, and no jump where there should be none."""

import math

import numpy as np
import pytest

from chainrule.equations import schedules
from tests.numerics import as_float64, assert_within, epsilon

HALF = math.sqrt(0.5)


def test_lr1_time_decay_of_a_worked_example(array, dtype):
    alpha = schedules.time_decay(array([0.0, 2.0, 4.0, 12.0]), 0.5, 1.5, 4)
    assert_within(alpha, [0.5, 0.5 / 1.75, 0.2, 0.5 / 5.5], 4 * epsilon(dtype))


def test_lr2_exponential_decay_of_a_worked_example(array, dtype):
    alpha = schedules.exponential_decay(array([0.0, 5.0, 10.0, 20.0]), 0.8, 0.25, 10)
    assert_within(alpha, [0.8, 0.4, 0.2, 0.05], 8 * epsilon(dtype))


def test_lr3_staircase_decay_of_a_worked_example(array, dtype):
    alpha = schedules.staircase_decay(array([0.0, 9.0, 10.0, 19.0, 20.0]), 0.8, 0.25, 10)
    assert_within(alpha, [0.8, 0.8, 0.2, 0.2, 0.05], 8 * epsilon(dtype))


def test_lr3_meets_lr2_at_the_edge_of_each_step(array, dtype):
    tau = array([0.0, 4.0, 8.0, 40.0])
    smooth = as_float64(schedules.exponential_decay(tau, 1.0, 0.5, 4))
    assert_within(schedules.staircase_decay(tau, 1.0, 0.5, 4), smooth, 8 * epsilon(dtype))


def test_lr4_cosine_decay_of_a_worked_example(array, dtype):
    # cos 0, π/4, π/3, π/2, π; afterwards it stays.
    alpha = schedules.cosine_decay(array([0.0, 3.0, 4.0, 6.0, 12.0, 30.0]), 1.1, 0.1, 12)
    expected = [1.1, 0.1 + (1 + HALF) / 2, 0.85, 0.6, 0.1, 0.1]
    assert_within(alpha, expected, 8 * epsilon(dtype))


def test_lr4_may_rise(array, dtype):
    alpha = schedules.cosine_decay(array([0.0, 1.0, 2.0]), 0.25, 0.75, 2)
    assert_within(alpha, [0.25, 0.5, 0.75], 4 * epsilon(dtype))


def test_lr5_cosine_restarts_of_a_worked_example(array, dtype):
    # Cycles of 3, 6 and 12 steps begin at 0, 3 and 9; the end is 21. A third of the way down is
    # ½ (1 + cos π/3) = ¾, two thirds ¼.
    tau = array([0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 9.0, 13.0, 15.0, 17.0, 21.0, 100.0])
    alpha = schedules.cosine_restarts(tau, 2.0, 0.0, 3, 2, 2)
    expected = [2.0, 1.5, 0.5, 2.0, 1.5, 0.5, 2.0, 1.5, 1.0, 0.5, 0.0, 0.0]
    assert_within(alpha, expected, 16 * epsilon(dtype))


def test_lr5_without_restarts_is_lr4(array):
    tau = array([0.0, 1.0, 5.0, 9.0])
    np.testing.assert_array_equal(
        as_float64(schedules.cosine_restarts(tau, 2.0, 0.5, 8, 3, 0)),
        as_float64(schedules.cosine_decay(tau, 2.0, 0.5, 8)),
    )


def test_lr6_one_cycle_of_a_worked_example(array, dtype):
    # Up from 0.2 to 1 in 4 steps, down to 0.04 in 6.
    tau = array([0.0, 2.0, 4.0, 6.0, 7.0, 8.0, 10.0, 11.0])
    alpha = schedules.one_cycle(tau, 0.2, 1.0, 0.04, 4, 10)
    expected = [0.2, 0.6, 1.0, 0.04 + 0.75 * 0.96, 0.52, 0.04 + 0.25 * 0.96, 0.04, 0.04]
    assert_within(alpha, expected, 8 * epsilon(dtype))


def test_lr8_flat_cosine_of_a_worked_example(array, dtype):
    tau = array(np.array([0.0, 3.0, 4.0, 5.0, 6.0, 9.0]))
    alpha = schedules.flat_cosine(tau, 1.0, 0.5, 4, 6)
    assert_within(alpha, [1.0, 1.0, 1.0, 0.75, 0.5, 0.5], 4 * epsilon(dtype))


def test_lr8_without_a_flat_part_is_lr4(array64):
    tau = array64(np.arange(12.0))
    found = as_float64(schedules.flat_cosine(tau, 1.0, 0.25, 0, 10))
    expected = as_float64(schedules.cosine_decay(tau, 1.0, 0.25, 10))
    np.testing.assert_array_equal(found, expected)


def test_lr9_log_cosine_of_a_worked_example(array, dtype):
    # k = 2, T = 6: log₂(1 + τ/2) is 0, ½, 1, 3/2 and 2 at τ = 0, 2√2 − 2, 2, 4√2 − 2 and 6.
    tau = array(np.array([0.0, 2 * np.sqrt(2) - 2, 2.0, 4 * np.sqrt(2) - 2, 6.0, 9.0]))
    alpha = schedules.log_cosine(tau, 0.5, 2, 6)
    assert_within(alpha, [0.0, 0.5, 0.0, 0.5, 0.0, 0.0], 16 * epsilon(dtype))


@pytest.mark.parametrize("cycles", [1, 2, 4, 5])
def test_lr9_rises_and_falls_k_times(array64, cycles):
    alpha = as_float64(schedules.log_cosine(array64(np.linspace(0, 1, 4001)), 1.0, cycles, 1.0))
    rises = np.diff(alpha) > 0
    assert np.count_nonzero(np.diff(rises.astype(int)) == -1) == cycles
    assert alpha.max() == pytest.approx(1.0, abs=1e-5)


def test_lr6_has_no_jump_at_its_peak(array64):
    tau = array64([4 - 1e-6, 4.0, 4 + 1e-6])
    alpha = as_float64(schedules.one_cycle(tau, 0.2, 1.0, 0.04, 4, 10))
    # Flat at the peak: ½ · 0.96 · ½ (π 1e-6/4)² is far below.
    assert_within(alpha, [1.0] * 3, 1e-11)


def test_lr7_warm_up_of_a_worked_example(array, dtype):
    alpha = schedules.warm_up(array([0.0, 1.0, 3.0]), 0.8, 4)
    assert_within(alpha, [0.2, 0.4, 0.8], 4 * epsilon(dtype))


@pytest.mark.parametrize("length", [1, 7, 100])
def test_lr1_to_lr4_fall_at_every_step(array64, length):
    tau = array64(np.arange(length + 1.0))
    for alpha in (
        schedules.time_decay(tau, 0.5, 2.0, length),
        schedules.exponential_decay(tau, 0.5, 0.1, length),
        schedules.cosine_decay(tau, 0.5, 0.0, length),
    ):
        values = as_float64(alpha)
        assert values[0] == pytest.approx(0.5, rel=1e-15)
        assert (np.diff(values) < 0).all()
