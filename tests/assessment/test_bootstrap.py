import numpy as np
import pytest
from scipy import stats
from scipy.stats import norm, t

from chainrule.assessment.bootstrap import Interval, bootstrap, interval
from chainrule.errors import InvalidArgumentError

VALUES = np.random.default_rng(0).gamma(2.0, size=80)


def mean(drawn):
    return np.array([(VALUES * drawn).sum() / drawn.sum()])


def test_the_interval_is_scipys():
    samples = bootstrap(mean, len(VALUES), resamples=4000, seed=0)
    found = interval(VALUES.mean(), samples[:, 0])
    expected = stats.bootstrap(
        (VALUES,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(1)
    )
    # Both ends are quantiles of 4000 draws: they differ by Monte Carlo error, of which this is
    # about four standard deviations (density of a normal's 2.5 % point: 0.058).
    error = np.sqrt(0.025 * 0.975 / 4000) / 0.058 * expected.standard_error
    room = 4 * np.sqrt(2) * error
    assert found.low == pytest.approx(expected.confidence_interval.low, abs=room)
    assert found.high == pytest.approx(
        expected.confidence_interval.high, abs=4 * np.sqrt(2) * error
    )


def test_every_draw_is_of_as_many_rows_as_there_are():
    totals = bootstrap(lambda drawn: np.array([drawn.sum()]), 37, resamples=50)
    np.testing.assert_array_equal(totals, 37)


def test_scores_of_one_call_are_of_the_same_draws():
    both = bootstrap(lambda drawn: np.append(mean(drawn), mean(drawn) + 1), 80, resamples=20)
    np.testing.assert_allclose(both[:, 1] - both[:, 0], 1)


def test_the_same_seed_draws_the_same_and_another_does_not():
    first, again, other = (bootstrap(mean, 80, resamples=20, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_certain_score_has_an_interval_of_one_point():
    samples = bootstrap(lambda drawn: np.array([1.0]), 5, resamples=10)
    assert interval(1.0, samples[:, 0]) == (1.0, 1.0, 1.0)


def test_draws_that_do_not_define_the_score_are_left_out():
    samples = np.append(np.linspace(0, 1, 101), [np.nan] * 50)
    assert interval(0.5, samples) == pytest.approx((0.5, 0.025, 0.975))


def test_if_half_of_the_draws_do_not_define_it_there_is_no_interval():
    found = interval(0.5, np.array([0.1, np.nan]))
    assert found.value == 0.5
    assert np.isnan(found.low)
    assert np.isnan(found.high)
    assert not found.is_above_zero
    assert not found.is_below_zero


def test_an_interval_that_touches_zero_is_on_neither_side():
    assert Interval(1, 0.5, 2).is_above_zero
    assert Interval(-1, -2, -0.5).is_below_zero
    assert not Interval(1, 0.0, 2).is_above_zero


@pytest.mark.parametrize(("rows", "resamples", "name"), [(0, 10, "n_rows"), (5, 0, "resamples")])
def test_nothing_cannot_be_drawn(rows, resamples, name):
    with pytest.raises(InvalidArgumentError, match=name):
        bootstrap(mean, rows, resamples=resamples)


def test_intervals_of_few_rows_are_as_wide_as_students_t():
    # The mean of n normal values: the percentile interval is ±1.96 σ̂/√n, Student's t s/√n.
    values = np.random.default_rng(0).normal(size=6)
    samples = bootstrap(lambda drawn: np.array([values @ drawn / 6]), 6, resamples=20_000)[:, 0]
    narrow, wide = interval(values.mean(), samples), interval(values.mean(), samples, rows=6)
    expected = t.ppf(0.975, 5) / norm.ppf(0.975) * np.sqrt(6 / 5)
    ratio = (wide.high - wide.low) / (narrow.high - narrow.low)
    assert ratio == pytest.approx(expected, rel=0.15)
    assert np.isnan(interval(1.0, np.ones(100), rows=1).low)
