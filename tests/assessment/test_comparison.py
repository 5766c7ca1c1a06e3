"""Two models on the same rows: by hand where a hand can, and by the pairs of their errors."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from chainrule.assessment.comparison import compare
from chainrule.runs.config import RunConfig
from chainrule.runs.training import PreparedRun

NAMES = ("trial 3", "the default")
ROWS = 400


def models(target, **other):
    """Two models of the same table, and their rows; the second one with other settings."""
    random = np.random.default_rng(0)
    x = random.normal(size=ROWS)
    table = pl.DataFrame({"x": x, "noise": random.normal(size=ROWS), "y": target(x, random)})
    config = RunConfig.of({"target": "y", "epochs": 30, "layers": (8,), "split": (0.6, 0.1, 0.3)})
    run = PreparedRun.prepare(config, table)
    training = replace(run.config.training, **other)
    second = replace(run, config=replace(run.config, training=training))
    return run.model_of(run.train()), second.model_of(second.train()), run.parts.test


def values(x, random):
    return np.sin(2 * x) + 0.1 * random.normal(size=ROWS)


def classes(x, random):
    return np.where(np.sin(2 * x) + 0.3 * random.normal(size=ROWS) > 0, "a", "b")


def test_a_clear_gain_is_said_with_its_interval():
    good, bad, rows = models(values, epochs=1)
    found = compare(good, bad, rows, NAMES)
    squares = [np.square(model.predict(rows)["prediction"] - rows["y"]) for model in (good, bad)]
    errors = [float(np.sqrt(square.mean())) for square in squares]
    assert found.scores[0]["rmse"].value == pytest.approx(errors[0], rel=1e-5)
    assert found.scores[1]["rmse"].value == pytest.approx(errors[1], rel=1e-5)
    assert found.differences["rmse"].value == pytest.approx(errors[0] - errors[1], rel=1e-4)
    assert found.differences["rmse"].is_below_zero
    assert "On 120 test rows, trial 3 is better than the default" in found.sentence
    swapped = compare(bad, good, rows, NAMES)
    assert "trial 3 is worse than the default" in swapped.sentence
    assert swapped.differences["rmse"].value == -found.differences["rmse"].value


def test_a_difference_that_the_rows_cannot_tell_is_said_to_be_inconclusive():
    one, other, rows = models(classes, epochs=28)
    found = compare(one, other, rows, NAMES)
    low, high = found.differences["accuracy"][1:]
    assert low <= 0 <= high
    assert "inconclusive" in found.sentence
    assert "0" in found.sentence


def test_pairs_tell_more_than_two_intervals():
    good, bad, rows = models(values, epochs=24)
    found = compare(good, bad, rows, NAMES)
    (_, low, high), (_, its_low, its_high) = (scores["rmse"] for scores in found.scores)
    _, apart_low, apart_high = found.differences["rmse"]
    assert apart_high - apart_low < (high - low + its_high - its_low) / 2


def test_a_model_against_itself_has_the_same_scores():
    model, _, rows = models(classes)
    found = compare(model, model, rows, NAMES)
    assert set(found.differences.values()) == {(0.0, 0.0, 0.0)}
    assert "have the same Accuracy" in found.sentence


@pytest.mark.parametrize("target", [values, classes])
def test_the_table_fits_80_columns(target):
    one, other, rows = models(target, seed=1)
    table = compare(one, other, rows, NAMES).table()
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    assert sum(widths) + 2 * (len(widths) - 1) <= 80
