import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve

from chainrule.assessment.calibration import reliability, wilson
from chainrule.errors import InvalidArgumentError

GENERATOR = np.random.default_rng(0)
PROBABILITIES = GENERATOR.random(500) ** 2
OUTCOMES = GENERATOR.random(500) < PROBABILITIES**1.5


@pytest.mark.parametrize("bins", [1, 2, 10, 17])
def test_bins_are_those_of_scikit_learn(bins):
    share, mean = calibration_curve(OUTCOMES, PROBABILITIES, n_bins=bins)
    found = reliability(PROBABILITIES, OUTCOMES, bins)
    np.testing.assert_allclose(found.share, share, rtol=1e-12)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-12)
    assert found.counts.sum() == 500


def test_zero_and_one_have_a_bin_and_empty_bins_have_none():
    found = reliability(np.array([0.0, 0.05, 1.0]), np.array([0, 1, 1]))
    np.testing.assert_array_equal(found.counts, [2, 1])
    np.testing.assert_allclose(found.edges, [[0, 0.1], [0.9, 1]])


def test_the_expected_error_by_hand():
    # 3 rows at 0.1 of which one is so: |1/3 − 0.1| = 7/30; 1 row at 0.9 that is so: 0.1.
    found = reliability(np.array([0.1, 0.1, 0.1, 0.9]), np.array([1, 0, 0, 1]), 2)
    assert found.expected_error == pytest.approx((3 * 7 / 30 + 0.1) / 4)


def test_probabilities_that_come_true_have_no_error():
    probabilities = np.repeat([0.25, 0.75], 4)
    outcomes = np.array([1, 0, 0, 0, 1, 1, 1, 0])
    assert reliability(probabilities, outcomes).expected_error == 0


@pytest.mark.parametrize(("so", "rows"), [(0, 1), (0, 40), (3, 7), (7, 7), (500, 1000)])
def test_intervals_are_wilsons(so, rows):
    expected = binomtest(so, rows).proportion_ci(0.95, method="wilson")
    low, high = wilson(np.array([so / rows]), np.array([rows]))
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_there_must_be_a_bin():
    with pytest.raises(InvalidArgumentError, match="bins"):
        reliability(PROBABILITIES, OUTCOMES, 0)
