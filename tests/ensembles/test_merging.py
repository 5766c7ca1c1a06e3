import numpy as np
import pytest

from chainrule.engines.reference import ReferenceEngine
from chainrule.ensembles.merging import merged
from chainrule.errors import InvalidArgumentError
from chainrule.model.network import Network
from chainrule.model.temperature import pre_activations
from chainrule.network.layers import (
    BatchNorm,
    CategoryEmbedding,
    Dense,
    Dropout,
    GroupedDense,
    ParametricActivation,
    PiecewiseLinearEmbedding,
    Scale,
)

BINS = PiecewiseLinearEmbedding([(0, [-1.0, 0.0, 0.5, 2.0]), (1, [-2.0, 0.0, 1.0])])
CODES = CategoryEmbedding([(1, 4, 2), (3, 5, 3)])

LAYERS = {
    "no hidden layer": [Dense(3, "softmax")],
    "one hidden layer": [Dense(5, "tanh"), Dense(3, "softmax")],
    "three hidden layers": [Dense(5, "silu"), Dense(4, "relu"), Dense(6), Dense(1, "identity")],
    "dropout": [Dense(5, "silu"), Dropout(0.3), Dense(4), Dropout(0.3), Dense(1, "sigmoid")],
    "bins and scale": [BINS, Scale(6.0), Dense(5, "silu"), Dense(4), Dense(3, "softmax")],
    "codes": [CODES, Dense(5, "silu"), Dense(2, "identity")],
    "codes, bins and scale": [
        CODES,
        BINS,
        Scale(),
        Dense(5, "silu"),
        Dense(4),
        Dense(2, "identity"),
    ],
    "batch normalisation": [
        *(Dense(5, "identity"), BatchNorm("relu"), Dense(4, "identity"), BatchNorm("tanh")),
        Dense(2, "identity"),
    ],
    "parametric activations and scales inside": [
        *(Dense(5, "identity"), ParametricActivation("silu"), Scale(), Dense(4, "tanh")),
        Dense(2, "identity"),
    ],
    "heads": [Dense(5, "silu"), Dense(4, "heads(softmax:3, identity:1)")],
}
COSTS = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy", "identity": "mse"}


def networks(layers, count, dtype="float64"):
    last = layers[-1].activation
    cost = COSTS.get(last, "heads(cross_entropy:3, mse:1)")
    made = []
    for seed in range(count):
        net = Network([4, *layers], cost, seed=seed, dtype=dtype)
        random = np.random.default_rng(seed)
        # Every parameter matters: biases, factors and statistics too, which begin as constants.
        net.parameters[:] += 0.3 * random.random(net.parameters.size)
        made.append(net)
    return made


def inputs(rows=20, dtype="float64"):
    random = np.random.default_rng(0)
    X = random.standard_normal((rows, 4))
    X[:, 1], X[:, 3] = random.integers(0, 4, rows), random.integers(0, 5, rows)
    return X.astype(dtype)


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_merged_network_has_the_weighted_mean_of_the_outputs_before_the_last_activation(
    layers, count
):
    members, X, engine = networks(layers, count), inputs(), ReferenceEngine(None)
    weights = np.arange(1, count + 1)
    expected = sum(
        w * pre_activations(net, X, engine) for w, net in zip(weights, members, strict=True)
    ) / sum(weights)
    found = pre_activations(merged(members, weights), X, engine)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_the_compiled_core_gives_the_outputs_of_the_reference(layers):
    net = merged(networks(layers, 3), [1, 2, 1])
    out = np.empty((20, net.spec.n_outputs))
    ReferenceEngine(None).forward(net.spec, net.parameters, inputs(), out)
    np.testing.assert_allclose(net.predict(inputs()), out, rtol=1e-11, atol=1e-11)


def test_hidden_layers_of_the_members_do_not_see_each_other():
    net = merged(networks(LAYERS["three hidden layers"], 3), [1, 1, 1])
    assert net.spec.layers == (
        Dense(15, "silu"),
        GroupedDense(12, 3, "relu"),
        GroupedDense(18, 3),
        Dense(1, "identity"),
    )


def test_a_merged_network_keeps_the_members_cost_and_precision():
    members = networks(LAYERS["one hidden layer"], 2, "float32")
    net = merged(members, [1, 1])
    assert (net.spec.cost, net.spec.dtype) == ("cross_entropy", "float32")
    assert net.parameters.dtype == np.float32


def test_a_merged_network_shares_no_memory_with_its_members():
    members = networks(LAYERS["one hidden layer"], 1)
    net = merged(members, [1])
    assert not np.shares_memory(net.parameters, members[0].parameters)


def test_networks_of_different_layers_are_refused():
    small, large = (
        networks([Dense(2, "identity")], 1),
        networks([Dense(3), Dense(2, "identity")], 1),
    )
    with pytest.raises(InvalidArgumentError, match="networks: expected networks with the same"):
        merged([*small, *large], [1, 1])


def test_an_activation_that_couples_the_units_of_a_hidden_layer_is_refused():
    members = networks([Dense(3, "softmax"), Dense(2, "identity")], 2)
    with pytest.raises(InvalidArgumentError, match="Use an activation of single units"):
        merged(members, [1, 1])
