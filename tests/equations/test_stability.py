"""PS1 to PS3: hand-worked values, SciPy's divergence, and samples of one distribution."""

import numpy as np
import pytest
from scipy.stats import chi2, entropy

from chainrule.equations.stability import population_stability, smoothed_shares, stability_unit
from tests.numerics import assert_within, epsilon


def test_ps1_of_a_worked_example(array, dtype):
    # (1/2 − 1/4) ln 2 + (1/4 − 1/2) ln(1/2) = (1/2) ln 2; the third bin adds nothing.
    found = population_stability(array([0.25, 0.5, 0.25]), array([0.5, 0.25, 0.25]))
    assert_within(found, np.log(2) / 2, 8 * epsilon(dtype))


def test_ps1_is_the_sum_of_both_divergences_of_scipy(array, dtype):
    p, q = np.random.default_rng(0).dirichlet(np.ones(9), 2)
    expected = entropy(p, q) + entropy(q, p)
    found = population_stability(array(p), array(q))
    # Each share is off by ε of itself, which moves a term by (2 + |ln(q/p)|) (p + q) ε at most.
    bound = ((2 + np.abs(np.log(q / p))) * (p + q)).sum() + 9 * expected
    assert_within(found, expected, 2 * bound * epsilon(dtype))


def test_ps1_is_symmetric_and_zero_for_equal_shares(array, dtype):
    p, q = array([0.125, 0.875]), array([0.5, 0.5])
    assert float(population_stability(p, p)) == 0
    both = float(population_stability(p, q)), float(population_stability(q, p))
    assert both[0] == pytest.approx(both[1], rel=8 * epsilon(dtype))


def test_ps2_of_a_worked_example(array, dtype):
    # Of 7 rows in 2 bins, 3 and 4: 3.5/8 and 4.5/8.
    assert_within(smoothed_shares(array([3.0, 4.0])), [0.4375, 0.5625], 2 * epsilon(dtype))


def test_ps2_gives_an_empty_bin_half_a_row(array, dtype):
    shares = smoothed_shares(array([0.0, 9.0]))
    assert_within(shares, [0.05, 0.95], 2 * epsilon(dtype))


def test_ps3_is_what_samples_of_one_distribution_have():
    shares = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
    m, n, samples = 2000, 300, 4000
    random = np.random.default_rng(0)
    then, now = random.multinomial(m, shares, samples), random.multinomial(n, shares, samples)
    found = [
        float(population_stability(smoothed_shares(a), smoothed_shares(b)))
        for a, b in zip(then.astype(float), now.astype(float), strict=True)
    ]
    unit = stability_unit(m, n)
    assert unit == 1 / 2000 + 1 / 300
    # Of χ² with 4 degrees of freedom, the variance is 8; five standard errors of the mean, and the
    # 1/n of the approximation itself.
    error = 5 * unit * np.sqrt(8 / samples) + 4 * unit / 100
    assert abs(np.mean(found) - 4 * unit) < error
    exceeded = np.mean(np.array(found) > unit * chi2.ppf(0.99, 4))
    assert abs(exceeded - 0.01) < 5 * np.sqrt(0.01 * 0.99 / samples)
