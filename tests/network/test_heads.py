"""Output layers divided into heads: their text, what fits, and every engine on them."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import engine_named
from chainrule.engines.base import Examples, Problem
from chainrule.network.cost import Cost, cost_of
from chainrule.network.heads import Head
from chainrule.network.parameters import initial_parameters
from tests.numerics import epsilon

M = 150
OUTPUTS = {
    "pairs": (
        "heads(softmax:3, sigmoid:1, identity:2, exponential:1)",
        "heads(cross_entropy:3, 2.0*binary_cross_entropy:1, 0.5*huber(delta=0.7):2, poisson:1)",
    ),
    "no pairs": (
        "heads(softmax:3, sigmoid:1, tanh:2, softplus:1)",
        "heads(focal:3, 2.0*binary_focal(gamma=1.0):1, 0.5*mse:2, poisson:1)",
    ),
}
every_output = pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)


def network(output, dtype="float64", fused=True):
    spec = cr.NetworkSpec(
        4, (cr.Dense(6, "tanh"), cr.Dense(7, output[0])), output[1], dtype=dtype, fused=fused
    )
    return cr.Network.from_parameters(spec, initial_parameters(spec, 0))


def data(dtype="float64"):
    random = np.random.default_rng(0)
    X = random.standard_normal((M, 4))
    Y = np.column_stack(
        [
            np.eye(3)[random.integers(0, 3, M)],
            random.integers(0, 2, M),
            random.standard_normal((M, 2)),
            random.poisson(2, M),
        ]
    )
    return X.astype(dtype), Y.astype(dtype), random.uniform(0.5, 2, M).astype(dtype)


@every_output
@pytest.mark.parametrize("fused", [True, False])
def test_gradients_of_heads_equal_central_differences(output, fused):
    X, Y, weights = data()
    assert network(output, fused=fused).check_gradients(X, Y, sample_weight=weights)


@every_output
def test_the_loss_of_heads_is_the_weighted_sum_of_networks_of_one_head(output):
    X, Y, weights = data()
    net = network(output)
    total, begin = 0.0, 0
    for head in net.spec.heads:
        layers = (cr.Dense(6, "tanh"), cr.Dense(head.units, str(head.activation)))
        spec = cr.NetworkSpec(4, layers, str(head.cost), dtype="float64")
        rows = slice(begin, begin + head.units)
        alone = cr.Network.from_parameters(spec, initial_parameters(spec, 0))
        for own, whole in ((alone.weights, net.weights), (alone.biases, net.biases)):
            own[0][...], own[1][...] = whole[0], whole[1][rows]
        np.testing.assert_allclose(net.predict(X)[:, rows], alone.predict(X), rtol=1e-13)
        total += head.weight * alone.loss(X, Y[:, rows], sample_weight=weights)
        begin = rows.stop
    assert net.loss(X, Y, sample_weight=weights) == pytest.approx(total, rel=1e-13)


@every_output
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("fused", [True, False])
def test_the_compiled_core_agrees_with_the_reference_on_heads(output, dtype, fused):
    pytest.importorskip("chainrule._native")
    net = network(output, dtype, fused)
    X, Y, weights = data(dtype)
    results = []
    for name in ("reference", "native"):
        engine, gradient = engine_named(name), np.empty_like(net.parameters)
        loss = engine.loss_and_gradient(
            Problem(net.spec, net.parameters, Examples(X, Y, weights)), gradient
        )
        results.append((loss, gradient, net.predict(X, engine=name)))
    # Sums over M examples of numbers of order 1, each from some dozens of operations.
    bound = (M + 100) * epsilon(dtype) * 10
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=bound, atol=bound)


@every_output
def test_heads_train_alike_on_every_engine(output):
    X, Y, _ = data()
    nets = [network(output), network(output)]
    losses = [
        net.fit(X, Y, epochs=5, engine=engine)["loss"]
        for net, engine in zip(nets, ("auto", "reference"), strict=True)
    ]
    assert losses[0][-1] < losses[0][0]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-9)


@every_output
def test_heads_are_saved_and_loaded(output, tmp_path):
    net = network(output)
    net.save(tmp_path / "model.safetensors")
    again = cr.load(tmp_path / "model.safetensors")
    assert again.spec == net.spec
    np.testing.assert_array_equal(again.predict(data()[0]), net.predict(data()[0]))


@every_output
def test_a_trace_of_heads_names_their_equations(output):
    X, Y, _ = data()
    text = str(network(output).trace(X[:2], Y[:2]))
    assert "HD2" in text
    assert ("HD3" in text) == (output is OUTPUTS["pairs"])


def test_equal_heads_have_one_spelling():
    assert cr.Dense(4, " heads( softmax : 3,identity:1 ) ").activation == (
        "heads(softmax:3, identity:1)"
    )
    text = "heads(cross_entropy:3, 0.5*huber(delta=2.0):1)"
    assert str(cost_of(text)) == text
    assert cost_of(text).heads[1] == Head(1, Cost("huber", (("delta", 2.0),)), 0.5)


@pytest.mark.parametrize(
    ("layers", "cost", "message"),
    [
        ([cr.Dense(4, "heads(softmax:3, identity:1)")], "mse", "^cost: heads are those of"),
        ([cr.Dense(4, "softmax")], "heads(cross_entropy:4)", "^cost: heads are those of"),
        (
            [cr.Dense(4, "heads(softmax:3, identity:1)")],
            "heads(cross_entropy:2, mse:2)",
            "^cost: heads are those of",
        ),
        (
            [cr.Dense(4, "heads(identity:3, identity:1)")],
            "heads(cross_entropy:3, mse:1)",
            "^cost: cross_entropy needs outputs between 0 and 1",
        ),
        (
            [cr.Dense(2, "heads(softmax:1, identity:1)")],
            "heads(cross_entropy:1, mse:1)",
            "^cost: cross_entropy needs at least two outputs",
        ),
        (
            [cr.Dense(2, "heads(relu:1, relu:1)"), cr.Dense(1, "identity")],
            "mse",
            "^layers: only the last layer may have heads",
        ),
    ],
)
def test_heads_that_do_not_fit_are_refused(layers, cost, message):
    with pytest.raises(cr.InvalidArgumentError, match=message):
        cr.NetworkSpec(2, tuple(layers), cost)


@pytest.mark.parametrize(
    "text",
    ["heads", "heads()", "heads(softmax)", "heads(softmax:0)", "heads(sine:1)", "heads(2*relu:1)"],
)
def test_a_text_that_is_no_heads_is_refused(text):
    with pytest.raises(cr.InvalidArgumentError, match=r"^activation: "):
        cr.Dense(1, text)


def test_a_layer_has_as_many_units_as_its_heads():
    with pytest.raises(cr.InvalidArgumentError, match="heads of 5 units together"):
        cr.Dense(5, "heads(softmax:3, identity:1)")


@pytest.mark.parametrize("weight", ["0", "-1", "inf", "x"])
def test_a_weight_that_is_none_is_refused(weight):
    with pytest.raises(cr.InvalidArgumentError, match="finite weight > 0"):
        cr.NetworkSpec(2, (cr.Dense(1, "heads(identity:1)"),), f"heads({weight}*mse:1)")


def test_targets_out_of_a_heads_range_are_refused_with_their_columns():
    X, Y, _ = data()
    Y[3, 3] = 7
    with pytest.raises(cr.InvalidArgumentError, match=r"^Y\[:, 3:4\]: the cost binary_cross"):
        network(OUTPUTS["pairs"]).fit(X, Y, epochs=1)
