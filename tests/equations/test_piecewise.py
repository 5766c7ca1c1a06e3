"""PL1: the piecewise-linear encoding and the way back."""

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.equations.piecewise import piecewise_linear, piecewise_linear_error
from tests.numerics import as_float64, assert_within, epsilon

X = np.array([[-2.0, -1.0, 0.5, 1.0, 4.0]] * 2)
LOWER, WIDTH = np.array([[-1.0], [1.0]]), np.array([[2.0], [4.0]])
DELTA = np.array([[0.25, -1.0, 2.0, 3.0, 1.0], [1.0, 2.0, 3.0, 4.0, -0.5]])


def test_pl1_encoding_of_a_worked_example(array):
    # Bins −1 … 1 and 1 … 5.
    expected = [[0.0, 0.0, 0.75, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0, 0.75]]
    found = piecewise_linear(array(X), array(LOWER), array(WIDTH))
    np.testing.assert_array_equal(as_float64(found), expected)
    back = piecewise_linear_error(array(DELTA), found, array(WIDTH))
    np.testing.assert_array_equal(as_float64(back), [[0, 0, 1.0, 0, 0], [0, 0, 0, 0, -0.125]])


def test_pl1_adjoining_bins_add_up_to_the_distance_from_the_first_edge(array, dtype):
    edges = np.array([-1.0, -0.4, 0.3, 1.6])
    x = np.linspace(-1.0, 1.6, 41)
    lower, width = edges[:-1, None], np.diff(edges)[:, None]
    E = as_float64(piecewise_linear(array(np.tile(x, (3, 1))), array(lower), array(width)))
    np.testing.assert_allclose((width * E).sum(axis=0), x + 1.0, atol=8 * epsilon(dtype))


def test_pl1_derivative_equals_automatic_differentiation(array, dtype):
    x = np.random.default_rng(0).uniform(-3.0, 6.0, (2, 50))
    delta = np.random.default_rng(1).standard_normal((2, 50))

    def written_again(x):
        bins = [
            jnp.interp(x[k], jnp.array([low[0], low[0] + width[0]]), jnp.array([0.0, 1.0]))
            for k, (low, width) in enumerate(zip(LOWER, WIDTH, strict=True))
        ]
        return (jnp.stack(bins) * delta).sum()

    E = piecewise_linear(array(x), array(LOWER), array(WIDTH))
    found = piecewise_linear_error(array(delta), E, array(WIDTH))
    # Numbers of at most 2, by a few roundings, in JAX's float32 too.
    assert_within(found, jax.grad(written_again)(x), 16 * max(epsilon(dtype), epsilon("float32")))
