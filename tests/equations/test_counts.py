"""AC13, C10 and FU6: counts."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.metrics import mean_poisson_deviance

from chainrule.equations import counts
from chainrule.equations.activations.exponential import exponential, exponential_derivative
from chainrule.equations.backpropagation import output_error
from tests.numerics import as_float64, assert_within, epsilon

_RANDOM = np.random.default_rng(0)
Z = _RANDOM.standard_normal((3, 7)) * 2
Y = _RANDOM.poisson(2.0, (3, 7)).astype(float)


def _plain(a, y):
    return jnp.sum(jnp.where(y > 0, y * jnp.log(jnp.where(y > 0, y, 1.0) / a), 0.0) - y + a)


def test_ac13_exponential_and_its_derivative_equal_libm(array, dtype):
    z = np.array([-80.0, -3.5, -1e-3, 0.0, 0.5, 10.0, 80.0])
    # The argument's own rounding is amplified by |z|.
    for function in (exponential, exponential_derivative):
        values = as_float64(array(z))
        expected = np.array([math.exp(value) for value in values])
        assert_within(function(array(z)), expected, 4 * epsilon(dtype) * expected)


def test_ac13_exponential_of_nan_is_nan(array):
    assert np.isnan(as_float64(exponential(array([np.nan, 1.0])))).tolist() == [True, False]


def test_c10_poisson_deviance_of_a_worked_example(array, dtype):
    # y = 2, a = 1: 2 log 2 − 2 + 1; y = 0, a = 3: 3.
    C = counts.poisson_deviance(array([[1.0, 3.0]]), array([[2.0, 0.0]]))
    assert_within(C, [2 * math.log(2) - 1, 3.0], 16 * epsilon(dtype))
    gradient = counts.poisson_deviance_gradient(array([[1.0, 3.0]]), array([[2.0, 0.0]]))
    assert_within(gradient, [[-1.0, 1.0]], 4 * epsilon(dtype))


def test_c10_poisson_deviance_and_gradient_equal_automatic_differentiation(array, dtype):
    A = array(np.exp(Z))
    a, y = as_float64(A), as_float64(array(Y))
    cost, gradient = jax.vmap(jax.value_and_grad(_plain), in_axes=1, out_axes=(0, 1))(a, y)
    # Terms y log y, y log a, y and a, each with a few roundings, and the sum of three of them.
    terms = y * (np.abs(np.log(np.maximum(y, 1))) + np.abs(np.log(a)) + 1) + a
    assert_within(counts.poisson_deviance(A, array(Y)), cost, 16 * epsilon(dtype) * terms.sum(0))
    assert_within(
        counts.poisson_deviance_gradient(A, array(Y)), gradient, 8 * epsilon(dtype) * (1 + y / a)
    )


def test_c10_poisson_deviance_is_scikit_learns():
    A = np.exp(Z)
    expected = [mean_poisson_deviance(y, a) * 3 / 2 for y, a in zip(Y.T, A.T, strict=True)]
    np.testing.assert_allclose(counts.poisson_deviance(A, Y), expected, rtol=1e-13)


def test_c10_cost_and_gradient_are_zero_at_the_minimum(array, dtype):
    P = array([[0.5, 3.0]])
    assert_within(counts.poisson_deviance(P, P), [0.0, 0.0], 16 * epsilon(dtype))
    assert_within(counts.poisson_deviance_gradient(P, P), [[0.0, 0.0]], 4 * epsilon(dtype))


def test_c10_of_an_output_of_zero_is_finite(array):
    for function in (counts.poisson_deviance, counts.poisson_deviance_gradient):
        assert np.isfinite(as_float64(function(array([[0.0]]), array([[1.0]])))).all()


def test_fu6_error_and_cost_equal_the_chain_rule(array, dtype):
    logits, targets = array(Z), array(Y)
    A = exponential(logits)
    a, y = as_float64(A), as_float64(targets)
    unfused = output_error(
        counts.poisson_deviance_gradient(A, targets), logits, exponential_derivative
    )
    bound = 16 * epsilon(dtype) * (a + y)
    assert_within(counts.exponential_poisson_error(A, targets), as_float64(unfused), bound)
    terms = (a + y * (2 + np.abs(as_float64(logits)) + np.log(np.maximum(y, 1)))).sum(axis=0)
    assert_within(
        counts.exponential_poisson(logits, targets),
        as_float64(counts.poisson_deviance(A, targets)),
        16 * epsilon(dtype) * terms,
    )
