"""TS1 to TS5: hand-worked values, automatic differentiation, and convexity."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.equations.fused_pairs import sigmoid_binary_cross_entropy, softmax_cross_entropy
from chainrule.equations.temperature import (
    sigmoid_temperature_curvature,
    softmax_temperature_curvature,
    temperature_slope,
    tempered_sigmoid,
    tempered_softmax,
)
from tests.numerics import assert_within, epsilon

PAIRS = {
    "ts1_softmax": (tempered_softmax, softmax_cross_entropy, softmax_temperature_curvature),
    "ts2_sigmoid": (tempered_sigmoid, sigmoid_binary_cross_entropy, sigmoid_temperature_curvature),
}
Z = np.random.default_rng(0).normal(0, 3, (4, 6))
Y = np.eye(4)[[0, 1, 2, 3, 1, 0]].T


def test_ts1_of_a_worked_example(array, dtype):
    # e^{ln 4 / 2} = 2, so the probabilities 1/5 and 4/5 become 1/3 and 2/3.
    tempered = tempered_softmax(array([[0.0], [np.log(4)]]), 2.0)
    assert_within(tempered, [[1 / 3], [2 / 3]], 8 * epsilon(dtype))


def test_ts2_of_a_worked_example(array, dtype):
    # Odds of 9 to 1 become odds of 3 to 1.
    tempered = tempered_sigmoid(array([[np.log(9)], [-np.log(9)]]), 2.0)
    assert_within(tempered, [[3 / 4], [1 / 4]], 8 * epsilon(dtype))


def test_ts1_of_two_classes_is_ts2_of_their_difference(array, dtype):
    pair = tempered_softmax(array([[1.0, -2.0], [0.5, 3.0]]), 1.7)
    single = tempered_sigmoid(array([[-0.5, 5.0]]), 1.7)
    assert_within(pair[1, :], np.asarray(single)[0], 16 * epsilon(dtype))


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("beta", [0.25, 1.0, 3.0])
def test_ts3_is_the_derivative_by_automatic_differentiation(name, beta):
    tempered, cost, _ = PAIRS[name]
    expected = jax.jacfwd(lambda b: cost(jnp.asarray(Z) * b, jnp.asarray(Y)))(beta)
    found = temperature_slope(Z, tempered(Z, 1 / beta), Y)
    # Four products of numbers up to 10, each a few roundings.
    assert_within(found, expected, 100 * 10 * epsilon("float64"))


def _second_derivative(name, beta):
    _, cost, _ = PAIRS[name]
    first = jax.jacfwd(lambda b: cost(jnp.asarray(Z) * b, jnp.asarray(Y)))
    return jax.jacfwd(first)(beta)


@pytest.mark.parametrize("beta", [0.25, 1.0, 3.0])
def test_ts4_is_the_second_derivative_by_automatic_differentiation(beta):
    found = softmax_temperature_curvature(Z, tempered_softmax(Z, 1 / beta))
    assert_within(found, _second_derivative("ts1_softmax", beta), 1e4 * epsilon("float64"))
    assert (found >= 0).all()


@pytest.mark.parametrize("beta", [0.25, 1.0, 3.0])
def test_ts5_is_the_second_derivative_by_automatic_differentiation(beta):
    found = sigmoid_temperature_curvature(Z, tempered_sigmoid(Z, 1 / beta))
    assert_within(found, _second_derivative("ts2_sigmoid", beta), 1e4 * epsilon("float64"))
    assert (found >= 0).all()
