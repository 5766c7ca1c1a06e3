import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from chainrule.assessment.calibration import checked_calibration_error, reliability
from chainrule.errors import InvalidArgumentError
from chainrule.model.probability_scores import calibration_error

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


def test_an_error_is_that_of_the_scores():
    found = checked_calibration_error(PROBABILITIES, OUTCOMES)
    assert found.value == calibration_error(PROBABILITIES, OUTCOMES)


def test_perfect_probabilities_exceed_chance_in_one_of_twenty_tables():
    generator = np.random.default_rng(0)
    exceeded, errors, expected = 0, [], []
    for table in range(200):
        probabilities = generator.random(100)
        found = checked_calibration_error(
            probabilities, generator.random(100) < probabilities, seed=table
        )
        exceeded += found.exceeds_chance
        errors.append(found.value)
        expected.append(found.by_chance)
    # 5 % of 200 are 10; outside 2 to 20 lies a chance of about 1 in 400.
    assert 2 <= exceeded <= 20
    assert np.mean(errors) == pytest.approx(np.mean(expected), rel=0.05)


def test_overconfident_probabilities_exceed_chance():
    assert checked_calibration_error(PROBABILITIES, OUTCOMES).exceeds_chance


def test_there_must_be_a_bin():
    with pytest.raises(InvalidArgumentError, match="bins"):
        reliability(PROBABILITIES, OUTCOMES, 0)
