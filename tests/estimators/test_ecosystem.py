"""scikit-learn's tools around the estimators, and tables with names."""

import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from chainrule import MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor
from tests.estimators.tables import classes, two_classes, values

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

KINDS = [MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def fitted(kind, **settings):
    X, y = classes() if "Classifier" in kind.__name__ else values()
    return kind(max_iter=5, random_state=0, **settings).fit(X, y), X, y


@every_kind
def test_a_clone_has_the_parameters_and_nothing_fitted(kind):
    model, _, _ = fitted(kind, hidden_layer_sizes=(4, 3))
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "coefs_")
    assert not hasattr(copy, "network_")


@every_kind
def test_a_pickled_model_predicts_and_goes_on_the_same(kind):
    model, X, y = fitted(kind)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    for each in (model, copy):
        each.partial_fit(X, y)
    np.testing.assert_array_equal(copy.coefs_[0], model.coefs_[0])
    copy.coefs_[0][...] = 0
    assert not copy.network_.weights[0].any()


@every_kind
def test_a_model_dumped_by_joblib_predicts_the_same(kind, tmp_path):
    model, X, _ = fitted(kind)
    joblib.dump(model, tmp_path / "model.joblib")
    for mode in (None, "r"):
        copy = joblib.load(tmp_path / "model.joblib", mmap_mode=mode)
        np.testing.assert_array_equal(copy.predict(X), model.predict(X))


def test_a_grid_search_over_depth_and_width_finds_the_larger_network():
    X, y = two_classes()
    search = GridSearchCV(
        MLPClassifier(max_iter=30, random_state=0),
        {"n_layers": [1, 2], "n_units": [1, 30], "alpha": [1e-4, 1e3]},
        cv=3,
        n_jobs=2,
    ).fit(X, y)
    assert search.best_score_ > 0.9
    assert search.best_params_["n_units"] == 30
    assert search.best_params_["alpha"] == 1e-4
    best = search.best_estimator_
    assert [W.shape[1] for W in best.coefs_] == [30] * search.best_params_["n_layers"] + [1]


def test_a_random_search_varies_what_scikit_learns_own_has_no_number_for():
    X, y = values()
    search = RandomizedSearchCV(
        MLPRegressor(max_iter=20, random_state=0),
        {"n_units": range(5, 50), "activation": ["tanh", "gelu"], "solver": ["adam", "rmsprop"]},
        n_iter=4,
        cv=3,
        random_state=0,
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_cross_validated_probabilities_beat_chance():
    X, y = classes()
    P = cross_val_predict(NetworkClassifier(random_state=0), X, y, method="predict_proba")
    assert P.shape == (150, 3)
    assert (P.argmax(axis=1) == y).mean() > 0.9


def test_a_calibrated_classifier_takes_the_weights_of_examples():
    X, y = two_classes()
    weights = np.random.default_rng(0).uniform(0.5, 1.5, len(X))
    calibrated = CalibratedClassifierCV(MLPClassifier(max_iter=30, random_state=0), cv=3)
    calibrated.fit(X, y, sample_weight=weights)
    assert calibrated.score(X, y) > 0.95


def test_a_pipeline_takes_columns_of_texts_and_numbers():
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "size": random.standard_normal(500),
            "colour": random.choice(["red", "green", "blue"], 500),
            "weight": random.standard_normal(500),
        }
    )
    y = np.where((table["colour"] == "red") ^ (table["size"] > 0), "yes", "no")
    columns = ColumnTransformer(
        [("texts", OneHotEncoder(), ["colour"]), ("numbers", StandardScaler(), ["size", "weight"])]
    )
    model = make_pipeline(columns, NetworkClassifier(random_state=0)).fit(table, y)
    assert model.score(table, y) > 0.9
    assert set(model.predict(table.head())) <= {"yes", "no"}


def test_permutation_importance_finds_the_column_that_matters():
    random = np.random.default_rng(0)
    X = random.standard_normal((300, 3))
    model = NetworkRegressor(random_state=0).fit(X, 5 * X[:, 1])
    importance = permutation_importance(model, X, 5 * X[:, 1], random_state=0, n_repeats=3)
    assert importance.importances_mean.argmax() == 1
    assert importance.importances_mean[1] > 1


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
@every_kind
def test_a_tables_names_are_kept_and_asked_for(kind, library):
    X, y = classes() if "Classifier" in kind.__name__ else values()
    names = [f"column {i}" for i in range(X.shape[1])]
    table = library.DataFrame(dict(zip(names, X.T, strict=True)))
    model = kind(max_iter=3, random_state=0).fit(table, library.Series(y))
    assert model.feature_names_in_.tolist() == names
    assert model.n_features_in_ == len(names)
    plain = kind(max_iter=3, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.predict(table), plain.predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table.rename({"column 0": "other"}, axis=1) if library is pd
                      else table.rename({"column 0": "other"}))  # fmt: skip
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)


def test_weights_and_validation_data_are_routed_through_a_pipeline():
    X, y = classes()
    weights = np.random.default_rng(0).uniform(0.1, 2, len(X))
    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPClassifier(max_iter=5, random_state=0).set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, model)
        pipeline.fit(X, y, sample_weight=weights)
        routed = pipeline[-1]
    alone = MLPClassifier(max_iter=5, random_state=0).fit(
        StandardScaler().fit_transform(X), y, sample_weight=weights
    )
    np.testing.assert_array_equal(routed.coefs_[0], alone.coefs_[0])
    requests = model.get_metadata_routing().fit.requests
    parts = {"X_val", "y_val", "sample_weight_val", "sample_weight"}
    assert parts | {"epochs", "checkpoint", "every", "resume"} == set(requests)


@every_kind
def test_a_notebook_shows_the_estimator_as_html(kind):
    model, _, _ = fitted(kind, alpha=0.125)
    html = model._repr_html_()
    assert kind.__name__ in html
    assert "0.125" in html
    assert "fitted" in html


@every_kind
def test_the_printed_form_names_what_differs_from_the_defaults(kind):
    assert repr(kind(alpha=0.75)) == f"{kind.__name__}(alpha=0.75)"


def test_sparse_inputs_give_the_same_as_dense_ones():
    from scipy.sparse import csc_array, csr_matrix

    X, y = classes()
    X = np.where(np.abs(X) < 0.5, 0, X)
    plain = MLPClassifier(max_iter=5, random_state=0).fit(X, y)
    for kind in (csr_matrix, csc_array):
        model = MLPClassifier(max_iter=5, random_state=0).fit(kind(X), y)
        np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])
        np.testing.assert_array_equal(model.predict_proba(kind(X)), plain.predict_proba(X))


def test_a_large_sparse_matrix_is_made_dense_in_parts():
    from scipy.sparse import random as random_sparse

    X, y = classes()
    model = MLPClassifier(max_iter=5, random_state=0).fit(X, y)
    many = random_sparse(20_000, 4, 0.3, format="csc", random_state=0)
    np.testing.assert_array_equal(model.predict_proba(many), model.predict_proba(many.toarray()))


@pytest.mark.parametrize("text", [str, object])
def test_labels_may_be_texts(text):
    X, y = classes()
    names = np.array(["setosa", "versicolor", "virginica"], dtype=text)[y]
    model = MLPClassifier(max_iter=20, random_state=0).fit(X, names)
    numbers = MLPClassifier(max_iter=20, random_state=0).fit(X, y)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    np.testing.assert_array_equal(model.predict(X), model.classes_[numbers.predict(X)])
