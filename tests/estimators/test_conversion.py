"""Estimators to and from scikit-learn's: the same predictions, and trained on as well."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import neural_network as sk
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.exceptions import NotFittedError

import chainrule as cr

IRIS = load_iris(return_X_y=True)
TWO = (IRIS[0][:100], np.where(IRIS[1][:100] == 0, "setosa", "versicolor"))
LABELS = make_multilabel_classification(n_samples=150, n_features=6, n_classes=3, random_state=0)
DIABETES = load_diabetes(return_X_y=True)
SEVERAL = (DIABETES[0], np.stack([DIABETES[1], DIABETES[1] ** 2 / 100], axis=1))
COUNTS = (DIABETES[0], np.round(DIABETES[1] / 50))

CLASSES = {"multiclass": IRIS, "binary": TWO, "multilabel": LABELS}
VALUES = {"one value": DIABETES, "several values": SEVERAL}
ACTIVATIONS = ("identity", "logistic", "tanh", "relu")


def fitted(estimator, X, y, epochs=3):
    """Fit either package's estimator for a few epochs without a warning."""
    if isinstance(estimator, sk.MLPClassifier | sk.MLPRegressor):
        classes = {}
        if isinstance(estimator, sk.MLPClassifier):
            classes["classes"] = np.unique(y) if y.ndim == 1 else np.arange(y.shape[1])
        for _ in range(epochs):
            estimator.partial_fit(X, y, **classes)
        return estimator
    return estimator.fit(X, y, epochs=epochs)


def outputs(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


def assert_same(one, other, X, tolerance=1e-12):
    expected = outputs(other, X)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(outputs(one, X), expected, rtol=0, atol=tolerance * scale)
    if hasattr(one, "classes_"):
        np.testing.assert_array_equal(one.predict(X), other.predict(X))
        np.testing.assert_array_equal(one.classes_, other.classes_)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("data", CLASSES)
def test_a_classifier_from_scikit_learn_predicts_the_same(data, activation):
    X, y = CLASSES[data]
    theirs = fitted(sk.MLPClassifier((7, 4), activation, random_state=0), X, y)
    ours = cr.from_sklearn(theirs)
    assert type(ours) is cr.MLPClassifier
    assert_same(ours, theirs, X)
    assert ours.get_params()["activation"] == activation


@pytest.mark.parametrize("data", VALUES)
def test_a_regressor_from_scikit_learn_predicts_the_same(data):
    X, y = VALUES[data]
    theirs = fitted(sk.MLPRegressor(hidden_layer_sizes=9, random_state=0), X, y)
    assert_same(cr.from_sklearn(theirs), theirs, X)


def test_counts_from_scikit_learn_and_back_keep_their_exponential():
    X, y = COUNTS
    theirs = fitted(sk.MLPRegressor("poisson", (5,), random_state=0), X, y)
    ours = cr.from_sklearn(theirs)
    assert_same(ours, theirs, X)
    assert_same(ours.to_sklearn(), theirs, X)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_what_was_fitted_whole_comes_over_with_its_curves(solver, early_stopping):
    X, y = IRIS
    theirs = sk.MLPClassifier(
        (8,), solver=solver, early_stopping=early_stopping, max_iter=2000, tol=1e-3, random_state=0
    ).fit(X, y)
    ours = cr.from_sklearn(theirs)
    assert ours.get_params().items() >= theirs.get_params().items()
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.loss_ == theirs.loss_
    if solver != "lbfgs":
        assert ours.loss_curve_ == theirs.loss_curve_
        assert ours.validation_scores_ == theirs.validation_scores_
    assert_same(ours, theirs, X)
    assert_same(pickle.loads(pickle.dumps(ours)), theirs, X)
    assert_same(ours.to_sklearn(), theirs, X)


def test_float32_stays_float32():
    X, y = IRIS[0].astype(np.float32), IRIS[1]
    theirs = fitted(sk.MLPClassifier((8,), random_state=0), X, y)
    ours = cr.from_sklearn(theirs)
    assert ours.network_.spec.dtype == "float32"
    assert_same(ours, theirs, X, 1e-6)
    assert ours.to_sklearn().coefs_[0].dtype == np.float32


def test_names_of_columns_come_over_both_ways():
    X = pd.DataFrame(IRIS[0], columns=list("abcd"))
    theirs = fitted(sk.MLPClassifier((3,), random_state=0), X, IRIS[1])
    ours = cr.from_sklearn(theirs)
    assert list(ours.feature_names_in_) == list("abcd")
    assert list(ours.to_sklearn().feature_names_in_) == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        ours.predict(X[list("dcba")])


def test_scikit_learn_s_estimator_and_ours_share_no_weights():
    X, y = IRIS
    theirs = fitted(sk.MLPClassifier((3,), random_state=0), X, y)
    before = theirs.predict_proba(X)
    ours = cr.from_sklearn(theirs)
    ours.partial_fit(X, y)
    back = ours.to_sklearn()
    expected = ours.predict_proba(X)
    back.partial_fit(X, y)
    np.testing.assert_array_equal(theirs.predict_proba(X), before)
    np.testing.assert_array_equal(ours.predict_proba(X), expected)


@pytest.mark.parametrize("data", CLASSES)
def test_training_goes_on_alike_in_both(data):
    X, y = CLASSES[data]
    theirs = fitted(sk.MLPClassifier((6,), solver="sgd", momentum=0, random_state=0), X, y)
    ours = cr.from_sklearn(theirs)
    # Without momentum the optimizer has no state to lose; both shuffle by the same random state.
    fitted(theirs, X, y)
    for _ in range(3):
        ours.partial_fit(X, y)
    assert_same(ours, theirs, X, 1e-10)
    back = ours.to_sklearn()
    back.partial_fit(X, y)
    theirs.partial_fit(X, y)
    assert_same(back, theirs, X, 1e-10)


def test_a_warm_start_goes_on_from_the_weights():
    X, y = IRIS
    theirs = fitted(sk.MLPClassifier((6,), warm_start=True, random_state=0), X, y)
    ours = cr.from_sklearn(theirs)
    first = ours.network_.parameters.copy()
    ours.fit(X, y, epochs=1)
    assert 0 < np.abs(ours.network_.parameters - first).max() < 0.1


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("data", CLASSES)
def test_a_classifier_to_scikit_learn_predicts_the_same(data, activation):
    X, y = CLASSES[data]
    ours = cr.MLPClassifier(
        (7, 4), activation, standardize=True, dropout=0.2, class_weight=None, random_state=0
    )
    ours = fitted(ours, X + 10, y)
    theirs = ours.to_sklearn()
    assert type(theirs) is sk.MLPClassifier
    assert_same(theirs, ours, X + 10, 1e-9)


@pytest.mark.filterwarnings("ignore:before training, the targets look unscaled")
@pytest.mark.parametrize("standardize_target", [False, True])
@pytest.mark.parametrize("data", VALUES)
def test_a_regressor_to_scikit_learn_predicts_the_same(data, standardize_target):
    X, y = VALUES[data]
    ours = cr.NetworkRegressor(
        *("huber", (7,), "tanh"),
        numeric_bins=0,
        standardize_target=standardize_target,
        random_state=0,
    )
    ours = fitted(ours, X, y)
    theirs = ours.to_sklearn()
    assert type(theirs) is sk.MLPRegressor
    assert theirs.loss == "squared_error"
    assert_same(theirs, ours, X, 1e-6)


def test_what_scikit_learn_lacks_in_training_becomes_its_default():
    X, y = IRIS
    ours = cr.MLPClassifier(
        (5,), "logistic", solver="lion", learning_rate="cosine", early_stopping="loss",
        loss="focal", alpha=0.5, random_state=1,
    )  # fmt: skip
    theirs = fitted(ours, X, y).to_sklearn()
    given = theirs.get_params()
    assert (given["solver"], given["learning_rate"]) == ("adam", "constant")
    assert given["early_stopping"] is False
    assert (given["alpha"], given["hidden_layer_sizes"], given["random_state"]) == (0.5, (5,), 1)
    theirs.partial_fit(X, y)
    clone(theirs).set_params(max_iter=1000, tol=0.1).fit(X, y)


def test_a_network_without_hidden_layers_goes_both_ways():
    X, y = IRIS
    ours = fitted(cr.MLPClassifier((), random_state=0), X, y)
    theirs = ours.to_sklearn()
    assert_same(theirs, ours, X)
    assert_same(cr.from_sklearn(theirs), ours, X)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_norm": True}, "have no batch normalisation; train with batch_norm=False"),
        ({"activation": ["relu", "tanh"]}, "one activation for all.*this one has relu, tanh"),
        ({"activation": "silu"}, "one of identity, logistic, tanh, relu; this one has silu"),
    ],
)
def test_a_network_that_scikit_learn_cannot_hold_says_why(settings, message):
    ours = fitted(cr.MLPClassifier(**{"hidden_layer_sizes": (4, 3), **settings}), *IRIS)
    with pytest.raises(cr.InvalidArgumentError, match=message):
        ours.to_sklearn()


def test_several_kinds_of_target_cannot_go_to_scikit_learn():
    X, y = IRIS
    model = cr.NetworkMixed(["class", "value"], hidden_layer_sizes=(3,), activation="relu")
    model.fit(X, np.stack([y, X[:, 0]], axis=1), epochs=1)
    with pytest.raises(cr.InvalidArgumentError, match="several kinds of target, as NetworkMixed"):
        model.to_sklearn()


def test_what_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError):
        cr.MLPClassifier().to_sklearn()
    with pytest.raises(cr.InvalidArgumentError, match="this MLPRegressor is not fitted"):
        cr.from_sklearn(sk.MLPRegressor())


@pytest.mark.parametrize("wrong", [None, "mlp", sk.BernoulliRBM(), cr.MLPClassifier()])
def test_what_is_no_estimator_of_scikit_learn_s_is_refused(wrong):
    with pytest.raises(cr.InvalidArgumentError, match="expected scikit-learn's MLPClassifier or"):
        cr.from_sklearn(wrong)
