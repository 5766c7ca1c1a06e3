"""The declaration of a parametric activation, and what others learn from it."""

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import LAYER_KINDS, Dense, ParametricActivation
from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.network.spec import NetworkSpec

X = np.random.default_rng(0).standard_normal((9, 3))


def network(activation="selu", alpha=1.0, factor=1.0, dtype="float64"):
    own = cr.ParametricActivation(activation, alpha, factor)
    layers = [3, cr.Dense(5, "identity"), own, cr.Dense(2, "identity")]
    return cr.Network(layers, cost="mse", seed=0, dtype=dtype)


@pytest.mark.parametrize("activation", ["softmax", "heads(relu:3)", "rely", 3])
def test_an_activation_that_is_not_of_each_unit_for_itself_is_refused(activation):
    with pytest.raises(InvalidArgumentError, match=r"^activation"):
        ParametricActivation(activation)


@pytest.mark.parametrize("value", [math.nan, math.inf, "2", None, True, [1.0]])
def test_numbers_that_are_none_are_refused(value):
    with pytest.raises(InvalidArgumentError, match=r"^alpha: expected a finite number; got"):
        ParametricActivation("relu", value)
    with pytest.raises(InvalidArgumentError, match=r"^learning_rate_factor: expected a finite"):
        ParametricActivation("relu", 1.0, value)


def test_it_is_written_and_read_again():
    layer = ParametricActivation("leaky_relu(slope=0.2)", np.float32(0.5), 2)
    assert eval(repr(layer)) == layer
    assert LAYER_KINDS["parametric_activation"] is ParametricActivation
    spec = NetworkSpec(3, (layer, Dense(2)), "mse")
    assert NetworkSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "softmax"])
def test_with_a_strength_of_one_it_is_the_activation(activation):
    plain = cr.Network([3, cr.Dense(5, activation), cr.Dense(2, "identity")], cost="mse", seed=0)
    own = network(activation, dtype="float32")
    for mine, theirs in ((own.weights, plain.weights), (own.biases, plain.biases)):
        for one, other in zip(mine, theirs, strict=True):
            one[...] = other
    # z + (σ(z) − z): two roundings of numbers of order 1.
    np.testing.assert_allclose(own.predict(X), plain.predict(X), rtol=0, atol=1e-5)


def test_with_a_strength_of_zero_it_passes_what_it_gets():
    own = network("tanh", alpha=0.0)
    (V, U), (b, c) = own.weights, own.biases
    np.testing.assert_allclose(own.predict(X), (X @ V.T + b) @ U.T + c, rtol=0, atol=1e-13)


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "softmax"])
def test_its_gradients_equal_differences_kinks_left_out(activation):
    own = network(activation, alpha=0.5)
    check = own.check_gradients(X, np.ones((9, 2)))
    assert check
    assert [block.name for block in check.blocks] == ["W[1]", "b[1]", "α[2]", "W[3]", "b[3]"]


def test_a_trace_shows_its_equations():
    terms = {term.name: term for term in network("tanh").trace(X, np.ones((9, 2))).terms}
    assert terms["A[2]"].equation == "PA1"
    assert terms["A[2]"].formula.endswith(", tanh: σ(z) = tanh z")
    assert terms["∂J/∂α[2]"].equation == "PA2"
    assert terms["δ[1]"].formula.startswith("∂C/∂A[1] = δ[2] ⊙ (1 + α[2] ⊙ (σ′(A[1]) − 1))")


def test_a_network_in_which_no_unit_moves_sigma_is_not_called_dead():
    own = network("relu", alpha=0.5)
    own.biases[0][...] = -100  # every z is below 0, and half of it passes
    history = own.fit(X, np.ones((9, 2)), epochs=1, optimizer=cr.SGD(1e-6))
    assert [found.kind for found in history.diagnostics] == []
