"""BE1 to BE5: members that share W, and the dense layers of diag(s) · W · diag(r) that they are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import block_diag

from chainrule.equations.backpropagation import weight_gradient
from chainrule.equations.batch_ensemble import (
    batch_ensemble_error,
    batch_ensemble_pre_activation,
    input_factor_gradient,
    output_factor_gradient,
    shared_weight_gradient,
)
from chainrule.equations.forward import pre_activation
from tests.numerics import as_float64, assert_within, epsilon

# Three members of two units, each of which sees four units below; all numbers are below 1.
RANDOM = np.random.default_rng(0)
W = RANDOM.uniform(-1, 1, (2, 4))
R = RANDOM.uniform(-1, 1, (12, 1))
S = RANDOM.uniform(-1, 1, (6, 1))
B = RANDOM.uniform(-1, 1, (6, 1))
OWN = RANDOM.uniform(-1, 1, (12, 5))
SHARED = RANDOM.uniform(-1, 1, (4, 5))
DELTA = RANDOM.uniform(-1, 1, (6, 5))

inputs = pytest.mark.parametrize("A", [OWN, SHARED], ids=["own inputs", "shared inputs"])


def matrix(W, r, s, shared):
    """Return the matrix of a dense layer that does the same."""
    members = [s[2 * k : 2 * k + 2] * W * r[4 * k : 4 * k + 4, 0] for k in range(3)]
    return jnp.concatenate(members) if shared else jax.scipy.linalg.block_diag(*members)


def gradient_of_cost(argument, A):
    """Return the gradient of the mean of Σ δ z by automatic differentiation, in float32."""

    def cost(W, r, s, A):
        return (DELTA * (matrix(W, r, s, len(A) == 4) @ A)).sum() / 5

    return np.asarray(jax.grad(cost, argument)(W, R, S, A))


def near(dtype):
    """Return how far sums of 20 products of four such numbers may be off, in JAX's float32 too."""
    return 100 * max(epsilon(dtype), epsilon("float32"))


def test_be1_sums_of_a_worked_example(array):
    W, b = array([[1.0, 2.0]]), array([[0.5], [-1.0]])
    r, s = array([[1.0], [-1.0], [2.0], [0.5]]), array([[3.0], [-2.0]])
    own = batch_ensemble_pre_activation(W, r, s, array([[1.0], [10.0], [100.0], [8.0]]), b)
    # 3 (1·1 − 2·10) + 0.5 and −2 (2·100 + 2·4) − 1.
    np.testing.assert_array_equal(as_float64(own), [[-56.5], [-417.0]])
    shared = batch_ensemble_pre_activation(W, r, s, array([[1.0], [10.0]]), b)
    # The same, and −2 (2·1 + 2·5) − 1.
    np.testing.assert_array_equal(as_float64(shared), [[-56.5], [-25.0]])


@inputs
def test_be1_sums_are_those_of_matrices_of_rank_one_changes(array, dtype, A):
    found = batch_ensemble_pre_activation(array(W), array(R), array(S), array(A), array(B))
    members = [S[2 * k : 2 * k + 2] * W * R[4 * k : 4 * k + 4].T for k in range(3)]
    whole = block_diag(*members) if A is OWN else np.concatenate(members)
    # Sums of five numbers below 1, each of them a product of at most four.
    assert_within(found, pre_activation(whole, A, B), 32 * epsilon(dtype))


@inputs
def test_be2_error_equals_automatic_differentiation(array, dtype, A):
    found = batch_ensemble_error(array(W), array(R), array(S), array(DELTA), A is SHARED)
    assert_within(found, 5 * gradient_of_cost(3, A), near(dtype))


@inputs
def test_be3_gradient_of_the_shared_weights_equals_automatic_differentiation(array, dtype, A):
    found = shared_weight_gradient(array(W), array(R), array(S), array(DELTA), array(A))
    assert_within(found, gradient_of_cost(0, A), near(dtype))


@inputs
def test_be4_gradient_of_the_input_factors_equals_automatic_differentiation(array, dtype, A):
    found = input_factor_gradient(array(W), array(S), array(DELTA), array(A))
    assert_within(found, gradient_of_cost(1, A), near(dtype))


@inputs
def test_be5_gradient_of_the_output_factors_equals_automatic_differentiation(array, dtype, A):
    found = output_factor_gradient(array(W), array(R), array(DELTA), array(A))
    assert_within(found, gradient_of_cost(2, A), near(dtype))


def test_be3_gradient_of_one_member_without_factors_is_bp4(array, dtype):
    ones = np.ones((4, 1)), np.ones((2, 1))
    found = shared_weight_gradient(array(W), *map(array, (*ones, DELTA[:2], SHARED)))
    expected = weight_gradient(array(DELTA[:2]), array(SHARED))
    assert_within(found, as_float64(expected), 16 * epsilon(dtype))
