"""Dropout and batch normalisation of the estimators."""

import numpy as np
import pytest
from sklearn.base import clone

import chainrule as cr
from chainrule import MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor
from chainrule.network.layers import BatchNorm, Dense, Dropout
from tests.estimators.tables import classes, two_classes, values

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def layers(**settings):
    model = MLPClassifier((5, 4), **settings).fit(*classes(), epochs=0)
    return model.network_.spec.layers


def test_they_are_off_by_default():
    assert all(isinstance(layer, Dense) for layer in layers())


def test_dropout_stands_behind_every_hidden_layer():
    assert layers(dropout=0.2)[:4] == (Dense(5), Dropout(0.2), Dense(4), Dropout(0.2))
    assert isinstance(layers(dropout=0.2)[-1], Dense)


def test_a_list_has_a_rate_for_each_hidden_layer():
    assert layers(dropout=[0.0, 0.5])[:3] == (Dense(5), Dense(4), Dropout(0.5))


def test_batch_normalisation_stands_before_the_activation():
    assert layers(batch_norm=True, activation=["tanh", "gelu"], dropout=[0.1, 0.0])[:5] == (
        Dense(5, "identity"),
        BatchNorm("tanh"),
        Dropout(0.1),
        Dense(4, "identity"),
        BatchNorm("gelu"),
    )


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor])
def test_every_estimator_learns_with_both_and_has_the_same_attributes(kind):
    regressor = kind in (MLPRegressor, NetworkRegressor)
    X, y = values() if regressor else classes()
    settings = {"hidden_layer_sizes": (20, 10), "random_state": 0, "learning_rate_init": 0.01}
    settings["max_iter"] = 150
    model = kind(dropout=0.05, batch_norm=True, **settings).fit(X, y)
    plain = kind(**settings).fit(X, y, epochs=0)
    assert [W.shape for W in model.coefs_] == [W.shape for W in plain.coefs_]
    assert [b.shape for b in model.intercepts_] == [b.shape for b in plain.intercepts_]
    assert model.n_layers_ == 4
    # Of the table of values, a linear fit explains half.
    assert model.score(X, y) > (0.5 if regressor else 0.9)


def test_coefficients_are_views_and_statistics_are_not_among_them():
    X, y = classes()
    model = MLPClassifier((5,), batch_norm=True, random_state=0).fit(X, y, epochs=3)
    model.coefs_[1] = np.zeros((5, 3))
    model.intercepts_[1] = [0.0, 0.0, 1.0]
    assert set(model.predict(X)) == {model.classes_[2]}


def test_initial_weights_are_those_of_the_dense_layers():
    X, y = classes()
    first = MLPClassifier((5,), random_state=0).fit(X, y, epochs=0)
    given = (first.coefs_, first.intercepts_)
    model = MLPClassifier((5,), batch_norm=True, initial_weights=given).fit(X, y, epochs=0)
    for one, other in zip(model.coefs_, first.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.isfinite(model.predict_proba(X)).all()


def test_the_random_state_decides_what_is_dropped():
    X, y = two_classes()
    weights = [
        MLPClassifier((8,), dropout=0.5, random_state=state).fit(X, y, epochs=3).coefs_[0].copy()
        for state in (0, 0, 1)
    ]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert (weights[0] != weights[2]).any()


def test_predictions_do_not_drop():
    X, y = two_classes()
    model = MLPClassifier((8,), dropout=0.5, random_state=0).fit(X, y, epochs=3)
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X))


def test_training_goes_on_in_parts():
    X, y = two_classes()
    model = clone(MLPClassifier((8,), dropout=[0.2], batch_norm=True, random_state=0))
    for _ in range(30):
        model.partial_fit(X, y, classes=np.unique(y))
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize("rate", [1.0, -0.1, "0.5", None, [0.1], [0.1, 0.2, 0.3], [0.1, 1.5], True])
def test_a_rate_that_cannot_be_is_refused(rate):
    with pytest.raises(cr.InvalidArgumentError, match=r"^dropout: expected a number in \[0, 1\)"):
        MLPClassifier((5, 4), dropout=rate).fit(*classes())


@pytest.mark.parametrize("settings", [{"dropout": 0.1}, {"batch_norm": True}], ids=str)
def test_lbfgs_refuses_what_only_training_steps_do(settings):
    with pytest.raises(cr.InvalidArgumentError, match=r"'lbfgs' takes no training steps"):
        MLPClassifier(solver="lbfgs", **settings).fit(*classes())


def test_batch_norm_that_is_no_flag_is_refused():
    with pytest.raises(cr.InvalidArgumentError, match=r"'batch_norm' .* True or False; got 'yes'"):
        MLPClassifier(batch_norm="yes").fit(*classes())
