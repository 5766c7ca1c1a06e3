"""GD1 to GD3: grouped dense layers, and the dense layers that they are."""

import jax
import numpy as np
from scipy.linalg import block_diag

from chainrule.equations.backpropagation import weight_gradient
from chainrule.equations.forward import pre_activation
from chainrule.equations.grouped import (
    grouped_error,
    grouped_pre_activation,
    grouped_weight_gradient,
)
from tests.numerics import as_float64, assert_within, epsilon

# Two groups of two units, each of which sees three units below.
RANDOM = np.random.default_rng(0)
W = RANDOM.uniform(-1, 1, (4, 3))
B = RANDOM.uniform(-1, 1, (4, 1))
A = RANDOM.uniform(-1, 1, (6, 5))
DELTA = RANDOM.uniform(-1, 1, (4, 5))
DIAGONAL = block_diag(W[:2], W[2:])


def test_gd1_sums_of_a_worked_example(array):
    W = array([[1.0, 2.0], [3.0, 4.0]])
    A_prev = array([[1.0], [10.0], [100.0], [0.5]])
    Z = grouped_pre_activation(W, A_prev, array([[0.25], [-1.0]]))
    np.testing.assert_array_equal(as_float64(Z), [[21.25], [301.0]])


def test_gd1_sums_are_those_of_a_block_diagonal_matrix(array, dtype):
    found = grouped_pre_activation(array(W), array(A), array(B))
    # Sums of four numbers below 1.
    assert_within(found, pre_activation(DIAGONAL, A, B), 16 * epsilon(dtype))


def test_gd2_error_equals_automatic_differentiation(array, dtype):
    found = grouped_error(array(W), array(DELTA), 2)
    expected = jax.grad(lambda A: (pre_activation(DIAGONAL, A, B) * DELTA).sum())(A)
    # Sums of two numbers below 1, in JAX's float32 too.
    assert_within(found, expected, 16 * max(epsilon(dtype), epsilon("float32")))


def test_gd3_gradient_equals_the_diagonal_blocks_of_automatic_differentiation(array, dtype):
    found = grouped_weight_gradient(array(DELTA), array(A), 2)
    whole = np.asarray(jax.grad(lambda W: (pre_activation(W, A, B) * DELTA).sum() / 5)(DIAGONAL))
    expected = np.concatenate([whole[:2, :3], whole[2:, 3:]])
    # Means of five numbers below 1.
    assert_within(found, expected, 16 * max(epsilon(dtype), epsilon("float32")))


def test_gd3_gradient_of_one_group_is_bp4(array, dtype):
    found = grouped_weight_gradient(array(DELTA), array(A), 1)
    expected = weight_gradient(array(DELTA), array(A))
    assert_within(found, as_float64(expected), 16 * epsilon(dtype))
