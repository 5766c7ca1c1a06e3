"""The declaration of a grouped dense layer, and what others learn from it."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import LAYER_KINDS, Block, Dense, GroupedDense
from chainrule.network.parameters import initial_parameters, views
from chainrule.network.registry.initializers import INITIALIZERS
from chainrule.network.spec import NetworkSpec

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.standard_normal((9, 6)), RANDOM.uniform(0, 1, (9, 4))
LAYERS = (
    GroupedDense(12, 3, "silu"),
    Dense(8, "softmax"),
    GroupedDense(6, 2, "relu"),
    cr.Dropout(0.0),
    GroupedDense(4, 2, "sigmoid"),
)


def network(*layers, cost="mse", n=6, **given):
    return cr.Network([n, *(layers or LAYERS)], cost, seed=0, dtype="float64", **given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((0, 1), r"^units: expected a whole number of at least 1; got 0$"),
        ((4, 0), r"^groups: expected a whole number of at least 1; got 0$"),
        ((4, -2), r"^groups: expected a whole number of at least 1; got -2$"),
        ((4, 2.0), r"^groups: expected a whole number of at least 1; got 2\.0$"),
        ((4, True), r"^groups: expected a whole number of at least 1; got True$"),
        ((10, 4), r"^units: expected a multiple of groups=4, .* got 10: 8 or 12 would do$"),
        ((3, 4), r"^units: expected a multiple of groups=4, .* got 3: 4 would do$"),
        ((4, 2, "softmax"), r"^activation: expected one that is applied to each unit by itself"),
        ((4, 2, "heads(identity:2, tanh:2)"), r"^activation: expected one that is applied to each"),
        ((4, 2, "relu", "he"), r"^init: expected auto, "),
        ((4, 2, "relu", None, 0.0), r"^learning_rate_factor: expected a finite number > 0"),
        ((4, 2, "relu", None, 1, -1), r"^bias_learning_rate_factor: expected a finite number > 0"),
    ],
)
def test_arguments_that_describe_no_layer_are_refused(given, message):
    with pytest.raises(InvalidArgumentError, match=message):
        GroupedDense(*given)


@pytest.mark.parametrize("below", [(), (Dense(10),), (GroupedDense(10, 2),)])
def test_a_layer_below_that_cannot_be_divided_is_refused(below):
    with pytest.raises(
        InvalidArgumentError,
        match=r"^groups: expected a divisor of the 10 units of the layer below, .* got 4 in "
        r"GroupedDense\(8, 4, 'relu'\)\. Give the layer below 8 or 12 units, or put a Dense",
    ):
        network(*below, GroupedDense(8, 4), n=10)


def test_it_is_written_and_read_again():
    layer = GroupedDense(np.int64(12), np.int32(3), "tanh", "zeros", 0.5, 2)
    for one in (layer, GroupedDense(12, 3)):
        assert eval(repr(one)) == one
        assert hash(eval(repr(one))) == hash(one)
        spec = NetworkSpec(6, (one, Dense(2)), "mse")
        assert NetworkSpec.from_json(spec.to_json()) == spec
    assert LAYER_KINDS["grouped_dense"] is GroupedDense


def test_its_blocks_hold_the_weights_of_the_groups_one_below_the_other():
    layer = GroupedDense(12, 3, "relu", learning_rate_factor=0.5, bias_learning_rate_factor=2.0)
    W, b = layer.blocks(6, "auto")
    assert (
        Block("W", (12, 2), "weights", "he_uniform", 0.5, n_out=4)._replace(
            initializer=W.initializer
        )
        == W
    )
    assert (b.shape, b.group, b.learning_rate_factor) == ((12, 1), "biases", 2.0)
    assert layer.output_units(6) == 12


@pytest.mark.parametrize("name", INITIALIZERS)
def test_each_group_starts_like_a_dense_layer_of_its_own_size(name):
    grouped = NetworkSpec(60, (GroupedDense(90, 3, init=name), Dense(1)), "mse", dtype="float64")
    alone = NetworkSpec(20, (Dense(30, init=name), Dense(1)), "mse", dtype="float64")
    W, _ = views(grouped, initial_parameters(grouped, 0))[0]
    V, _ = views(alone, initial_parameters(alone, 0))[0]
    # The random numbers come row by row, so that those of the first group are the same.
    np.testing.assert_array_equal(W[:30], V)
    # The mean square of n numbers errs by about √(2/n) of itself: 3 % here.
    assert np.mean(W[30:] ** 2) == pytest.approx(np.mean(V**2), rel=0.2)


def test_an_ensemble_predicts_the_mean_of_its_members():
    members = [
        cr.Network([6, Dense(8, "silu"), Dense(5, "tanh"), Dense(1, "identity")], "mse", seed=seed)
        for seed in range(3)
    ]
    layers = [Dense(24, "silu"), GroupedDense(15, 3, "tanh"), Dense(1, "identity")]
    ensemble = cr.Network([6, *layers], "mse")
    weights = zip(*(member.weights for member in members), strict=True)
    for own, theirs in zip(ensemble.weights[:2], weights, strict=False):
        own[...] = np.concatenate(theirs)
    ensemble.weights[2][...] = np.concatenate([member.weights[2] for member in members], axis=1) / 3
    mean = np.mean([member.predict(X) for member in members], axis=0)
    np.testing.assert_allclose(ensemble.predict(X), mean, rtol=0, atol=1e-6)


def test_groups_of_an_output_layer_learn_as_networks_of_their_own():
    rows = np.random.default_rng(1).standard_normal((40, 3))
    targets = np.stack([rows.sum(axis=1), rows[:, 0] ** 2], axis=1)
    layers = [Dense(8, "silu"), GroupedDense(2, 2, "identity")]
    both = cr.Network([3, *layers], "mse", seed=0, dtype="float64")
    alone = []
    for k in range(2):
        one = cr.Network([3, Dense(4, "silu"), Dense(1, "identity")], "mse", dtype="float64")
        one.weights[0][...] = both.weights[0][4 * k : 4 * k + 4]
        one.weights[1][...] = both.weights[1][[k]]
        one.fit(rows, targets[:, k], epochs=5, batch_size=8, shuffle=False)
        alone.append(one.predict(rows)[:, 0])
    both.fit(rows, targets, epochs=5, batch_size=8, shuffle=False)
    np.testing.assert_allclose(both.predict(rows), np.stack(alone, axis=1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("cost", ["mse", "binary_cross_entropy"])
def test_its_gradients_equal_differences_wherever_it_is(cost):
    assert network(cost=cost).check_gradients(X, Y)


def test_a_trace_shows_its_equations():
    terms = {term.name: term for term in network().trace(X, Y).terms}
    assert terms["Z[1]"].equation == "GD1"
    assert terms["Z[1]"].tex == "Z^{[1]}_k = W^{[1]}_k \\cdot  A^{[0]}_k + b^{[1]}_k"
    assert terms["W[3]"].value.shape == (6, 4)
    assert terms["δ[2]"].equation == "GD2"
    assert terms["δ[2]"].formula == (
        "∂C/∂A[2]ₖ = W[3]ₖᵀ · δ[3]ₖ, for each group k; δ[2] = Jᵀ that, the product with softmax's "
        "Jacobian, BP1s"
    )
    assert terms["∂J/∂W[5]"].equation == "GD3"
    assert terms["∂J/∂b[5]"].equation == "BP3"


def test_penalties_and_decay_apply_to_its_weights():
    net = network(GroupedDense(4, 2, "identity"))
    terms = {term.name: term for term in net.trace(X, Y, l2=0.5).terms}
    assert terms["P"].value == pytest.approx(0.25 * (net.weights[0] ** 2).sum(), rel=1e-12)


def test_a_step_of_gradient_descent_has_the_factors_of_weights_and_biases():
    moved = []
    for factors in ({}, {"learning_rate_factor": 0.25, "bias_learning_rate_factor": 2.0}):
        net = network(GroupedDense(4, 2, "tanh", **factors))
        before = net.parameters.copy()
        net.fit(X, Y, optimizer=cr.SGD(0.1), epochs=1, batch_size=9)
        moved.append(net.parameters - before)
    expected = moved[0] * np.repeat([0.25, 2.0], [12, 4])
    np.testing.assert_allclose(moved[1], expected, rtol=1e-12, atol=1e-15)
