"""Weights that can be seen, set and given."""

import math
import warnings

import numpy as np
import pytest
from sklearn import neural_network

import chainrule as cr
from chainrule import MLPClassifier
from tests.estimators.tables import (
    classes,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_writing_to_the_coefficients_changes_predictions():
    X, y = classes()
    model = MLPClassifier(max_iter=5, random_state=0).fit(X, y)
    model.coefs_[1][...] = 0
    model.intercepts_[1][...] = [0, 0, 5]
    assert (model.predict(X) == 2).all()
    model.intercepts_[1] = [9, 0, 5]
    assert (model.predict(X) == 0).all()
    model.coefs_ = [np.ones_like(W) for W in model.coefs_]
    assert (model.network_.weights[0] == 1).all()


def test_coefficients_are_views_of_the_networks_vector():
    model = MLPClassifier(max_iter=1).fit(*classes())
    assert all(np.shares_memory(W, model.network_.parameters) for W in model.coefs_)
    assert all(np.shares_memory(b, model.network_.parameters) for b in model.intercepts_)


def test_a_coefficient_of_another_shape_is_refused():
    model = MLPClassifier(max_iter=1).fit(*classes())
    with pytest.raises(cr.InvalidArgumentError, match=r"expected an array of shape \(4, 100\)"):
        model.coefs_[0] = np.ones((100, 4))


def test_the_network_itself_predicts_the_same():
    X, y = classes()
    model = MLPClassifier(max_iter=5).fit(X, y)
    np.testing.assert_array_equal(model.network_.predict(X), model.predict_proba(X))
    assert isinstance(model.network_, cr.Network)


def test_no_epochs_make_the_network_and_train_nothing():
    X, y = classes()
    model = MLPClassifier(random_state=0).fit(X, y, epochs=0)
    start = MLPClassifier(random_state=0, max_iter=1).fit(X, y)
    assert model.n_iter_ == 0
    assert model.loss_curve_ == []
    # The first epoch's loss is taken before its only update.
    assert model.loss_ == pytest.approx(start.loss_, rel=1e-12)
    assert model.predict(X).shape == y.shape


def test_epochs_are_an_upper_bound_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert MLPClassifier(random_state=0).fit(*classes(), epochs=3).n_iter_ == 3


def test_initial_weights_are_where_training_starts():
    X, y = classes()
    given = MLPClassifier(random_state=7, max_iter=4).fit(X, y)
    weights = [W.copy() for W in given.coefs_], [b.copy() for b in given.intercepts_]
    model = MLPClassifier(initial_weights=weights).fit(X, y, epochs=0)
    for W, V in zip(given.coefs_, model.coefs_, strict=True):
        np.testing.assert_array_equal(W, V)


@pytest.mark.parametrize("wrong", [3, ([np.ones((2, 2))], []), "weights", ([], [])])
def test_initial_weights_that_do_not_fit_are_refused(wrong):
    with pytest.raises(cr.InvalidArgumentError, match=r"^initial_weights: expected .* got "):
        MLPClassifier(initial_weights=wrong).fit(*classes())


def test_an_initialiser_of_the_package_draws_the_weights():
    X, y = classes()
    model = MLPClassifier(init="he_normal", random_state=0, hidden_layer_sizes=400)
    W = model.fit(X, y, epochs=0).coefs_[0]
    # 1600 draws of deviation √(2/4): their own deviation errs by 1/√3200 of it, relatively.
    assert W.std() == pytest.approx(math.sqrt(0.5), rel=5 / math.sqrt(3200))
    assert not any(b.any() for b in model.intercepts_)


def drawn_weights():
    random = np.random.default_rng(0)
    coefs = [random.normal(size=(4, 6)), random.normal(size=(6, 3))]
    return coefs, [random.normal(size=6), random.normal(size=3)]


def begun_with(model, coefs, intercepts):
    """Set the weights as users of scikit-learn do: lists first, then their entries."""
    model.coefs_, model.intercepts_ = [0] * 2, [0] * 2
    for layer in range(2):
        model.coefs_[layer], model.intercepts_[layer] = coefs[layer], intercepts[layer]
    return model


@pytest.mark.parametrize("begin", ["partial_fit", "warm_start"])
def test_weights_set_before_there_is_a_network_are_where_training_starts(begin):
    X, y = classes()
    weights = drawn_weights()
    settings = {"hidden_layer_sizes": 6, "random_state": 0, "dtype": "float64"}
    same = MLPClassifier(initial_weights=weights, **settings).fit(X, y, epochs=1)
    model = MLPClassifier(warm_start=begin == "warm_start", **settings)
    begun_with(model, *weights)
    if begin == "partial_fit":
        model.partial_fit(X, y, classes=[0, 1, 2])
    else:
        model.fit(X, y, epochs=1)
    for ours, expected in zip(model.coefs_, same.coefs_, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_a_step_from_weights_that_were_set_is_that_of_scikit_learn():
    X, y = classes()
    models = []
    for kind in (MLPClassifier, neural_network.MLPClassifier):
        settings = {"solver": "sgd", "hidden_layer_sizes": 6, "random_state": 0}
        model = begun_with(kind(**settings), *drawn_weights())
        # What scikit-learn wants beside them.
        model.n_features_in_, model.n_outputs_, model.n_layers_ = 4, 3, 3
        model.out_activation_, model.t_, model.n_iter_ = "softmax", 0, 0
        model.loss_curve_, model.best_loss_, model._no_improvement_count = [], np.inf, 0
        models.append(model.partial_fit(X, y, classes=[0, 1, 2]))
    for ours, theirs in zip(models[0].coefs_, models[1].coefs_, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_a_fit_without_warm_start_begins_anew_whatever_was_set():
    X, y = classes()
    settings = {"hidden_layer_sizes": 6, "random_state": 0}
    model = begun_with(MLPClassifier(**settings), *drawn_weights()).fit(X, y, epochs=1)
    plain = MLPClassifier(**settings).fit(X, y, epochs=1)
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])


@pytest.mark.parametrize("wrong", [[np.ones((4, 6))], [np.ones((6, 4)), np.ones((6, 3))], [0, 0]])
def test_weights_set_before_that_do_not_fit_are_refused_by_their_names(wrong):
    model = MLPClassifier(hidden_layer_sizes=6, warm_start=True)
    model.coefs_, model.intercepts_ = wrong, drawn_weights()[1]
    with pytest.raises(cr.InvalidArgumentError, match=r"^coefs_ and intercepts_: expected .* got "):
        model.fit(*classes())
    model.coefs_ = drawn_weights()[0]  # and the mistake can be mended
    model.fit(*classes(), epochs=1)


def test_weights_without_biases_are_refused():
    model = MLPClassifier(hidden_layer_sizes=6, warm_start=True)
    model.coefs_ = drawn_weights()[0]
    with pytest.raises(cr.InvalidArgumentError, match=r"^coefs_ and intercepts_: expected"):
        model.fit(*classes())


def test_an_estimator_that_nothing_was_set_of_has_no_coefficients():
    model = MLPClassifier()
    assert not hasattr(model, "coefs_")
    assert not hasattr(model, "intercepts_")
