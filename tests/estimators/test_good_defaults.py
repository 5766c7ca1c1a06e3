"""Scaling inside, and what NetworkClassifier and NetworkRegressor do with nothing set."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

import chainrule as cr
from chainrule import MLPRegressor, NetworkClassifier, NetworkRegressor
from tests.estimators.tables import (
    classes,
    counts,
    rare,
    two_classes,
    values,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_a_standardised_target_is_given_back_in_its_own_units():
    X, y = load_diabetes(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    inside = MLPRegressor(standardize_target=True, random_state=0).fit(X, y)
    outside = MLPRegressor(random_state=0).fit(X, (y - y.mean()) / y.std())
    np.testing.assert_allclose(inside.predict(X), outside.predict(X) * y.std() + y.mean())
    assert MLPRegressor(random_state=0).fit(X, y).score(X, y) < 0 < inside.score(X, y)


def test_standardised_inputs_are_what_a_scaler_gives():
    X, y = values()
    raw = 3 + 100 * X
    inside = MLPRegressor(standardize=True, random_state=0, max_iter=5).fit(raw, y)
    outside = MLPRegressor(random_state=0, max_iter=5).fit(X, y)
    np.testing.assert_allclose(inside.predict(raw), outside.predict(X), rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", [NetworkClassifier, NetworkRegressor])
def test_a_column_that_does_not_vary_does_no_harm(kind):
    X, y = two_classes()
    X = np.column_stack([X, np.full(len(X), 0.1), np.zeros(len(X))])
    model = kind(random_state=0, max_iter=20).fit(X, y)
    assert np.isfinite(model.network_.parameters).all()
    assert model.score(X, y) > 0.7


def test_nothing_set_reaches_what_scikit_learns_defaults_miss_on_diabetes():
    from sklearn.model_selection import KFold, cross_val_score

    X, y = load_diabetes(return_X_y=True)
    folds = KFold(5, shuffle=True, random_state=0)
    assert cross_val_score(NetworkRegressor(random_state=0), X, y, cv=folds).mean() >= 0.40


def test_the_validation_split_has_the_shares_of_every_class():
    X, y = rare()
    three = np.where(X[:, 0] > 1, 2, y)
    seen = []
    model = NetworkClassifier(
        early_stopping=lambda model, X, y: seen.append(y) or 0.0, random_state=0, max_iter=1
    )
    model.fit(X, three)
    shares = np.bincount(seen[0]) / len(seen[0])
    # Stratified: each class within one example of its share.
    np.testing.assert_allclose(shares, np.bincount(three) / len(three), atol=1.5 / len(seen[0]))


def test_good_defaults_depend_on_the_rows():
    X, y = rare()
    large = NetworkClassifier().fit(X, y, epochs=1)
    assert large.network_.spec.dtype == "float32"
    assert len(large.validation_loss_curve_) == 1
    small = NetworkClassifier().fit(X[:100], y[:100], epochs=1)
    assert small.network_.spec.dtype == "float64"
    assert small.validation_loss_curve_ is None


def test_good_defaults_take_data_by_parts():
    X, y = classes()
    model = NetworkClassifier(random_state=0)
    for _ in range(60):
        model.partial_fit(X, y, classes=[0, 1, 2])
    assert model.score(X, y) > 0.95
    assert model.t_ == 60 * 150


def test_counts_are_learned_through_their_logarithm():
    X, y = counts()
    for kind in (MLPRegressor, NetworkRegressor):
        model = kind(loss="poisson", random_state=0, max_iter=100).fit(X, y)
        assert (model.predict(X) > 0).all()
        assert np.corrcoef(model.predict(X), np.exp(X[:, 0] * 0.5))[0, 1] > 0.8
    with pytest.raises(cr.InvalidArgumentError, match=r"^y: loss='poisson' expects values ≥ 0"):
        MLPRegressor(loss="poisson").fit(X, -y)


def test_a_fit_ends_early_once_its_validation_loss_is_much_worse_and_a_warm_start_does_not():
    # Nothing can be learned, so that the loss is lowest early and rises from there.
    random = np.random.default_rng(0)
    X, y = random.standard_normal((400, 10)), random.integers(0, 2, 400)
    model = NetworkClassifier(random_state=0, warm_start=True, alpha=0.0).fit(X, y)
    losses = np.array(model.validation_loss_curve_)
    best = int(losses.argmin()) + 1
    last = len(losses)
    assert 12 < last < 64
    assert last > 2 * best + 12
    assert losses[-1] > 1.02 * losses.min()
    model.fit(X, y)
    assert len(model.validation_loss_curve_) == last + 64
    patient = NetworkClassifier(random_state=0, alpha=0.0, n_iter_no_change=200).fit(X, y)
    assert patient.n_iter_ == 64
