"""The stopping rule: its counters, its best weights, its slower learning rate."""

import math

import numpy as np
import pytest

from chainrule.engines.optimizers import SGD
from chainrule.engines.schedules import CosineDecay
from chainrule.training.events import EpochEnded
from chainrule.training.stopping import Stopping, StoppingRule


def after(epoch, loss):
    return EpochEnded(epoch, 1.0, 0.0, 0.1, 1.0, 0.0, validation_loss=loss)


def told(stopping, *losses):
    return [stopping.epoch_ended(after(n, loss)) for n, loss in enumerate(losses, start=1)]


def test_it_ends_after_one_epoch_too_many_without_an_improvement():
    stopping = Stopping(StoppingRule(patience=2, tolerance=0.0), np.zeros(3))
    assert told(stopping, 5.0, 4.0, 4.5, 4.5, 4.5) == [False, False, False, False, True]
    assert (stopping.best, stopping.best_epoch) == (4.0, 2)


def test_less_than_the_tolerance_is_no_improvement_but_the_best_weights_are_kept():
    theta = np.zeros(2)
    stopping = Stopping(StoppingRule(patience=1, tolerance=0.5), theta)
    for epoch, loss in enumerate((5.0, 4.9, 4.8), start=1):
        theta[...] = epoch
        ended = stopping.epoch_ended(after(epoch, loss))
    assert ended
    theta[...] = 9
    stopping.restore()
    np.testing.assert_array_equal(theta, [3, 3])


def test_a_loss_that_is_no_number_is_no_worsening_and_never_the_best():
    stopping = Stopping(StoppingRule(patience=1, tolerance=0.0), np.zeros(1))
    assert told(stopping, 2.0, 3.0, math.nan, 3.0, 3.0) == [False, False, False, False, True]
    assert stopping.best == 2.0


def test_no_epoch_but_the_last_of_a_lookahead_can_be_the_end():
    stopping = Stopping(StoppingRule(patience=3, tolerance=0.0), np.zeros(1))
    worse = iter(range(1, 100))
    while True:
        ahead = stopping.lookahead()
        ends = [stopping.epoch_ended(after(1, float(next(worse)))) for _ in range(ahead)]
        assert not any(ends[:-1])
        if ends[-1]:
            break
    assert Stopping(StoppingRule(patience=math.inf), np.zeros(1)).lookahead() > 10**9


def ended_at(losses, **rule):
    """Return the epoch that a rule without a patience ends a training after; None if none."""
    stopping = Stopping(StoppingRule(math.inf, 0.0, **rule), np.zeros(1))
    assert stopping.lookahead() == (1 if "grace" in rule else 2**31)
    ends = told(stopping, *losses)
    return ends.index(True) + 1 if True in ends else None


def test_with_a_grace_it_ends_when_the_loss_is_much_worse_than_long_ago():
    losses = [1.0, 0.9, 0.8, *([0.83] * 20)]
    assert ended_at(losses, grace=4.0) == 11  # the first epoch after 2 · 3 + 4
    assert ended_at(losses, grace=4.5) == 11
    assert ended_at(losses, grace=100.0) is None
    assert ended_at(losses) is None
    # 2 % above the best is much worse, less is not; a loss that falls again is not.
    assert ended_at([0.8, *([0.8159] * 30)], grace=4.0) is None
    assert ended_at([0.8, *([0.8161] * 30)], grace=4.0) == 7
    assert ended_at([0.8, *([0.9] * 5), 0.81, *([0.9] * 5)], grace=4.0) == 8
    assert ended_at([*np.linspace(1, 0.5, 40)], grace=4.0) is None
    # Losses below 0, such as those of a function of the user's, have a size too.
    assert ended_at([-1.0, *([-0.99] * 9)], grace=4.0) is None
    assert ended_at([-1.0, *([-0.97] * 9)], grace=4.0) == 7
    assert ended_at([0.8, *([math.nan] * 30)], grace=4.0) is None


def test_a_continued_training_has_no_grace_since_its_rate_begins_high_again():
    stopping = Stopping(StoppingRule(math.inf, 0.0, grace=4.0), np.zeros(1), best=0.5)
    assert not any(told(stopping, *([0.8] * 40), 0.4))
    assert stopping.best_epoch == 41


def test_an_adaptive_rate_is_divided_by_five_until_it_is_tiny():
    stopping = Stopping(StoppingRule(patience=0, slows=True), np.zeros(1))
    optimizer, rates = SGD(0.01), []
    while optimizer is not None:
        rates.append(optimizer.learning_rate)
        stopping.count = 1
        optimizer = stopping.slower(optimizer)
        assert stopping.count == (optimizer is None)
    np.testing.assert_allclose(rates, [0.01 / 5**k for k in range(7)])
    assert stopping.slower(SGD(CosineDecay(0.1, 5))) is None
    assert Stopping(StoppingRule(), np.zeros(1)).slower(SGD(0.1)) is None


def test_it_goes_on_from_its_memory():
    whole, first, second = (Stopping(StoppingRule(2, 0.0), np.full(2, 1.5)) for _ in range(3))
    losses = (3.0, 2.0, 2.5, 2.5, 2.5)
    ends = told(whole, *losses)
    assert told(first, *losses[:3]) == ends[:3]
    second.recall(first.remember())
    later = [second.epoch_ended(after(n, loss)) for n, loss in enumerate(losses[3:], start=4)]
    assert later == ends[3:]
    assert (second.best, second.best_epoch) == (whole.best, whole.best_epoch)


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": -1}, {"count": True}, {"count": "1"}, {"best": "low"}, {"best": None},
        {"best_epoch": 1.5}, {"best_parameters": np.zeros(3)},
        {"best_parameters": np.array([1.0, np.nan])}, {"best_parameters": None},
    ],
)  # fmt: skip
def test_a_memory_that_cannot_be_is_refused_and_changes_nothing(wrong):
    stopping = Stopping(StoppingRule(), np.zeros(2))
    told(stopping, 3.0, 4.0)
    before = {name: np.copy(value) for name, value in stopping.remember().items()}
    with pytest.raises((ValueError, TypeError)):
        stopping.recall({**stopping.remember(), **wrong})
    for name, value in stopping.remember().items():
        np.testing.assert_array_equal(value, before[name])
