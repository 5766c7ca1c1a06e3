"""Stored calibration scores: exact quantiles of few rows, careful ones of many, and bad files."""

import math

import numpy as np
import pytest

from chainrule.errors import InvalidArgumentError, InvalidModelFileError
from chainrule.model.conformal import MOST_SCORES, Conformal

RANDOM = np.random.default_rng(0)


def rank(rows, coverage):
    return math.ceil(round((rows + 1) * coverage, 9))


@pytest.mark.parametrize("rows", [9, 10, 100, 1234, MOST_SCORES])
@pytest.mark.parametrize("coverage", [0.05, 0.5, 0.8, 0.9])
def test_the_quantile_of_up_to_4096_rows_is_exact(rows, coverage):
    scores = RANDOM.exponential(size=rows)
    (found,) = Conformal.of(scores).quantile(coverage)
    assert found == np.sort(scores)[rank(rows, coverage) - 1]


@pytest.mark.parametrize("rows", [MOST_SCORES + 1, 9999, 50_000, 3 * MOST_SCORES])
@pytest.mark.parametrize("coverage", [0.001, 0.5, 0.8, 0.95, 0.999])
def test_the_quantile_of_more_rows_is_the_next_larger_score_that_was_kept(rows, coverage):
    scores = np.sort(RANDOM.exponential(size=rows))
    kept = Conformal.of(scores)
    assert kept.scores.shape == (MOST_SCORES, 1)
    (found,) = kept.quantile(coverage)
    place = int(np.searchsorted(scores, found)) + 1
    # The ranks that are kept are rows / MOST_SCORES apart, rounded up.
    assert rank(rows, coverage) <= place <= rank(rows, coverage) + math.ceil(rows / MOST_SCORES)


def test_the_largest_score_is_always_kept():
    scores = RANDOM.exponential(size=10_001)
    assert Conformal.of(scores).quantile(1 - 1 / 10_002) == scores.max()


def test_each_output_has_its_own_quantile():
    scores = RANDOM.exponential([1.0, 100.0], size=(99, 2))
    np.testing.assert_array_equal(Conformal.of(scores).quantile(0.9), np.sort(scores, axis=0)[89])


@pytest.mark.parametrize(("rows", "coverage", "needed"), [(8, 0.9, 9), (98, 0.99, 99), (1, 0.8, 4)])
def test_too_few_rows_are_an_error_that_names_how_many_it_takes(rows, coverage, needed):
    scores = Conformal.of(RANDOM.exponential(size=rows))
    with pytest.raises(InvalidArgumentError, match=f"interval: {coverage} needs at least {needed}"):
        scores.quantile(coverage, "interval")
    Conformal.of(RANDOM.exponential(size=needed)).quantile(coverage)


@pytest.mark.parametrize("rows", [1, 2, 9, 13, 100, 4096])
def test_the_highest_coverage_that_an_error_names_is_one_that_works(rows):
    scores = Conformal.of(RANDOM.exponential(size=rows))
    scores.quantile(scores.highest)


@pytest.mark.parametrize("coverage", [0, 1, -0.5, 90, "0.9", None, True, math.nan, math.inf])
def test_a_coverage_outside_of_0_and_1_is_refused(coverage):
    with pytest.raises(InvalidArgumentError, match=r"coverage: expected a share .* such as 0\.9"):
        Conformal.of(np.ones(100)).quantile(coverage)


def test_a_prediction_that_is_no_number_has_the_largest_score():
    scores = Conformal.of(np.array([1.0, math.nan, 0.5]))
    assert scores.scores[:, 0].tolist() == [0.5, 1.0, math.inf]
    assert Conformal.from_file(*scores.to_file()).quantile(0.75) == math.inf


def test_no_rows_have_no_scores():
    assert Conformal.of(np.empty(0)) is None


def test_scores_are_read_back_to_the_bit():
    for rows in (1, 77, 10_000):
        made = Conformal.of(RANDOM.exponential(size=rows))
        again = Conformal.from_file(*made.to_file())
        assert again.rows == rows
        np.testing.assert_array_equal(again.scores, made.scores)
    assert Conformal.from_file({}, {}) is None


GOOD = ({"conformal": '{"rows": 3}'}, {"conformal.scores": np.array([[0.0], [1.0], [2.0]])})


@pytest.mark.parametrize(
    ("header", "scores"),
    [
        ("", [[0.0]] * 3),
        ("[]", [[0.0]] * 3),
        ('{"rows": 3.0}', [[0.0]] * 3),
        ('{"rows": true}', [[0.0]] * 3),
        ('{"rows": 0}', np.empty((0, 1))),
        ('{"rows": 4}', [[0.0]] * 3),
        ('{"rows": 3}', [0.0] * 3),
        ('{"rows": 3}', [[0.0, 1.0]] * 3),
        ('{"rows": 3}', [[2.0], [1.0], [3.0]]),
        ('{"rows": 3}', [[-1.0], [1.0], [3.0]]),
        ('{"rows": 3}', [[0.0], [math.nan], [3.0]]),
        ('{"rows": 3}', np.zeros((3, 1), np.float32)),
        ('{"rows": 3}', None),
    ],
)
def test_scores_of_a_file_that_contradict_each_other_are_refused(header, scores):
    assert Conformal.from_file(*GOOD).rows == 3
    arrays = {} if scores is None else {"conformal.scores": np.asarray(scores)}
    with pytest.raises(InvalidModelFileError, match="its calibration scores cannot be used"):
        Conformal.from_file({"conformal": header}, arrays)
