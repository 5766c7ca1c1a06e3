"""What the estimators minimise: losses by name, and a user's own."""

import numpy as np
import pytest
from sklearn.base import clone

import chainrule as cr
from chainrule import MLPClassifier, MLPRegressor, NetworkRegressor
from tests.estimators.tables import classes, three_values, two_classes, values

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NAMES = {
    "squared_error": "mse",
    "absolute_error": "absolute_error",
    "huber": "huber",
    "quantile": "quantile",
    "log_cosh": "log_cosh",
}


@pytest.mark.parametrize("loss", sorted(NAMES))
@pytest.mark.parametrize("make", [values, three_values])
def test_every_loss_of_a_regressor_is_gone_down(loss, make):
    X, Y = make()
    model = MLPRegressor(loss, random_state=0, max_iter=30, learning_rate_init=0.01).fit(X, Y)
    assert model.network_.spec.cost == NAMES[loss]
    assert model.loss_curve_[-1] < 0.8 * model.loss_curve_[0]


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("standardised", [False, True])
def test_a_quantile_has_its_share_of_the_targets_below(quantile, standardised):
    random = np.random.default_rng(0)
    X = random.uniform(-1, 1, (1000, 1))
    y = X[:, 0] + (0.3 + 0.2 * X[:, 0]) * random.standard_normal(1000)
    if standardised:
        y = 50 + 20 * y
    model = MLPRegressor(
        "quantile",
        (10,),
        quantile=quantile,
        standardize_target=standardised,
        learning_rate="cosine",
        learning_rate_init=0.03,
        max_iter=150,
        tol=0,
        random_state=0,
    )
    below = (y < model.fit(X, y).predict(X)).mean()
    # Three standard deviations of a share of 1000, and as much for a training that is short.
    assert abs(below - quantile) < 6 * np.sqrt(quantile * (1 - quantile) / 1000)


def test_the_median_is_not_moved_by_outliers():
    random = np.random.default_rng(0)
    X = random.standard_normal((400, 3))
    clean = X @ [1.0, -2.0, 0.5]
    y = np.where(random.random(400) < 0.1, 100.0, clean)
    errors = {
        loss: np.abs(
            MLPRegressor(loss, (), max_iter=200, learning_rate_init=0.02, random_state=0)
            .fit(X, y)
            .predict(X)
            - clean
        ).max()
        for loss in ("squared_error", "absolute_error", "huber")
    }
    assert errors["absolute_error"] < 0.5
    assert errors["huber"] < 1.0
    assert errors["squared_error"] > 5


@pytest.mark.parametrize("make", [values, three_values])
def test_hubers_delta_is_in_the_targets_own_units(make):
    # Without a penalty the minimum does not depend on the units in which it is looked for.
    X, Y = make()
    Y = 100 + 20 * Y
    shift = {"solver": "lbfgs", "alpha": 0.0, "tol": 1e-9, "max_iter": 5000, "random_state": 0}
    plain, inside = (
        MLPRegressor("huber", (), huber_delta=5.0, standardize_target=standardised, **shift)
        .fit(X, Y)
        .predict(X)
        for standardised in (False, True)
    )
    # SciPy ends where an iteration brings 2e−9 of the value, which is about its root in θ.
    np.testing.assert_allclose(inside, plain, rtol=0, atol=1e-3 * Y.std())


def test_two_functions_are_a_loss():
    X, y = values()
    pair = (lambda A, Y: ((A - Y) ** 2).sum(axis=1) / 2, lambda A, Y: A - Y)
    own, named = (
        MLPRegressor(loss, random_state=0, max_iter=5).fit(X, y) for loss in (pair, "squared_error")
    )
    np.testing.assert_allclose(own.coefs_[0], named.coefs_[0], rtol=0, atol=1e-10)
    np.testing.assert_allclose(own.predict(X), named.predict(X), rtol=0, atol=1e-10)
    assert clone(own).loss[0] is pair[0]


def test_a_custom_cost_is_a_loss_of_a_classifier_too():
    X, y = classes()
    brier = cr.CustomCost(
        lambda A, Y: ((A - Y) ** 2).sum(axis=1), lambda A, Y: 2 * (A - Y), "brier"
    )
    model = MLPClassifier(loss=brier, random_state=0, max_iter=150, learning_rate_init=0.01)
    assert model.fit(X, y).score(X, y) > 0.95
    assert model.network_.spec.cost is brier


@pytest.mark.parametrize("make", [classes, two_classes])
def test_focal_without_focus_is_the_log_loss(make):
    X, y = make()
    focal, plain = (
        MLPClassifier(loss=loss, focal_gamma=0.0, random_state=0, max_iter=5).fit(X, y)
        for loss in ("focal", "log_loss")
    )
    np.testing.assert_allclose(focal.coefs_[0], plain.coefs_[0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(focal.loss_curve_, plain.loss_curve_, rtol=1e-9)


def test_more_focus_leaves_less_certain_probabilities():
    X, y = two_classes()
    sharpest = [
        MLPClassifier(loss="focal", focal_gamma=gamma, random_state=0, max_iter=30)
        .fit(X, y)
        .predict_proba(X)
        .max(axis=1)
        .mean()
        for gamma in (0.0, 2.0)
    ]
    assert sharpest[1] < sharpest[0]


@pytest.mark.parametrize(
    ("kind", "loss", "expected"),
    [
        (MLPClassifier, "hinge", "'log_loss', 'focal'"),
        (MLPRegressor, "focal", "'squared_error', 'absolute_error'"),
        (NetworkRegressor, (abs,), "pair of functions"),
        (NetworkRegressor, ("a", "b"), "pair of functions"),
    ],
)
def test_what_is_no_loss_is_refused(kind, loss, expected):
    make = classes if kind is MLPClassifier else values
    with pytest.raises(cr.InvalidArgumentError, match=rf"^loss: expected .*{expected}.*; got"):
        kind(loss=loss).fit(*make())


@pytest.mark.parametrize(
    ("setting", "value"), [("huber_delta", 0), ("quantile", 1), ("quantile", 0)]
)
def test_settings_of_a_loss_that_cannot_be_are_refused(setting, value):
    with pytest.raises(cr.InvalidArgumentError, match=rf"The '{setting}' parameter .*got {value}"):
        MLPRegressor(**{setting: value}).fit(*values())
