"""The measures of a moment, against scikit-learn and NumPy."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

import chainrule as cr
from chainrule.engines import engine_for
from chainrule.engines.base import Examples
from chainrule.errors import InvalidArgumentError
from tests.playground.inspection.moments import ask, data, training


def held_out(outputs=3):
    X, Y = data(m=41, outputs=outputs, seed=5)
    return Examples(np.ascontiguousarray(X), np.ascontiguousarray(Y))


def outputs_of(snapshot, X):
    layers = [2]
    layers += [cr.Dense(one.units, one.activation) for one in snapshot.spec.layers]
    net = cr.Network(layers, cost=snapshot.spec.cost, dtype="float64")
    net.parameters[...] = snapshot.parameters
    return net.predict(X)


def score(found, key):
    return next(one["value"] for one in found["scores"] if one["key"] == key)


def test_three_classes_have_scikit_learns_confusion_matrix_and_curves():
    test = held_out()
    snapshot, _ = training(test=test)
    found = ask("measures", snapshot)
    P, true = outputs_of(snapshot, test.X), test.Y.argmax(axis=1)
    assert found["part"] == "test"
    assert found["rows"] == 41
    matrix = metrics.confusion_matrix(true, P.argmax(axis=1), labels=[0, 1, 2])
    assert found["confusion"] == {"classes": ["red", "green", "blue"], "counts": matrix.tolist()}
    assert score(found, "accuracy") == metrics.accuracy_score(true, P.argmax(axis=1))
    assert score(found, "log_loss") == pytest.approx(metrics.log_loss(true, P))
    assert [curve["class"] for curve in found["roc"]] == ["red", "green", "blue"]
    for index, curve in enumerate(found["roc"]):
        x, y = curve["false_positive_rate"], curve["true_positive_rate"]
        area = metrics.roc_auc_score(true == index, P[:, index])
        assert curve["area"] == pytest.approx(area)
        assert metrics.auc(x, y) == pytest.approx(area)


def test_two_classes_have_one_curve_that_of_the_second():
    test = held_out(1)
    snapshot, _ = training(("tanh", "sigmoid"), "binary_cross_entropy", 1, test=test)
    found = ask("measures", snapshot, outputs=1)
    p, true = outputs_of(snapshot, test.X)[:, 0], test.Y[:, 0]
    assert [curve["class"] for curve in found["roc"]] == ["green"]
    assert found["roc"][0]["area"] == pytest.approx(metrics.roc_auc_score(true, p))
    assert np.array(found["confusion"]["counts"]).sum() == 41


def test_values_come_in_the_targets_units():
    # The encoder's mean is 10 and its deviation 2.
    test = held_out(1)
    snapshot, _ = training(("tanh", "identity"), "mse", 1, test=test)
    found = ask("measures", snapshot, outputs=1, task="regression")
    true = test.Y[:, 0] * 2 + 10
    predicted = outputs_of(snapshot, test.X)[:, 0] * 2 + 10
    assert found["values"]["true"] == pytest.approx(true)
    assert found["values"]["predicted"] == pytest.approx(predicted)
    assert score(found, "rmse") == pytest.approx(metrics.root_mean_squared_error(true, predicted))
    assert score(found, "r2") == pytest.approx(metrics.r2_score(true, predicted))
    quantiles = found["values"]["quantiles"]
    expected = np.quantile(predicted - true, quantiles["probability"])
    assert quantiles["residual"] == pytest.approx(expected)
    assert found["confusion"] is None
    assert found["roc"] is None


def test_without_held_out_rows_the_training_rows_are_measured():
    snapshot, _ = training()
    found = ask("measures", snapshot)
    assert (found["part"], found["rows"]) == ("train", 23)


def test_the_gradient_norms_are_those_of_the_loss_over_all_rows():
    snapshot, _ = training(l2=0.1)
    problem = replace(
        snapshot.plan.problem, parameters=snapshot.parameters, penalties=snapshot.penalties
    )
    gradient = np.empty_like(snapshot.parameters)
    engine_for(snapshot.spec, "auto").loss_and_gradient(problem, gradient)
    norms = [np.linalg.norm(gradient[:6]), np.linalg.norm(gradient[9:18])]
    layers = ask("measures", snapshot)["layers"]
    assert [one["gradient_norm"] for one in layers] == pytest.approx(norms)
    assert [one["name"] for one in layers] == ["3 tanh", "3 softmax"]


def test_histograms_count_every_number_once_between_the_extremes():
    snapshot, _ = training()
    layer = ask("measures", snapshot)["layers"][0]
    weights = snapshot.parameters[:6]
    counts, edges = np.histogram(weights, 6)
    assert layer["weights"] == {"low": edges[0], "high": edges[-1], "counts": counts.tolist()}
    assert sum(layer["activations"]["counts"]) == 3 * 23
    assert len(layer["activations"]["counts"]) == 30


def test_equal_numbers_are_one_bar():
    snapshot, _ = training()
    still = replace(snapshot, parameters=np.zeros_like(snapshot.parameters))
    layer = ask("measures", still)["layers"][0]
    assert layer["weights"] == {"low": 0.0, "high": 0.0, "counts": [6]}


def test_a_diverged_network_has_no_scores_and_no_histograms():
    snapshot, _ = training()
    parameters = np.full_like(snapshot.parameters, np.nan)
    found = ask("measures", replace(snapshot, parameters=parameters))
    assert found["scores"] == []
    assert found["layers"][0]["weights"] is None
    assert found["layers"][0]["gradient_norm"] is None


def test_saturated_units_are_said_in_words():
    snapshot, _ = training()
    parameters = snapshot.parameters.copy()
    parameters[6:9] = 100
    found = ask("measures", replace(snapshot, parameters=parameters))
    assert [one["kind"] for one in found["diagnostics"]] == ["saturated_units"]
    assert (
        "layer 1: 100% of the values of its 'tanh' are saturated"
        in (found["diagnostics"][0]["message"])
    )


def rowless(snapshot, test=None):
    """Return the moment of a model that is shown without training rows."""
    none = snapshot.examples.take(np.arange(0))
    problem = replace(snapshot.plan.problem, examples=none)
    return replace(snapshot, plan=replace(snapshot.plan, problem=problem), rows=None, test=test)


def test_without_any_rows_the_weights_are_left():
    found = ask("measures", rowless(training()[0]))
    assert found["scores"] == found["diagnostics"] == []
    assert found["layers"][0]["weights"]["counts"]
    assert found["layers"][0]["activations"] is None


def test_a_model_that_is_shown_with_other_rows_is_measured_on_these():
    test = held_out()
    found = ask("measures", rowless(training()[0], test))
    assert (found["part"], found["rows"]) == ("test", 41)
    assert sum(found["layers"][0]["activations"]["counts"]) == 3 * 41
    assert ask("inspect", rowless(training()[0], test))["rows"] == 5
    assert ask("surface", rowless(training()[0], test), {"size": 3})["rows"] == 41


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("inspect", {}),
        ("surface", {}),
        ("gradient_check", {"name": "W", "layer": 1, "row": 0, "column": 0}),
    ],
)
def test_without_any_rows_there_is_nothing_to_compute_a_step_with(kind, message):
    with pytest.raises(InvalidArgumentError, match="this model is shown without its table"):
        ask(kind, rowless(training()[0]), message)
