"""AC1 to AC11, the element-wise activations: values, derivatives, extremes.

Bounds: a library function errs by up to 4 units in the last place, an arithmetic operation by
half of one; where no step amplifies the error of the one before, `operations` steps err by
4 · operations · ε, relatively.
"""

from functools import partial

import numpy as np
import pytest

from chainrule.equations.activations import ACTIVATIONS
from tests.equations.activations.oracles import GRID, ORACLES, elementwise_derivative
from tests.numerics import as_float64, assert_within, epsilon, smallest_normal

every_oracle = pytest.mark.parametrize("oracle", ORACLES, ids=str)


def _bound(oracle, z, dtype):
    """Return the relative error that the equation may make at z."""
    # e^{−z²/2} amplifies the error of z/√2 (ε) and of its square (ε/2) by z²/2 in GELU.
    conditioning = 1.25 * z**2 if oracle.name == "gelu" else 0.0
    return (4 * oracle.operations + conditioning) * epsilon(dtype)


def _function(oracle):
    return partial(ACTIVATIONS[oracle.name].function, **oracle.arguments)


def _derivative(oracle):
    return partial(ACTIVATIONS[oracle.name].derivative, **oracle.arguments)


def _repeated(z):
    """Return z as often as GRID is long: JAX compiles an activation for one length only."""
    return np.resize(z, GRID.shape)


def _smooth(oracle, z, dtype):
    """Return the z where σ′ is defined, also for a library that takes subnormal z for 0."""
    return z[np.abs(z) >= smallest_normal(dtype)] if ACTIVATIONS[oracle.name].kinked else z


def test_table_names_the_thirteen_activations():
    names = "identity sigmoid tanh relu leaky_relu elu selu gelu silu mish softplus"
    names += " exponential softmax"
    assert list(ACTIVATIONS) == names.split()


def test_every_elementwise_activation_has_an_oracle():
    assert {oracle.name for oracle in ORACLES} | {"softmax", "exponential"} == set(ACTIVATIONS)


@every_oracle
def test_activation_equals_its_oracle(array, dtype, oracle):
    Z = array(GRID)
    z = as_float64(Z)
    expected = np.array([oracle.value(float(value)) for value in z])
    # Relative, so that a left tail counts as much as the middle. Below the smallest normal
    # number a library may round to zero, also a factor that z is multiplied by.
    underflow = (1 + np.abs(z)) * smallest_normal(dtype)
    bound = _bound(oracle, z, dtype) * np.abs(expected) + underflow
    assert_within(_function(oracle)(Z), expected, bound)


@every_oracle
def test_activation_derivative_equals_automatic_differentiation(array, dtype, oracle):
    Z = array(_smooth(oracle, GRID, dtype))
    z = as_float64(Z)
    expected = elementwise_derivative(oracle.differentiable)(z)
    # Derivatives add terms that may cancel (each at most 2), so their error is absolute; GELU's
    # conditioning z² is met by φ(z), and |z|³ φ(z) < 1. One operation more than the value.
    bound = 2 * 4 * (oracle.operations + 1) * epsilon(dtype)
    assert_within(_derivative(oracle)(Z), expected, bound)


@every_oracle
def test_activation_derivative_equals_central_differences(array64, oracle):
    z = _smooth(oracle, np.linspace(-8, 8, GRID.size), "float64")
    # The step that balances truncation, h² max|σ‴|/6 with |σ‴| ≤ 4, and rounding, in which the
    # values' own errors are divided by h.
    h = epsilon("float64") ** (1 / 3)
    function = _function(oracle)
    above, below = as_float64(function(array64(z + h))), as_float64(function(array64(z - h)))
    expected = (above - below) / ((z + h) - (z - h))
    values = (_bound(oracle, z, "float64") + epsilon("float64")) * np.abs(above) / h
    assert_within(_derivative(oracle)(array64(z)), expected, 4 * h**2 / 6 + values)


@every_oracle
def test_activation_and_derivative_are_finite_at_the_extremes(array, dtype, oracle):
    info = np.finfo(dtype)
    extremes = [0.0, info.smallest_subnormal, info.smallest_normal, 1e4]
    Z = array(_repeated([*extremes, *(-value for value in extremes)]))
    assert np.all(np.isfinite(as_float64(_function(oracle)(Z))))
    assert np.all(np.isfinite(as_float64(_derivative(oracle)(Z))))


@every_oracle
def test_activation_of_nan_is_nan(array, oracle):
    z = _repeated([np.nan, 1.0])
    A = as_float64(_function(oracle)(array(z)))
    np.testing.assert_array_equal(np.isnan(A), np.isnan(z))


@pytest.mark.parametrize(
    "oracle", [o for o in ORACLES if o.name in {"sigmoid", "softplus", "gelu"}], ids=str
)
def test_left_tail_keeps_relative_accuracy(array, dtype, oracle):
    # Far beyond where 1 + e^z rounds to 1 in either precision; Φ(−12) is about e^{−75}.
    Z = array(_repeated([-12.0] if oracle.name == "gelu" else [-40.0, -60.0, -80.0]))
    z = as_float64(Z)
    expected = np.array([oracle.value(float(value)) for value in z])
    assert_within(_function(oracle)(Z), expected, _bound(oracle, z, dtype) * np.abs(expected))


def test_ac2_sigmoid_derivative_keeps_relative_accuracy_in_both_tails(array, dtype):
    z = _repeated([-80.0, -40.0, 40.0, 80.0])
    # σ′(z) = e^{−|z|} up to a relative e^{−|z|}.
    expected = np.exp(-np.abs(z))
    bound = 4 * 7 * epsilon(dtype) * expected
    assert_within(ACTIVATIONS["sigmoid"].derivative(array(z)), expected, bound)


@pytest.mark.parametrize(
    ("name", "left"), [("relu", 0.0), ("leaky_relu", 0.01), ("elu", 1.0), ("selu", 1.7580993)]
)
def test_derivative_at_the_kink_is_that_of_the_left_side(array, name, left):
    derivative = as_float64(ACTIVATIONS[name].derivative(array(_repeated([0.0, -0.0]))))
    np.testing.assert_allclose(derivative, np.full(GRID.shape, left), rtol=1e-7)
