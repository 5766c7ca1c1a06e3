"""What is wrong with a network is said, with the layer, once; of a healthy one nothing is."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.preprocessing import StandardScaler

import chainrule as cr
from chainrule.engines.base import Examples, Problem
from chainrule.errors import TrainingDiagnosisWarning, TrainingDivergedError
from chainrule.network.parameters import initial_parameters
from chainrule.training.diagnostics import baseline, diagnose

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((600, 6)).astype(np.float32)
CLASSES = (X[:, 0] * X[:, 1] > 0).astype(int)
VALUES = X @ RANDOM.standard_normal(6).astype(np.float32)


def classifier(*hidden, seed=0, **settings) -> cr.Network:
    layers = [6, *hidden, cr.Dense(2, "softmax")]
    return cr.Network(layers, cost="cross_entropy", seed=seed, **settings)


def regressor(*hidden, **settings) -> cr.Network:
    return cr.Network([6, *hidden, cr.Dense(1, "identity")], cost="mse", seed=0, **settings)


def seen(net: cr.Network, Y=CLASSES, **settings) -> list[tuple[str, int | None]]:
    """Train, and return the kinds and layers of what was diagnosed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrainingDiagnosisWarning)
        history = net.fit(X, Y, **{"epochs": 16, "optimizer": cr.SGD(0.01)} | settings)
    return [(diagnosis.kind, diagnosis.layer) for diagnosis in history.diagnostics]


def with_dead_layer(l: int) -> cr.Network:  # noqa: E741 - the field's letter
    net = classifier(cr.Dense(8, "relu"), cr.Dense(8, "relu"))
    net.biases[l - 1][...] = -1000
    return net


@pytest.mark.parametrize("layer", [1, 2])
def test_a_layer_of_dead_relus_is_named(layer):
    assert ("dead_units", layer) in seen(with_dead_layer(layer))


def test_a_layer_most_of_whose_relus_are_dead_is_named_and_one_with_few_is_not():
    for dead, found in ((6, [("dead_units", 1)]), (3, [])):
        net = classifier(cr.Dense(8, "relu"))
        net.biases[0][:dead] = -1000
        examples = Examples(X, CLASSES.astype(np.int32))
        diagnoses = diagnose(Problem(net.spec, net.parameters, examples))
        assert [(d.kind, d.layer) for d in diagnoses] == found
        assert all(d.value == dead / 8 for d in diagnoses)


def test_a_relu_that_one_example_in_the_sample_moves_is_alive():
    net = regressor(cr.Dense(1, "relu"))
    net.weights[0][...] = 0
    net.weights[0][0, 0] = 1
    lonely = -np.abs(X[:100])
    examples = Examples(lonely, VALUES[:100, None])
    assert [d.kind for d in diagnose(Problem(net.spec, net.parameters, examples))] == ["dead_units"]
    lonely[57, 0] = 1
    assert diagnose(Problem(net.spec, net.parameters, Examples(lonely, VALUES[:100, None]))) == []


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_a_saturated_layer_is_named(name):
    net = classifier(cr.Dense(8, "tanh"), cr.Dense(8, name))
    net.biases[1][...] = 100
    assert ("saturated_units", 2) in seen(net)


def test_outputs_that_are_sure_are_not_saturated():
    net = cr.Network([6, cr.Dense(1, "sigmoid")], cost="binary_cross_entropy", seed=0)
    net.parameters[...] *= 1000
    Y = (X @ net.weights[0].T > 0).astype(float)
    assert diagnose(Problem(net.spec, net.parameters, Examples(X, Y.astype(np.float32)))) == []


def test_a_gradient_that_vanishes_is_named_with_the_layer_that_it_hardly_reaches():
    hidden = [cr.Dense(8, "sigmoid") for _ in range(12)]
    assert ("vanishing_gradient", 1) in seen(classifier(*hidden))


def test_a_gradient_that_explodes_is_named_with_the_layer_where_it_is_largest():
    net = regressor(*(cr.Dense(8, "identity") for _ in range(6)))
    for W in net.weights[1:]:
        W[...] *= 30
    examples = Examples(X, VALUES[:, None])
    found = diagnose(Problem(net.spec, net.parameters, examples))
    assert [(d.kind, d.layer) for d in found] == [("exploding_gradient", 1)]


def test_a_training_that_diverged_says_where():
    net = regressor(cr.Dense(8, "identity"), cr.Dense(8, "identity"))
    with pytest.raises(TrainingDivergedError):
        net.fit(X, VALUES, optimizer=cr.SGD(10.0))
    (diagnosis,) = net.history.diagnostics
    assert diagnosis.kind == "exploding_gradient"
    assert diagnosis.layer in (1, 2, 3)
    assert "learning_rate" in diagnosis.message


def test_a_loss_that_stands_still_at_that_of_a_constant_prediction_is_stuck():
    net = classifier(cr.Dense(8, "relu"))
    net.parameters[...] = 0
    assert seen(net, optimizer=cr.SGD(1e-9)) == [("dead_units", 1), ("stuck_loss", None)]


def test_a_loss_above_the_baseline_that_still_falls_is_not_stuck():
    net = regressor(cr.Dense(8, "tanh"))
    net.biases[-1][...] = 1000
    assert ("stuck_loss", None) not in seen(net, VALUES, optimizer=cr.SGD(1e-4))


def test_a_loss_that_stands_still_below_the_baseline_is_not_stuck():
    net = regressor()
    net.fit(X, VALUES, epochs=20, optimizer=cr.SGD(0.05))
    assert seen(net, VALUES + 0.5 * RANDOM.standard_normal(600)) == []


BASELINES = {
    "mse": (VALUES[:, None], lambda y: np.mean(0.5 * (y - y.mean()) ** 2)),
    "absolute_error": (VALUES[:, None], lambda y: np.mean(np.abs(y - np.median(y)))),
    "poisson": (
        np.abs(VALUES[:, None]),
        lambda y: np.mean(y.mean() - y * np.log(y.mean()) - (y - y * np.log(y))),
    ),
}


@pytest.mark.parametrize("cost", BASELINES)
def test_the_baseline_is_the_cost_of_the_best_constant(cost):
    Y, expected = BASELINES[cost]
    output = "exponential" if cost == "poisson" else "identity"
    spec = cr.NetworkSpec(6, (cr.Dense(1, output),), cost)
    value = baseline(spec, Examples(X, Y))
    constants = np.linspace(Y.min() + 1e-3, Y.max(), 4001)
    if cost == "poisson":
        # The deviance, but for what is the same for every output.
        assert np.isfinite(value)
        return
    assert value == pytest.approx(expected(Y.astype(float)), rel=1e-6)
    costs = [np.mean(0.5 * (Y - c) ** 2 if cost == "mse" else np.abs(Y - c)) for c in constants]
    assert value <= min(costs) + 1e-6


def test_the_baseline_of_classes_is_the_entropy_of_their_shares():
    spec = cr.NetworkSpec(6, (cr.Dense(2, "softmax"),), "cross_entropy")
    share = CLASSES.mean()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert baseline(spec, Examples(X, CLASSES.astype(np.int32))) == pytest.approx(entropy)


def test_weights_count_in_the_baseline():
    spec = cr.NetworkSpec(6, (cr.Dense(2, "softmax"),), "cross_entropy")
    weights = np.where(CLASSES, 3, 1).astype(np.float32)
    share = weights[CLASSES == 1].sum() / weights.sum()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    examples = Examples(X, CLASSES.astype(np.int32), weights)
    assert baseline(spec, examples) == pytest.approx(entropy)


def test_each_kind_is_said_once_with_the_layer_and_the_remedy():
    net = with_dead_layer(2)
    with pytest.warns(TrainingDiagnosisWarning) as caught:
        history = net.fit(np.tile(X, (50, 1)), np.tile(CLASSES, 50), epochs=9)
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == len({d.kind for d in history.diagnostics}) == 2
    assert "layer 2" in messages[0]
    assert "leaky_relu" in messages[0]
    assert caught[0].filename == __file__


def test_without_verbose_nothing_is_printed(capfd):
    assert seen(with_dead_layer(1))
    assert capfd.readouterr() == ("", "")


def healthy():
    """Networks and tables with nothing wrong about them."""
    cancer, digits, diabetes = load_breast_cancer(), load_digits(), load_diabetes()
    standard = StandardScaler().fit_transform
    two = [cr.Dense(2, "softmax")]
    for name in ("relu", "tanh", "sigmoid", "silu", "selu"):
        layers = [30, cr.Dense(24, name), cr.Dense(24, name), *two]
        yield f"cancer {name}", layers, "cross_entropy", standard(cancer.data), cancer.target
    norm = [30, cr.Dense(24, "identity"), cr.BatchNorm("relu"), cr.Dropout(0.3), *two]
    yield "cancer normalised", norm, "cross_entropy", standard(cancer.data), cancer.target
    ten = [64, cr.Dense(100, "relu"), cr.Dense(10, "softmax")]
    yield "digits", ten, "cross_entropy", digits.data / 16, digits.target
    deep = [64, *(cr.Dense(64, "relu") for _ in range(8)), cr.Dense(10, "softmax")]
    yield "digits deep", deep, "cross_entropy", digits.data / 16, digits.target
    one = [10, cr.Dense(32, "tanh"), cr.Dense(1, "identity")]
    y = standard(diabetes.target[:, None])
    yield "diabetes", one, "mse", standard(diabetes.data), y


HEALTHY = {name: rest for name, *rest in healthy()}


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_networks_are_not_diagnosed(name):
    layers, cost, inputs, targets = HEALTHY[name]
    net = cr.Network(layers, cost=cost, seed=0)
    for epochs in (3, 40):
        assert net.fit(inputs, targets, epochs=epochs).diagnostics == []
        examples = Examples(
            inputs.astype(np.float32),
            targets.astype(np.int32 if targets.ndim == 1 else np.float32),
        )
        assert diagnose(Problem(net.spec, net.parameters, examples)) == []


def test_initial_networks_of_any_depth_up_to_ten_are_healthy():
    for depth in range(11):
        for name in ("relu", "tanh", "silu", "identity"):
            net = classifier(*(cr.Dense(32, name) for _ in range(depth)))
            examples = Examples(X, CLASSES.astype(np.int32))
            assert diagnose(Problem(net.spec, initial_parameters(net.spec, depth), examples)) == []


def test_a_diagnosis_changes_no_bit_of_the_training(monkeypatch):
    looked, untouched = with_dead_layer(1), with_dead_layer(1)
    settings = {"epochs": 16, "optimizer": cr.Adam(0.01)}
    assert seen(looked, **settings)
    monkeypatch.setattr("chainrule.training.checkups.diagnose", lambda *given: [])
    monkeypatch.setattr("chainrule.training.checkups.baseline", lambda *given: float("inf"))
    assert not seen(untouched, **settings)
    np.testing.assert_array_equal(looked.parameters, untouched.parameters)


@pytest.mark.parametrize("cost", ["custom", "heads"])
def test_costs_of_ones_own_and_heads_are_looked_at_too(cost):
    if cost == "custom":
        own = cr.CustomCost(lambda A, Y: ((A - Y) ** 4).sum(axis=1), lambda A, Y: 4 * (A - Y) ** 3)
        net = cr.Network([6, cr.Dense(8), cr.Dense(2, "identity")], cost=own, seed=0)
    else:
        layers = [6, cr.Dense(8), cr.Dense(2, "heads(identity:1, identity:1)")]
        net = cr.Network(layers, cost="heads(mse:1, huber:1)", seed=0)
    net.biases[0][...] = -1000
    Y = np.column_stack([VALUES, VALUES])
    assert ("dead_units", 1) in seen(net, Y, optimizer=cr.SGD(1e-6))


def test_a_single_row_and_a_million_outputs_can_be_looked_at():
    net = cr.Network([1, cr.Dense(10**6, "softmax")], cost="cross_entropy", seed=0)
    examples = Examples(np.ones((3, 1), np.float32), np.zeros(3, np.int32))
    assert diagnose(Problem(net.spec, net.parameters, examples)) == []
