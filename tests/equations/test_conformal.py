"""CP1 to CP5: hand-worked values, and the coverage that exchangeable rows have on average."""

import math
from fractions import Fraction

import numpy as np
import pytest

from chainrule.equations.conformal import (
    absolute_residual,
    class_score,
    conformal_rank,
    prediction_interval,
    prediction_set,
)
from tests.numerics import as_float64, assert_within, epsilon


def test_cp1_is_the_distance_from_the_prediction(array, dtype):
    assert_within(absolute_residual(array([1.0, 5.0]), array([3.5, 4.0])), [2.5, 1.0], 0)


@pytest.mark.parametrize(
    ("rows", "coverage", "rank"),
    [(9, 0.9, 9), (8, 0.9, 9), (99, 0.55, 55), (19, 0.5, 10), (1, 0.5, 1)],
)
def test_cp2_of_worked_examples(rows, coverage, rank):
    assert conformal_rank(rows, coverage) == rank


def test_cp2_equals_exact_arithmetic_on_decimal_coverages():
    for rows in range(1, 400):
        for percent in range(1, 100):
            exact = math.ceil((rows + 1) * Fraction(percent, 100))
            assert conformal_rank(rows, percent / 100) == exact


def test_cp3_is_symmetric_around_the_prediction(array):
    lower, upper = prediction_interval(array([1.0, -2.0]), array(0.5))
    assert_within(lower, [0.5, -2.5], 0)
    assert_within(upper, [1.5, -1.5], 0)


def test_cp4_is_one_minus_the_probability(array, dtype):
    assert_within(class_score(array([0.25, 1.0])), [0.75, 0.0], epsilon(dtype))


def test_cp5_holds_every_class_that_is_likely_enough_and_may_be_empty(array):
    scores = class_score(array([[0.75, 0.25], [0.5, 0.5], [0.875, 0.125]]))
    members = np.asarray(prediction_set(scores, array(0.25)))
    assert members.tolist() == [[True, False], [False, False], [True, False]]


def _scores(random, rows, new):
    """Return scores of calibration rows and of new rows, of the same skewed distribution."""
    return random.standard_exponential((rows,)), random.standard_exponential((new,))


@pytest.mark.parametrize(("rows", "coverage"), [(19, 0.8), (50, 0.9), (200, 0.95)])
def test_cp2_covers_a_new_exchangeable_row_as_often_as_promised(rows, coverage):
    random, draws = np.random.default_rng(1), 4000
    rank = conformal_rank(rows, coverage)
    covered = np.empty(draws)
    for draw in range(draws):
        known, new = _scores(random, rows, 50)
        covered[draw] = np.mean(new <= np.sort(known)[rank - 1])
    # On average k/(m + 1), exactly; five standard errors.
    error = 5 * covered.std() / math.sqrt(draws)
    assert abs(covered.mean() - rank / (rows + 1)) <= error
    assert coverage <= rank / (rows + 1) <= coverage + 1 / (rows + 1)


def test_cp5_of_true_classes_covers_as_often_as_promised():
    random, rows, draws, coverage = np.random.default_rng(2), 99, 1500, 0.9
    covered = np.empty(draws)
    for draw in range(draws):
        A = random.dirichlet([0.7, 1.0, 2.0], rows + 40)
        # The classes are not drawn from A: coverage needs no calibrated model.
        true = random.integers(0, 3, rows + 40)
        scores = class_score(A)
        own = scores[np.arange(len(true)), true]
        q = np.sort(own[:rows])[conformal_rank(rows, coverage) - 1]
        members = prediction_set(scores[rows:], q)
        covered[draw] = members[np.arange(40), true[rows:]].mean()
    assert abs(covered.mean() - coverage) <= 5 * covered.std() / math.sqrt(draws)


def test_cp4_and_cp5_keep_the_precision_of_the_probabilities(array, dtype):
    scores = as_float64(class_score(array([0.1])))
    assert bool(prediction_set(array([0.9]), array(0.9))[0])
    assert_within(scores, [0.9], epsilon(dtype))
