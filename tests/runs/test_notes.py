"""Notes that a careful reader needs, on the tables that call for them and on no others."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from chainrule.runs.config import RunConfig
from chainrule.runs.next_steps import next_steps
from chainrule.runs.training import PreparedRun

ROWS = 1200
RANDOM = np.random.default_rng(3)
X, NOISE = RANDOM.normal(size=(2, ROWS))


def prepared(columns, target, **settings):
    table = pl.DataFrame({"x": X, **columns, "y": target})
    config = RunConfig.of({"target": "y", "epochs": 1, "layers": (4,), **settings})
    return PreparedRun.prepare(config, table)


def notes_of(run):
    fitted = run.fit()
    return "\n".join([*fitted.table_notes, *fitted.result_notes])


PLAIN = X + NOISE


def test_a_table_without_any_of_this_has_no_note():
    run = prepared({"city": ["a", "b", "c"] * 400}, PLAIN)
    assert (run.findings.before, run.findings.beside_scores) == ((), ())
    assert notes_of(run) == ""


def test_few_test_rows_are_said_with_their_number():
    run = prepared({}, PLAIN, split=(0.8, 0.12, 0.08))
    assert "there are only 96 test rows" in notes_of(run)
    assert "use --split 0.6,0.1,0.3 for more test rows, or train and test" in notes_of(run)
    assert "test rows" not in notes_of(prepared({}, PLAIN, split=(0.8, 0.11, 0.09)))


def test_a_column_of_dates_is_said_unless_the_rows_are_divided_by_it():
    days = [date(2020, 1, 1) + timedelta(n) for n in range(ROWS)]
    run = prepared({"day": days}, PLAIN)
    assert "column 'day' has dates" in notes_of(run)
    assert "--time 'day'" in notes_of(run)
    assert "has dates" not in notes_of(prepared({"day": days}, PLAIN, time="day"))
    assert "has dates" not in notes_of(prepared({"day": days}, PLAIN, ignore=("day",)))
    assert "has dates" not in notes_of(prepared({"date_of_birth": days}, PLAIN))


def test_a_likely_group_is_said_unless_it_is_given():
    patients = {"patient": [f"P{n // 4}" for n in range(ROWS)]}
    said = notes_of(prepared(patients, PLAIN))
    assert "column 'patient' looks like an identifier with several rows per value" in said
    assert "--group 'patient'" in said
    assert "identifier" not in notes_of(prepared(patients, PLAIN, group="patient"))
    assert "identifier" not in notes_of(prepared(patients, PLAIN, ignore=("patient",)))


def test_a_group_that_no_test_row_shares_is_no_note(tmp_path):
    test = pl.DataFrame({"x": X, "patient": [f"Q{n // 4}" for n in range(ROWS)], "y": PLAIN})
    test.write_csv(tmp_path / "test.csv")
    patients = {"patient": [f"P{n // 4}" for n in range(ROWS)]}
    assert "identifier" not in notes_of(prepared(patients, PLAIN, test=str(tmp_path / "test.csv")))


def test_columns_that_leak_together_are_said_before_the_training():
    run = prepared({"a": NOISE + X}, PLAIN - 2 * X)
    assert "columns 'a' and 'x' together predict 'y' almost exactly" in "\n".join(run.notes)
    assert "together" not in "\n".join(run.fit().result_notes)


def classes(rare):
    names = np.where(X + 0.1 * NOISE > 0, "yes", "no").astype(object)
    names[:rare] = "rare"
    return list(names)


def test_classes_of_few_training_rows_are_said_with_their_number():
    said = notes_of(prepared({}, classes(10), split=(0.6, 0.2, 0.2)))
    assert "classes of y with fewer than 10 training rows: 'rare' (6)" in said
    assert "fewer than" not in notes_of(prepared({}, classes(100)))


def test_a_class_that_test_rows_have_and_none_is_predicted_as_is_said():
    run = prepared({}, classes(40), bins=0, layers=())
    fitted = run.fit()
    counts = fitted.scores["test"]["confusion_matrix"]
    column = counts["classes"].index("rare")
    assert not any(row[column] for row in counts["counts"])
    assert "never predicts the class 'rare' (4 test rows) of y" in "\n".join(fitted.result_notes)


def test_no_class_that_is_predicted_is_said_to_be_none():
    run = prepared({}, classes(0), epochs=10)
    assert "never predicts" not in notes_of(run)


@pytest.mark.parametrize(
    ("columns", "target", "settings", "words"),
    [
        ({"a": NOISE + X}, PLAIN - 2 * X, {}, ("'a' and 'x' are not all known", "--ignore a")),
        ({"patient": [n // 4 for n in range(ROWS)]}, PLAIN, {}, ("--group patient",)),
        ({"day": [date(2020, 1, 1 + n % 28) for n in range(ROWS)]}, PLAIN, {}, ("--time day",)),
        ({}, PLAIN, {"split": (0.8, 0.15, 0.05)}, ("--split 0.6,0.1,0.3",)),
        (
            {},
            PLAIN,
            {"epochs": 3, "schedule": "constant", "learning_rate": 1e-4},
            ("still falling", "--epochs 6"),
        ),
        ({"an odd 'name'": X}, X, {}, ("leave it out", "--ignore")),
    ],
)
def test_the_next_step_is_a_command_that_begins_as_the_run_did(
    tmp_path, columns, target, settings, words
):
    path = tmp_path / "table.parquet"
    pl.DataFrame({"x": X, **columns, "y": target}).write_parquet(path)
    options = {"table": str(path), "target": "y", "epochs": 1, "layers": (4,), **settings}
    run = PreparedRun.prepare(RunConfig.of(options))
    steps = next_steps(run, run.fit(), tmp_path / "model.safetensors")
    assert len(steps) == 2
    assert all(word in steps[0] for word in words)
    assert f"train {path} --target y" in steps[0]
    assert f"predict {tmp_path / 'model.safetensors'} new.csv" in steps[1]
