import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from chainrule.errors import InvalidArgumentError
from chainrule.model.probability_scores import (
    brier_losses,
    calibration_error,
    equal_bins,
    log_losses,
    stated_probabilities,
)


@given(seed=st.integers(0, 10**6), classes=st.integers(2, 5), rows=st.integers(1, 40))
def test_log_loss_and_brier_score_are_scikit_learns(seed, classes, rows):
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(classes), rows)
    true = random.integers(classes, size=rows)
    # scikit-learn clips at another smallest probability.
    clipped = np.clip(probabilities, 1e-7, 1)
    expected = metrics.log_loss(
        true, clipped / clipped.sum(axis=1, keepdims=True), labels=range(classes)
    )
    assert log_losses(true, probabilities).mean() == pytest.approx(expected, rel=1e-5)
    if classes == 2:
        brier = metrics.brier_score_loss(true, probabilities[:, 1], pos_label=1)
    else:
        brier = np.mean(np.sum((probabilities - np.eye(classes)[true]) ** 2, axis=1))
    assert brier_losses(true, probabilities).mean() == pytest.approx(brier)


def test_the_calibration_error_by_hand():
    # In bins of two: (0.1, 0.2) with no row that is so is 0.15 off, (0.7, 0.9) with one is 0.3 off.
    found = calibration_error(np.array([0.7, 0.1, 0.9, 0.2]), np.array([1, 0, 0, 0]), bins=2)
    assert found == pytest.approx((2 * 0.15 + 2 * 0.3) / 4)


def test_probabilities_that_come_true_have_no_error():
    probabilities = np.repeat([0.25, 0.75], 4)
    outcomes = np.array([1, 0, 0, 0, 1, 1, 1, 0])
    assert calibration_error(probabilities, outcomes) == 0


@given(st.lists(st.integers(0, 20), min_size=1, max_size=80), st.integers(1, 20), st.randoms())
def test_equal_probabilities_share_a_bin_and_the_order_of_rows_does_not_matter(tenths, bins, rnd):
    probabilities = np.array(tenths) / 20
    places = equal_bins(probabilities, bins)
    assert places.min() == 0
    assert len(np.unique(places)) == places.max() + 1 <= bins
    for value in np.unique(probabilities):
        assert len(np.unique(places[probabilities == value])) == 1
    order = list(range(len(tenths)))
    rnd.shuffle(order)
    np.testing.assert_array_equal(equal_bins(probabilities[order], bins), places[order])


def test_bins_have_equally_many_rows():
    probabilities = np.random.default_rng(0).random(300)
    assert set(np.bincount(equal_bins(probabilities, 15))) == {20}


def test_the_stated_probability_is_that_of_the_second_of_two_or_of_the_predicted_class():
    stated, so = stated_probabilities(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    assert stated.tolist() == [0.1, 0.4]
    assert so.tolist() == [False, True]
    stated, so = stated_probabilities(np.array([0, 1]), np.array([[0.5, 0.3, 0.2], [0.6, 0.4, 0]]))
    assert stated.tolist() == [0.5, 0.6]
    assert so.tolist() == [True, False]


def test_there_must_be_a_bin():
    with pytest.raises(InvalidArgumentError, match="bins"):
        calibration_error(np.array([0.5]), np.array([1]), 0)
