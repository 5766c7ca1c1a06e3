import numpy as np
import polars as pl
import pytest

from chainrule.engines.optimizers import Adam
from chainrule.errors import InvalidTableError
from chainrule.model.table_training import TableTraining


def table(rows=60, seed=0):
    random = np.random.default_rng(seed)
    x, z = random.normal(size=rows), random.normal(50, 10, rows)
    return pl.DataFrame(
        {
            "x": x,
            "z": z,
            "kind": np.where(x > 0, "up", "down"),
            "price": 1000 + 300 * x + random.normal(size=rows),
        }
    )


def test_statistics_are_those_of_the_training_rows_alone():
    training = TableTraining.prepare(table().drop("price"), "kind")
    rows = training.part("train")
    assert len(rows) == 38
    # Two ways to sum 38 numbers.
    tolerance = 38 * np.finfo(np.float64).eps * 100
    for index, name in enumerate(("x", "z")):
        values = rows[name].to_numpy()
        column = training.model.encoder.columns_[index]
        assert column.name == name
        assert abs(column.center - values.mean()) <= tolerance
        assert abs(column.scale - values.std()) <= tolerance


def test_the_network_fits_the_task():
    spec = TableTraining.prepare(table().drop("price"), "kind").model.network.spec
    assert (spec.sizes, spec.output_activation, spec.cost) == (
        (2, 24, 24, 2),
        "softmax",
        "cross_entropy",
    )
    spec = TableTraining.prepare(table().drop("kind"), "price", hidden=()).model.network.spec
    assert (spec.sizes, spec.output_activation, spec.cost) == ((2, 1), "identity", "mse")


def test_the_parts_are_scored_apart():
    training = TableTraining.prepare(table().drop("price"), "kind")
    training.fit(epochs=2)
    scores = training.scores()
    assert {name: part["rows"] for name, part in scores.items()} == {
        "train": 38,
        "validation": 10,
        "test": 12,
    }
    assert scores["test"] == training.model.evaluate(training.part("test"))


def test_the_history_of_a_regression_follows_the_error_in_the_targets_units():
    training = TableTraining.prepare(table().drop("kind"), "price")
    history = training.fit(epochs=3)
    scores = training.scores()
    # The history compares float32 outputs with float32 targets: 8 roundings at most of values
    # that are a few standard deviations large.
    tolerance = 8 * np.finfo(np.float32).eps * 5 * training.model.target.std
    assert abs(history["rmse"][-1] - scores["train"]["rmse"]) <= tolerance
    assert abs(history["validation_rmse"][-1] - scores["validation"]["rmse"]) <= tolerance


def test_a_linear_target_is_learned():
    training = TableTraining.prepare(table().drop("kind"), "price", hidden=())
    training.fit(optimizer=Adam(0.05), epochs=100, l2=0.0)
    assert training.scores()["test"]["r2"] > 0.99


def test_the_same_seed_trains_the_same_model_to_the_bit():
    parameters = []
    for _ in range(2):
        training = TableTraining.prepare(table().drop("price"), "kind", seed=5)
        training.fit(epochs=2)
        parameters.append(training.model.network.parameters)
    assert np.array_equal(*parameters)


def test_an_error_names_the_row_in_the_file_not_in_a_part():
    broken = table().with_columns(
        x=pl.when(pl.int_range(60) == 41).then(np.inf).otherwise(pl.col("x"))
    )
    with pytest.raises(InvalidTableError, match="'x' holds inf in row 42, "):
        TableTraining.prepare(broken.drop("price"), "kind")


def test_a_rare_class_is_learned_though_no_other_part_has_it():
    rare = (
        table()
        .drop("price")
        .with_columns(
            kind=pl.when(pl.int_range(60) == 3).then(pl.lit("rare")).otherwise(pl.col("kind"))
        )
    )
    training = TableTraining.prepare(rare, "kind")
    assert "rare" in training.part("train")["kind"]
    training.fit(epochs=1)
    assert training.scores()["test"]["roc_auc"] is None
