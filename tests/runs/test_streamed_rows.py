"""Runs whose training rows are read while they train."""

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.model.table_model import TableModel
from chainrule.runs.config import RunConfig
from chainrule.runs.training import PreparedRun
from chainrule.tables import table_stream
from tests.tables.streams import mixed, write


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    return write(tmp_path_factory.mktemp("runs") / "data", mixed(3000), group=200)


def prepared(pattern, **values):
    given = {"table": pattern, "target": "label", "epochs": 3, "layers": (8,)} | values
    return PreparedRun.prepare(RunConfig.of(given))


def test_a_pattern_is_streamed_and_learns_what_the_rows_say(pattern):
    run = prepared(pattern, epochs=20).fit()
    assert run.parts.stream is not None
    assert sum(run.model.details["rows"].values()) == 3000
    assert run.scores["test"]["accuracy"] > 0.9
    assert any("are read while training" in note for note in run.notes)


def test_the_run_trains_on_all_training_rows_and_not_on_the_sample(pattern, monkeypatch):
    monkeypatch.setattr(table_stream, "SAMPLE_ROWS", 300)
    run = prepared(pattern)
    assert run.training.X.shape[0] < 400
    description = run.description()
    plan = description.plan(description.network())
    held_out = run.parts.validation.height + run.parts.test.height
    assert plan.n_examples == 3000 - held_out
    assert plan.stream.rows == plan.n_examples
    rows = sum(len(window.examples.X) for window in plan.stream.windows(1, 0, 64))
    assert rows == plan.n_examples
    assert plan.problem.penalties.per == plan.n_examples


def test_a_stream_without_shuffling_has_the_examples_of_the_table_in_memory(pattern):
    run = prepared(pattern, shuffle=False)
    description = run.description()
    plan = description.plan(description.network())
    (window,) = plan.stream.windows(1, 0, plan.batch_size)
    np.testing.assert_array_equal(window.examples.X, run.training.X)
    np.testing.assert_array_equal(window.examples.Y, plan.problem.examples.Y)


def test_the_same_run_has_the_same_bits_and_its_file_names_the_pattern(pattern):
    first, second = (prepared(pattern, shuffle_buffer=500) for _ in range(2))
    models = [run.fit().model.network for run in (first, second)]
    np.testing.assert_array_equal(models[0].parameters, models[1].parameters)
    assert "data/*.parquet" in first.command
    assert "--shuffle-buffer 500" in first.command
    again = RunConfig.from_toml(first.config.to_toml())
    assert again == first.config


def test_the_rows_of_predictions_are_counted_over_all_files(pattern):
    run = prepared(pattern)
    table, numbers = run.parts.test, run.parts.numbers["test"]
    assert table.equals(mixed(3000)[numbers.rows - 1])


def test_rows_without_a_target_and_other_spellings_are_treated_as_in_memory(tmp_path):
    table = mixed(2000).with_columns(
        label=pl.when(pl.int_range(2000) % 5 == 0)
        .then(pl.lit("N/A"))
        .when(pl.int_range(2000) % 5 == 1)
        .then(pl.col("label").str.to_uppercase())
        .otherwise(pl.col("label"))
    )
    run = prepared(write(tmp_path / "data", table), merge_spellings=True)
    assert run.target.classes == ("no", "yes")
    assert sum(run.parts.heights().values()) == 1600
    assert len(run.fit().history.epochs) == 3


def test_from_python_a_pattern_is_streamed_too(pattern):
    run = cr.train(pattern, "label", epochs=2, layers=[8], verbose=False)
    assert isinstance(run.model, TableModel)
    assert run.parts.stream is not None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"group": "kind"}, "group: expected none for a table that is read while training"),
        ({"time": "size"}, "time: expected none for a table that is read while training"),
        ({"quality": "best"}, "quality: expected 'standard' for a table that is read"),
        ({"optimizer": "lbfgs"}, "optimizer: expected another value for a table that is read"),
        ({"class_weight": "balanced"}, "class_weight: expected another value for a table"),
    ],
)
def test_a_setting_that_needs_all_rows_at_once_is_refused(pattern, values, message):
    with pytest.raises(InvalidArgumentError, match=message):
        prepared(pattern, **values).fit()


def test_a_file_with_another_kind_of_value_is_named(tmp_path):
    pattern = write(tmp_path / "data", mixed(600))
    mixed(50).with_columns(kind=pl.lit(1)).write_parquet(tmp_path / "data" / "part9.parquet")
    with pytest.raises(InvalidTableError, match=r"part9\.parquet: column 'kind' is"):
        prepared(pattern)
