import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from chainrule.assessment.measures import (
    CLASS_MEASURES,
    VALUE_MEASURES,
    class_scorer,
    value_scorer,
)


def drawn(seed, classes, rows=60):
    generator = np.random.default_rng(seed)
    true = np.append(np.arange(classes), generator.integers(classes, size=rows))
    raw = generator.random((len(true), classes)) + np.eye(classes)[true]
    weights = generator.integers(1, 4, size=len(true)).astype(float)
    return true, raw / raw.sum(axis=1, keepdims=True), weights


@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_scores_of_classes_are_scikit_learns(seed, classes):
    true, probabilities, weights = drawn(seed, classes)
    answers = probabilities.argmax(axis=1)
    average = {"average": "binary" if classes == 2 else "macro"}
    scores = probabilities[:, 1] if classes == 2 else probabilities
    if classes == 2:
        area = metrics.roc_auc_score(true, scores, sample_weight=weights)
    else:
        area = np.mean(
            [
                metrics.roc_auc_score(true == k, probabilities[:, k], sample_weight=weights)
                for k in range(classes)
            ]
        )
    squares = (probabilities - np.eye(classes)[true]) ** 2
    expected = [
        metrics.accuracy_score(true, answers, sample_weight=weights),
        metrics.balanced_accuracy_score(true, answers, sample_weight=weights),
        metrics.f1_score(true, answers, sample_weight=weights, zero_division=0, **average),
        area,
        metrics.log_loss(true, probabilities, sample_weight=weights),
        np.average(squares[:, 1] if classes == 2 else squares.sum(axis=1), weights=weights),
    ]
    found = class_scorer(true, probabilities, classes)(weights)
    assert len(found) == len(CLASS_MEASURES)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_a_row_that_is_not_drawn_does_not_count():
    true, probabilities, _ = drawn(0, 3)
    weights = np.ones(len(true))
    weights[-1] = 0
    without = class_scorer(true[:-1], probabilities[:-1], 3)(np.ones(len(true) - 1))
    np.testing.assert_allclose(class_scorer(true, probabilities, 3)(weights), without)


def test_rows_of_one_class_have_every_score_but_the_area():
    found = class_scorer(np.ones(4, int), np.tile([0.2, 0.8], (4, 1)), 2)(np.ones(4))
    np.testing.assert_allclose(found, [1, 1, 1, np.nan, -np.log(0.8), 0.04])


def test_a_probability_of_zero_for_what_happened_costs_much_and_not_everything():
    loss = class_scorer(np.array([0]), np.array([[0.0, 1.0]]), 2)(np.ones(1))[4]
    assert 10 < loss < 20


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1e8]))
def test_scores_of_values_are_scikit_learns(seed, far):
    generator = np.random.default_rng(seed)
    true = far + generator.normal(size=50)
    predicted = true + generator.normal(size=50)
    weights = generator.integers(1, 4, size=50).astype(float)
    kind = {"sample_weight": weights}
    expected = [
        metrics.root_mean_squared_error(true, predicted, **kind),
        metrics.mean_absolute_error(true, predicted, **kind),
        metrics.r2_score(true, predicted, **kind),
    ]
    found = value_scorer(true, predicted)(weights)
    assert len(found) == len(VALUE_MEASURES)
    # At 1e8 a float64 has seven decimals, of which the squares of 50 differences are made.
    np.testing.assert_allclose(found, expected, rtol=1e-6 if far else 1e-10)


def test_values_that_are_all_equal_have_no_r2():
    rmse, mae, r2 = value_scorer(np.full(3, 2.0), np.full(3, 1.0))(np.ones(3))
    assert (rmse, mae) == (1, 1)
    assert np.isnan(r2)


@pytest.mark.parametrize("measures", [CLASS_MEASURES, VALUE_MEASURES])
def test_measures_have_names_of_their_own(measures):
    assert len({measure.key for measure in measures}) == len(measures)
