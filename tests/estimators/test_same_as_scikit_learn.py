"""The drop-in beside scikit-learn's own class: the same weights from the same random state."""

import inspect
import warnings

import numpy as np
import pytest
import sklearn.neural_network as theirs
from sklearn.base import is_classifier

import chainrule as ours
from tests.estimators.tables import CLASSIFICATION, REGRESSION, classes, three_values, two_classes

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NAMES = ["MLPClassifier", "MLPRegressor"]
PROBLEMS = {name: ("MLPClassifier", make) for name, make in CLASSIFICATION.items()}
PROBLEMS |= {name: ("MLPRegressor", make) for name, make in REGRESSION.items()}
SOLVERS = {
    "adam": {},
    "adam with other settings": {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-2},
    "sgd": {"solver": "sgd", "momentum": 0.0},
    "heavy ball": {"solver": "sgd", "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd"},
    "lbfgs": {"solver": "lbfgs"},
    "inverse scaling": {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.2},
    "adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.1,
        "tol": 1e-2,
        "n_iter_no_change": 1,
    },
    "a strong penalty in batches": {"alpha": 10.0, "batch_size": 33},
    "deep": {"hidden_layer_sizes": (7, 5, 3), "activation": "tanh"},
    "logistic": {"activation": "logistic", "shuffle": False},
    "identity": {"activation": "identity", "hidden_layer_sizes": 6},
    "no hidden layer": {"hidden_layer_sizes": ()},
}


def both(kind, X, y, method="fit", **settings):
    """Return scikit-learn's estimator and ours, fitted alike; whole values above 0 are counts."""
    settings = {"random_state": 3, "max_iter": 10, **settings}
    if kind == "MLPRegressor" and (y >= 0).all():
        settings["loss"] = "poisson"
    return [getattr(getattr(m, kind)(**settings), method)(X, y) for m in (theirs, ours)]


def assert_same(one, other, tolerance=1e-8):
    """Assert that two estimators have the same weights and, where they have it, the same curve."""
    assert len(one.coefs_) == len(other.coefs_)
    for a, b in zip(
        [*one.coefs_, *one.intercepts_], [*other.coefs_, *other.intercepts_], strict=True
    ):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(b, a, rtol=0, atol=tolerance)
    assert one.n_iter_ == other.n_iter_
    assert one.t_ == other.t_
    assert one.loss_ == pytest.approx(other.loss_, abs=tolerance)
    if hasattr(one, "loss_curve_"):
        np.testing.assert_allclose(other.loss_curve_, one.loss_curve_, rtol=0, atol=tolerance)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_ten_epochs_give_scikit_learns_own_weights(problem, solver):
    kind, make = PROBLEMS[problem]
    if (problem, solver) == ("three values", "lbfgs"):
        pytest.skip("scikit-learn's loss and gradient do not belong together there")
    one, other = both(kind, *make(), **SOLVERS[solver])
    assert_same(one, other)
    assert one.out_activation_ == other.out_activation_
    assert (one.n_layers_, one.n_outputs_) == (other.n_layers_, other.n_outputs_)


def test_several_outputs_are_minimised_by_lbfgs_at_least_as_far():
    # Either ends in the better minimum by chance, and which one depends on the rounding of the
    # machine: with 100 hidden units and one random state, 6 % apart (a standard deviation), with
    # 20 units 1.6 %. Hence few units, and the mean of some random states.
    X, Y = three_values()
    settings = {"solver": "lbfgs", "max_iter": 200, "hidden_layer_sizes": (20,)}
    ratios = []
    for state in range(4):
        fitted = both("MLPRegressor", X, Y, random_state=state, **settings)
        errors = [np.mean((each.predict(X) - Y) ** 2) for each in fitted]
        ratios.append(errors[1] / errors[0])
    assert np.exp(np.mean(np.log(ratios))) <= 1.03


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_training_ends_after_the_same_epoch(problem):
    kind, make = PROBLEMS[problem]
    settings = {"learning_rate_init": 0.05, "max_iter": 400, "tol": 1e-3, "n_iter_no_change": 3}
    one, other = both(kind, *make(), **settings)
    assert one.n_iter_ < 400
    # Rounding grows with the steps.
    assert_same(one, other, 1e-5)
    assert one.best_loss_ == pytest.approx(other.best_loss_, abs=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_early_stopping_scores_the_same_split_and_keeps_the_same_weights(problem, weighted):
    kind, make = PROBLEMS[problem]
    X, y = make()
    weights = np.random.default_rng(0).uniform(0.1, 2, len(X)) if weighted else None
    settings = {"early_stopping": True, "max_iter": 30, "random_state": 1, "tol": 0.01}
    one, other = (
        getattr(m, kind)(**settings, learning_rate_init=0.01).fit(X, y, sample_weight=weights)
        for m in (theirs, ours)
    )
    assert one.n_iter_ == other.n_iter_
    np.testing.assert_allclose(other.validation_scores_, one.validation_scores_, atol=1e-8)
    assert one.best_validation_score_ == pytest.approx(other.best_validation_score_, abs=1e-8)
    assert one.best_loss_ is other.best_loss_ is None
    for a, b in zip(one.coefs_, other.coefs_, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-8)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_sample_weights_give_scikit_learns_weights(problem):
    kind, make = PROBLEMS[problem]
    X, y = make()
    weights = np.random.default_rng(0).uniform(0.1, 2, len(X))
    one, other = (
        getattr(m, kind)(max_iter=10, random_state=1, batch_size=40, alpha=1.0).fit(
            X, y, sample_weight=weights
        )
        for m in (theirs, ours)
    )
    for a, b in zip(one.coefs_, other.coefs_, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-8)
    if problem != "three values":
        np.testing.assert_allclose(other.loss_curve_, one.loss_curve_, rtol=0, atol=1e-8)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_partial_fit_goes_on_as_scikit_learns_does(problem, solver):
    kind, make = PROBLEMS[problem]
    X, y = make()
    pair = [getattr(m, kind)(random_state=5, solver=solver) for m in (theirs, ours)]
    for estimator in pair:
        for start in (0, 50, 100, 0):
            part = slice(start, start + 50)
            known = np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)
            first = {"classes": known} if start == 0 and is_classifier(estimator) else {}
            estimator.partial_fit(X[part], y[part], **first)
    assert_same(*pair)


def test_a_warm_start_goes_on_as_scikit_learns_does():
    X, y = classes()
    pair = [
        m.MLPClassifier(random_state=5, warm_start=True, max_iter=7, solver="sgd")
        for m in (theirs, ours)
    ]
    for estimator in pair:
        for _ in range(3):
            estimator.fit(X, y)
    assert_same(*pair)
    assert len(pair[1].loss_curve_) == 21


def test_a_random_state_that_is_shared_moves_on_alike():
    X, y = two_classes()
    randoms = [np.random.RandomState(0) for _ in range(2)]
    for random, m in zip(randoms, (theirs, ours), strict=True):
        m.MLPClassifier(random_state=random, max_iter=100, learning_rate_init=0.03).fit(X, y)
    assert randoms[0].randint(2**31) == randoms[1].randint(2**31)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_of_scikit_learn_is_here_with_its_default(name):
    here = inspect.signature(getattr(ours, name)).parameters
    for parameter in inspect.signature(getattr(theirs, name)).parameters.values():
        assert here[parameter.name].default == parameter.default
        assert here[parameter.name].kind == parameter.kind


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_fitted_attribute_and_method_of_scikit_learn_is_here(problem):
    kind, make = PROBLEMS[problem]
    one, other = both(kind, *make(), early_stopping=True)
    public = {name for name in dir(one) if not name.startswith("_")}
    assert public <= set(dir(other))
    for name in (name for name in vars(one) if name.endswith("_") and not name.startswith("_")):
        assert (getattr(other, name) is None) == (getattr(one, name) is None)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_predictions_are_the_same_in_value_shape_and_type(problem):
    kind, make = PROBLEMS[problem]
    X, y = make()
    one, other = both(kind, X, y)
    methods = ["predict", "predict_proba", "predict_log_proba"] if kind == NAMES[0] else ["predict"]
    for method in methods:
        expected, actual = (getattr(e, method)(X) for e in (one, other))
        assert expected.dtype == actual.dtype
        np.testing.assert_allclose(actual, expected, rtol=1e-8, atol=1e-8)
    assert one.score(X, y) == pytest.approx(other.score(X, y), abs=1e-12)


def test_reaching_max_iter_warns_in_scikit_learns_words():
    messages = []
    for m in (theirs, ours):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            m.MLPClassifier(max_iter=2, random_state=0).fit(*classes())
        messages.append([(w.category, str(w.message)) for w in caught])
    assert messages[0] == messages[1]
    assert len(messages[0]) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_networks_precision_is_that_of_the_inputs(dtype):
    X, y = classes()
    one, other = both("MLPClassifier", X.astype(dtype), y)
    assert other.network_.spec.dtype == np.dtype(dtype).name
    for a, b in zip(one.coefs_, other.coefs_, strict=True):
        assert a.dtype == b.dtype == dtype
        # Ten steps of float32, each of which may round sums of 150 terms otherwise.
        np.testing.assert_allclose(b, a, rtol=0, atol=150 * np.finfo(dtype).eps)
    assert other.predict_proba(X.astype(dtype)).dtype == dtype


def test_whole_numbers_are_read_as_float64():
    X, y = classes()
    assert ours.MLPClassifier(max_iter=1).fit((X * 3).astype(int), y).coefs_[0].dtype == np.float64
