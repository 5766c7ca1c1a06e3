"""The dense layer's declaration."""

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import LAYER_KINDS, Block, Dense, Layer
from chainrule.network.spec import NetworkSpec
from tests.engine_names import ENGINES


def test_a_dense_layer_is_a_layer_of_its_kind():
    assert isinstance(Dense(3), Layer)
    assert LAYER_KINDS["dense"] is Dense


def test_relu_is_the_default():
    assert Dense(3) == Dense(3, "relu")


def test_activations_that_mean_the_same_make_equal_layers():
    assert Dense(3, "leaky_relu(slope=0.01)") == Dense(3, "leaky_relu")
    assert hash(Dense(3, " elu( alpha=1.0 )")) == hash(Dense(3, "elu"))


def test_units_of_numpy_are_whole_numbers_of_python():
    layer = Dense(np.int64(3))
    assert layer == Dense(3)
    assert type(layer.units) is int


@pytest.mark.parametrize("layer", [Dense(3), Dense(2, "elu(alpha=0.5)"), Dense(1, init="zeros")])
def test_its_representation_makes_the_layer_again(layer):
    assert eval(repr(layer)) == layer


@pytest.mark.parametrize(
    "units", [0, -1, 2.0, "3", None, True, math.nan, [3], np.array([3]), np.float64(3)]
)
def test_units_that_are_no_whole_number_of_at_least_1_are_refused(units):
    with pytest.raises(
        InvalidArgumentError, match=r"^units: expected a whole number of at least 1; got"
    ):
        Dense(units)


@pytest.mark.parametrize("init", ["he", "", 3, ["he_normal"]])
def test_an_unknown_initialiser_is_refused_with_the_names_that_exist(init):
    with pytest.raises(InvalidArgumentError, match=r"^init: expected auto, zeros, .*nielsen; got"):
        Dense(3, init=init)


def test_a_layer_is_frozen():
    with pytest.raises(AttributeError):
        Dense(3).units = 4


def test_its_blocks_are_weights_by_unit_and_biases():
    assert Dense(3, init="he_normal").blocks(5, "auto") == (
        Block("W", (3, 5), "weights", "he_normal"),
        Block("b", (3, 1), "biases", "zeros"),
    )


@pytest.mark.parametrize(
    ("activation", "initializer"),
    [
        ("relu", "he_normal"),
        ("leaky_relu", "he_normal"),
        ("leaky_relu(slope=0.2)", "he_normal"),
        ("elu", "he_normal"),
        ("gelu", "he_normal"),
        ("silu", "he_normal"),
        ("mish", "he_normal"),
        ("softplus", "he_normal"),
        ("selu", "glorot_uniform"),
        ("identity", "glorot_uniform"),
        ("sigmoid", "glorot_uniform"),
        ("tanh", "glorot_uniform"),
        ("softmax", "glorot_uniform"),
    ],
)
def test_auto_chooses_the_initialiser_by_the_activation(activation, initializer):
    assert Dense(3, activation).blocks(5, "auto")[0].initializer == initializer


def test_a_layer_s_own_initialiser_outranks_the_network_s():
    assert Dense(3, "tanh", "zeros").blocks(5, "he_normal")[0].initializer == "zeros"
    assert Dense(3, "tanh").blocks(5, "he_normal")[0].initializer == "he_normal"
    assert Dense(3, "tanh", "auto").blocks(5, "he_normal")[0].initializer == "glorot_uniform"


@pytest.mark.parametrize("name", ["learning_rate_factor", "bias_learning_rate_factor"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan"), "2", None, True])
def test_factors_that_are_none_are_refused(name, value):
    with pytest.raises(InvalidArgumentError, match=rf"^{name}: expected a finite number > 0"):
        Dense(3, "relu", **{name: value})


def test_factors_are_written_and_read_again_and_left_out_where_they_are_one():
    layer = Dense(3, "relu", learning_rate_factor=0.25, bias_learning_rate_factor=2)
    assert eval(repr(layer)) == layer
    spec = NetworkSpec(2, (layer, Dense(1, "identity")), "mse")
    assert NetworkSpec.from_json(spec.to_json()) == spec
    assert spec.to_json().count("learning_rate_factor") == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_a_step_of_gradient_descent_has_the_factors_of_weights_and_biases(engine):
    X, Y = np.random.default_rng(0).standard_normal((2, 16, 3))
    moved = []
    for factors in ({}, {"learning_rate_factor": 0.25, "bias_learning_rate_factor": 2.0}):
        layers = [3, Dense(5, "tanh", **factors), Dense(3, "identity")]
        net = cr.Network(layers, "mse", seed=0, dtype="float64")
        before = net.parameters.copy()
        net.fit(X, Y, optimizer=cr.SGD(0.1), epochs=1, batch_size=16, engine=engine)
        moved.append(net.parameters - before)
    plain, scaled = moved
    expected = plain * np.repeat([0.25, 2.0, 1.0], [15, 5, 18])
    np.testing.assert_allclose(scaled, expected, rtol=1e-12, atol=1e-15)
