"""Validation data of one's own, and what early stopping may look at."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.metrics import log_loss

import chainrule as cr
from chainrule import MLPClassifier, MLPRegressor, NetworkRegressor
from tests.estimators.tables import (
    classes,
    halves,
    labels,
    rare,
    three_values,
    two_classes,
    values,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        (MLPClassifier, two_classes),
        (MLPClassifier, classes),
        (MLPClassifier, labels),
        (MLPRegressor, values),
        (MLPRegressor, three_values),
    ],
)
def test_own_validation_data_are_followed(kind, make):
    X, y, X_val, y_val = halves(make)
    model = kind(random_state=0, max_iter=4).fit(X, y, X_val=X_val, y_val=y_val)
    assert len(model.validation_loss_curve_) == 4
    if kind is MLPRegressor:
        expected = 0.5 * np.mean((model.predict(X_val) - y_val) ** 2)
    elif make is labels:
        P = np.clip(model.predict_proba(X_val), 1e-300, 1)
        expected = -np.mean(np.sum(np.where(y_val == 1, np.log(P), np.log(1 - P)), axis=1))
    else:
        expected = log_loss(y_val, model.predict_proba(X_val))
    assert model.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-9)
    # Following changes nothing.
    plain = kind(random_state=0, max_iter=4).fit(X, y)
    np.testing.assert_array_equal(plain.coefs_[0], model.coefs_[0])


def test_weights_of_validation_examples_count_in_the_validation_loss():
    X, y, X_val, y_val = halves(values)
    weights = np.random.default_rng(0).uniform(0.1, 2, len(X_val))
    model = MLPRegressor(random_state=0, max_iter=2)
    model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights)
    errors = 0.5 * (model.predict(X_val) - y_val) ** 2
    assert model.validation_loss_curve_[-1] == pytest.approx(np.average(errors, weights=weights))


def test_stopping_by_the_validation_loss_keeps_the_best_weights():
    X, y, X_val, y_val = halves(values)
    model = MLPRegressor(
        early_stopping="loss", learning_rate_init=0.01, random_state=0, max_iter=300
    )
    model.fit(X, y, X_val=X_val, y_val=y_val)
    assert model.n_iter_ < 300
    best = min(model.validation_loss_curve_)
    assert model.best_loss_ == best
    assert best < model.validation_loss_curve_[-1]
    assert 0.5 * np.mean((model.predict(X_val) - y_val) ** 2) == pytest.approx(best, rel=1e-9)
    assert model.validation_scores_ is None


@pytest.mark.parametrize(
    ("stopping", "make"),
    [
        ("balanced_accuracy", rare),
        ("neg_log_loss", classes),
        (lambda model, X, y: -np.mean(model.predict(X) != y), classes),
    ],
    ids=["name", "name of probabilities", "function"],
)
def test_any_scorer_decides_when_to_stop(stopping, make):
    X, y, X_val, y_val = halves(make)
    model = MLPClassifier(
        early_stopping=stopping, random_state=0, learning_rate_init=0.02, max_iter=150
    )
    model.fit(X, y, X_val=X_val, y_val=y_val)
    assert model.n_iter_ == len(model.validation_scores_) < 150
    assert model.best_validation_score_ == max(model.validation_scores_)
    # The best weights are back: they score the best again.
    from sklearn.metrics import check_scoring

    again = check_scoring(model, scoring=stopping)(model, X_val, y_val)
    assert again == pytest.approx(model.best_validation_score_)


def test_a_scorer_sees_texts_as_labels_and_values_in_their_own_units():
    X, y = two_classes()
    seen = []

    def scorer(model, X, y):
        seen.append((set(y), set(model.predict(X))))
        return 0.0

    names = np.where(y == 1, "benign", "malignant")
    MLPClassifier(early_stopping=scorer, max_iter=3, random_state=0).fit(X, names)
    assert all(
        truth | guess <= {"benign", "malignant"} and len(truth) == 2 for truth, guess in seen
    )
    X, y = load_diabetes(return_X_y=True)
    model = NetworkRegressor(early_stopping="neg_root_mean_squared_error", random_state=0)
    model.fit(X, y)
    assert -80 < model.best_validation_score_ < -30


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X_val": True}, "X_val and y_val: expected both or neither; got only 'X_val'"),
        ({"y_val": True}, "got only 'y_val'"),
        ({"sample_weight_val": True}, "expected both or neither"),
    ],
)
def test_half_of_validation_data_is_refused(given, message):
    X, y = classes()
    arguments = {"X_val": X, "y_val": y, "sample_weight_val": np.ones(len(y))}
    chosen = {name: arguments[name] for name in given}
    with pytest.raises(cr.InvalidArgumentError, match=message.replace("'", "")):
        MLPClassifier().fit(X, y, **chosen)


def test_validation_labels_that_were_never_trained_on_are_refused():
    X, y = classes()
    with pytest.raises(cr.InvalidArgumentError, match="has classes not in"):
        MLPClassifier().fit(X[:100], y[:100], X_val=X, y_val=y)


def test_a_scorer_that_does_not_exist_is_refused_by_the_parameters_name():
    with pytest.raises(cr.InvalidArgumentError, match=r"^early_stopping: .*got 'acuracy'"):
        MLPClassifier(early_stopping="acuracy").fit(*classes())


def test_validation_examples_without_weight_are_refused():
    X, y = classes()
    weights = np.zeros(len(y))
    weights[:2] = 1
    with pytest.raises(cr.InvalidArgumentError, match=r"^sample_weight: expected some weight > 0"):
        MLPClassifier(early_stopping=True, random_state=0).fit(X, y, sample_weight=weights)
