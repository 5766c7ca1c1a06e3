"""Schedules as users name them: lengths, planning, errors."""

import math
from dataclasses import MISSING, fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines.optimizers import SGD, Adam
from chainrule.engines.schedule import Schedule
from chainrule.errors import InvalidArgumentError


def _plain(kind):
    """Return a schedule with its defaults, and a tenth for what has none."""
    return kind(*(0.1 for field in fields(kind) if field.default is MISSING))


SCHEDULES = [
    *(_plain(kind) for kind in Schedule.__subclasses__() if not kind.__name__.startswith("_")),
    cr.ExponentialDecay(0.1, 0.9, staircase=True),
    cr.CosineDecay(0.1, restarts=2, factor=1.5),
    cr.Warmup(cr.OneCycle(0.1), steps=3),
    cr.Warmup(cr.Warmup(cr.CosineDecay(0.1))),
]
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)


@every_schedule
@given(split=st.integers(0, 40))
def test_steps_asked_for_in_parts_have_the_same_rates(schedule, split):
    planned = schedule.planned(40, 8)
    whole = planned.rates(1, 40)
    parts = np.concatenate([planned.rates(1, split), planned.rates(split + 1, 40 - split)])
    np.testing.assert_array_equal(parts, whole)


@every_schedule
@pytest.mark.parametrize(("total", "epoch"), [(1, 1), (2, 1), (3, 3), (100, 10)])
def test_rates_of_any_training_are_finite_and_not_negative(schedule, total, epoch):
    rates = schedule.planned(total, epoch).rates(1, total + 5)
    assert rates.shape == (total + 5,)
    assert rates.dtype == np.float64
    assert (np.isfinite(rates) & (rates >= 0)).all()


@every_schedule
def test_a_schedule_without_its_length_names_the_argument_and_the_remedy(schedule):
    if schedule == cr.Warmup(0.1):
        message = r"^steps: Warmup has no length"
    else:
        message = r"^steps: \w+ has no length of its own.*give steps=, or call planned"
    with pytest.raises(InvalidArgumentError, match=message):
        schedule.rates(1, 10)


def test_decays_by_epoch_take_the_length_of_an_epoch_and_the_others_of_the_training():
    assert cr.TimeDecay(0.1, 1.0).planned(50, 5).steps == 5
    assert cr.ExponentialDecay(0.1, 0.5).planned(50, 5).steps == 5
    assert cr.CosineDecay(0.1).planned(50, 5).steps == 50
    assert cr.OneCycle(0.1).planned(50, 5).steps == 50
    warm = cr.Warmup(cr.CosineDecay(0.1)).planned(50, 5)
    assert (warm.steps, warm.then.steps) == (5, 45)


@every_schedule
def test_lengths_that_were_given_stay(schedule):
    once = schedule.planned(40, 8)
    assert once.planned(99, 3) == once


def test_cosine_restarts_fill_the_training():
    # Three cycles of 4, 8 and 16 steps are 28.
    rates = cr.CosineDecay(1.0, restarts=2, factor=2).planned(28, 7).rates(1, 29)
    assert [rates[i] for i in (0, 4, 12)] == [1.0, 1.0, 1.0]
    np.testing.assert_allclose(rates[[2, 8, 20]], 0.5, atol=1e-15)
    assert rates[28] == pytest.approx(0.0, abs=1e-15)


def test_one_cycle_begins_at_a_twenty_fifth_and_its_last_step_ends_it():
    rates = cr.OneCycle(1.0).planned(11, 11).rates(1, 11)
    # The peak is at τ = 0.3 · 10.
    np.testing.assert_allclose(rates[[0, 3, 10]], [0.04, 1.0, 4e-6], rtol=1e-9)
    # A third of the way up: ¼ of 0.96.
    assert rates[1] == pytest.approx(0.04 + 0.24)


def test_warmup_hands_over_where_the_next_schedule_begins():
    rates = cr.Warmup(cr.CosineDecay(1.0, steps=4), steps=4).rates(1, 9)
    half = (1 + math.sqrt(0.5)) / 2
    expected = [0.25, 0.5, 0.75, 1.0, 1.0, half, 0.5, 1 - half, 0.0]
    np.testing.assert_allclose(rates, expected, atol=1e-15)
    np.testing.assert_array_equal(cr.Warmup(0.5, steps=2).rates(1, 4), [0.25, 0.5, 0.5, 0.5])


def test_an_optimizer_asks_its_schedule():
    optimizer = Adam(cr.CosineDecay(1.0)).planned(4, 2)
    np.testing.assert_allclose(
        optimizer.learning_rates(2, 2), cr.CosineDecay(1.0, steps=4).rates(2, 2)
    )
    assert SGD(0.1).planned(4, 2) == SGD(0.1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cr.TimeDecay(-0.1, 1), r"^initial: expected a finite number ≥ 0; got -0\.1$"),
        (lambda: cr.TimeDecay(0.1, math.nan), r"^decay: .*got nan$"),
        (lambda: cr.TimeDecay(0.1, 1, steps=0), r"^steps: expected a whole number of at least 1"),
        (lambda: cr.ExponentialDecay(0.1, 0), r"^factor: expected a finite number > 0; got 0$"),
        (lambda: cr.ExponentialDecay(0.1, 0.5, staircase=1), r"^staircase: expected True or False"),
        (lambda: cr.CosineDecay("0.1"), r"^initial: .*got '0\.1'$"),
        (lambda: cr.CosineDecay(0.1, restarts=-1), r"^restarts: expected a whole number of at"),
        (lambda: cr.CosineDecay(0.1, factor=0.0), r"^factor: .*> 0; got 0\.0$"),
        (
            lambda: cr.OneCycle(0.1, rise=1.0),
            r"^rise: expected a number between 0 and 1; got 1\.0$",
        ),
        (lambda: cr.OneCycle(0.1, final=-1), r"^final: .*≥ 0; got -1$"),
        (lambda: cr.Warmup("x"), r"^then: expected a finite number ≥ 0 or a schedule .*got 'x'$"),
        (lambda: cr.Warmup(0.1, steps=1.5), r"^steps: expected a whole number"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_by_name(make, message):
    with pytest.raises(InvalidArgumentError, match=message):
        make()
