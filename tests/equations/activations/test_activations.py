"""The element-wise activations: values, derivatives, extremes.

Bounds: a library function errs by up to 4 units in the last place, an arithmetic operation by
half of one; where no step amplifies the error of the one before, `operations` steps err by
4 · operations · ε, relatively.
"""

from functools import partial

import numpy as np
import pytest

from chainrule.network.registry.activations import ACTIVATIONS
from tests.equations.activations.oracles import CASES, GRID, ORACLES
from tests.numerics import as_float64, assert_within, epsilon, smallest_normal

every_case = pytest.mark.parametrize("case", CASES, ids=str)


def _bound(case, z, dtype):
    """Return the relative error that the equation may make at z."""
    return (4 * case.oracle.operations + case.oracle.conditioning * z**2) * epsilon(dtype)


def _function(case):
    return partial(ACTIVATIONS[case.name].function, **case.parameters)


def _derivative(case):
    return partial(ACTIVATIONS[case.name].derivative, **case.parameters)


def _repeated(z):
    """Return z as often as GRID is long: JAX compiles an activation for one length only."""
    return np.resize(z, GRID.shape)


def _smooth(case, z, distance):
    """Return the z that are no nearer than a distance to where σ′ jumps."""
    clear = np.ones(z.shape, bool)
    for kink in ACTIVATIONS[case.name].kinks:
        clear &= np.abs(z - kink) >= distance
    return z[clear]


def _finite(case, z, dtype):
    """Return the z whose σ(z) is no larger than the largest number."""
    return z[np.abs(case.values(z)) <= float(np.finfo(dtype).max)]


def test_every_activation_has_an_oracle():
    assert list(ORACLES) == list(ACTIVATIONS)


@every_case
def test_activation_equals_its_oracle(array, dtype, case):
    Z = array(_repeated(_finite(case, GRID, dtype)))
    z = as_float64(Z)
    expected = case.values(z)
    # Relative, so that a left tail counts as much as the middle. Below the smallest normal
    # number a library may round to zero, also a factor that z is multiplied by.
    underflow = (1 + np.abs(z)) * smallest_normal(dtype)
    bound = _bound(case, z, dtype) * np.abs(expected) + underflow
    assert_within(_function(case)(Z), expected, bound)


@every_case
def test_activation_derivative_equals_automatic_differentiation(array, dtype, case):
    # Also for a library that takes subnormal z for 0.
    smooth = _smooth(case, _finite(case, GRID, dtype), smallest_normal(dtype))
    Z = array(_repeated(smooth))
    z = as_float64(Z)
    expected = case.derivatives(z)
    # Derivatives add terms that may cancel (each at most 2, but for e^z), so their error is
    # absolute; GELU's conditioning z² is met by φ(z), and |z|³ φ(z) < 1. One operation more than
    # the value.
    bound = 2 * 4 * (case.oracle.operations + 1) * epsilon(dtype) * np.maximum(1, expected)
    assert_within(_derivative(case)(Z), expected, bound)


@every_case
def test_activation_derivative_equals_central_differences(array64, case):
    # The step that balances truncation, h² max|σ‴|/6 with |σ‴| ≤ 4 (or e^z), and rounding, in which
    # the values' own errors are divided by h.
    h = epsilon("float64") ** (1 / 3)
    z = _repeated(_smooth(case, np.linspace(-8, 8, GRID.size), h))
    function = _function(case)
    above, below = as_float64(function(array64(z + h))), as_float64(function(array64(z - h)))
    expected = (above - below) / ((z + h) - (z - h))
    values = (_bound(case, z, "float64") + epsilon("float64")) * np.abs(above) / h
    third = np.maximum(4, np.abs(above))
    assert_within(_derivative(case)(array64(z)), expected, third * h**2 / 6 + values)


@every_case
def test_activation_and_derivative_are_finite_at_the_extremes(array, dtype, case):
    info = np.finfo(dtype)
    extremes = [0.0, info.smallest_subnormal, info.smallest_normal, 1e4]
    z = _finite(case, np.array([*extremes, *(-value for value in extremes)]), dtype)
    Z = array(_repeated(z))
    assert np.all(np.isfinite(as_float64(_function(case)(Z))))
    assert np.all(np.isfinite(as_float64(_derivative(case)(Z))))


@every_case
def test_activation_of_nan_is_nan(array, case):
    z = _repeated([np.nan, 1.0])
    A = as_float64(_function(case)(array(z)))
    np.testing.assert_array_equal(np.isnan(A), np.isnan(z))


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.name in {"sigmoid", "softplus", "gelu"}], ids=str
)
def test_left_tail_keeps_relative_accuracy(array, dtype, case):
    # Far beyond where 1 + e^z rounds to 1 in either precision; Φ(−12) is about e^{−75}.
    Z = array(_repeated([-12.0] if case.oracle.conditioning else [-40.0, -60.0, -80.0]))
    z = as_float64(Z)
    expected = case.values(z)
    assert_within(_function(case)(Z), expected, _bound(case, z, dtype) * np.abs(expected))


def test_ac2_sigmoid_derivative_keeps_relative_accuracy_in_both_tails(array, dtype):
    z = _repeated([-80.0, -40.0, 40.0, 80.0])
    # σ′(z) = e^{−|z|} up to a relative e^{−|z|}.
    expected = np.exp(-np.abs(z))
    bound = 4 * 7 * epsilon(dtype) * expected
    assert_within(ACTIVATIONS["sigmoid"].derivative(array(z)), expected, bound)


@pytest.mark.parametrize("case", [c for c in CASES if ACTIVATIONS[c.name].kinks], ids=str)
def test_derivative_at_a_kink_is_that_of_the_left_side(array, case):
    for kink in ACTIVATIONS[case.name].kinks:
        at, left = (as_float64(_derivative(case)(array(_repeated([z])))) for z in
                    (kink, kink - 1e-6))  # fmt: skip
        np.testing.assert_allclose(at, left, atol=4e-6)


def test_derivative_at_minus_zero_is_that_at_zero(array):
    for row in ACTIVATIONS.values():
        if row.derivative is not None:
            values = as_float64(row.derivative(array(_repeated([0.0, -0.0]))))
            np.testing.assert_array_equal(values, values[0])


@pytest.mark.parametrize("name", [n for n, row in ACTIVATIONS.items() if row.zero_below > -np.inf])
def test_a_unit_is_dead_up_to_where_its_row_says(name):
    row = ACTIVATIONS[name]
    z = np.array([row.zero_below, row.zero_below - 1, row.zero_below - 1e4])
    assert not row.function(z).any()
    assert not row.derivative(z).any()
    assert row.derivative(np.array([row.zero_below + 0.1])).all()


@pytest.mark.parametrize("name", [n for n, row in ACTIVATIONS.items() if row.flat_beyond < np.inf])
def test_an_activation_is_flat_from_where_its_row_says(name):
    row = ACTIVATIONS[name]
    z = np.linspace(0, 2 * row.flat_beyond, 1001)
    for sign in (1, -1):
        steepness = row.derivative(sign * z) / row.derivative(z).max()
        assert (steepness[z > row.flat_beyond] < 0.02).all()
        assert (steepness[z < row.flat_beyond / 2] > 0.02).all()
