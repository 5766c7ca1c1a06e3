"""DO1: what is dropped, what is made larger, and the way back."""

import jax
import numpy as np
import pytest

from chainrule.equations.dropout import dropout, dropout_derivative
from tests.numerics import as_float64, assert_within, epsilon

A = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])
M = np.array([[0.0, 2.0, 2.0], [2.0, 0.0, 2.0]])


def test_do1_dropout_of_a_worked_example(array):
    expected = [[0.0, -4.0, 6.0], [1.0, 0.0, -2.0]]
    np.testing.assert_array_equal(as_float64(dropout(array(A), array(M))), expected)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75])
def test_do1_keeps_the_expectation_over_both_things_that_can_happen(array, dtype, rate):
    dropped, kept = (dropout(array(A), array(np.full(A.shape, m))) for m in (0, 1 / (1 - rate)))
    expectation = rate * as_float64(dropped) + (1 - rate) * as_float64(kept)
    # The factor and the product are rounded once each.
    assert_within(expectation, A, 2 * epsilon(dtype) * np.abs(A))


def test_do1_derivative_equals_automatic_differentiation(array, dtype):
    grad_A = np.array([[0.25, -1.0, 2.0], [3.0, 1.0, -0.5]])
    expected = jax.grad(lambda a: (jax.numpy.asarray(M) * a * grad_A).sum())(A)
    actual = dropout_derivative(array(grad_A), array(M))
    assert_within(actual, expected, epsilon(dtype) * np.abs(expected))
