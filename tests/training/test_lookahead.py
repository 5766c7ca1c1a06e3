"""Short epochs tried together, of which the last are taken back."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from chainrule import MLPClassifier
from chainrule.training import lookahead, loop


@pytest.fixture
def all_tried(monkeypatch):
    """Let as many epochs go together as there are, and count the calls that took several."""
    tried = []
    monkeypatch.setattr(loop._Pace, "learn", lambda self, steps, seconds: None)
    monkeypatch.setattr(loop._Pace, "__init__", lambda self, work: setattr(self, "steps", 10**9))
    original = lookahead.train_ahead

    def counted(plan, state, epochs, train):
        tried.append(len(epochs))
        return (yield from original(plan, state, epochs, train))

    monkeypatch.setattr(loop, "train_ahead", counted)
    return tried


def one_by_one(settings, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(loop.Loop, "_most_together", lambda self: 1)
        return fitted(settings)


def fitted(settings):
    X, y = load_iris(return_X_y=True)
    random = np.random.RandomState(5)
    with np.errstate(all="ignore"):
        model = MLPClassifier((9,), random_state=random, **settings).fit(X, y)
    return model, random.random_sample()


CASES = {
    "converges": {"tol": 0.05, "n_iter_no_change": 4, "max_iter": 500},
    "slows down": {
        "solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.3,
        "tol": 0.01, "n_iter_no_change": 3, "max_iter": 300,
    },
    "momentum": {"solver": "momentum", "tol": 0.02, "n_iter_no_change": 3, "max_iter": 300},
    "batches": {"batch_size": 40, "tol": 0.02, "n_iter_no_change": 3, "max_iter": 300},
    "dropout": {"dropout": 0.2, "tol": 0.02, "n_iter_no_change": 5, "max_iter": 300},
    "in order": {"shuffle": False, "tol": 0.05, "n_iter_no_change": 4, "max_iter": 500},
}  # fmt: skip


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize("case", CASES)
def test_epochs_that_nobody_wanted_leave_nothing_behind(case, engine, all_tried, monkeypatch):
    settings = {**CASES[case], "engine": engine}
    expected, next_expected = one_by_one(settings, monkeypatch)
    assert not all_tried
    model, next_number = fitted(settings)
    assert max(all_tried) > settings["n_iter_no_change"] + 1
    assert 1 < model.n_iter_ < settings["max_iter"]
    assert model.n_iter_ == expected.n_iter_
    np.testing.assert_array_equal(model.network_.parameters, expected.network_.parameters)
    np.testing.assert_array_equal(model.loss_curve_, expected.loss_curve_)
    np.testing.assert_array_equal(model._optimizer_state.slots, expected._optimizer_state.slots)
    assert model._optimizer_state.t == expected._optimizer_state.t
    assert model._learning_rate == expected._learning_rate
    assert next_number == next_expected


@pytest.mark.filterwarnings("ignore:training ended after")
def test_a_training_that_diverges_keeps_the_epochs_before(all_tried, monkeypatch):
    settings = {"solver": "sgd", "learning_rate_init": 1e30, "activation": "identity"}
    expected, _ = one_by_one(settings, monkeypatch)
    model, _ = fitted(settings)
    assert model.n_iter_ == expected.n_iter_
    np.testing.assert_array_equal(model.network_.parameters, expected.network_.parameters)
