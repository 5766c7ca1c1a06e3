"""What whoever builds a training may bring along: orders, a state, a view of what comes."""

import itertools

import numpy as np
import pytest

from chainrule.engines.base import Penalties, Problem
from chainrule.engines.optimizers import SGD, Adam
from chainrule.engines.passes import penalty
from chainrule.network.parameters import views
from chainrule.training import loop
from chainrule.training.events import EpochEnded
from chainrule.training.stopping import StoppingRule
from tests.training.test_loop import of_kind
from tests.training.trainings import SPEC, training


@pytest.fixture
def all_at_once(monkeypatch):
    """Let as many epochs go together as may."""
    monkeypatch.setattr(loop._Pace, "learn", lambda self, steps, seconds: None)
    monkeypatch.setattr(loop._Pace, "__init__", lambda self, work: setattr(self, "steps", 10**9))


class Rolled:
    """Orders each of which begins one example later; it knows what it was asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, epochs):
        self.asked.append(epochs)
        return np.stack([np.roll(np.arange(10, dtype=np.int32), epoch) for epoch in epochs])

    def mark(self):
        return lambda: None


def test_orders_that_are_given_are_those_taken(engine):
    orders = Rolled()
    run = training(engine, orders=orders, watched=False, epochs=5)
    list(run.events())
    assert list(itertools.chain(*orders.asked)) == [1, 2, 3, 4, 5]
    alone = training(engine, epochs=1, shuffle=False)
    for epoch in range(1, 6):
        rolled = alone.examples.take(np.roll(np.arange(10), epoch))
        list(alone.but(examples=rolled).events())
    np.testing.assert_array_equal(run.parameters, alone.parameters)


def test_a_state_that_is_handed_in_goes_on_and_is_brought_up_to_date(engine):
    whole = training(engine, optimizer=Adam(0.05), epochs=4)
    list(whole.events())
    first = training(engine, optimizer=Adam(0.05), epochs=1)
    memory = first.state.memory
    for epochs_before in range(4):
        list(first.but(optimizer_state=memory, epochs_before=epochs_before).events())
    assert memory.t == 12
    np.testing.assert_array_equal(first.parameters, whole.parameters)


def test_no_more_epochs_go_together_than_the_lookahead_allows(engine, all_at_once, monkeypatch):
    monkeypatch.setattr(loop, "SECONDS_AHEAD", 0)
    allowed, orders = iter([2, 1, 3, 9]), Rolled()
    rule = StoppingRule(keeps_best=False)
    run = training(engine, watched=False, epochs=8, orders=orders, stopping=rule)
    monkeypatch.setattr(run.state.stopping, "lookahead", lambda: next(allowed))
    list(run.events())
    assert list(map(len, orders.asked)) == [2, 1, 3, 2]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_penalised_epochs_that_go_together_tell_the_same_as_alone(
    engine, all_at_once, shared, weighted
):
    penalties = Penalties(0.01, 0.1, shared)
    changes = {"penalties": penalties, "weighted": weighted, "epochs": 4}
    alone = list(training(engine, **changes).events())
    together = list(training(engine, watched=False, **changes).events())
    for one, other in zip(of_kind(alone, EpochEnded), of_kind(together, EpochEnded), strict=True):
        assert other.loss == one.loss
        assert other.objective == pytest.approx(one.objective, rel=1e-14)
        # One is recorded by the engine at the next step, the other computed from the parameters.
        assert other.penalty == pytest.approx(one.penalty, rel=1e-12)


@pytest.mark.parametrize("shared", [False, True])
def test_an_epochs_objective_is_the_mean_of_what_its_steps_minimised(engine, shared):
    penalties = Penalties(0.01, 0.1, shared)
    run = training(engine, epochs=1, weighted=True, shuffle=False, penalties=penalties)
    theta = run.parameters.copy()
    (ended,) = of_kind(run.events(), EpochEnded)
    values, gradient = [], np.empty_like(theta)
    for rows in (np.arange(4), np.arange(4, 8), np.arange(8, 10)):
        batch = run.examples.take(rows)
        J = engine.loss_and_gradient(Problem(SPEC, theta, batch, penalties), gradient)
        theta -= 0.1 * gradient
        values += [J] * len(rows)
    assert ended.objective == pytest.approx(np.mean(values), rel=1e-12)
    share = penalties.share(run.examples.weight)
    left = penalty(SPEC, views(SPEC, run.parameters), penalties, share)
    assert ended.penalty == pytest.approx(left, rel=1e-13)


def test_an_optimizer_exchanged_after_an_epoch_takes_the_next_one(engine):
    run = training(engine, epochs=3, shuffle=False)
    rates = []
    for event in run.events():
        if isinstance(event, EpochEnded):
            rates.append(event.learning_rate)
            run.state.optimizer = SGD(rates[-1] / 2)
    assert rates == [0.1, 0.05, 0.025]
