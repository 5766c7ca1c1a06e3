"""BN1 to BN6, each alone, and the way back against automatic differentiation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.equations.batch_normalization import (
    batch_error,
    batch_statistics,
    fixed_error,
    normalized,
    running_value,
    scale_gradient,
    scaled_and_shifted,
)
from tests.numerics import as_float64, assert_within, epsilon

RANDOM = np.random.default_rng(0)
A = RANDOM.standard_normal((3, 7)) * [[1.0], [10.0], [0.1]] + [[0.0], [3.0], [-1.0]]
SCALE, SHIFT = np.array([[1.5], [-0.5], [2.0]]), np.array([[0.0], [1.0], [-2.0]])
WEIGHTS = np.array([1.0, 2.0, 0.0, 0.5, 3.0, 1.0, 0.25])
EPSILON = 1e-3
weighted = pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])


def optional(array, weights):
    return None if weights is None else array(weights)


def output(A, scale, shift, weights):
    """Write Z of a batch again, with its own statistics, for automatic differentiation."""
    p = jnp.ones(A.shape[1]) if weights is None else jnp.asarray(weights)
    p = p / p.sum()
    mean = (A * p).sum(axis=1, keepdims=True)
    variance = ((A - mean) ** 2 * p).sum(axis=1, keepdims=True)
    return scale * (A - mean) / jnp.sqrt(variance + EPSILON) + shift


def test_bn1_statistics_of_a_worked_example(array):
    mean, variance = batch_statistics(array([[1.0, 3.0, 5.0, 7.0]]))
    assert (float(mean[0, 0]), float(variance[0, 0])) == (4.0, 5.0)
    # Half of the weight at 1, a quarter at 3 and at 7: μ = 3, v = (4/2 + 0 + 16/4) = 6.
    mean, variance = batch_statistics(array([[1.0, 3.0, 5.0, 7.0]]), array([2.0, 1.0, 0.0, 1.0]))
    assert (float(mean[0, 0]), float(variance[0, 0])) == (3.0, 6.0)


def test_bn1_a_weight_of_two_is_the_example_twice(array, dtype):
    twice = np.concatenate([A, A[:, :2]], axis=1)
    weights = np.array([2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    one, other = batch_statistics(array(A), array(weights)), batch_statistics(array(twice))
    for actual, expected, size in zip(one, other, (np.abs(A).max(), (A**2).max()), strict=True):
        assert_within(actual, expected, 20 * epsilon(dtype) * size)


def test_bn2_normalized_activations_have_mean_0_and_variance_1(array, dtype):
    mean, variance = batch_statistics(array(A))
    X_hat = as_float64(normalized(array(A), mean, variance, EPSILON))
    # Each is rounded relative to its distance from the mean, which cancels a part of A.
    bound = 20 * epsilon(dtype) * (1 + np.abs(A).max(axis=1) / A.std(axis=1))
    assert_within(X_hat.mean(axis=1), np.zeros(3), bound)
    # But for ε, which counts where a variance is small.
    assert_within(X_hat.var(axis=1), A.var(axis=1) / (A.var(axis=1) + EPSILON), 4 * bound)


def test_bn2_a_unit_that_never_changes_is_normalized_to_0(array):
    mean, variance = batch_statistics(array([[5.0, 5.0, 5.0]]))
    X_hat = normalized(array([[5.0, 5.0, 5.0]]), mean, variance, EPSILON)
    np.testing.assert_array_equal(as_float64(X_hat), [[0.0, 0.0, 0.0]])


def test_bn3_scale_and_shift_of_a_worked_example(array):
    Z = scaled_and_shifted(array([[1.0, -2.0]]), array([[3.0]]), array([[0.5]]))
    np.testing.assert_array_equal(as_float64(Z), [[3.5, -5.5]])


@weighted
def test_bn3_gradient_of_the_scale_equals_automatic_differentiation(array, dtype, weights):
    grad_Z = RANDOM.standard_normal(A.shape)
    expected = jax.grad(lambda s: (output(A, s, SHIFT, weights) * grad_Z).sum())(SCALE)
    mean, variance = batch_statistics(array(A), optional(array, weights))
    X_hat = normalized(array(A), mean, variance, EPSILON)
    actual = A.shape[1] * as_float64(scale_gradient(array(grad_Z), X_hat))
    assert_within(actual, expected, 200 * epsilon(dtype) * np.abs(grad_Z).sum())


@weighted
def test_bn4_error_equals_automatic_differentiation_through_the_statistics(array, dtype, weights):
    # With J = Σ p C, a column of δ is m ∂J/∂z, and so is what comes back.
    m = A.shape[1]
    delta = RANDOM.standard_normal(A.shape)
    expected = jax.grad(lambda A: (output(A, SCALE, SHIFT, weights) * delta / m).sum())(A) * m
    given = optional(array, weights)
    mean, variance = batch_statistics(array(A), given)
    X_hat = normalized(array(A), mean, variance, EPSILON)
    actual = batch_error(array(delta), X_hat, array(SCALE), variance, EPSILON, given)
    # Sums of seven terms; the mean cancels digits of A, ten at most against its spread.
    size = np.abs(SCALE) / np.sqrt(A.var(axis=1, keepdims=True) + EPSILON) * 10
    assert_within(actual, expected, 200 * epsilon(dtype) * size)


def test_bn4_takes_out_what_moves_or_stretches_the_whole_batch(array64):
    mean, variance = batch_statistics(array64(A))
    X_hat = normalized(array64(A), mean, variance, 1e-12)
    for delta in (np.ones(A.shape), as_float64(X_hat)):
        back = batch_error(array64(delta), X_hat, array64(SCALE), variance, 1e-12)
        # Of a stretch, ε/v of its size is left; the rest is rounding.
        size = np.abs(SCALE) / A.std(axis=1, keepdims=True) * (1 + np.abs(as_float64(X_hat)))
        left = 1e-12 / A.var(axis=1, keepdims=True) + 100 * epsilon("float64")
        assert_within(back, np.zeros(A.shape), left * size)


def test_bn4_an_example_without_weight_gets_no_error(array64):
    delta = RANDOM.standard_normal(A.shape) * WEIGHTS
    mean, variance = batch_statistics(array64(A), array64(WEIGHTS))
    X_hat = normalized(array64(A), mean, variance, EPSILON)
    back = batch_error(array64(delta), X_hat, array64(SCALE), variance, EPSILON, array64(WEIGHTS))
    np.testing.assert_array_equal(as_float64(back)[:, 2], 0.0)


def test_bn5_error_equals_automatic_differentiation_with_constant_statistics(array, dtype):
    mean, variance = np.array([[0.5], [2.0], [-1.0]]), np.array([[1.0], [50.0], [0.02]])
    delta = RANDOM.standard_normal(A.shape)
    expected = jax.grad(
        lambda A: (SCALE * (A - mean) / jnp.sqrt(variance + EPSILON) * delta).sum()
    )(A)
    actual = fixed_error(array(delta), array(SCALE), array(variance), EPSILON)
    assert_within(actual, expected, 5 * epsilon(dtype) * np.abs(expected))


def test_bn6_running_value_of_a_worked_example(array):
    value = running_value(array([[8.0]]), array([[4.0]]), 0.75)
    np.testing.assert_array_equal(as_float64(value), [[7.0]])


def test_bn6_running_values_approach_a_batch_that_stays_the_same(array64):
    running = array64([[0.0]])
    for _ in range(100):
        running = running_value(running, array64([[3.0]]), 0.9)
    # What is left of the beginning is 0.9^100.
    assert_within(running, [[3.0 * (1 - 0.9**100)]], 100 * 3 * epsilon("float64"))
