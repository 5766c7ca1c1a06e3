"""PA1 and PA2: the parametric activation, the way back, and its strengths' gradient."""

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.equations.activations.relu import relu, relu_derivative
from chainrule.equations.activations.tanh import tanh, tanh_derivative
from chainrule.equations.parametric import (
    parametric_activation,
    parametric_activation_error,
    strength_gradient,
)
from tests.numerics import as_float64, assert_within, epsilon

A = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])
ALPHA = np.array([[0.5], [2.0]])
DELTA = np.array([[0.25, -1.0, 2.0], [3.0, 1.0, -0.5]])


def written_again(a, alpha):
    return (1 - alpha) * a + alpha * jnp.tanh(a)


def test_pa1_parametric_activation_of_a_worked_example(array):
    # Half of a ReLU halves what is negative, twice a ReLU is the absolute value.
    expected = [[1.0, -1.0, 3.0], [0.5, 4.0, 1.0]]
    found = parametric_activation(array(A), array(ALPHA), relu)
    np.testing.assert_array_equal(as_float64(found), expected)
    slopes = parametric_activation_error(
        array(np.ones((2, 3))), array(A), array(ALPHA), relu_derivative
    )
    np.testing.assert_array_equal(as_float64(slopes), [[1.0, 0.5, 1.0], [1.0, 1.0, -1.0]])


def test_pa1_derivative_equals_automatic_differentiation(array, dtype):
    expected = jax.grad(lambda a: (written_again(a, ALPHA) * DELTA).sum())(A)
    found = parametric_activation_error(array(DELTA), array(A), array(ALPHA), tanh_derivative)
    # Numbers of at most 6, by a few roundings, in JAX's float32 too.
    assert_within(found, expected, 8 * 6 * max(epsilon(dtype), epsilon("float32")))


def test_pa2_equals_automatic_differentiation(array, dtype):
    # J is a mean over the batch; δ is of each example.
    expected = jax.grad(lambda alpha: (written_again(A, alpha) * DELTA).sum() / 3)(ALPHA)
    found = strength_gradient(array(DELTA), array(A), tanh)
    assert_within(found, expected, 8 * 6 * max(epsilon(dtype), epsilon("float32")))
