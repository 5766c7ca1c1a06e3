"""Estimators with good defaults say what keeps them from learning; drop-in ones stay silent."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from chainrule import MLPClassifier, NetworkClassifier, NetworkRegressor
from chainrule.errors import TrainingDiagnosisWarning

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((600, 4))
y = RANDOM.integers(0, 2, 600)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_a_loss_that_is_stuck_is_said_and_kept():
    model = NetworkClassifier((16,), alpha=1e4, early_stopping=False, max_iter=32, random_state=0)
    with pytest.warns(TrainingDiagnosisWarning, match="of a constant predict") as caught:
        model.fit(X, y)
    assert caught[0].filename == __file__
    assert "stuck_loss" in [diagnosis.kind for diagnosis in model.diagnostics_]


def test_a_new_fit_begins_with_nothing_found():
    model = NetworkClassifier((16,), alpha=1e4, early_stopping=False, max_iter=32, random_state=0)
    with pytest.warns(TrainingDiagnosisWarning):
        model.fit(X, y)
    model.set_params(alpha=1.0).fit(X, X[:, 0] > 0)
    assert model.diagnostics_ == []


@pytest.mark.parametrize("load", [load_breast_cancer, load_digits])
def test_healthy_fits_with_defaults_say_nothing(load):
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingDiagnosisWarning)
        model = NetworkClassifier(random_state=0).fit(*load(return_X_y=True))
    assert model.diagnostics_ == []


def test_a_fit_that_diverged_says_where():
    model = NetworkRegressor(solver="sgd", learning_rate_init=1e3, random_state=0)
    with pytest.raises(ArithmeticError):
        model.fit(X, X[:, 0])
    assert [diagnosis.kind for diagnosis in model.diagnostics_] == ["exploding_gradient"]


def test_lbfgs_has_nothing_to_say():
    assert NetworkClassifier(solver="lbfgs", random_state=0).fit(X, y).diagnostics_ == []


def test_the_drop_in_estimators_are_as_silent_as_those_of_scikit_learn():
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingDiagnosisWarning)
        model = MLPClassifier(alpha=1e4, max_iter=64, random_state=0).fit(X, y)
    assert not hasattr(model, "diagnostics_")
