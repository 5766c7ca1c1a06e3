import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from chainrule.assessment.discrimination import ClassRankings, Ranking


@st.composite
def rows(draw):
    """Two kinds of rows, both there, with scores of which many are equal."""
    size = draw(st.integers(2, 40))
    kinds = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    kinds[0], kinds[1] = True, False
    scores = draw(st.lists(st.integers(0, 8), min_size=size, max_size=size))
    weights = draw(st.lists(st.integers(1, 5), min_size=size, max_size=size))
    return np.array(kinds), np.array(scores) / 8, np.array(weights, float)


@given(rows())
def test_the_area_is_scikit_learns(drawn):
    true, scores, _ = drawn
    # Sums of at most 40 products of small numbers: the rounding is that of a few operations.
    expected = metrics.roc_auc_score(true, scores)
    assert Ranking(true, scores).area() == pytest.approx(expected, abs=1e-12)


@given(rows())
def test_the_area_of_each_class_is_scikit_learns_with_and_without_weights(drawn):
    true, scores, weights = drawn
    columns = np.column_stack([1 - scores, scores, scores**2 % 0.3])
    rankings = ClassRankings(true.astype(int), columns)
    for given_weights in (np.ones(len(true)), weights):
        kind = {"sample_weight": given_weights}
        expected = [
            metrics.roc_auc_score(true != 1, columns[:, 0], **kind),
            metrics.roc_auc_score(true == 1, columns[:, 1], **kind),
            np.nan,  # no row is of the third class
        ]
        np.testing.assert_allclose(rankings.areas(given_weights), expected, rtol=0, atol=1e-12)


def test_rows_of_no_ranked_class_count_among_the_others():
    scores = np.array([[0.3], [0.1], [0.2]])
    np.testing.assert_array_equal(ClassRankings(np.array([0, -1, -1]), scores).areas(np.ones(3)), 1)


@given(rows())
def test_the_roc_curve_is_scikit_learns(drawn):
    true, scores, _ = drawn
    false_rate, true_rate, _ = metrics.roc_curve(true, scores, drop_intermediate=False)
    found = Ranking(true, scores).roc_curve()
    np.testing.assert_allclose(found.false_positive_rate, false_rate, atol=1e-15)
    np.testing.assert_allclose(found.true_positive_rate, true_rate, atol=1e-15)


@given(rows())
def test_precision_and_recall_are_scikit_learns(drawn):
    true, scores, _ = drawn
    precision, recall, _ = metrics.precision_recall_curve(true, scores)
    found = Ranking(true, scores).precision_recall_curve()
    np.testing.assert_allclose(found.recall, recall[::-1], atol=1e-15)
    np.testing.assert_allclose(found.precision, precision[::-1], atol=1e-15)
    expected = metrics.average_precision_score(true, scores)
    assert Ranking(true, scores).average_precision() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", [True, False])
def test_rows_of_one_kind_have_no_area(kind):
    assert np.isnan(Ranking(np.full(3, kind), np.arange(3.0)).area())


def test_a_draw_without_one_kind_has_no_area():
    rankings = ClassRankings(np.array([0, -1]), np.array([[0.9], [0.1]]))
    assert np.isnan(rankings.areas(np.array([2.0, 0.0])))
    assert np.isnan(rankings.areas(np.array([0.0, 2.0])))


def test_scores_that_are_all_equal_rank_nothing():
    assert Ranking(np.array([True, False, False]), np.full(3, 0.5)).area() == 0.5
