"""A fit that is refused leaves the estimator as it was."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

import chainrule as cr
from chainrule import MLPClassifier, NetworkClassifier, NetworkMixed, NetworkRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::chainrule.TrainingDiagnosisWarning"),
]

X = np.random.default_rng(0).standard_normal((60, 3))
LETTERS = np.where(X[:, 0] > 0, "a", "b")
OTHERS = np.where(X[:, 1] > 0, "c", "d")
KINDS = [MLPClassifier, NetworkClassifier]


@pytest.mark.parametrize("kind", [*KINDS, NetworkMixed, NetworkRegressor])
def test_a_fitted_estimator_answers_as_before(kind):
    values = kind is NetworkRegressor
    y, other = (X[:, 0], X[:, 1:]) if values else (LETTERS, OTHERS)
    model = kind(max_iter=2, random_state=0).fit(X, y)
    before = model.predict(X)
    for refused in (
        {"sample_weight": -np.ones(60)},
        {"X_val": X, "y_val": y[:7]},
        {"X_val": X[:, :2], "y_val": other},
    ):
        with pytest.raises(ValueError, match=r"sample_weight|X_val"):
            model.fit(X * 100, other, **refused)
        with pytest.raises(ValueError, match=r"sample_weight|X_val"):
            model.fit(np.hstack([X, X]), other, **refused)
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.n_features_in_ == 3


@pytest.mark.parametrize("kind", KINDS)
def test_an_unfitted_one_stays_unfitted_and_takes_other_classes(kind):
    model = kind(random_state=0)
    with pytest.raises(cr.InvalidArgumentError, match=r"^X: "):
        model.partial_fit(X * np.nan, LETTERS, classes=["a", "b"])
    with pytest.raises(NotFittedError):
        model.predict(X)
    model.partial_fit(X, OTHERS, classes=["c", "d"])
    assert model.classes_.tolist() == ["c", "d"]


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_another_shape_than_those_that_were_learned_are_refused_by_name(kind):
    indicators = (X > 0).astype(int)
    model = kind(max_iter=2)
    with pytest.raises(cr.InvalidArgumentError, match=r"^y_val: expected one class .*\(60, 3\)"):
        model.fit(X, LETTERS, X_val=X, y_val=indicators)
    with pytest.raises(cr.InvalidArgumentError, match=r"^y_val: expected 3 outputs .*\(60,\)"):
        model.fit(X, indicators, X_val=X, y_val=indicators[:, 0])
    with pytest.raises(cr.InvalidArgumentError, match=r"^y_val: expected 3 outputs .*\(60, 2\)"):
        model.fit(X, indicators, X_val=X, y_val=indicators[:, :2])
    with pytest.raises(cr.InvalidArgumentError, match=r"^y: expected one class .*\(60, 2\)"):
        model.fit(X, LETTERS).partial_fit(X, indicators[:, :2])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weights", ["balanced", {"a": 3.0}])
def test_class_weights_hold_for_labels_in_a_column(kind, weights):
    models = [
        kind(class_weight=weights, max_iter=2, random_state=0).fit(X, y)
        for y in (LETTERS, LETTERS[:, None])
    ]
    np.testing.assert_array_equal(models[0].predict_proba(X), models[1].predict_proba(X))


@pytest.mark.parametrize("given", ["seven", -1, 2**40, 1.5, np.random.default_rng(0)])
def test_a_random_state_that_is_none_is_refused_by_name(given):
    with pytest.raises(cr.InvalidArgumentError, match=r"^random_state: expected .*RandomState"):
        MLPClassifier(random_state=given).fit(X, LETTERS)
