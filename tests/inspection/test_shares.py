from itertools import permutations

import numpy as np
import pytest

import chainrule as cr
from chainrule.inspection.shares import by_expected_gradients, by_shapley_values
from tests.inspection.networks import network, output_of

METHODS = (by_expected_gradients, by_shapley_values)
WEIGHTS = np.array([0.5, 0.3, 0.2])
OWNERS = np.array([0, 1, 1, 2])


def rows():
    random = np.random.default_rng(5)
    return random.normal(size=4) * 2, random.normal(size=(3, 4)) * 2


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_shares_add_up_to_the_output_minus_its_mean(method, activation):
    net = network(activation)
    x, background = rows()
    found = method(output_of(net, [1.0, 0, 0]), x, background, WEIGHTS, OWNERS, 3)
    outputs = net.predict(np.vstack([x, background]))[:, 0]
    assert found.value == pytest.approx(outputs[0], rel=1e-12)
    assert found.baseline == pytest.approx(WEIGHTS @ outputs[1:], rel=1e-12)
    assert found.shares.sum() + found.unexplained == pytest.approx(found.value - found.baseline)
    assert abs(found.unexplained) <= 1e-7


@pytest.mark.parametrize("method", METHODS)
def test_a_linear_output_is_shared_by_its_weights(method):
    net = cr.Network([4, cr.Dense(1, "identity")], cost="mse", seed=0, dtype="float64")
    x, background = rows()
    found = method(output_of(net, [10.0], 7.0), x, background, WEIGHTS, OWNERS, 3)
    by_input = 10 * net.weights[0][0] * (x - WEIGHTS @ background)
    expected = [by_input[0], by_input[1] + by_input[2], by_input[3]]
    np.testing.assert_allclose(found.shares, expected, rtol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_inputs_that_the_network_ignores_have_no_share(method):
    net = network()
    net.weights[0][:, 3] = 0
    x, background = rows()
    found = method(output_of(net, [1.0, 0, 0]), x, background, WEIGHTS, OWNERS, 3)
    assert found.shares[2] == pytest.approx(0, abs=1e-15)
    assert abs(found.shares[0]) > 1e-3


def test_shapley_values_are_the_means_over_all_orders_in_which_columns_become_known():
    net = network("relu")
    x, background = rows()
    found = by_shapley_values(output_of(net, [0, 1.0, 0]), x, background, WEIGHTS, OWNERS, 3)
    expected = np.zeros(3)
    orders = list(permutations(range(3)))
    for order in orders:
        current = background.copy()
        before = WEIGHTS @ net.predict(current)[:, 1]
        for group in order:
            current[:, group == OWNERS] = x[group == OWNERS]
            after = WEIGHTS @ net.predict(current)[:, 1]
            expected[group] += (after - before) / len(orders)
            before = after
    np.testing.assert_allclose(found.shares, expected, rtol=1e-9, atol=1e-12)


def test_expected_gradients_and_shapley_values_agree_on_a_product_of_two_inputs():
    # ln f = a + b, f = e^a e^b: both methods halve the interaction of symmetric inputs.
    net = cr.Network([2, cr.Dense(1, "exponential")], cost="poisson", seed=0, dtype="float64")
    net.weights[0][:] = 1.0
    net.biases[0][:] = 0.0
    f = output_of(net, [1.0])
    arguments = (np.ones(2), np.zeros((1, 2)), np.ones(1), np.array([0, 1]), 2)
    expected = np.full(2, (np.exp(2) - 1) / 2)
    for method in METHODS:
        # Each of 16 pieces may miss 1e-8 of the difference.
        np.testing.assert_allclose(method(f, *arguments).shares, expected, rtol=16e-8)
