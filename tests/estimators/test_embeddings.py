"""Codes among the inputs of the estimators."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone

import chainrule as cr
from chainrule import (
    MLPClassifier,
    MLPRegressor,
    NetworkClassifier,
    NetworkMixed,
    NetworkRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RANDOM = np.random.default_rng(0)
CODES = RANDOM.integers(0, 30, 400)
EFFECT = RANDOM.permutation(np.linspace(-2, 2, 30))
# The order of the codes means nothing.
X = np.column_stack([5 * RANDOM.standard_normal(400) + 100, CODES])
Y = (X[:, 0] - 100) / 5 + EFFECT[CODES]
EMBEDDINGS = [(1, 30, 3)]
every_estimator = pytest.mark.parametrize(
    "kind", [MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor, NetworkMixed]
)


def targets(kind):
    if kind is NetworkMixed:
        return np.column_stack([Y > 0, Y])
    return Y if kind in (MLPRegressor, NetworkRegressor) else Y > 0


@every_estimator
def test_every_estimator_learns_what_codes_stand_for(kind):
    y = targets(kind)
    settings = {"hidden_layer_sizes": (24,), "random_state": 0, "learning_rate_init": 0.01}
    settings |= {"max_iter": 150, "standardize": True}
    if kind is NetworkMixed:
        settings["targets"] = ["class", "value"]
    with_it = kind(embeddings=EMBEDDINGS, **settings).fit(X[:300], y[:300])
    without = kind(**settings).fit(X[:300], y[:300])
    score = with_it.score(X[300:], y[300:])
    assert score > 0.9
    assert score > without.score(X[300:], y[300:])


def test_codes_are_not_standardised():
    model = NetworkRegressor(embeddings=EMBEDDINGS, random_state=0).fit(X, Y, epochs=2)
    net = model.network_
    assert net.spec.layers[0] == cr.CategoryEmbedding(EMBEDDINGS)
    scaled = X.copy()
    scaled[:, 0] = (X[:, 0] - X[:, 0].mean()) / X[:, 0].std()
    outputs = net.predict(scaled).ravel() * Y.std() + Y.mean()
    np.testing.assert_allclose(model.predict(X), outputs, rtol=0, atol=1e-5)


def test_coefficients_are_of_the_other_inputs_and_then_of_what_was_looked_up():
    model = MLPRegressor(hidden_layer_sizes=(7,), embeddings=EMBEDDINGS, random_state=0).fit(
        X, Y, epochs=0
    )
    assert [W.shape for W in model.coefs_] == [(4, 7), (7, 1)]
    assert model.n_features_in_ == 2
    (E,) = model.network_.embeddings
    # 90 draws of variance 1/3: five standard deviations of their mean square.
    assert abs((E**2).mean() * 3 - 1) < 5 * np.sqrt(2 / 90)


@pytest.mark.parametrize("settings", [{"init": "he_normal"}, {"init": None}])
def test_the_random_state_decides_the_tables(settings):
    models = [
        MLPRegressor(hidden_layer_sizes=(7,), embeddings=EMBEDDINGS, random_state=state, **settings)
        .fit(X, Y, epochs=0).network_.embeddings[0]
        for state in (0, 0, 1)
    ]  # fmt: skip
    np.testing.assert_array_equal(models[0], models[1])
    assert (models[0] != models[2]).all()


def test_tables_are_drawn_beside_initial_weights():
    weights = ([np.ones((4, 7)), np.ones((7, 1))], [np.zeros(7), np.zeros(1)])
    model = MLPRegressor(
        hidden_layer_sizes=(7,), embeddings=EMBEDDINGS, initial_weights=weights, random_state=0
    )
    net = model.fit(X, Y, epochs=0).network_
    assert net.embeddings[0].all()
    np.testing.assert_array_equal(net.weights[0], 1)


def test_weights_are_drawn_as_without_embeddings_in_layers_of_the_same_shape():
    with_it = MLPRegressor(hidden_layer_sizes=(7,), embeddings=[(1, 30, 1)], random_state=0).fit(
        X, Y, epochs=0
    )
    without = MLPRegressor(hidden_layer_sizes=(7,), random_state=0).fit(X, Y, epochs=0)
    for one, other in zip(with_it.coefs_, without.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("empty", [None, [], ()])
def test_no_columns_are_no_embeddings(empty):
    model = MLPRegressor(hidden_layer_sizes=(7,), embeddings=empty).fit(X, Y, epochs=0)
    assert isinstance(model.network_.spec.layers[0], cr.Dense)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (3, "^embeddings: columns: expected a list of"),
        ([(2, 30, 3)], "^embeddings: columns: expected columns of X from 0 to 1"),
        ([(1, 30)], r"^embeddings: columns: expected a list .* got \(1, 30\) in it"),
    ],
)
def test_embeddings_that_do_not_fit_are_refused(wrong, message):
    with pytest.raises(cr.InvalidArgumentError, match=message):
        MLPRegressor(embeddings=wrong).fit(X, Y)


@pytest.mark.parametrize("standardize", [False, True])
def test_codes_without_a_row_are_refused_in_training_validation_and_prediction(standardize):
    wrong = X.copy()
    wrong[7, 1] = 30
    message = r"^X(_val)?: column 1 holds codes, whole numbers from 0 to 29; got 30\.0 at row 7"
    model = MLPRegressor(
        hidden_layer_sizes=(7,), embeddings=EMBEDDINGS, standardize=standardize, max_iter=2
    )
    with pytest.raises(cr.InvalidArgumentError, match=message):
        model.fit(wrong, Y)
    with pytest.raises(cr.InvalidArgumentError, match=message):
        model.fit(X, Y, X_val=wrong, y_val=Y)
    with pytest.raises(cr.InvalidArgumentError, match=message):
        model.fit(X, Y).predict(wrong)


def test_sparse_inputs_are_looked_up_alike():
    model = MLPRegressor(hidden_layer_sizes=(7,), embeddings=EMBEDDINGS, random_state=0).fit(
        csr_matrix(X), Y, epochs=2
    )
    np.testing.assert_array_equal(model.predict(csr_matrix(X)), model.predict(X))


def test_lbfgs_moves_the_tables_too():
    model = MLPRegressor(
        hidden_layer_sizes=(7,), solver="lbfgs", embeddings=EMBEDDINGS, random_state=0
    )
    model.set_params(standardize=True)
    before = model.fit(X, Y, epochs=0).network_.embeddings[0].copy()
    assert (model.fit(X, Y).network_.embeddings[0] != before).all()
    assert model.score(X, Y) > 0.95


def test_clones_and_pickles_keep_embeddings():
    model = clone(NetworkRegressor(embeddings=EMBEDDINGS, random_state=0)).fit(X, Y, epochs=2)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_scikit_learn_has_no_embeddings():
    model = MLPRegressor(embeddings=EMBEDDINGS).fit(X, Y, epochs=0)
    with pytest.raises(cr.InvalidArgumentError, match=r"^to_sklearn: .* have no embeddings"):
        model.to_sklearn()
