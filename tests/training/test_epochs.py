"""Epochs that end together tell the same as one by one, to whoever takes them."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris

import chainrule as cr
from chainrule.training import loop
from chainrule.training.fit import _Conductor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, CLASSES = load_iris(return_X_y=True)
FITTED = ("n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "_no_improvement_count")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("kind", "y"),
    [(cr.MLPClassifier, CLASSES), (cr.MLPRegressor, X[:, 0]), (cr.MLPRegressor, X[:, :2])],
)
def test_an_estimator_s_curves_and_counters_do_not_depend_on_how_many_epochs_end_together(
    kind, y, weighted, monkeypatch
):
    def trained():
        settings = {"random_state": 0, "max_iter": 400, "tol": 0.005, "n_iter_no_change": 4}
        model = kind(hidden_layer_sizes=(9,), **settings)
        model.fit(X, y, 0.5 + X[:, 3] if weighted else None)
        return {name: getattr(model, name) for name in FITTED}, model.network_

    together, network = trained()
    monkeypatch.setattr(_Conductor, "_takes_epochs", lambda self: False)
    one_by_one, same = trained()
    monkeypatch.setattr(loop.Loop, "_most_together", lambda self: 1)
    alone, own = trained()
    assert together == one_by_one == alone
    assert {type(loss) for loss in together["loss_curve_"]} == {float}
    assert network.epochs_trained == same.epochs_trained == own.epochs_trained
    np.testing.assert_array_equal(network.parameters, own.parameters)


def test_an_engine_s_own_sums_do_not_decide_where_a_training_ends(monkeypatch):
    expected = cr.MLPClassifier((9,), random_state=0, tol=0.02).fit(X, CLASSES)
    assert 20 < expected.n_iter_ < 200
    numbers = expected._random_state.random_sample(3)
    original = loop.Loop._loss_rule
    for patience in (0.0, 4.0, 1e9):  # the engine ends earlier than the rule, or later
        with monkeypatch.context() as patch:
            patch.setattr(
                loop.Loop,
                "_loss_rule",
                lambda self, patience=patience: original(self)._replace(patience=patience),
            )
            model = cr.MLPClassifier((9,), random_state=0, tol=0.02).fit(X, CLASSES)
        assert model.n_iter_ == expected.n_iter_
        assert model.loss_curve_ == expected.loss_curve_
        np.testing.assert_array_equal(model.network_.parameters, expected.network_.parameters)
        np.testing.assert_array_equal(model._random_state.random_sample(3), numbers)


def test_verbose_prints_each_epoch_of_those_that_end_together(capsys):
    model = cr.MLPRegressor(hidden_layer_sizes=(4,), random_state=0, max_iter=30, verbose=True)
    model.fit(*load_diabetes(return_X_y=True))
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"Iteration {epoch}, loss = {loss:.8f}"
        for epoch, loss in enumerate(model.loss_curve_, start=1)
    ]
