"""SC1 and SC2: activations times factors, the way back, and the factors' gradient."""

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.equations.scaling import factor_gradient, scaled, scaled_error
from tests.numerics import as_float64, assert_within, epsilon

A = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])
S = np.array([[1.5], [-0.5]])
DELTA = np.array([[0.25, -1.0, 2.0], [3.0, 1.0, -0.5]])


def test_sc1_scale_of_a_worked_example(array):
    expected = [[1.5, -3.0, 4.5], [-0.25, -2.0, 0.5]]
    np.testing.assert_array_equal(as_float64(scaled(array(A), array(S))), expected)


def test_sc1_derivative_equals_automatic_differentiation(array, dtype):
    expected = jax.grad(lambda a: (jnp.asarray(S) * a * DELTA).sum())(A)
    assert_within(scaled_error(array(DELTA), array(S)), expected, epsilon(dtype) * np.abs(expected))


def test_sc2_equals_automatic_differentiation(array, dtype):
    # J is a mean over the batch; δ is of each example.
    expected = jax.grad(lambda s: (s * jnp.asarray(A) * DELTA).sum() / 3)(S)
    # Three products and their sum, of numbers of order 1.
    assert_within(factor_gradient(array(DELTA), array(A)), expected, 6 * 12 * epsilon(dtype))
