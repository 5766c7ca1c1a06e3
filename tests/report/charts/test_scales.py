import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.report.charts.scales import Scale, padded, round_step

ENDS = st.tuples(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))


@given(ENDS)
def test_the_ends_of_the_range_are_the_ends_of_the_axis(ends):
    low, high = ends[0], ends[0] + ends[1]
    if not low < high:
        return
    scale = Scale(low, high, 10, 110)
    np.testing.assert_allclose(scale([low, high]), [10, 110])


@given(ENDS, st.integers(2, 12))
def test_ticks_are_inside_evenly_spaced_and_not_too_many(ends, most):
    low, high = ends[0], ends[0] + ends[1]
    if high - low < 1e-9 * max(abs(low), abs(high)):
        return
    ticks = Scale(low, high, 0, 1).ticks(most)
    room = 1e-6 * (high - low)
    assert all(low - room <= tick <= high + room for tick in ticks)
    assert len(ticks) <= most + 1
    if len(ticks) > 2:
        steps = np.diff(ticks)
        np.testing.assert_allclose(steps, steps[0], rtol=1e-4)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 97, [0, 20, 40, 60, 80]),
        (-3, 3, [-3, -2, -1, 0, 1, 2, 3]),
    ],
)
def test_ticks_are_round(low, high, expected):
    np.testing.assert_allclose(Scale(low, high, 0, 1).ticks(), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.05, 0.6, [0.05, 0.1, 0.2, 0.5]), (0.9e-6, 1.1, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1])],
)
def test_a_logarithmic_axis_has_powers_of_ten(low, high, expected):
    np.testing.assert_allclose(Scale(low, high, 0, 1, logarithmic=True).ticks(7), expected)


def test_a_logarithmic_axis_gives_equal_ratios_equal_room():
    places = Scale(1, 100, 0, 100, logarithmic=True)([1, 10, 100])
    np.testing.assert_allclose(places, [0, 50, 100])


def test_what_lies_outside_is_at_the_nearer_end():
    np.testing.assert_allclose(Scale(0, 1, 0, 10)([-5, 7]), [0, 10])


@pytest.mark.parametrize(
    ("least", "step"), [(1, 1), (1.1, 2), (2, 2), (3, 5), (6, 10), (0.03, 0.05)]
)
def test_steps_are_one_two_or_five(least, step):
    assert round_step(least) == pytest.approx(step)


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0])
def test_a_single_value_still_has_a_range(value):
    low, high = padded(value, value)
    assert low < value < high
