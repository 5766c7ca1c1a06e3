"""`chainrule.train`: what the command does, from Python, with errors in Python's names."""

import html
import shutil
import time
from datetime import datetime
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from chainrule.limits import Choice
from chainrule.report import page
from chainrule.runs.config import RunConfig
from chainrule.runs.keywords import Settings
from chainrule.runs.options import SECTIONS, settings_of
from chainrule.training.events import EpochEnded, TrainingStarted

FILES = [
    "history.csv",
    "metrics.json",
    "model.safetensors",
    "report.html",
    "run.toml",
    "test_predictions.csv",
]


def frame(rows=200, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=rows)
    return pl.DataFrame(
        {
            "x": x,
            "colour": random.choice(["red", "green"], rows),
            "kind": np.where(x + 0.3 * random.normal(size=rows) > 0, "up", "down"),
            "price": 3 * x + random.normal(size=rows),
        }
    )


def quick(table, target="kind", **settings):
    return cr.train(table, target, **({"epochs": 3, "verbose": False} | settings))


@pytest.fixture
def stopped_clocks(monkeypatch):
    """Let all times be the same, so that files can be compared as they are."""

    class Noon(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 1, 12)

    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    monkeypatch.setattr(page, "datetime", Noon)


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ([], {}),
        (["--layers", "9,5", "--learning-rate", "0.01"], {"layers": [9, 5], "learning_rate": 0.01}),
        (["--target", "price", "--ignore", "kind"], {"target": "price", "ignore": "kind"}),
    ],
)
def test_a_run_saves_the_bytes_that_the_command_writes(tmp_path, stopped_clocks, options, settings):
    table = tmp_path / "table.csv"
    frame().write_csv(table)
    words = ["train", table, "--target", "kind", "--epochs", "3", "--quiet", *options]
    result = CliRunner().invoke(app, [*map(str, words), "--out", str(tmp_path / "command")])
    assert result.exit_code == 0, result.stderr
    run = quick(table, **{"target": "kind"} | settings)
    run.save(tmp_path / "python")
    for name in FILES:
        command, python = (tmp_path / way / name for way in ("command", "python"))
        assert python.read_bytes() == command.read_bytes(), name
    shutil.rmtree(tmp_path / "command")
    # Whatever else the command leaves, the run leaves as well.
    assert sorted(path.name for path in (tmp_path / "python").iterdir()) == FILES


@pytest.mark.parametrize("kind", ["pandas", "arrow", "file"])
def test_every_kind_of_table_trains_the_same_model(tmp_path, kind):
    table = frame()
    if kind == "pandas":
        given = pd.DataFrame(table.to_dict(as_series=False), index=range(100, 300))
    elif kind == "arrow":
        given = pa.table(table.to_dict(as_series=False))
    else:
        given = tmp_path / "table.parquet"
        table.write_parquet(given)
    expected = quick(table).model.network.parameters
    np.testing.assert_array_equal(quick(given).model.network.parameters, expected)


def test_a_table_to_test_with_may_be_in_memory_or_a_file(tmp_path):
    test = frame(50, seed=1)
    test.write_parquet(tmp_path / "test.parquet")
    runs = [quick(frame(), test=given) for given in (test, tmp_path / "test.parquet")]
    assert [run.parts.test.height for run in runs] == [50, 50]
    assert runs[0].scores == runs[1].scores
    assert runs[0].config.data.split == (0.9, 0.1)
    assert runs[0].command == "chainrule.train(table, target='kind', test=test_table, epochs=3)"


def test_the_call_that_a_run_on_a_frame_names_repeats_it():
    table = frame()
    run = quick(table, layers=[7], split=[0.6, 0.2, 0.2], early_stopping=False, ignore=["price"])
    again = eval(run.command, {"chainrule": cr, "table": table})
    np.testing.assert_array_equal(again.model.network.parameters, run.model.network.parameters)


def test_the_folder_of_a_run_on_a_frame_claims_no_command_that_repeats_it(tmp_path):
    quick(frame()).save(tmp_path / "run")
    text = (tmp_path / "run" / "run.toml").read_text()
    assert text.startswith("# chainrule train TABLE --config run.toml\n")
    assert "to the bit" not in text
    frame().write_parquet(tmp_path / "table.parquet")
    again = quick(tmp_path / "table.parquet", None, config=tmp_path / "run" / "run.toml")
    np.testing.assert_array_equal(
        again.model.network.parameters,
        cr.load(tmp_path / "run" / "model.safetensors").network.parameters,
    )


def test_a_configuration_is_where_a_run_begins_and_arguments_come_first(tmp_path):
    config = RunConfig.of({"target": "price", "epochs": 2, "layers": (5,)})
    (tmp_path / "run.toml").write_text(config.to_toml())
    for given in (config, tmp_path / "run.toml", str(tmp_path / "run.toml")):
        run = cr.train(frame(), "kind", config=given, epochs=1, verbose=False)
        assert run.config.training.layers == (5,)
        assert len(run.history) == 1
        assert run.model.target.name == "kind"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": "knd"}, "the table has no column 'knd' to use as the target; did you mean"),
        ({"target": None}, "target: expected the name of the column to predict; got none"),
        ({"table": None}, "table: expected a table or the path of one; got none"),
        ({"table": 5}, "table: expected a path, a polars or pandas DataFrame"),
        ({"epoch": 3}, "epoch: train has no such argument; did you mean 'epochs'"),
        ({"verbos": 3}, "verbos: train has no such argument; did you mean 'verbose'"),
        ({"epochs": "3"}, "epochs: expected a whole number; got '3'"),
        ({"epochs": -1}, "epochs: expected a whole number of at least"),
        ({"optimizer": "adamm"}, r"optimizer: .*; did you mean 'adam'\?"),
        ({"shuffle": "yes"}, "shuffle: expected true or false; got 'yes'"),
        ({"split": [0.5, 0.5]}, "split: expected 3 shares"),
        ({"group": "patient"}, "no column 'patient' for group; "),
        ({"loss": "huber", "task": "classification"}, 'one of loss="huber" and task="classific'),
        ({"callbacks": print}, "callbacks: expected a list of functions that take an event; got"),
        ({"callbacks": [3]}, "callbacks: expected a list of functions that take an event; got 3"),
        ({"verbose": "loud"}, "verbose: expected True or False; got 'loud'"),
        ({"config": 3}, "config: expected the path of a run.toml, or a RunConfig; got 3"),
    ],
)
def test_a_wrong_argument_is_named_as_it_was_given(arguments, message):
    usual = {"table": frame(), "target": "kind", "verbose": False}
    with pytest.raises(cr.ChainruleError, match=message) as caught:
        cr.train(**usual | arguments)
    assert "--" not in str(caught.value)


def test_notes_name_arguments_and_not_options(tmp_path):
    table = frame().with_columns(
        pl.when(pl.int_range(pl.len()) % 40 == 0).then(pl.lit("NA")).otherwise("kind").alias("kind")
    )
    notes = " ".join(quick(table).notes)
    assert 'target_missing="empty" keeps such words as classes' in notes
    assert "--" not in notes


def test_numbers_of_numpy_are_numbers():
    run = quick(frame(), layers=np.array([4, 3]), epochs=np.int64(1), l2=np.float32(0.5))
    assert run.config.training.layers == (4, 3)
    assert run.config.training.l2 == 0.5


def test_callbacks_receive_all_events_and_may_end_the_training():
    seen = []

    def stop(event):
        seen.append(event)
        return isinstance(event, EpochEnded)

    run = quick(frame(), epochs=50, callbacks=[stop])
    assert len(run.history) == 1
    assert isinstance(seen[0], TrainingStarted)


def test_an_interruption_gives_the_run_so_far():
    def interrupt(event):
        if isinstance(event, EpochEnded) and event.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(cr.RunInterrupted, match="after 2 epochs") as caught:
        quick(frame(), epochs=50, callbacks=[interrupt])
    assert isinstance(caught.value, KeyboardInterrupt)
    run = caught.value.run
    assert len(run.history) == 2
    assert run.predict(frame()).height == 200
    assert "The training was interrupted." in run.notes


def test_a_run_refuses_to_overwrite_a_users_file(tmp_path):
    run = quick(frame())
    (tmp_path / "metrics.json").write_text('{"mine": 1}')
    with pytest.raises(cr.FileWriteError, match=r"folder: .*metrics\.json is there"):
        run.save(tmp_path)
    assert (tmp_path / "metrics.json").read_text() == '{"mine": 1}'
    assert not (tmp_path / "model.safetensors").exists()
    run.save(tmp_path, overwrite=True)
    assert "mine" not in (tmp_path / "metrics.json").read_text()


def test_a_run_refuses_to_replace_its_own_table(tmp_path):
    table = tmp_path / "history.csv"
    frame().write_csv(table)
    with pytest.raises(cr.InvalidArgumentError, match="folder"):
        quick(table).save(tmp_path, overwrite=True)
    assert pl.read_csv(table).height == 200


def test_a_terminal_shows_the_verdict_and_the_scores_of_a_run():
    run = quick(frame(), epochs=20)
    text = repr(run)
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith("Classification of kind\nOn 20 test rows, the network")
    assert f"{run.scores['test']['accuracy']:.4g}" in text


def test_a_notebook_shows_the_verdict_escaped():
    table = frame().rename({"kind": "<script>alert(1)</script>"})
    shown = quick(table, "<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in shown
    assert html.escape("<script>alert(1)</script>") in shown
    assert "On 20 test rows" in shown


def test_a_notebook_shows_the_report_in_a_frame_of_its_own(tmp_path):
    run = quick(frame())
    shown = run.report()._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert "<style" not in shown
    run.report().save(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert html.unescape(shown.split('srcdoc="')[1].split('"')[0]) == page
    assert max(map(len, repr(run.report()).splitlines())) <= 80


def test_a_run_for_which_no_verdict_is_possible_shows_itself_all_the_same():
    run = quick(frame(), "price")
    object.__setattr__(run, "parts", type(run.parts)(**vars(run.parts) | {
        "validation": run.parts.validation.clear(), "test": run.parts.test.clear(),
    }))  # fmt: skip
    assert repr(run).startswith("Regression of price\n\nrows")


def test_the_keywords_are_those_of_the_command_line():
    own = {"table", "target", "test"}
    fields = [one for section in SECTIONS for one in settings_of(section) if one.name not in own]
    hints = get_type_hints(Settings)
    assert list(hints) == [one.name for one in fields]
    for one in fields:
        parts = [part for part in get_args(hints[one.name]) if get_origin(part) is Literal]
        limit = one.metadata["limit"]
        names = sorted(limit.names()) if isinstance(limit, Choice) else []
        assert sorted(name for part in parts for name in get_args(part)) == names, one.name


def test_a_model_reports_on_the_rows_of_its_run_and_on_others(tmp_path):
    table, other = tmp_path / "table.csv", frame(60, seed=2)
    frame().write_csv(table)
    run = quick(table)
    run.save(tmp_path / "run")
    model = cr.load(tmp_path / "run" / "model.safetensors")
    assert repr(model.report()) == repr(run.report())
    assert repr(model.report(other)).startswith("On 60 test rows")
    assert repr(model.report(other)) == repr(run.model.report(other, train=run.parts.train))
    frame(200, seed=5).write_csv(table)
    with pytest.raises(cr.InvalidArgumentError, match="has changed since the model was trained"):
        model.report(other)
    Path(table).unlink()
    with pytest.raises(cr.InvalidArgumentError, match="cannot be read again"):
        model.report()


def test_a_model_of_a_frame_asks_for_the_rows_that_it_was_trained_on():
    run = quick(frame())
    with pytest.raises(cr.InvalidArgumentError, match="does not name the table of the run"):
        run.model.report()
    report = run.model.report(run.parts.test, train=run.parts.train)
    assert repr(report) == repr(run.report())
