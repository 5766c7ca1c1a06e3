import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.inspection import permutation_importance as scikit_learns

from chainrule.assessment.importance import permutation_importance
from chainrule.assessment.predictions import places_of_columns
from chainrule.errors import InvalidArgumentError
from tests.assessment.models import binary, values


class AsEstimator(BaseEstimator):
    """A table model as scikit-learn's importance asks for one."""

    def __init__(self, model):
        self.model = model

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return self.model.predict(X)["prediction"].to_numpy()


class AsClassifier(ClassifierMixin, AsEstimator):
    @property
    def classes_(self):
        return np.array(self.model.target.classes)


class AsRegressor(RegressorMixin, AsEstimator):
    pass


@pytest.mark.parametrize(
    ("given", "wrapper", "metric", "scoring"),
    [
        (binary, AsClassifier, "accuracy", "accuracy"),
        (values, AsRegressor, "rmse", "neg_root_mean_squared_error"),
        (values, AsRegressor, "mae", "neg_mean_absolute_error"),
    ],
)
def test_importances_are_scikit_learns(given, wrapper, metric, scoring):
    model, parts, _ = given()
    test, target = parts["test"], model.target.name
    repeats = 40
    expected = scikit_learns(
        wrapper(model),
        test.drop(target).to_pandas(),
        test[target].to_numpy(),
        scoring=scoring,
        n_repeats=repeats,
        random_state=0,
    )
    found = permutation_importance(model, test, metric=metric, repeats=repeats)
    by_name = {one.column: one for one in found.columns}
    for index, name in enumerate(test.drop(target).columns):
        # Two means of 40 independent shufflings each: within five of their standard errors.
        error = expected.importances_std[index] * np.sqrt(2 / repeats)
        assert by_name[name].mean == pytest.approx(
            expected.importances_mean[index], abs=5 * error + 1e-9
        )


def test_a_column_without_weights_has_no_importance():
    model, parts, _ = values()
    before = np.array(model.network.parameters)
    try:
        W = model.network.weights[0]
        W[:, places_of_columns(model)["noise"]] = 0
        found = permutation_importance(model, parts["test"])
        (noise,) = (one for one in found.columns if one.column == "noise")
        assert (noise.mean, noise.spread) == (0, 0)
    finally:
        model.network.parameters = before


def test_the_most_important_column_comes_first():
    model, parts, _ = values()
    found = permutation_importance(model, parts["test"])
    assert found.columns[-1].column == "noise"
    assert sorted((one.mean for one in found.columns), reverse=True) == [
        one.mean for one in found.columns
    ]


def test_log_loss_counts_what_is_added():
    model, parts, _ = binary()
    found = permutation_importance(model, parts["test"], metric="log_loss")
    assert found.metric == "log_loss"
    assert found.columns[0].mean > 0.2


def test_of_a_long_table_some_rows_are_drawn():
    model, parts, _ = binary()
    assert permutation_importance(model, parts["train"], most_rows=50).rows == 50


def test_the_same_seed_gives_the_same():
    model, parts, _ = binary()
    first, again = (permutation_importance(model, parts["test"], seed=3) for _ in range(2))
    assert first == again
    assert permutation_importance(model, parts["test"], seed=4) != first


def test_the_table_is_not_changed():
    model, parts, _ = binary()
    before = parts["test"].clone()
    permutation_importance(model, parts["test"])
    assert parts["test"].equals(before)


@pytest.mark.parametrize(
    ("given", "arguments", "message"),
    [
        (binary, {"metric": "rmse"}, "metric: expected one of accuracy, log_loss"),
        (values, {"metric": "accuracy"}, "metric: expected one of rmse, mae"),
        (binary, {"repeats": 0}, "repeats"),
        (binary, {"most_rows": 0}, "most_rows"),
    ],
)
def test_what_cannot_be_is_refused(given, arguments, message):
    model, parts, _ = given()
    with pytest.raises(InvalidArgumentError, match=message):
        permutation_importance(model, parts["test"], **arguments)


@pytest.mark.parametrize("given", [binary, values])
def test_a_column_that_says_nothing_is_noise_and_comes_last(given):
    model, parts, _ = given()
    found = permutation_importance(model, parts["test"])
    assert [one.is_noise for one in found.columns] == [False, False, True]
    assert found.columns[-1].column == "noise"
    for one in found.columns:
        assert one.low <= one.mean <= one.high


@pytest.mark.parametrize(("given", "metric"), [(binary, "log_loss"), (values, "rmse")])
def test_an_interval_is_that_of_other_rows_of_the_same_kind(given, metric):
    """Two halves of the rows differ as much as their intervals say: 1.4 deviations on average."""
    model, parts, _ = given()
    rows = parts["test"].vstack(parts["validation"])
    apart = []
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(rows.height)
        halves = [
            permutation_importance(model, rows[part], metric=metric, seed=seed)
            for part in (order[:100], order[100:])
        ]
        for name in ("size", "colour") if given is binary else ("area", "distance"):
            first, second = (
                next(one for one in half.columns if one.column == name) for half in halves
            )
            deviation = np.hypot(first.high - first.mean, second.high - second.mean) / 1.96
            apart.append((first.mean - second.mean) / deviation)
    # 40 differences, of one standard deviation each.
    assert 0.6 < np.std(apart) < 1.5
