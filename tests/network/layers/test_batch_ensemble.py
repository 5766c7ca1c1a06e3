"""The declaration of a batch ensemble layer, and what others learn from it."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import LAYER_KINDS, BatchEnsemble, Block, Dense, Draws, GroupedDense
from chainrule.network.parameters import initial_parameters, placed_blocks, views
from chainrule.network.spec import NetworkSpec

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.standard_normal((9, 6)), RANDOM.uniform(0, 1, (9, 4))
LAYERS = (
    BatchEnsemble(12, 3, "silu", shared_input=True),
    BatchEnsemble(9, 3, "tanh"),
    Dense(8, "softmax"),
    BatchEnsemble(6, 2, "relu"),
    cr.Dropout(0.0),
    BatchEnsemble(4, 2, "sigmoid", shared_input=True),
)


def network(*layers, cost="mse", n=6, **given):
    """Return a network all of whose parameters matter: r and s are no ones, and b no zeros."""
    net = cr.Network([n, *(layers or LAYERS)], cost, seed=0, dtype="float64", **given)
    random = np.random.default_rng(1)
    for placed in placed_blocks(net.spec):
        if not placed.block.penalised:
            size = placed.slice.stop - placed.slice.start
            signs = random.choice([-1, 1], size)
            net.parameters[placed.slice] = signs * random.uniform(0.5, 1.5, size)
    return net


def dense_twin(net):
    """Return the same function by Dense and GroupedDense layers of s ⊙ W ⊙ rᵀ."""
    layers, arrays = [], []
    for layer, theta in zip(net.spec.layers, views(net.spec, net.parameters), strict=True):
        if isinstance(layer, BatchEnsemble):
            W, r, s, b = theta
            K = layer.members
            both = zip(np.split(r, K), np.split(s, K), strict=True)
            theta = [np.concatenate([mine * W * theirs.T for theirs, mine in both]), b]
            if layer.shared_input:
                layer = Dense(layer.units, layer.activation)
            else:
                layer = GroupedDense(layer.units, K, layer.activation)
        layers.append(layer)
        arrays += [array.ravel() for array in theta]
    twin = cr.Network([net.spec.n_features, *layers], net.spec.cost, dtype=net.spec.dtype)
    twin.parameters = np.concatenate(arrays)
    return twin


@pytest.mark.parametrize(
    ("given", "named", "message"),
    [
        ((0, 1), {}, r"^units: expected a whole number of at least 1; got 0$"),
        ((4, 0), {}, r"^members: expected a whole number of at least 1; got 0$"),
        ((4, 2.0), {}, r"^members: expected a whole number of at least 1; got 2\.0$"),
        ((10, 4), {}, r"^units: expected a multiple of members=4, .* got 10: 8 or 12 would do$"),
        (
            (4, 2, "softmax"),
            {},
            r"^activation: expected one .* since members do not see each other",
        ),
        ((4, 2, "heads(identity:2, tanh:2)"), {}, r"^activation: expected one that is applied to"),
        ((4, 2), {"shared_input": 1}, r"^shared_input: expected True or False; got 1$"),
        ((4, 2), {"init": "he"}, r"^init: expected auto, "),
        ((4, 2), {"learning_rate_factor": 0.0}, r"^learning_rate_factor: expected a finite number"),
        (
            (4, 2),
            {"bias_learning_rate_factor": -1},
            r"^bias_learning_rate_factor: expected a finit",
        ),
    ],
)
def test_arguments_that_describe_no_layer_are_refused(given, named, message):
    with pytest.raises(InvalidArgumentError, match=message):
        BatchEnsemble(*given, **named)


def test_a_layer_below_that_cannot_be_divided_is_refused_unless_its_units_are_shared():
    with pytest.raises(
        InvalidArgumentError,
        match=r"^members: expected a divisor of the 10 units of the layer below, .* got 4 in "
        r"BatchEnsemble\(8, 4, 'relu'\)\. Give the layer below 8 or 12 units, or set shared_input",
    ):
        network(BatchEnsemble(8, 4), n=10)
    network(BatchEnsemble(8, 4, "identity", shared_input=True), n=10)


def test_it_is_written_and_read_again():
    layer = BatchEnsemble(
        np.int64(12),
        np.int32(3),
        "tanh",
        shared_input=np.True_,
        init="zeros",
        learning_rate_factor=0.5,
        bias_learning_rate_factor=2,
    )
    for one in (layer, BatchEnsemble(12, 3)):
        assert eval(repr(one)) == one
        assert hash(eval(repr(one))) == hash(one)
        spec = NetworkSpec(6, (one, Dense(2)), "mse")
        assert NetworkSpec.from_json(spec.to_json()) == spec
    assert LAYER_KINDS["batch_ensemble"] is BatchEnsemble


@pytest.mark.parametrize(("shared", "n"), [(False, 2), (True, 6)])
def test_its_blocks_are_the_weights_of_one_member_and_the_vectors_of_all(shared, n):
    layer = BatchEnsemble(
        12, 3, shared_input=shared, learning_rate_factor=0.5, bias_learning_rate_factor=2
    )
    assert layer.blocks(6, "he_normal") == (
        Block("W", (4, n), "weights", "he_normal", 0.5),
        Block("r", (3 * n, 1), "scale", Draws("signs", 1.0) if shared else 1.0),
        Block("s", (12, 1), "scale", 1.0),
        Block("b", (12, 1), "biases", "zeros", 2.0),
    )
    assert layer.output_units(6) == 12


def test_members_begin_as_a_dense_layer_whose_shared_inputs_have_random_signs():
    layers = (BatchEnsemble(300, 10, shared_input=True), BatchEnsemble(50, 10), Dense(1))
    spec = NetworkSpec(200, layers, "mse", dtype="float64")
    alone = NetworkSpec(200, (Dense(30), Dense(1)), "mse", dtype="float64")
    first, second, _ = views(spec, initial_parameters(spec, 0))
    W, r, s, b = first
    np.testing.assert_array_equal(W, views(alone, initial_parameters(alone, 0))[0][0])
    assert set(r.ravel()) == {-1.0, 1.0}
    assert abs(r.mean()) < 4 / np.sqrt(r.size)
    assert (s == 1).all()
    assert (b == 0).all()
    assert (second[1] == 1).all()
    assert (second[2] == 1).all()


def test_it_is_the_dense_layers_of_each_member_s_own_matrix():
    net = network()
    np.testing.assert_allclose(net.predict(X), dense_twin(net).predict(X), rtol=1e-12, atol=1e-14)


def test_a_single_member_of_factors_1_is_a_dense_layer():
    net = cr.Network([6, BatchEnsemble(4, 1, "tanh")], "mse", seed=0, dtype="float64")
    twin = cr.Network([6, Dense(4, "tanh")], "mse", seed=0, dtype="float64")
    np.testing.assert_array_equal(net.weights[0], twin.weights[0])
    np.testing.assert_allclose(net.predict(X), twin.predict(X), rtol=1e-14)


@pytest.mark.parametrize("cost", ["mse", "binary_cross_entropy"])
def test_its_gradients_equal_differences_wherever_it_is(cost):
    assert network(cost=cost).check_gradients(X, Y)


def test_a_trace_shows_its_equations():
    terms = {term.name: term for term in network().trace(X, Y).terms}
    assert terms["Z[2]"].equation == "BE1"
    assert terms["Z[2]"].tex.startswith("Z^{[2]}_k = s^{[2]}_k \\odot  (W^{[2]} \\cdot  (r^{[2]}_k")
    assert terms["W[2]"].value.shape == (3, 4)
    assert terms["r[1]"].value.shape == (18, 1)
    assert terms["δ[1]"].equation == "BE2"
    assert terms["δ[1]"].formula == (
        "∂C/∂A[1]ₖ = r[2]ₖ ⊙ (W[2]ᵀ · (s[2]ₖ ⊙ δ[2]ₖ)), for each member k; summed if shared; "
        "δ[1] = that ⊙ σ′(Z[1])"
    )
    names = {"W": "BE3", "r": "BE4", "s": "BE5", "b": "BP3"}
    for l in (1, 2, 4, 6):  # noqa: E741 - the field's letter
        assert {name: terms[f"∂J/∂{name}[{l}]"].equation for name in names} == names


def test_penalties_and_decay_apply_to_the_shared_weights_only():
    net = network(BatchEnsemble(4, 2, "identity"))
    terms = {term.name: term for term in net.trace(X, Y, l2=0.5).terms}
    assert terms["P"].value == pytest.approx(0.25 * (net.weights[0] ** 2).sum(), rel=1e-12)
    before = net.parameters.copy()
    net.fit(X, np.zeros((9, 4)), optimizer=cr.AdamW(1e-9, weight_decay=1e6), epochs=1, batch_size=9)
    change = net.parameters / before
    # A step of AdamW changes each parameter by at most α, and decay makes 1 − αλ of the weights.
    np.testing.assert_allclose(change[:6], 1 - 1e-3, rtol=1e-6)
    np.testing.assert_allclose(change[6:], 1, rtol=1e-7)


def test_a_step_of_gradient_descent_has_the_factors_of_weights_and_biases():
    moved = []
    for factors in ({}, {"learning_rate_factor": 0.25, "bias_learning_rate_factor": 2.0}):
        net = network(BatchEnsemble(4, 2, "tanh", **factors))
        before = net.parameters.copy()
        net.fit(X, Y, optimizer=cr.SGD(0.1), epochs=1, batch_size=9)
        moved.append(net.parameters - before)
    expected = moved[0] * np.repeat([0.25, 1, 2.0], [6, 6 + 4, 4])
    np.testing.assert_allclose(moved[1], expected, rtol=1e-12, atol=1e-15)


def test_members_with_the_same_inputs_learn_to_differ():
    layers = [BatchEnsemble(16, 2, "tanh", shared_input=True), Dense(1, "identity")]
    net = cr.Network([6, *layers], "mse", seed=0)
    target = X[:, 0] * X[:, 1]
    before = net.loss(X, target)
    net.fit(X, target, epochs=200, optimizer=cr.Adam(0.02))
    assert net.loss(X, target) < 0.1 * before
