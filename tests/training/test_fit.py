"""The one place that conducts a training: who hears what, in which order, and what ends it."""

import contextlib

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.base import Penalties, Problem
from chainrule.engines.optimizers import SGD
from chainrule.errors import TrainingDivergedError
from chainrule.training.events import EpochEnded, StepsEnded, Stopped, TrainingStarted
from chainrule.training.fit import fit
from chainrule.training.plan import LBFGS
from chainrule.training.state import State
from chainrule.training.stopping import StoppingRule
from tests.training.trainings import training


def loss(event):
    return event.loss


def test_consumers_hear_everything_in_their_order_and_any_of_them_ends_it(engine):
    heard = []

    def first(event):
        heard.append(("first", event))
        return isinstance(event, EpochEnded) and event.epoch == 2

    def second(event):
        heard.append(("second", event))

    run = training(engine, epochs=5)
    fitted = fit(run.plan, [first, second])
    assert fitted.stopped == Stopped(2, "callback")
    assert fitted.ended_early
    names, events = zip(*heard, strict=True)
    assert names == ("first", "second") * (len(heard) // 2)
    assert events[::2] == events[1::2]
    kinds = [type(event) for event in events[::2] if not isinstance(event, StepsEnded)]
    assert kinds == [TrainingStarted, EpochEnded, EpochEnded, Stopped]
    assert events[-1] == fitted.stopped


def test_the_state_has_counted_an_epoch_before_anybody_hears_of_it(engine):
    run, counts = training(engine, epochs_before=4), []

    def count(event):
        if isinstance(event, EpochEnded):
            counts.append((state.epochs, event.epoch))
            if len(counts) == 2:
                raise RuntimeError

    state = State.of(run.plan)
    with pytest.raises(RuntimeError):
        fit(run.plan, [count], state=state)
    assert counts == [(1, 5), (2, 6)]
    assert (state.epochs_before, state.epochs) == (4, 2)


@pytest.mark.parametrize("solver", [SGD(0.1), LBFGS(1000, 0.0)])
def test_an_epoch_begins_before_its_events_and_none_after_the_end(engine, solver):
    run, heard = training(engine, epochs=3, optimizer=solver), []

    def consume(event):
        if isinstance(event, EpochEnded):
            heard.append(event.epoch)
            return event.epoch == 2
        return None

    fit(run.plan, [consume], before_epoch=lambda: heard.append("begins"))
    assert heard == ["begins", 1, "begins", 2]


def test_a_training_without_epochs_begins_none(engine):
    run, begun = training(engine, epochs=0), []
    assert not fit(run.plan, before_epoch=lambda: begun.append(1)).ended_early
    assert not begun


def test_it_ends_by_its_rule_and_keeps_the_best_weights(engine):
    kept = {}

    def keep(event):
        if isinstance(event, EpochEnded):
            kept[event.epoch] = run.parameters.copy()

    rule = StoppingRule(patience=0, tolerance=0.05, measure=loss)
    run = training(engine, epochs=500, stopping=rule)
    state = State.of(run.plan)
    fitted = fit(run.plan, [keep], state=state)
    assert (fitted.stopped.epochs, fitted.stopped.reason) == (len(kept), "converged")
    assert 1 < len(kept) < 500
    np.testing.assert_array_equal(run.parameters, kept[state.stopping.best_epoch])


def test_the_next_rate_is_asked_when_all_have_heard_of_the_epoch(engine):
    order, rates = [], []

    def hear(event):
        if isinstance(event, EpochEnded):
            order.append(event.epoch)
            rates.append(event.learning_rate)

    def next_rate(epochs):
        order.append(f"after {epochs}")
        return 0.1 / 2**epochs

    fit(training(engine, epochs=3, next_rate=next_rate).plan, [hear])
    assert order == [1, "after 1", 2, "after 2", 3, "after 3"]
    assert rates == [0.1, 0.05, 0.025]


def test_a_plan_is_left_as_it_was(engine):
    rule = StoppingRule(patience=0, tolerance=10.0, measure=loss, keeps_best=False, slows=True)
    run = training(engine, epochs=4, stopping=rule)
    state = State.of(run.plan)
    fit(run.plan, state=state)
    assert run.plan.optimizer == SGD(0.1)
    assert state.optimizer == SGD(0.1 / 5**3)  # (the first epoch improves on nothing at all)


def test_divergence_is_diagnosed_and_raised(engine):
    run = training(engine, optimizer=SGD(1e308), epochs=50, diagnosed=True)
    state = State.of(run.plan)
    with pytest.raises(TrainingDivergedError), np.errstate(all="ignore"):
        fit(run.plan, state=state)
    assert [diagnosis.kind for diagnosis in state.diagnostics][-1:] == ["exploding_gradient"]
    assert np.isfinite(run.parameters).all()


@pytest.mark.parametrize("watched", [True, False])
def test_lbfgs_goes_to_the_minimum_and_tells_of_its_iterations(engine, watched):
    penalties, events = Penalties(l2=0.1), []
    run = training(engine, optimizer=LBFGS(10_000, 1e-4), epochs=1000, m=30, penalties=penalties)
    fitted = fit(run.plan, [events.append] if watched else [])
    gradient = np.empty_like(run.parameters)
    problem = run.plan.problem
    value = engine.loss_and_gradient(
        Problem(problem.spec, problem.parameters, problem.examples, penalties), gradient
    )
    assert np.abs(gradient).max() <= 1e-4
    assert fitted.objective == value
    assert 1 < fitted.stopped.epochs < 1000
    if watched:
        values = [event.objective for event in events if isinstance(event, EpochEnded)]
        assert len(values) == fitted.stopped.epochs
        assert values[-1] == value
        assert isinstance(events[0], TrainingStarted)
        assert events[-1] == fitted.stopped


def test_lbfgs_says_where_it_did_not_converge(engine):
    run = training(engine, optimizer=LBFGS(10_000, 1e-9), epochs=2)
    fitted = fit(run.plan)
    assert fitted.stopped.epochs == 2
    assert "lbfgs failed to converge after 2 iteration(s)" in fitted.shortfall


@pytest.mark.parametrize("error", [None, RuntimeError("mine"), KeyboardInterrupt()])
def test_a_consumer_is_told_of_the_end_of_a_training_and_of_its_error(error):
    class Consumer:
        def __init__(self):
            self.ends = []

        def __call__(self, event):
            if error is not None and isinstance(event, EpochEnded):
                raise error

        def training_ended(self, error):
            self.ends.append(error)

    first, second = Consumer(), Consumer()
    net = cr.Network([1, cr.Dense(1, "identity")], cost="mse", seed=0)
    with contextlib.suppress(RuntimeError, KeyboardInterrupt):
        net.fit([[1.0]], [2.0], epochs=2, callbacks=[first, second])
    assert first.ends == second.ends == [error]
