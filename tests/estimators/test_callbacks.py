"""Who is told of a fit: callbacks of scikit-learn's own protocol; the package's, with 'lbfgs'."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule import MLPClassifier, MLPRegressor, NetworkMixed, NetworkRegressor
from chainrule.training.events import EpochEnded, Stopped, TrainingStarted
from tests.estimators.tables import classes, values

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
callback = pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9")


class Recorder:
    """Follows the protocol, and stops after some epochs."""

    def __init__(self, stop_after=None):
        self.calls, self.scores, self.stop_after = [], [], stop_after

    def setup(self, estimator, context):
        self.calls.append(("setup", context.task_name))

    def teardown(self, estimator, context):
        self.calls.append(("teardown", context.task_name))

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.calls.append(("begin", context.task_name))
        self.metadata = metadata

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.calls.append(("end", context.task_name))
        if context.task_name != "fit":
            self.scores.append(fitted_estimator.score(X, y))
        return len(self.scores) == self.stop_after


EPOCH = [("begin", "epoch"), ("end", "epoch")]


@pytest.mark.parametrize("kind", [MLPRegressor, NetworkRegressor, NetworkMixed])
def test_scikit_learns_callbacks_are_told_of_the_fit_and_of_each_epoch(kind):
    recorder = Recorder()
    X, y = values()
    model = kind(max_iter=3, early_stopping=False, random_state=0)
    model.set_callbacks(recorder).fit(X, y)
    assert recorder.calls == [
        ("setup", "fit"),
        ("begin", "fit"),
        *EPOCH * 3,
        ("end", "fit"),
        ("teardown", "fit"),
    ]
    assert len(set(recorder.scores)) == 3
    if kind is MLPRegressor:
        assert recorder.scores[-1] == model.score(X, y)


def test_scikit_learns_callbacks_change_nothing_and_can_stop():
    X, y = values()
    plain = MLPRegressor(max_iter=5, random_state=0).fit(X, y)
    told = MLPRegressor(max_iter=5, random_state=0).set_callbacks(Recorder()).fit(X, y)
    np.testing.assert_array_equal(told.coefs_[0], plain.coefs_[0])
    recorder = Recorder(stop_after=2)
    assert MLPRegressor(max_iter=5).set_callbacks(recorder).fit(X, y).n_iter_ == 2
    assert recorder.calls[-3:] == [("end", "epoch"), ("end", "fit"), ("teardown", "fit")]


def test_an_estimator_as_of_an_epoch_stays_what_it_was():
    kept = []

    class Keep(Recorder):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            kept.append(fitted_estimator)

    X, y = values()
    MLPRegressor(max_iter=4, random_state=0).set_callbacks(Keep()).fit(X, y)
    short = MLPRegressor(max_iter=2, random_state=0).fit(X, y)
    np.testing.assert_array_equal(kept[1].predict(X), short.predict(X))
    assert kept[1].loss_curve_ == short.loss_curve_


def test_weights_are_told_as_metadata():
    recorder = Recorder()
    X, y = values()
    weights = np.ones(len(y))
    MLPRegressor(max_iter=1).set_callbacks(recorder).fit(X, y, sample_weight=weights)
    assert recorder.metadata["sample_weight"] is weights


def test_callbacks_are_torn_down_after_an_error():
    recorder = Recorder()
    with pytest.raises(ValueError, match="non-finite"):
        MLPRegressor(solver="sgd", learning_rate_init=1e300).set_callbacks(recorder).fit(*values())
    assert recorder.calls[-1] == ("teardown", "fit")


def test_a_pipeline_hands_scikit_learns_progress_bar_on(capsys):
    X, y = classes()
    bar = callback.ProgressBar()
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(max_iter=3)).set_callbacks(bar)
    pipeline.fit(X, y)
    assert "MLPClassifier" in "".join(capsys.readouterr())


def test_scikit_learns_callbacks_are_told_of_each_iteration_of_lbfgs():
    X, y = values()
    recorder = Recorder(stop_after=4)
    model = MLPRegressor(solver="lbfgs", random_state=0).set_callbacks(recorder).fit(X, y)
    assert recorder.calls.count(("end", "iteration")) == 4
    assert model.n_iter_ == 4
    short = MLPRegressor(solver="lbfgs", random_state=0, max_iter=4).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], short.coefs_[0])


def test_the_packages_callbacks_see_each_iteration_of_lbfgs_and_can_stop(recwarn):
    X, y = values()
    events = []

    def stop_at_3(event):
        events.append(event)
        return isinstance(event, EpochEnded) and event.epoch == 3

    model = MLPRegressor(solver="lbfgs", random_state=0, callbacks=[stop_at_3]).fit(X, y)
    assert [type(event) for event in events] == [TrainingStarted, *[EpochEnded] * 3, Stopped]
    assert events[-1].reason == "callback"
    assert model.n_iter_ == 3
    assert model.loss_ == pytest.approx(events[3].objective)
    assert not recwarn.list


def test_a_search_without_callbacks_has_nobody_to_tell(monkeypatch):
    def told(*arguments, **settings):
        raise AssertionError("a fit without callbacks tells of its epochs")

    monkeypatch.setattr("chainrule.estimators.base.FitTasks", told)
    X, y = load_iris(return_X_y=True)
    grid = {"alpha": [0, 1]}
    GridSearchCV(MLPClassifier((3,), max_iter=1), grid, cv=2, error_score="raise").fit(X, y)
