"""EM1 and EM2: rows looked up, and the errors that come back to them."""

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.equations.embedding import lookup, lookup_gradient
from tests.numerics import as_float64, assert_within, epsilon

E = np.array([[1.0, 2.0], [3.0, -4.0], [0.5, 0.25], [7.0, 8.0]])
CODES = np.array([2.0, 0.0, 2.0, 1.0, 0.0, 2.0])


def test_em1_lookup_of_a_worked_example(array):
    expected = [[0.5, 1.0, 0.5, 3.0, 1.0, 0.5], [0.25, 2.0, 0.25, -4.0, 2.0, 0.25]]
    np.testing.assert_array_equal(as_float64(lookup(array(E), array(CODES))), expected)


def test_em1_lookup_is_the_table_times_one_hot_columns(array):
    H = np.eye(4)[:, CODES.astype(int)]
    np.testing.assert_array_equal(as_float64(lookup(array(E), array(CODES))), E.T @ H)


def test_em2_gradient_of_a_worked_example(array):
    # Code 0 has the examples 1 and 4, code 1 has 3, code 2 has 0, 2 and 5.
    delta = 6 * np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
    gradient = lookup_gradient(array(delta), array(CODES), 4)
    np.testing.assert_array_equal(as_float64(gradient), [[7.0], [4.0], [10.0], [0.0]])


def test_em2_gradient_equals_automatic_differentiation_of_the_mean(array, dtype):
    weights = np.random.default_rng(0).standard_normal((2, 6))

    def cost(E):
        return (E[CODES.astype(int)].T * weights).sum(axis=0).mean()

    expected = jax.grad(cost)(jnp.asarray(E))
    actual = lookup_gradient(array(weights), array(CODES), 4)
    # Sums of at most three terms of order 1.
    assert_within(actual, expected, 8 * epsilon(dtype))
