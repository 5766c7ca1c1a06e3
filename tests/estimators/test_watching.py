"""Callbacks, progress, interruption and divergence."""

import re

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import chainrule as cr
from chainrule import MLPClassifier, MLPRegressor
from chainrule.training.events import EpochEnded, Stopped, TrainingStarted
from tests.estimators.tables import (
    classes,
    values,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_callbacks_hear_every_event_and_can_end_the_training():
    heard = []

    def callback(event):
        heard.append(event)
        return isinstance(event, EpochEnded) and event.epoch == 3

    model = MLPClassifier(callbacks=[callback], random_state=0).fit(*classes())
    assert model.n_iter_ == 3
    assert isinstance(heard[0], TrainingStarted)
    assert heard[-1] == Stopped(3, "callback")
    losses = [event.objective for event in heard if isinstance(event, EpochEnded)]
    assert losses == model.loss_curve_


def test_a_callback_sees_the_parameters_of_its_epoch():
    X, y = classes()
    seen = []
    model = MLPClassifier(random_state=0, max_iter=4)
    model.set_params(callbacks=[lambda event: seen.append(model.network_.parameters.copy())])
    model.fit(X, y)
    plain = MLPClassifier(random_state=0, max_iter=2).fit(X, y)
    np.testing.assert_array_equal(seen[2], plain.network_.parameters)


@pytest.mark.parametrize("wrong", [3, [3], "print"])
def test_callbacks_that_cannot_be_called_are_refused(wrong):
    with pytest.raises(cr.InvalidArgumentError, match=r"^callbacks: expected a list of functions"):
        MLPClassifier(callbacks=wrong).fit(*classes())


def test_progress_shows_the_loss_of_validation_data_in_brackets(capsys):
    model = cr.NetworkClassifier(max_iter=5, random_state=0, verbose=True)
    model.fit(*classes(), X_val=classes()[0], y_val=classes()[1])
    assert re.search(r"epoch 5/5 .*loss \S+ \(val \S+\)", capsys.readouterr().err)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_nothing_is_printed_otherwise(solver, capsys):
    MLPClassifier(solver=solver, max_iter=5, early_stopping=solver != "lbfgs").fit(*classes())
    assert capsys.readouterr() == ("", "")


def test_divergence_from_the_first_is_an_error_with_the_remedy():
    X, y = values()
    model = MLPRegressor(activation="identity", solver="sgd", learning_rate_init=1e100)
    with pytest.raises(ValueError, match=r"non-finite.*learning rate 1e\+100.*smaller learning_r"):
        model.fit(X, y)
    with pytest.raises(cr.TrainingDivergedError):
        model.fit(X, y)


def test_later_divergence_ends_training_with_a_warning_and_finite_weights():
    X, y = values()
    # Each epoch grows by a factor: the loss leaves float32 after some of them.
    model = MLPRegressor(
        hidden_layer_sizes=(),
        solver="sgd",
        momentum=0,
        learning_rate_init=1.0,
        dtype="float32",
        batch_size=len(X),
        n_iter_no_change=np.inf,
    )
    with pytest.warns(ConvergenceWarning, match=r"after \d+ epochs: .* not finite at step 1 of "):
        model.fit(X, y)
    assert 0 < model.n_iter_ < 200
    assert len(model.loss_curve_) == model.n_iter_
    assert np.isfinite(model.coefs_[0]).all()
    assert np.isfinite(model.predict(X)).all()


def test_divergence_under_a_score_leaves_nan_as_the_last_score_and_the_best_weights():
    X, y = values()
    model = MLPRegressor(
        hidden_layer_sizes=(20,),
        activation="identity",
        solver="sgd",
        learning_rate_init=1,
        early_stopping=True,
        random_state=0,
    )
    with pytest.warns(ConvergenceWarning, match="training ended after") as heard:
        model.fit(X, y)
    assert f"training ended after {model.n_iter_ - 1} epochs" in str(heard[0].message)
    assert model.network_.epochs_trained == model.n_iter_ - 1
    assert len(model.validation_scores_) == len(model.loss_curve_) == model.n_iter_
    assert np.isnan([model.validation_scores_[-1], model.loss_curve_[-1], model.loss_]).all()
    assert np.isfinite(model.validation_scores_[:-1]).all()
    assert model.best_validation_score_ == max(model.validation_scores_[:-1])
    assert np.isfinite(model.predict(X)).all()


def test_an_interruption_keeps_what_was_learned_and_says_so():
    def interrupt(event):
        if isinstance(event, EpochEnded) and event.epoch == 3:
            raise KeyboardInterrupt

    model = MLPClassifier(callbacks=[interrupt], random_state=0)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(*classes())
    plain = MLPClassifier(random_state=0).fit(*classes(), epochs=3)
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])
    assert model.n_iter_ == 3


def test_after_divergence_the_next_part_begins_with_a_fresh_optimizer():
    X, y = values()
    model = MLPRegressor(activation="identity", solver="sgd", random_state=0).partial_fit(X, y)
    kept = model.network_.parameters.copy()
    with pytest.raises(cr.TrainingDivergedError):
        model.partial_fit(1e200 * X, y)
    np.testing.assert_array_equal(model.network_.parameters, kept)
    model.partial_fit(X, y)
    assert np.isfinite(model.network_.parameters).all()
