import numpy as np
import pytest

from chainrule.tables.transform import TargetTransform
from tests.inspection.networks import network, output_of


@pytest.mark.parametrize("output", ["softmax", "identity", "sigmoid"])
@pytest.mark.parametrize("normalised", [False, True])
def test_the_gradient_of_an_output_is_that_of_finite_differences(output, normalised):
    net = network(output=output, normalised=normalised)
    x = np.random.default_rng(0).normal(size=4)
    c = np.array([0.0, 1.0, -0.5])
    gradient = output_of(net, c).gradient(x.reshape(-1, 1)).ravel()
    h = np.finfo(np.float64).eps ** (1 / 3)
    for index, direction in enumerate(np.eye(4) * h):
        ends = net.predict(np.stack([x + direction, x - direction]))
        difference = (ends[0] - ends[1]) @ c / (2 * h)
        # Central differences: h² of the third derivative, and rounding by h.
        assert abs(gradient[index] - difference) <= 100 * h**2


def test_the_gradient_of_a_transformed_target_has_the_slope_of_its_inverse():
    net = network(output="identity")
    undoing = TargetTransform("log", 0.0, 1.0, -9.0, 9.0, 1.0, 0.0)
    f = output_of(net, [1.0, 0.0, 0.0], 0.5)
    transformed = type(f)(f.spec, f.theta, f.direction, f.offset, undoing)
    x = np.ones((4, 1))
    np.testing.assert_allclose(transformed.values(x), np.exp(f.values(x)), rtol=1e-12)
    np.testing.assert_allclose(
        transformed.gradient(x), np.exp(f.values(x)) * f.gradient(x), rtol=1e-12
    )


def test_the_values_of_an_output_are_the_networks_predictions():
    net = network()
    X = np.random.default_rng(1).normal(size=(5, 4))
    c = np.array([2.0, 0.0, -1.0])
    np.testing.assert_allclose(output_of(net, c, 7.0).values(X.T), net.predict(X) @ c + 7, 1e-12)
