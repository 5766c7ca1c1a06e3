import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from chainrule.model.scores import classification_scores, regression_scores


def test_two_classes_by_hand():
    # Predicted: N N P P P; true: N P P P N. Of P: 2 right of 3 predicted, 2 found of 3.
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6]])
    scores = classification_scores(np.array([0, 1, 1, 1, 0]), probabilities, ("N", "P"))
    assert scores == {
        "rows": 5,
        "accuracy": 3 / 5,
        "precision": 2 / 3,
        "recall": 2 / 3,
        "f1": pytest.approx(2 / 3, rel=4 * np.finfo(float).eps),
        # Of the 6 pairs of a P and an N, 5 have the P's probability above the N's.
        "roc_auc": pytest.approx(5 / 6, rel=4 * np.finfo(float).eps),
        "log_loss": pytest.approx(-np.log(0.9 * 0.4 * 0.8 * 0.9 * 0.4) / 5),
        "brier": pytest.approx((0.01 + 0.36 + 0.04 + 0.01 + 0.36) / 5),
        # Each row has a bin of its own.
        "ece": pytest.approx((0.1 + 0.6 + 0.2 + 0.1 + 0.6) / 5),
        "positive_class": "P",
        "confusion_matrix": {"classes": ["N", "P"], "counts": [[1, 1], [1, 2]]},
    }


def test_three_classes_are_averaged_plainly():
    probabilities = np.eye(3)[[0, 0, 1, 2, 2, 2]]
    scores = classification_scores(np.array([0, 0, 1, 1, 2, 2]), probabilities, ("a", "b", "c"))
    # Precisions 1, 1, 2/3; recalls 1, 1/2, 1; F1 1, 2/3, 4/5.
    epsilon = np.finfo(float).eps
    assert scores["precision"] == pytest.approx((1 + 1 + 2 / 3) / 3, rel=4 * epsilon)
    assert scores["recall"] == pytest.approx((1 + 1 / 2 + 1) / 3, rel=4 * epsilon)
    assert scores["f1"] == pytest.approx((1 + 2 / 3 + 4 / 5) / 3, rel=4 * epsilon)
    assert scores["confusion_matrix"]["counts"] == [[2, 0, 0], [0, 1, 1], [0, 0, 2]]
    assert "positive_class" not in scores


@given(seed=st.integers(0, 10**6), n_classes=st.integers(2, 5))
def test_roc_auc_is_the_share_of_pairs_in_the_right_order(seed, n_classes):
    random = np.random.default_rng(seed)
    true = np.concatenate([np.arange(n_classes), random.integers(n_classes, size=20)])
    # Few different values, so that ties occur; rows sum to 1 only within float32.
    raw = random.integers(1, 6, (len(true), n_classes)).astype(np.float32)
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    areas = []
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    for positive in [1] if n_classes == 2 else range(n_classes):
        ours = exact[true == positive, positive][:, np.newaxis]
        others = exact[true != positive, positive]
        areas.append(np.mean((ours > others) + 0.5 * (ours == others)))
    scores = classification_scores(true, probabilities, range(n_classes))
    # A mean of n_classes areas, each a sum of at most 25 · 25 trapezoids.
    tolerance = 625 * n_classes * np.finfo(np.float64).eps
    assert abs(scores["roc_auc"] - np.mean(areas)) <= tolerance


@given(seed=st.integers(0, 10**6), n_classes=st.integers(2, 5), rows=st.integers(1, 40))
def test_every_score_of_classes_is_scikit_learns(seed, n_classes, rows):
    random = np.random.default_rng(seed)
    true = random.integers(n_classes, size=rows)
    raw = random.integers(1, 6, (rows, n_classes)).astype(np.float64)
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    scores = classification_scores(true, probabilities, range(n_classes))
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        true,
        predicted,
        labels=[1] if n_classes == 2 else range(n_classes),
        average="macro",
        zero_division=0,
    )
    tolerance = 8 * n_classes * np.finfo(np.float64).eps
    assert abs(scores["accuracy"] - metrics.accuracy_score(true, predicted)) <= tolerance
    assert abs(scores["precision"] - precision) <= tolerance
    assert abs(scores["recall"] - recall) <= tolerance
    assert abs(scores["f1"] - f1) <= tolerance
    expected = metrics.confusion_matrix(true, predicted, labels=range(n_classes))
    assert scores["confusion_matrix"]["counts"] == expected.tolist()


@given(seed=st.integers(0, 10**6), rows=st.integers(2, 40), constant=st.booleans())
def test_every_score_of_values_is_scikit_learns(seed, rows, constant):
    random = np.random.default_rng(seed)
    true = np.full(rows, 3.0) if constant else random.normal(5, 2, rows)
    predicted = true.copy() if seed % 5 == 0 else random.normal(5, 2, rows)
    scores = regression_scores(true, predicted)
    # Sums of `rows` positive numbers; R² is 1 minus a quotient that may be large.
    tolerance = 4 * rows * np.finfo(np.float64).eps
    r2 = metrics.r2_score(true, predicted)
    assert abs(scores["r2"] - r2) <= tolerance * (1 + abs(1 - r2))
    rmse, mae = metrics.root_mean_squared_error(true, predicted), np.abs(true - predicted).mean()
    assert abs(scores["rmse"] - rmse) <= tolerance * (1 + rmse)
    assert abs(scores["mae"] - mae) <= tolerance * (1 + mae)


def test_roc_auc_is_undefined_where_a_class_is_absent():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    scores = classification_scores(np.array([1, 1]), probabilities, ("a", "b"))
    assert scores["roc_auc"] is None
    assert scores["recall"] == 0.5


def test_a_class_that_is_never_predicted_has_precision_0():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2]])
    scores = classification_scores(np.array([0, 1]), probabilities, ("a", "b"))
    assert (scores["precision"], scores["recall"], scores["f1"]) == (0.0, 0.0, 0.0)


def test_values_by_hand():
    scores = regression_scores(np.array([1.0, 2.0, 3.0, 6.0]), np.array([1.0, 4.0, 3.0, 2.0]))
    # Errors 0, 2, 0, −4; squares sum to 20; the target's squares about its mean 3 sum to 14.
    assert scores == {
        "rows": 4,
        "rmse": pytest.approx(5**0.5, rel=4 * np.finfo(float).eps),
        "mae": 1.5,
        "r2": pytest.approx(1 - 20 / 14, rel=8 * np.finfo(float).eps),
    }


def test_r2_of_a_single_row_is_undefined():
    assert regression_scores(np.array([1.0]), np.array([2.0]))["r2"] is None
