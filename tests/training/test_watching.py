"""Callbacks that look into a running training between its steps."""

import time
import warnings

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.training.watching import Moment, Training


class Watcher:
    """Halts a training after some numbers of steps, and keeps what it saw."""

    def __init__(self, *steps: int) -> None:
        self.steps = sorted(steps)
        self.moments: list[Moment] = []
        self.parameters: dict[int, np.ndarray] = {}
        self.slots: dict[int, np.ndarray] = {}

    def training_begins(self, training: Training) -> None:
        self.training = training

    def __call__(self, event) -> None:
        pass

    def steps_left(self, done: int) -> int | None:
        return next((step - done for step in self.steps if step >= done), None)

    def between_steps(self, moment: Moment) -> None:
        self.moments.append(moment)
        self.parameters[moment.step] = self.training.parameters.copy()
        assert self.training.state.memory is not None
        assert self.training.state.memory.t == moment.step
        self.slots[moment.step] = self.training.state.memory.slots.copy()


def examples(m: int = 50):
    random = np.random.default_rng(0)
    X = random.normal(size=(m, 3)).astype("float32")
    return X, X.sum(axis=1, keepdims=True)


def network() -> cr.Network:
    return cr.Network([3, cr.Dense(4, "tanh"), cr.Dense(1, "identity")], cost="mse", seed=1)


def test_a_training_halts_after_the_steps_that_a_callback_names_and_at_no_others() -> None:
    watcher = Watcher(0, 1, 5, 7, 30)
    network().fit(*examples(), epochs=8, batch_size=10, callbacks=[watcher])
    # 5 and 30 are the end of one epoch and the beginning of the next.
    assert [one.step for one in watcher.moments] == [0, 1, 5, 5, 7, 30, 30]
    assert [one.epoch for one in watcher.moments] == [1, 1, 1, 2, 2, 6, 7]
    ends = [place for place, one in enumerate(watcher.moments) if one.rows is None]
    assert ends == [2, 5]


@pytest.mark.parametrize("engine", ["reference", "auto"])
def test_being_watched_at_any_step_changes_no_bit(engine) -> None:
    alone, watched = network(), network()
    options = {"epochs": 6, "batch_size": 8, "engine": engine}
    one = alone.fit(*examples(), **options)
    other = watched.fit(*examples(), **options, callbacks=[Watcher(1, 2, 3, 11, 12)])
    assert np.array_equal(alone.parameters, watched.parameters)
    assert [e.loss for e in one.epochs] == [e.loss for e in other.epochs]


def test_the_examples_and_the_rate_of_a_moment_are_those_of_the_next_step() -> None:
    X, Y = examples()
    watcher = Watcher(*range(16))
    network().fit(
        X,
        Y,
        optimizer=cr.SGD(cr.TimeDecay(0.1, 0.5)),
        epochs=3,
        batch_size=10,
        callbacks=[watcher],
    )
    net = network()
    begun = [moment for moment in watcher.moments if moment.rows is not None]
    assert [moment.step for moment in begun] == list(range(15))
    for moment in begun:
        net.parameters = watcher.parameters[moment.step]
        _, gradient = net.loss_and_gradient(X[moment.rows], Y[moment.rows])
        stepped = net.parameters - np.float32(moment.learning_rate) * gradient
        np.testing.assert_allclose(stepped, watcher.parameters[moment.step + 1], atol=1e-6)


def test_the_steps_of_a_second_training_are_counted_from_its_own_beginning() -> None:
    net = network()
    net.fit(*examples(), epochs=2, batch_size=10)
    watcher = Watcher(0, 3)
    net.fit(*examples(), epochs=1, batch_size=10, callbacks=[watcher])
    assert [(one.step, one.epoch) for one in watcher.moments] == [(0, 3), (3, 3)]


def test_time_spent_looking_is_no_time_of_the_epoch() -> None:
    class Slow(Watcher):
        def between_steps(self, moment: Moment) -> None:
            super().between_steps(moment)
            time.sleep(0.2)

    history = network().fit(*examples(), epochs=1, batch_size=10, callbacks=[Slow(2, 3)])
    assert history.epochs[0].seconds < 0.2


def test_estimators_and_runs_let_a_callback_look_as_well() -> None:
    X, Y = examples()
    table = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": Y[:, 0]})
    for train in (
        lambda one: cr.MLPRegressor(callbacks=[one]).fit(X, Y.ravel()),
        lambda one: cr.NetworkRegressor(callbacks=[one]).fit(X, Y.ravel()),
        lambda one: cr.train(table, target="y", callbacks=[one], verbose=False),
    ):
        watcher = Watcher(1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # so few examples converge slowly
            train(watcher)
        assert 1 in watcher.parameters
