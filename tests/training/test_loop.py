"""The loop: what it does, and what it says of it."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from chainrule.engines.base import Examples, Penalties, Problem
from chainrule.engines.optimizers import OPTIMIZERS, SGD, Adam
from chainrule.engines.schedules import CosineDecay, ExponentialDecay, Warmup
from chainrule.errors import TrainingDivergedError
from chainrule.network.layers import Dense
from chainrule.network.parameters import initial_parameters, views
from chainrule.network.random import epoch_order
from chainrule.network.spec import NetworkSpec
from chainrule.training import loop
from chainrule.training.events import EpochEnded, StepsEnded, Stopped, TrainingStarted
from chainrule.training.metrics import METRICS
from tests.numerics import assert_within, epsilon
from tests.strategies_networks import problem_of
from tests.training.trainings import SPEC, training


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


@pytest.fixture
def a_step_at_a_time(monkeypatch):
    monkeypatch.setattr(loop, "_SECONDS_A_CALL", 1e-12)


def test_events_come_in_the_order_of_what_happens(engine, a_step_at_a_time):
    events = list(training(engine).events())
    epoch = [StepsEnded, StepsEnded, EpochEnded]
    assert [type(e) for e in events] == [TrainingStarted, *epoch, *epoch, *epoch, Stopped]
    assert events[0] == TrainingStarted(
        epochs=3, steps_per_epoch=3, n_examples=10, n_parameters=32, engine=engine.name,
        settings=events[0].settings,
    )  # fmt: skip
    assert [e.epoch for e in of_kind(events, EpochEnded)] == [1, 2, 3]
    assert [(e.epoch, e.steps, e.steps_per_epoch) for e in of_kind(events, StepsEnded)] == [
        (epoch, steps, 3) for epoch in (1, 2, 3) for steps in (1, 2)
    ]
    assert events[-1] == Stopped(3, "finished")


def test_epochs_go_on_counting_where_the_network_s_stopped(engine):
    events = list(training(engine, epochs_before=7).events())
    assert [e.epoch for e in of_kind(events, EpochEnded)] == [8, 9, 10]


def test_no_epochs_change_nothing(engine):
    run = training(engine, epochs=0)
    before = run.parameters.copy()
    assert [type(event) for event in run.events()] == [TrainingStarted, Stopped]
    np.testing.assert_array_equal(run.parameters, before)


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_the_pieces_of_an_epoch_change_no_bit(engine, name, monkeypatch):
    results = []
    for seconds in (1e-12, 1e-4, 1e9):
        monkeypatch.setattr(loop, "_SECONDS_A_CALL", seconds)
        run = training(engine, m=50, batch_size=3, weighted=True, optimizer=OPTIMIZERS[name]())
        events = list(run.events())
        rows = [e.row() | {"seconds": 0} for e in of_kind(events, EpochEnded)]
        results.append((run.parameters.tobytes(), rows))
    assert results[0] == results[1] == results[2]


def test_training_works_where_the_clock_stands_still(engine, monkeypatch):
    monkeypatch.setattr(loop.time, "perf_counter", lambda: 0.0)
    assert list(training(engine).events())[-1] == Stopped(3, "finished")


@pytest.mark.parametrize("shuffle", [True, False])
def test_an_epoch_takes_the_seed_s_order_in_batches(engine, shuffle, a_step_at_a_time):
    penalties = Penalties(l1=0.01, l2=0.1)
    run = training(engine, shuffle=shuffle, weighted=True, penalties=penalties, seed=5, epochs=2)
    theta = run.parameters.copy()
    gradient = np.empty_like(theta)
    expected, pieces = [], []
    for epoch in (1, 2):
        order = epoch_order(5, epoch, 10, shuffle)
        losses, norms, shares = [], [], []
        for rows in (order[:4], order[4:8], order[8:]):
            batch = run.examples.take(rows)
            losses.append(engine.loss(Problem(SPEC, theta, batch)))
            shares.append(batch.weights.sum())
            engine.loss_and_gradient(Problem(SPEC, theta, batch, penalties), gradient)
            norms.append(np.linalg.norm(gradient))
            theta -= 0.1 * gradient
        pieces += losses[:2]
        expected.append((np.average(losses, weights=shares), np.mean(norms)))

    events = list(run.events())
    # Sums of at most 20 terms of order 1 in each of 6 steps, which do not stretch what came before.
    bound = 6 * 20 * epsilon("float64")
    assert_within(run.parameters, theta, bound)
    assert_within([e.loss for e in of_kind(events, StepsEnded)], pieces, 2 * bound)
    epochs = of_kind(events, EpochEnded)
    assert_within([(e.loss, e.gradient_norm) for e in epochs], expected, 2 * bound)


def test_the_loss_of_an_epoch_without_learning_is_the_network_s_loss(engine):
    run = training(engine, optimizer=SGD(0.0), m=11, weighted=True, epochs=1)
    epoch = of_kind(run.events(), EpochEnded)[0]
    loss = engine.loss(Problem(SPEC, run.parameters, run.examples))
    assert_within(epoch.loss, loss, 30 * epsilon("float64") * loss)


def test_the_penalty_stands_beside_the_loss_and_is_that_of_the_weights(engine):
    run = training(engine, penalties=Penalties(l1=0.5, l2=0.25), epochs=1)
    epoch = of_kind(run.events(), EpochEnded)[0]
    weights = np.concatenate([W.ravel() for W, _ in views(SPEC, run.parameters)])
    expected = 0.125 * (weights**2).sum() + 0.5 * np.abs(weights).sum()
    assert_within(epoch.penalty, expected, 40 * epsilon("float64") * expected)


def test_validation_is_measured_after_the_epoch_without_penalties(engine):
    validation = problem_of(SPEC, 7, seed=9).rounded("float64").examples
    run = training(
        engine,
        validation=validation,
        penalties=Penalties(0.1, 0.1),
        metrics=dict(METRICS),
    )
    for event in run.events():
        if isinstance(event, EpochEnded):
            loss = engine.loss(Problem(SPEC, run.parameters, validation))
            assert event.validation_loss == loss
            for examples, measured in (
                (run.examples, event.metrics),
                (validation, event.validation_metrics),
            ):
                outputs = np.empty((len(examples.X), 2))
                engine.forward(SPEC, run.parameters, examples.X, outputs)
                right = outputs.argmax(axis=1) == examples.Y.argmax(axis=1)
                assert measured["accuracy"] == right.mean()
                error = outputs - examples.Y
                assert measured["mae"] == pytest.approx(np.abs(error).mean(), rel=1e-14)


def test_validation_examples_are_never_trained_on(engine):
    validation = problem_of(SPEC, 7, seed=9).rounded("float64").examples
    with_it, without = training(engine, validation=validation), training(engine)
    for run in (with_it, without):
        list(run.events())
    np.testing.assert_array_equal(with_it.parameters, without.parameters)


def test_a_batch_larger_than_the_data_is_all_of_it(engine):
    all_of_it, larger = (training(engine, batch_size=size, shuffle=False) for size in (10, 1000))
    events = [list(run.events()) for run in (all_of_it, larger)]
    assert events[1][0].steps_per_epoch == 1
    np.testing.assert_array_equal(all_of_it.parameters, larger.parameters)


def test_the_reported_learning_rate_is_that_of_the_epoch_s_last_step(engine):
    asked = []

    def schedule(t):
        asked.append(t)
        return 1 / t

    run = training(engine, optimizer=SGD(schedule))
    rates = [event.learning_rate for event in of_kind(run.events(), EpochEnded)]
    assert asked == list(range(1, 10))
    assert rates == [1 / 3, 1 / 6, 1 / 9]


def test_batches_without_weight_are_no_error_wherever_they_fall(engine, a_step_at_a_time):
    # Alone in a piece, too: the mean over its examples would divide by zero.
    for last in range(6):
        weights = np.zeros(6)
        weights[last] = 2.0
        examples = training(engine, m=6).examples._replace(weights=weights)
        run = training(engine, examples=examples, batch_size=1, shuffle=False)
        events = list(run.events())
        assert all(np.isfinite(event.loss) for event in of_kind(events, StepsEnded))
        only = engine.loss(Problem(SPEC, initial_parameters(SPEC, 0), run.examples))
        first = of_kind(events, EpochEnded)[0]
        assert_within(first.loss, only, 30 * epsilon("float64") * only)


def diverging(engine, **changes):
    spec = NetworkSpec(3, (Dense(5, "relu"), Dense(1, "identity")), "mse")
    return training(engine, spec, m=8, **{"batch_size": 2, "optimizer": SGD(1e12), **changes})


def test_divergence_names_the_step_the_learning_rate_and_the_remedy(engine):
    message = (
        r"^the loss or its gradient is not finite at step \d of epoch 1 "
        r"\(learning rate 1e\+12\).*smaller learning_rate.*mean 0 and standard deviation 1$"
    )
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError, match=message):
        list(diverging(engine).events())


def test_divergence_is_an_error_and_not_a_row_of_warnings_before_it(engine):
    with pytest.raises(TrainingDivergedError):
        list(diverging(engine).events())


def test_divergence_leaves_the_parameters_from_before_its_epoch(engine):
    # The rate jumps in the second epoch, so the first one's result must be what is left.
    optimizer = SGD(lambda t: 1e-3 if t <= 4 else 1e12)
    run = diverging(engine, optimizer=optimizer)
    events = run.events()
    message = r"at step \d of epoch 2 \(learning rate 1e\+12\)"
    with np.errstate(all="ignore"):
        while not isinstance(next(events), EpochEnded):
            pass
        kept = run.parameters.copy()
        with pytest.raises(TrainingDivergedError, match=message):
            list(events)
    np.testing.assert_array_equal(run.parameters, kept)
    assert np.isfinite(kept).all()


@pytest.mark.parametrize("seconds", [1e-3, 1e9])
def test_where_it_diverged_does_not_depend_on_how_many_epochs_went_together(
    engine, seconds, monkeypatch
):
    monkeypatch.setattr(loop, "_SECONDS_A_CALL", seconds)
    ends = []
    for watched in (True, False):
        # The rate doubles with every epoch of four steps.
        optimizer = SGD(ExponentialDecay(1e-3, 2.0))
        run = diverging(engine, epochs=400, watched=watched, optimizer=optimizer)
        events = []
        with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError) as raised:
            # (It keeps those before the error.)
            events.extend(run.events())
        epochs = [replace(e, seconds=0) for e in of_kind(events, EpochEnded)]
        ends.append((epochs, run.parameters.tobytes(), str(raised.value)))
    assert len(ends[0][0]) > 5
    assert ends[0] == ends[1]


def test_a_last_step_that_leaves_no_finite_parameters_is_divergence(engine):
    spec = NetworkSpec(1, (Dense(1, "identity"),), "mse")
    examples = Examples(np.ones((1, 1), np.float32), np.full((1, 1), 1e19, np.float32))
    run = training(engine, spec, examples=examples, optimizer=SGD(1e25), epochs=1)
    before = run.parameters.copy()
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError, match="end of epoch 1"):
        list(run.events())
    np.testing.assert_array_equal(run.parameters, before)


def test_a_loop_that_is_left_between_events_leaves_whole_steps(engine, a_step_at_a_time):
    run = training(engine, shuffle=False, optimizer=Adam(0.1))
    events = itertools.takewhile(lambda e: not isinstance(e, StepsEnded), run.events())
    assert [type(event) for event in events] == [TrainingStarted]
    first = run.examples.take(np.arange(4))
    stepped = training(engine, examples=first, shuffle=False, optimizer=Adam(0.1), epochs=1)
    list(stepped.events())
    np.testing.assert_array_equal(run.parameters, stepped.parameters)


@pytest.mark.parametrize("learning_rate", [CosineDecay(0.1), Warmup(ExponentialDecay(0.1, 0.5))])
def test_epochs_with_a_schedule_go_through_the_engine_together_and_change_nothing(
    engine, learning_rate
):
    together, alone = (
        training(engine, optimizer=SGD(learning_rate), epochs=20, watched=watched)
        for watched in (False, True)
    )
    events = [of_kind(run.events(), EpochEnded) for run in (together, alone)]
    np.testing.assert_array_equal(together.parameters, alone.parameters)
    assert [e.learning_rate for e in events[0]] == [e.learning_rate for e in events[1]]


def test_a_training_of_no_epochs_takes_any_schedule(engine):
    run = training(engine, optimizer=SGD(CosineDecay(1.0)), epochs=0)
    before = run.parameters.copy()
    assert [type(event) for event in run.events()] == [TrainingStarted, Stopped]
    np.testing.assert_array_equal(run.parameters, before)


def test_a_schedule_without_a_length_has_that_of_the_training(engine):
    run = training(engine, optimizer=SGD(CosineDecay(1.0)), epochs=2)
    rates = [event.learning_rate for event in of_kind(run.events(), EpochEnded)]
    # Three steps an epoch: the last are τ = 2 and 5 of 6.
    expected = [0.5 * (1 + np.cos(np.pi * tau / 6)) for tau in (2, 5)]
    np.testing.assert_allclose(rates, expected, rtol=1e-14)
