"""What the estimators do with arrays, labels and settings that nobody should hand them."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from chainrule import (
    MLPClassifier,
    MLPRegressor,
    NetworkClassifier,
    NetworkMixed,
    NetworkRegressor,
)
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.networks import GoodDefaults
from tests.bad_input.arrays import SAME, WRONG

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((40, 3))
VALUES = X @ [1.0, -2.0, 0.5]
CLASSES = (VALUES > 0).astype(int)
SETTINGS = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}

CLASSIFIERS = {"MLP": MLPClassifier(**SETTINGS), "Network": NetworkClassifier(**SETTINGS)}
REGRESSORS = {"MLP": MLPRegressor(**SETTINGS), "Network": NetworkRegressor(**SETTINGS)}
ALL = {
    "MLPClassifier": (CLASSIFIERS["MLP"], CLASSES),
    "MLPRegressor": (REGRESSORS["MLP"], VALUES),
    "NetworkClassifier": (CLASSIFIERS["Network"], CLASSES),
    "NetworkRegressor": (REGRESSORS["Network"], VALUES),
    "NetworkMixed": (NetworkMixed(**SETTINGS), np.column_stack([CLASSES, VALUES])),
}

# scikit-learn's own checks of X and y raise these.
REFUSALS = (ValueError, TypeError)

# What is said of trainings that do not get anywhere is tested elsewhere.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer"),
    pytest.mark.filterwarnings("ignore::chainrule.errors.TrainingDiagnosisWarning"),
]


@pytest.fixture(params=ALL)
def problem(request):
    """An estimator that has not been fitted, and its targets."""
    model, y = ALL[request.param]
    return clone(model), y


@pytest.mark.parametrize("name", [name for name in SAME if "pandas" not in name])
def test_numbers_in_any_clothes_fit_and_predict_the_same_bits(problem, name):
    model, y = problem
    other = SAME[name]
    expected = clone(model).fit(X, y).predict(X)
    model.fit(other(X), y)
    np.testing.assert_array_equal(model.predict(other(X)), expected)


# scikit-learn reads numbers out of texts, where the package's own Network does not.
READ = ("texts of numbers among objects", "bytes")


@pytest.mark.parametrize("name", [name for name in WRONG if name not in READ])
def test_inputs_that_mean_nothing_are_refused(problem, name):
    model, y = problem
    make, words = WRONG[name]
    wrong = make(X)
    if name == "pandas' missing value" and isinstance(model, GoodDefaults):
        # They take tables, in which a value may be missing.
        assert np.isfinite(model.fit(wrong, y).loss_)
        return
    if name != "too many columns":
        with pytest.raises(REFUSALS, match=words):
            model.fit(wrong, y)
    model = clone(model).fit(X, y)
    with pytest.raises(REFUSALS, match=words):
        model.predict(wrong)


@pytest.mark.parametrize("form", [object, "S"])
def test_texts_of_numbers_are_read_as_scikit_learn_reads_them(problem, form):
    model, y = problem
    expected = clone(model).fit(X, y).predict(X)
    np.testing.assert_array_equal(model.fit(X.astype(str).astype(form), y).predict(X), expected)


BAD_WEIGHTS = {
    "negative": np.r_[np.ones(39), -1.0],
    "all zero": np.zeros(40),
    "NaN": np.r_[np.ones(39), np.nan],
    "infinite": np.r_[np.ones(39), np.inf],
    "with an infinite sum": np.full(40, 1e308),
    "too few": np.ones(39),
    "a table": np.ones((40, 2)),
    "texts": np.full(40, "x"),
    "complex": np.ones(40, complex),
    "masked": np.ma.masked_equal(np.r_[np.ones(39), 2.0], 2.0),
}


@pytest.mark.parametrize("name", BAD_WEIGHTS)
def test_weights_that_mean_nothing_are_refused(problem, name):
    model, y = problem
    with pytest.raises(REFUSALS, match=r"weight|convert|omplex"):
        model.fit(X, y, sample_weight=BAD_WEIGHTS[name])


BAD_VALUES = {
    "NaN": np.r_[VALUES[:-1], np.nan],
    "infinite": np.r_[VALUES[:-1], np.inf],
    "texts": np.full(40, "x"),
    "None": np.full(40, None),
    "dates": VALUES.astype("datetime64[D]"),
    "complex": VALUES + 1j,
    "masked": np.ma.masked_greater(VALUES, 0),
    "too few": VALUES[:-1],
    "none": VALUES[:0],
    "a number": 1.0,
    "nothing": None,
    "three dimensions": VALUES.reshape(40, 1, 1),
    "a ragged list": [[1.0], [1.0, 2.0]] * 20,
}


@pytest.mark.parametrize("name", BAD_VALUES)
@pytest.mark.parametrize("kind", REGRESSORS)
def test_values_that_mean_nothing_are_refused(kind, name):
    with pytest.raises(REFUSALS):
        clone(REGRESSORS[kind]).fit(X, BAD_VALUES[name])


BAD_CLASSES = {
    "values": VALUES,
    "NaN": np.r_[CLASSES[:-1], np.nan],
    "infinite": np.r_[CLASSES[:-1], np.inf],
    "None": np.array([None] * 40),
    "None among texts": np.array(["a", None] * 20, object),
    "numbers among texts": np.array(["a", 1] * 20, object),
    "complex": CLASSES + 1j,
    "masked": np.ma.masked_equal(CLASSES, 1),
    "too few": CLASSES[:-1],
    "none": CLASSES[:0],
    "a number": 1,
    "nothing": None,
    "several classes each": np.column_stack([CLASSES, CLASSES + 1]),
    "three dimensions": CLASSES.reshape(40, 1, 1),
}


@pytest.mark.parametrize("name", BAD_CLASSES)
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classes_that_mean_nothing_are_refused(kind, name):
    with pytest.raises(REFUSALS):
        clone(CLASSIFIERS[kind]).fit(X, BAD_CLASSES[name])


SOUND_CLASSES = {
    "texts": np.where(CLASSES, "yes", "no"),
    "texts among objects": np.where(CLASSES, "yes", "no").astype(object),
    "true and false": CLASSES.astype(bool),
    "beyond 2⁵³, one apart": np.where(CLASSES, 2**53 + 1, 2**53),
    "negative": -CLASSES,
    "bytes of another order": CLASSES.astype(">i8"),
    "read-only": np.broadcast_to(CLASSES, (40,)),
    "of dates": np.where(CLASSES, np.datetime64("2020-01-01"), np.datetime64("2021-01-01")),
    "categories": pd.Series(np.where(CLASSES, "yes", "no"), dtype="category"),
}


@pytest.mark.parametrize("name", SOUND_CLASSES)
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classes_of_any_kind_come_back_as_they_were(kind, name):
    y = SOUND_CLASSES[name]
    model = clone(CLASSIFIERS[kind]).set_params(max_iter=300, tol=0.0, learning_rate_init=0.02)
    model.fit(X, y)
    expected = np.asarray(y)
    assert model.predict(X).dtype == expected.dtype
    assert (model.predict(X) == expected).mean() > 0.9


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_one_class_alone_is_always_said(kind):
    model = clone(CLASSIFIERS[kind]).fit(X, np.full(40, "only"))
    assert set(model.predict(X)) == {"only"}


def test_one_row_can_be_fitted(problem):
    model, y = problem
    model.set_params(early_stopping=False)
    assert np.isfinite(model.fit(X[:1], y[:1]).predict(X[:1])).all()


def test_values_that_are_all_the_same_are_predicted():
    model = NetworkRegressor(random_state=0, max_iter=100, early_stopping=False)
    np.testing.assert_allclose(model.fit(X, np.full(40, 7.0)).predict(X), 7.0, atol=0.1)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_more_classes_than_memory_has_room_for_are_refused_before_they_take_it(kind):
    rows = 10**6
    model = clone(CLASSIFIERS[kind]).set_params(early_stopping=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn wonders whether y is a regression's
        with pytest.raises(InvalidArgumentError, match=r"^y: .*1000000 classes.* GiB"):
            model.fit(np.zeros((rows, 1), np.float32), np.arange(rows))


def test_a_sparse_table_larger_than_memory_when_dense_is_refused_before_it_takes_it():
    table = sparse.csr_matrix((10**6, 10**6), dtype=np.float32)
    with pytest.raises(InvalidArgumentError, match=r"^X: .* GiB"):
        MLPRegressor(hidden_layer_sizes=(1,)).fit(table, np.zeros(10**6))


def test_a_layer_larger_than_memory_is_refused_before_it_takes_it():
    with pytest.raises(InvalidArgumentError, match=r"^layers: .* GiB"):
        MLPRegressor(hidden_layer_sizes=(10**6, 10**6)).fit(X, VALUES)


HUGE = [1e6, 1e38, 1e300]


@pytest.mark.parametrize("rate", HUGE)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_huge_learning_rate_ends_finite_or_says_so(problem, rate, solver):
    model, y = problem
    model.set_params(learning_rate_init=rate, solver=solver, max_iter=20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model.fit(X, y)
        except ArithmeticError:
            return
    assert all(np.isfinite(W).all() for W in model.coefs_)


WRONG_SETTINGS = [
    *(("learning_rate_init", value) for value in (0, -1, np.nan, np.inf, "1", None, True, 10**400)),
    *(("alpha", value) for value in (-1, np.nan, np.inf, "1", None, True, 10**400, 1j)),
    *(("batch_size", value) for value in (0, -1, 1.5, "all", None, True, np.nan)),
    *(("max_iter", value) for value in (0, -1, 1.5, "1", None, True, np.nan)),
    *(("tol", value) for value in (-1, np.nan, "1", None)),
    *(("momentum", value) for value in (-1, 1.1, np.nan, None)),
    *(("threads", value) for value in (0, -1, 1.5, True, "1")),
    *(("dropout", value) for value in (-0.1, 1.0, np.nan, "1", None, [0.1, 0.2])),
    *(("hidden_layer_sizes", value) for value in (0, -1, (0,), 1.5, "4", None, (True,), 2**31)),
    *(("validation_fraction", value) for value in (-0.1, 1.0, np.nan, None)),
    *(("n_iter_no_change", value) for value in (0, -1, np.nan, None)),
    *(("random_state", value) for value in (-1, 1.5, "0", 2**32)),
    *(("activation", value) for value in ("", None, 3, ["relu", "relu"])),
    *(("solver", value) for value in ("", None, 3, "sgd ")),
    *(("shuffle", value) for value in ("no", None, 2)),
    *(("dtype", value) for value in ("float16", int, "")),
    *(("callbacks", value) for value in (3, [3], print)),
    *(("init", value) for value in ("", 3)),
    *(("max_grad_norm", value) for value in (0, -1, np.nan, np.inf, True)),
]


@pytest.mark.parametrize(("name", "value"), WRONG_SETTINGS, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("kind", REGRESSORS)
def test_settings_that_mean_nothing_are_refused_by_name(kind, name, value):
    words = name
    words += "|units" if name == "hidden_layer_sizes" else ""
    with pytest.raises(ValueError, match=words):
        clone(REGRESSORS[kind]).set_params(**{name: value}).fit(X, VALUES)


def test_no_epochs_make_a_network_that_predicts(problem):
    model, y = problem
    model.fit(X, y, epochs=0)
    assert model.n_iter_ == 0
    assert np.isfinite(model.predict(X)).all()


def test_a_batch_larger_than_the_data_is_all_of_them(problem):
    model, y = problem
    model.set_params(early_stopping=False)
    whole = clone(model).set_params(batch_size=40).fit(X, y)
    with pytest.warns(UserWarning, match="batch_size"):
        larger = model.set_params(batch_size=10**30).fit(X, y)
    np.testing.assert_array_equal(larger.predict(X), whole.predict(X))


@pytest.mark.parametrize("unit", [1e200, 1e-200])
def test_values_and_inputs_of_any_size_are_learned_in_their_own_units(unit):
    model = NetworkRegressor(hidden_layer_sizes=(8,), max_iter=100, random_state=0)
    model.set_params(dtype="float64", early_stopping=False)
    expected = clone(model).fit(X, VALUES).predict(X)
    predicted = model.fit(X * unit, VALUES * unit).predict(X * unit)
    np.testing.assert_allclose(predicted / unit, expected, rtol=1e-6, atol=1e-6)
