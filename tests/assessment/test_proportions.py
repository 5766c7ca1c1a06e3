import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import binomtest, norm

from chainrule.assessment.bootstrap import Interval
from chainrule.assessment.discrimination import Ranking
from chainrule.assessment.proportions import (
    area,
    difference_of,
    f1_score,
    mean_of,
    paired_difference,
    proportion,
    wilson,
)

Z = norm.ppf(0.975)


@pytest.mark.parametrize(("so", "rows"), [(0, 1), (0, 40), (3, 7), (7, 7), (500, 1000)])
def test_intervals_of_shares_are_wilsons(so, rows):
    expected = binomtest(so, rows).proportion_ci(0.95, method="wilson")
    low, high = wilson(so / rows, rows)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    found = proportion(so, rows)
    assert found == pytest.approx((so / rows, expected.low, expected.high), abs=1e-12)


def test_a_share_of_all_rows_has_an_interval_with_a_width():
    assert proportion(57, 57).low == pytest.approx(57 / (57 + Z**2))
    assert np.isnan(proportion(0, 0)).all()


def test_the_f1_score_is_that_of_its_counts_with_the_ends_of_the_share_it_is_made_of():
    # 8 right of 10 rows of the class and 9 predicted ones: 8 of 11 rows count.
    found = f1_score(8, 10, 9)
    assert found.value == pytest.approx(2 * 8 / (10 + 9))
    share = binomtest(8, 11).proportion_ci(0.95, method="wilson")
    assert found.low == pytest.approx(2 * share.low / (1 + share.low))
    assert found.high == pytest.approx(2 * share.high / (1 + share.high))


def tango(b, c, n, delta):
    """Tango's statistic, with the nuisance parameter by maximising the likelihood numerically."""

    def minus_likelihood(q):
        terms = [(b, q + delta), (c, q), (n - b - c, 1 - 2 * q - delta)]
        return -sum(count * np.log(max(chance, 1e-300)) for count, chance in terms if count)

    low, high = max(0.0, -delta), (1 - delta) / 2
    q = minimize_scalar(
        minus_likelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-12}
    ).x
    return (b - c - n * delta) / np.sqrt(n * (2 * q + delta * (1 - delta)))


@pytest.mark.parametrize(("b", "c", "n"), [(3, 1, 20), (9, 2, 57), (1, 6, 40), (40, 35, 300)])
def test_intervals_of_paired_differences_are_tangos(b, c, n):
    value, low, high = paired_difference(b, c, n)
    assert value == pytest.approx((b - c) / n)
    assert low == pytest.approx(brentq(lambda d: tango(b, c, n, d) - Z, -0.999, value), abs=1e-5)
    assert high == pytest.approx(brentq(lambda d: tango(b, c, n, d) + Z, value, 0.999), abs=1e-5)


def test_models_that_are_right_in_the_same_rows_still_have_an_interval():
    value, low, high = paired_difference(0, 0, 57)
    assert value == 0
    assert (low, high) == pytest.approx((-(Z**2) / (57 + Z**2), Z**2 / (57 + Z**2)))


@given(st.integers(1, 60), st.integers(0, 60), st.integers(0, 60))
def test_paired_differences_hold_their_value_and_turn_around_with_the_models(n, b, c):
    b = min(b, n)
    c = min(c, n - b)
    value, low, high = paired_difference(b, c, n)
    assert -1 <= low <= value <= high <= 1
    assert high > low
    turned = paired_difference(c, b, n)
    assert turned == pytest.approx((-value, -high, -low), abs=1e-9)


@given(st.floats(0, 1), st.integers(1, 500), st.integers(1, 500))
def test_the_interval_of_an_area_holds_it_and_has_a_width(value, positive, negative):
    found = area(value, positive, negative)
    assert 0 <= found.low <= value <= found.high <= 1
    assert found.high > found.low


def test_the_interval_of_an_area_ends_where_the_equation_says():
    value, m, n = 0.9, 12, 30
    for end in area(value, m, n)[1:]:
        q1, q2 = end / (2 - end), 2 * end**2 / (1 + end)  # Hanley and McNeil's, m* = n* = (m+n)/2
        others = (m + n) / 2 - 1
        variance = (end * (1 - end) + others * (q1 + q2 - 2 * end**2)) / (m * n)
        assert abs(value - end) == pytest.approx(Z * np.sqrt(variance), rel=1e-9)


def test_a_mean_of_one_score_is_that_score_and_of_equal_ones_is_narrower():
    one = proportion(9, 10)
    assert mean_of([one]) == pytest.approx(one)
    four = mean_of([one] * 4)
    assert four.value == one.value
    assert four.value - four.low == pytest.approx((one.value - one.low) / 2)
    undefined = Interval(np.nan, np.nan, np.nan)
    assert mean_of([one, undefined]) == pytest.approx(one)
    assert np.isnan(mean_of([undefined])).all()


def test_the_difference_of_two_scores_by_hand():
    found = difference_of(Interval(0.9, 0.6, 0.94), Interval(0.5, 0.47, 0.9))
    assert found == pytest.approx((0.4, 0.4 - np.hypot(0.3, 0.4), 0.4 + np.hypot(0.04, 0.03)))


def test_intervals_of_an_almost_perfect_area_cover_it_where_the_bootstraps_do_not():
    # Normal scores 4 deviations apart: the area is Φ(4/√2) = 0.9977. 60 rows, 400 tables.
    generator = np.random.default_rng(0)
    truth, covered, perfect = norm.cdf(4 / np.sqrt(2)), 0, 0
    for _ in range(400):
        positive = np.arange(60) < 24
        scores = generator.normal(size=60) + 4 * positive
        value = Ranking(positive, scores).area()
        found = area(value, 24, 36)
        covered += found.low <= truth <= found.high
        perfect += value == 1  # of which every resample has the area 1, too
    assert perfect > 100
    # At 95 %, fewer than 366 of 400 have a chance of about 1 in 1,000.
    assert covered >= 366


def test_intervals_of_paired_differences_cover_them_for_few_rows():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        b, c, _ = generator.multinomial(57, [0.04, 0.01, 0.95])
        found = paired_difference(b, c, 57)
        covered += found.low <= 0.03 <= found.high
    assert covered >= 366
