"""Intervals and sets of table models: their columns, their units, and how files write them."""

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.model.conformal import Conformal
from chainrule.model.table_predictions import flat, predicted_batches, write_predictions
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.target import TargetEncoder
from tests.exports.models import CLASSES, long_tailed_model, table, table_model

ROWS = table(400, 9, unknown=True)


def values(kind=None, scores=None):
    model = table_model("value") if kind is None else long_tailed_model(kind)
    scores = np.random.default_rng(0).exponential(100 if kind is None else 0.5, 99)
    model.conformal = Conformal.of(scores)
    return model, np.sort(scores)[89]


def classes(name="text", threshold=0.4):
    """Return a model whose sets at every coverage have the classes of at least a probability."""
    model = table_model(name)
    model.conformal = Conformal.of(np.full(99, 1 - threshold))
    return model


def test_the_interval_of_a_value_is_the_prediction_plus_and_minus_the_quantile():
    model, q = values()
    found = model.predict(ROWS, interval=0.9)
    assert found.columns == ["prediction", "lower", "upper"]
    predicted = found["prediction"].to_numpy()
    np.testing.assert_array_equal(found["lower"].to_numpy(), predicted - q)
    np.testing.assert_array_equal(found["upper"].to_numpy(), predicted + q)


@pytest.mark.parametrize("kind", ["log", "asinh"])
def test_the_interval_of_a_transformed_value_is_that_of_the_transformed_values(kind):
    model, q = values(kind)
    found = model.predict(ROWS, interval=0.9)
    target, transform = model.target, model.target.transform
    learned = model.network.predict(model.encoder.transform(ROWS))[:, 0].astype(float)
    t = np.clip(learned * target.std + target.mean, transform.low, transform.high)
    for end, sign in (("lower", -1), ("upper", 1)):
        exact = np.exp(t + sign * q)
        if kind == "asinh":
            exact = transform.center + transform.spread * np.sinh(t + sign * q)
        np.testing.assert_allclose(found[end].to_numpy(), exact, rtol=1e-9)


@pytest.mark.parametrize("kind", ["log", "asinh"])
def test_a_score_of_a_transformed_value_is_at_most_q_where_the_interval_holds_it(kind):
    model, q = values(kind)
    bounds = model.target.transform.bounds
    # Some lie outside of what the network can answer.
    true = np.random.default_rng(1).uniform(2 * min(bounds[0], 0) + 1e-3, 2 * bounds[1], 400)
    scores = model.scores_of(model.encoder.transform(ROWS), true)
    found = model.predict(ROWS, interval=0.9)
    held = (found["lower"].to_numpy() <= true) & (true <= found["upper"].to_numpy())
    apart = np.abs(scores - q) > 1e-9
    assert 0 < held.mean() < 1
    np.testing.assert_array_equal(held[apart], (scores <= q)[apart])


def test_a_value_that_a_logarithm_cannot_take_has_a_score_that_no_usual_interval_reaches():
    model, _ = values("log")
    X = model.encoder.transform(ROWS)[:2]
    assert (model.scores_of(X, np.array([0.0, -5.0])) > 100).all()


@pytest.mark.parametrize("name", CLASSES)
def test_a_set_is_a_list_of_the_classes_that_are_likely_enough(name):
    model = classes(name)
    found = model.predict(ROWS, interval=0.8)
    p = model.probabilities(ROWS).astype(np.float64)
    sets = found["prediction_set"].to_list()
    expected = [
        [c for c, each in zip(model.target.classes, row, strict=True) if 1 - each <= 0.6]
        for row in p
    ]
    assert sets == expected
    assert found.schema["prediction_set"] == pl.List(found.schema["prediction"])


def test_a_set_may_be_empty_or_hold_all_classes():
    for threshold, size in ((1.0, 0), (0.0, 3)):
        found = classes("numbers", threshold).predict(ROWS, interval=0.5)
        assert found["prediction_set"].list.len().unique().to_list() == [size]


def test_the_sets_of_a_csv_file_can_be_told_apart_and_a_parquet_file_has_lists(tmp_path):
    names = ("a|b", "a", "b", "c\\|d\\")
    target = TargetEncoder("classification", "y", names)
    rows = pl.DataFrame({"x": [0.0, 1.0, 2.0, 3.0] * 10})
    net = cr.Network([1, cr.Dense(4, "softmax")], "cross_entropy", seed=0)
    net.parameters[:] = 0
    model = cr.TableModel(
        net, TableEncoder().fit(rows), target, conformal=Conformal.of(np.full(9, 0.9))
    )
    rows.write_csv(tmp_path / "rows.csv")

    def written(name):
        batches = predicted_batches(model, tmp_path / "rows.csv", interval=0.5)
        write_predictions(batches, tmp_path / name)
        return tmp_path / name

    text = pl.read_csv(written("out.csv"))["prediction_set"]
    assert text.to_list() == ["a\\|b|a|b|c\\\\\\|d\\\\"] * 40
    lists = pl.read_parquet(written("out.parquet"))["prediction_set"]
    assert lists.to_list() == [list(names)] * 40
    assert pl.read_ndjson(written("out.jsonl"))["prediction_set"].to_list() == [list(names)] * 40


def test_an_empty_set_is_an_empty_text():
    found = flat(classes("true or false", 1.0).predict(ROWS, interval=0.5))
    assert found["prediction_set"].unique().to_list() == [""]
    found = flat(classes("fractions", 0.0).predict(ROWS, interval=0.5))
    assert found["prediction_set"].unique().to_list() == ["0.5|1.5"]


def test_scores_travel_in_the_model_file(tmp_path):
    for model in (values()[0], values("asinh")[0], classes()):
        model.save(tmp_path / "model.safetensors")
        again = cr.load(tmp_path / "model.safetensors")
        assert again.predict(ROWS, interval=0.9).equals(model.predict(ROWS, interval=0.9))


def test_a_model_without_scores_says_so_and_predicts_without_an_interval(tmp_path):
    model = table_model()
    model.save(tmp_path / "model.safetensors")
    again = cr.load(tmp_path / "model.safetensors")
    assert again.conformal is None
    assert again.predict(ROWS).equals(model.predict(ROWS))
    with pytest.raises(InvalidArgumentError, match="interval: this model has no calibration"):
        again.predict(ROWS, interval=0.9)


def test_a_column_to_keep_that_has_the_name_of_an_end_is_renamed(tmp_path):
    rows = ROWS.with_columns(lower=pl.lit(1))
    rows.write_csv(tmp_path / "rows.csv")
    found = next(predicted_batches(values()[0], tmp_path / "rows.csv", ["lower"], interval=0.9))
    assert found.columns == ["lower_in_table", "prediction", "lower", "upper"]
