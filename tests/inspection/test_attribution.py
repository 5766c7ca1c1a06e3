import numpy as np
import pytest

import chainrule as cr
from chainrule.inspection.attribution import attribute, input_gradient
from chainrule.network.parameters import views


def network(activation="tanh", output="softmax", normalised=False):
    hidden = (
        [cr.Dense(6, "identity"), cr.BatchNorm(activation)]
        if normalised
        else [cr.Dense(6, activation)]
    )
    cost = "cross_entropy" if output == "softmax" else "mse"
    layers = [4, *hidden, cr.Dropout(0.5), cr.Dense(3, output)]
    return cr.Network(layers, cost=cost, seed=3, dtype="float64")


@pytest.mark.parametrize("output", ["softmax", "identity", "sigmoid"])
@pytest.mark.parametrize("normalised", [False, True])
def test_the_gradient_of_an_output_is_that_of_finite_differences(output, normalised):
    net = network(output=output, normalised=normalised)
    x = np.random.default_rng(0).normal(size=4)
    c = np.array([0.0, 1.0, -0.5])
    gradient = input_gradient(
        net.spec, views(net.spec, net.parameters), x.reshape(-1, 1), c.reshape(-1, 1)
    ).ravel()
    h = np.finfo(np.float64).eps ** (1 / 3)
    for index, direction in enumerate(np.eye(4) * h):
        ends = net.predict(np.stack([x + direction, x - direction]))
        difference = (ends[0] - ends[1]) @ c / (2 * h)
        # Central differences: h² of the third derivative, and rounding by h.
        assert abs(gradient[index] - difference) <= 100 * h**2


@pytest.mark.parametrize("activation", ["tanh", "silu", "relu"])
def test_the_inputs_shares_add_up_to_what_is_to_be_explained(activation):
    net = network(activation)
    random = np.random.default_rng(1)
    x, reference = random.normal(size=(2, 4)) * 3
    found = attribute(net.spec, net.parameters, x, reference, np.array([0.0, 0.0, 1.0]))
    outputs = net.predict(np.stack([x, reference]))[:, 2]
    assert found.value == pytest.approx(outputs[0], rel=1e-12)
    assert found.reference_value == pytest.approx(outputs[1], rel=1e-12)
    # Each of the 6 kinks of a ReLU spoils one of 64 pieces; what is smooth is exact.
    allowed = 1e-3 if activation == "relu" else 1e-10
    assert abs(found.unexplained) <= allowed


def test_an_input_that_the_network_does_not_look_at_moved_nothing():
    net = network()
    net.weights[0][:, 2] = 0
    found = attribute(net.spec, net.parameters, np.ones(4), np.zeros(4), np.array([1.0, 0, 0]))
    assert found.integrated_gradients[2] == found.gradient_times_input[2] == 0
    assert found.integrated_gradients[0] != 0


def test_a_linear_network_is_explained_by_its_weights():
    net = cr.Network([3, cr.Dense(1, "identity")], cost="mse", seed=0, dtype="float64")
    x = np.array([1.0, -2.0, 0.5])
    found = attribute(net.spec, net.parameters, x, np.zeros(3), np.full(1, 10.0), 7.0)
    expected = 10 * net.weights[0][0] * x
    np.testing.assert_allclose(found.integrated_gradients, expected, rtol=1e-12)
    np.testing.assert_allclose(found.gradient_times_input, expected, rtol=1e-12)
    assert found.value - found.reference_value == pytest.approx(expected.sum())
    assert found.reference_value == pytest.approx(7 + 10 * net.biases[0][0])
