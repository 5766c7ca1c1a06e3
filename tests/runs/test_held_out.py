import numpy as np
import polars as pl
import pytest

from chainrule.model.table_predictions import write_predictions
from chainrule.runs.config import RunConfig
from chainrule.runs.held_out import held_out_predictions
from chainrule.runs.training import PreparedRun


def predicted(**options):
    """Return a run's model, its parts, and the predictions for the rows that it held out."""
    config = RunConfig.of({"epochs": 2, "layers": (4,), **options})
    prepared = PreparedRun.prepare(config)
    run = prepared.fit()
    return run, prepared.parts, pl.concat(held_out_predictions(run.model, prepared.parts))


def table(rows, first=1):
    return pl.DataFrame(
        {
            "row": range(first, first + rows),
            "prediction": [(7 * n) % 5 for n in range(rows)],
            "kind": ["b" if (n * n) % 3 else "a" for n in range(rows)],
            "price": [2 * n + n % 3 for n in range(rows)],
        }
    )


def test_every_held_out_row_has_its_number_line_target_and_prediction(tmp_path):
    path = tmp_path / "t.csv"
    table(100).write_csv(path)
    run, parts, found = predicted(table=str(path), target="kind")
    assert found.columns == [
        *("part", "row", "line", "target", "prediction", "probability_a", "probability_b")
    ]
    assert found["part"].to_list() == ["test"] * 10 + ["validation"] * 10
    assert found["row"].to_list() == [*parts.test["row"], *parts.validation["row"]]
    assert (found["line"] == found["row"] + 1).all()
    whole = table(100)[found["row"].to_numpy() - 1]
    assert found["target"].to_list() == whole["kind"].to_list()
    assert found.select(run.model.predict(whole).columns).equals(run.model.predict(whole))
    accuracy = (found["target"] == found["prediction"])[:10].mean()
    assert accuracy == run.scores["test"]["accuracy"]


def test_rows_of_a_parquet_file_have_no_lines(tmp_path):
    path = tmp_path / "t.parquet"
    table(100).write_parquet(path)
    run, _, found = predicted(table=str(path), target="price")
    assert found.columns == ["part", "row", "target", "prediction"]
    errors = (found["target"] - found["prediction"])[:10].to_numpy()
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(run.scores["test"]["rmse"])


def test_a_test_table_of_another_format_and_type_stands_beside_the_validation_rows(tmp_path):
    path, test = tmp_path / "t.csv", tmp_path / "test.parquet"
    table(100).write_csv(path)
    table(20, 1000).with_columns(pl.col("price") + 0.5).write_parquet(test)
    _, parts, found = predicted(table=str(path), test=str(test), target="price")
    tested, validated = found.partition_by("part")
    assert tested["row"].to_list() == list(range(1, 21))
    assert tested["line"].null_count() == 20
    assert tested["target"].to_list() == [value + 0.5 for value in table(20)["price"].to_list()]
    assert validated["row"].to_list() == parts.validation["row"].to_list()
    assert (validated["line"] == validated["row"] + 1).all()


def test_the_batches_are_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr("chainrule.runs.held_out._ROWS", 3)
    path = tmp_path / "t.csv"
    table(100).write_csv(path)
    run, parts, found = predicted(table=str(path), target="kind")
    out = tmp_path / "test_predictions.csv"
    assert write_predictions(held_out_predictions(run.model, parts), out) == 20
    assert pl.read_csv(out)["row"].to_list() == found["row"].to_list()
