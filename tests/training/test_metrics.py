"""Metrics, against worked numbers."""

import math

import numpy as np
import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.training.metrics import METRICS, accuracy, mae, named_metrics, r2, rmse


def column(*numbers):
    return np.array(numbers, np.float32)[:, None]


def test_accuracy_is_the_share_of_largest_outputs_that_are_right():
    outputs = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]])
    assert accuracy(outputs, np.array([[1, 0], [1, 0], [1, 0]])) == pytest.approx(2 / 3)


def test_accuracy_of_a_single_output_asks_whether_it_reaches_one_half():
    assert accuracy(column(0.5, 0.49, 0.9, 0.1), column(1, 1, 1, 0)) == 0.75


def test_errors_of_two_examples():
    outputs, targets = column(1, 5), column(4, 1)
    assert rmse(outputs, targets) == pytest.approx(math.sqrt((9 + 16) / 2))
    assert mae(outputs, targets) == 3.5


def test_r2_is_1_for_the_targets_and_0_for_their_mean():
    targets = column(1, 2, 6)
    assert r2(targets, targets) == 1.0
    assert r2(column(3, 3, 3), targets) == 0.0
    assert r2(column(1, 2, 3), targets) == pytest.approx(1 - 9 / 14)


def test_r2_is_the_mean_over_outputs():
    targets = np.array([[1.0, 0.0], [2.0, 1.0], [6.0, 2.0]])
    outputs = np.array([[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]])
    assert r2(outputs, targets) == pytest.approx(((1 - 9 / 14) + 0) / 2)


def test_r2_of_a_constant_target_is_1_if_met_and_else_0():
    assert r2(column(2, 2), column(2, 2)) == 1.0
    assert r2(column(2, 3), column(2, 2)) == 0.0


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_errors_of_many_float32_numbers_keep_their_accuracy(offset):
    random = np.random.default_rng(0)
    targets = (random.standard_normal((100_000, 1)) + offset).astype(np.float32)
    outputs = (targets + random.standard_normal(targets.shape)).astype(np.float32)
    difference = outputs.astype(np.float64) - targets
    spread = ((targets.astype(np.float64) - targets.mean(dtype=np.float64)) ** 2).sum()
    # Rounded to float32 before it is summed: the difference, and the mean.
    eps = float(np.finfo(np.float32).eps)
    assert rmse(outputs, targets) == pytest.approx(math.sqrt((difference**2).mean()), rel=2 * eps)
    assert mae(outputs, targets) == pytest.approx(np.abs(difference).mean(), rel=2 * eps)
    expected = 1 - (difference**2).sum() / spread
    assert r2(outputs, targets) == pytest.approx(expected, abs=1e-5)


def test_metrics_go_by_their_names():
    assert named_metrics(["accuracy", "mae"]) == {"accuracy": accuracy, "mae": mae}
    assert named_metrics("r2") == {"r2": r2}
    assert set(METRICS) == {"accuracy", "rmse", "mae", "r2"}


def test_a_function_goes_by_its_own_name():
    def bias(outputs, targets):
        return float(np.mean(outputs - targets))

    assert named_metrics([bias]) == {"bias": bias}


@pytest.mark.parametrize("metric", ["auc", None, 3, ["accuracy"]])
def test_an_unknown_metric_is_refused_with_the_names_that_exist(metric):
    message = r"^metrics: expected accuracy, rmse, mae, r2 or a function of \(outputs, targets\); "
    with pytest.raises(InvalidArgumentError, match=message):
        named_metrics([metric])


@pytest.mark.parametrize("metrics", [3, None, accuracy])
def test_metrics_that_are_no_list_are_refused(metrics):
    with pytest.raises(InvalidArgumentError, match=r"^metrics: expected"):
        named_metrics(metrics)


def test_two_metrics_of_one_name_are_refused():
    with pytest.raises(InvalidArgumentError, match=r"^metrics: .*<lambda>"):
        named_metrics([lambda o, t: 0.0, lambda o, t: 1.0])


@pytest.mark.parametrize("name", ["loss", "epoch", "seconds", "validation_loss"])
def test_a_metric_cannot_take_the_name_of_another_column(name):
    def metric(outputs, targets):
        return 0.0

    metric.__name__ = name
    with pytest.raises(InvalidArgumentError, match=rf"^metrics: .*{name}"):
        named_metrics([metric])
