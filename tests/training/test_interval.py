"""How often a checkpoint is due."""

import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.training import interval
from chainrule.training.interval import Interval


class Clock:
    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(interval, "time", clock)
    return clock


@pytest.mark.parametrize(
    ("every", "seconds", "steps"),
    [
        ("60s", 60.0, None),
        (" 0.5 s ", 0.5, None),
        ("30sec", 30.0, None),
        ("5m", 300.0, None),
        ("5min", 300.0, None),
        ("1.5h", 5400.0, None),
        (100, None, 100),
        ("100", None, 100),
    ],
)
def test_times_and_steps_are_read(every, seconds, steps):
    read = Interval(every)
    assert (read.seconds, read.steps) == (seconds, steps)


@pytest.mark.parametrize(
    "every", ["", "0s", "s", "-5s", "5 days", "1e3s", "9" * 5000, 0, -1, 2.5, True, None, "٣s٣"]
)
def test_anything_else_is_an_error_that_names_it(every):
    with pytest.raises(InvalidArgumentError, match=r"^every: expected a "):
        Interval(every)


def test_steps_are_due_at_their_multiples_wherever_training_goes_on():
    every = Interval(10)
    every.begin(17)
    assert every.left(17) == 3
    assert not every.is_due(19)
    assert every.is_due(20)
    every.written(20, 5.0)
    assert every.left(20) == 10
    assert not every.is_due(29)


def test_a_time_is_due_when_it_has_passed(clock):
    every = Interval("60s")
    clock.now += 59.9
    assert not every.is_due(10**6)
    clock.now += 0.1
    assert every.is_due(10**6)


def test_a_time_stretches_so_that_writing_is_a_hundredth_of_it(clock):
    every = Interval("60s")
    clock.now += 60
    every.written(1, 2.0)
    clock.now += 199
    assert not every.is_due(2)
    clock.now += 1
    assert every.is_due(2)
    every.written(2, 0.1)
    clock.now += 60
    assert every.is_due(3)
