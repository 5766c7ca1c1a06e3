"""Shapes, activations, solvers, penalties and the weights of classes."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

import chainrule as cr
from chainrule import MLPClassifier, MLPRegressor
from chainrule.engines.optimizers import OPTIMIZERS
from tests.estimators.tables import (
    classes,
    rare,
    two_classes,
    values,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_depth_and_width_are_numbers():
    X, y = classes()
    shapes = {
        (None, None): [7, 5],
        (3, None): [7, 5, 5],
        (1, None): [7],
        (None, 9): [9, 9],
        (3, 4): [4, 4, 4],
        (0, None): [],
    }
    for (depth, width), expected in shapes.items():
        model = MLPClassifier((7, 5), n_layers=depth, n_units=width).fit(X, y, epochs=0)
        assert [W.shape[1] for W in model.coefs_[:-1]] == expected


def test_each_layer_has_an_activation_of_its_own():
    model = MLPClassifier((5, 4), ["gelu", "leaky_relu(slope=0.2)"]).fit(*classes(), epochs=1)
    assert [layer.activation for layer in model.network_.spec.layers] == [
        "gelu",
        "leaky_relu(slope=0.2)",
        "softmax",
    ]


@pytest.mark.parametrize("wrong", [["tanh"], "sine", 3, ["tanh", "sine"]])
def test_activations_that_do_not_fit_are_refused(wrong):
    with pytest.raises(cr.InvalidArgumentError, match=r"^activation: expected"):
        MLPClassifier((5, 4), wrong).fit(*classes())


@pytest.mark.parametrize("solver", sorted(OPTIMIZERS))
def test_every_optimizer_of_the_package_is_a_solver_and_learns(solver):
    X, y = two_classes()
    model = MLPClassifier(solver=solver, random_state=0, learning_rate_init=0.01, max_iter=60)
    assert model.fit(X, y).score(X, y) > 0.95


def test_an_l1_penalty_leaves_fewer_weights_of_any_size():
    X, y = two_classes()
    sizes = [
        np.abs(MLPClassifier(l1=l1, random_state=0, max_iter=80).fit(X, y).coefs_[0]).sum()
        for l1 in (0.0, 5.0)
    ]
    assert sizes[1] < 0.5 * sizes[0]


def test_threads_and_engine_do_not_change_what_is_learned():
    X, y = classes()
    one = MLPClassifier(max_iter=5, random_state=0).fit(X, y)
    threads = MLPClassifier(max_iter=5, random_state=0, threads=1).fit(X, y)
    reference = MLPClassifier(max_iter=5, random_state=0, engine="reference").fit(X, y)
    np.testing.assert_array_equal(threads.coefs_[0], one.coefs_[0])
    np.testing.assert_allclose(reference.coefs_[0], one.coefs_[0], rtol=0, atol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_precision_can_be_asked_for(dtype):
    model = MLPRegressor(dtype=dtype).fit(*values(), epochs=1)
    assert model.network_.spec.dtype == dtype
    assert model.predict(values()[0]).dtype == dtype


def test_balanced_classes_find_more_of_the_rare_one():
    X, y = rare()
    plain, balanced = (
        MLPClassifier(class_weight=weight, random_state=0, max_iter=60).fit(X[::2], y[::2])
        for weight in (None, "balanced")
    )
    recall = [model.predict(X[1::2])[y[1::2] == 1].mean() for model in (plain, balanced)]
    assert recall[1] > recall[0] + 0.1
    scores = [
        balanced_accuracy_score(y[1::2], model.predict(X[1::2])) for model in (plain, balanced)
    ]
    assert scores[1] > scores[0]


def test_class_weights_multiply_the_weights_of_examples():
    X, y = rare()
    own = np.random.default_rng(0).uniform(0.5, 2, len(y))
    by_class = MLPClassifier(class_weight={0: 0.5, 1: 4.0}, random_state=0, max_iter=3)
    by_example = MLPClassifier(random_state=0, max_iter=3)
    by_class.fit(X, y, sample_weight=own)
    by_example.fit(X, y, sample_weight=own * np.where(y == 1, 4.0, 0.5))
    np.testing.assert_allclose(by_class.coefs_[0], by_example.coefs_[0], rtol=0, atol=1e-12)


def test_balanced_classes_weigh_the_same_with_weights_of_examples_too():
    X, y = rare()
    own = np.random.default_rng(0).uniform(0.5, 2, len(y))
    weights = MLPClassifier(class_weight="balanced").fit(X, y, epochs=0)._with_class_weights(y, own)
    assert weights[y == 0].sum() == pytest.approx(weights[y == 1].sum())
    assert weights.sum() == pytest.approx(own.sum())


def test_balanced_classes_cannot_be_known_by_parts():
    with pytest.raises(cr.InvalidArgumentError, match="class_weight: 'balanced'"):
        MLPClassifier(class_weight="balanced").partial_fit(*classes(), classes=[0, 1, 2])
