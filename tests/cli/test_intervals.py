"""predict --interval and export --interval."""

import csv
import io
import json

import polars as pl
import pytest

import chainrule as cr


def test_sets_of_classes_are_one_more_column(chainrule, model, wdbc, tmp_path):
    outcome = chainrule("predict", model, wdbc, "--interval", "0.95")
    assert outcome.err == ""
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    plain = chainrule("predict", model, wdbc).out.splitlines()
    assert [",".join(list(row.values())[:-1]) for row in rows] == plain[1:]
    expected = cr.load(model).predict(wdbc, interval=0.95)["prediction_set"].to_list()
    assert [row["prediction_set"] for row in rows] == ["|".join(one) for one in expected]
    chainrule("predict", model, wdbc, "--interval", "0.95", "-o", tmp_path / "p.parquet")
    assert pl.read_parquet(tmp_path / "p.parquet")["prediction_set"].to_list() == expected


def test_intervals_of_values_are_two_more_columns(chainrule, regression):
    table, model, _ = regression
    lines = chainrule(
        "predict", model, table, "--interval", "0.8", "--keep", "none"
    ).out.splitlines()
    assert lines[0] == "prediction,lower,upper"
    for line in lines[1:]:
        predicted, lower, upper = map(float, line.split(","))
        assert lower < predicted < upper


@pytest.mark.parametrize("asked", ["90", "0", "1", "-0.5", "nan"])
def test_a_coverage_that_is_no_share_is_refused(chainrule, regression, asked):
    table, model, _ = regression
    sentence = chainrule("predict", model, table, "--interval", asked).sentence
    assert "--interval: expected a share between 0 and 1, such as 0.9; got" in sentence


def test_too_few_validation_rows_are_refused_with_what_they_suffice_for(chainrule, regression):
    table, model, _ = regression
    sentence = chainrule("predict", model, table, "--interval", "0.99").sentence
    assert "--interval: 0.99 needs at least 99 validation rows; the model has" in sentence


def test_a_refused_interval_leaves_the_output_file_alone(chainrule, regression, tmp_path):
    table, model, _ = regression
    (tmp_path / "p.csv").write_text("mine")
    chainrule("predict", model, table, "--interval", "0.99", "-o", tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_text() == "mine"


def test_a_model_of_an_earlier_version_has_no_intervals(chainrule, model, wdbc, tmp_path):
    old = cr.load(model)
    old.conformal = None
    old.save(tmp_path / "old.safetensors")
    sentence = chainrule(
        "predict", tmp_path / "old.safetensors", wdbc, "--interval", "0.9"
    ).sentence
    assert "--interval: this model has no calibration scores" in sentence
    assert "train it again" in sentence


def test_an_exported_file_has_the_intervals_of_predict(chainrule, regression, tmp_path):
    table, model, _ = regression
    outcome = chainrule("export", model, tmp_path / "m.py", "--interval", "0.8")
    assert outcome.out == f"Written: {tmp_path / 'm.py'}\n"
    exported = {}
    exec((tmp_path / "m.py").read_text(encoding="utf-8"), exported)
    rows = pl.read_csv(table)
    expected = cr.load(model).predict(rows, interval=0.8).select("lower", "upper").to_numpy()
    assert exported["COVERAGE"] == 0.8
    assert exported["predict_interval"](rows) == pytest.approx(expected, rel=1e-5)


def test_a_run_can_be_trained_without_a_temperature(chainrule, wdbc, tmp_path):
    words = ("train", wdbc, "--target", "diagnosis", "--epochs", "2", "--no-report")
    chainrule(*words, "--calibrate", "off", "--out", tmp_path / "off")
    assert "temperature" not in cr.load(tmp_path / "off" / "model.safetensors").details
    assert 'calibrate = "off"' in (tmp_path / "off" / "run.toml").read_text()
    chainrule(*words, "--calibrate", "on", "--out", tmp_path / "on")
    told = cr.load(tmp_path / "on" / "model.safetensors").details["temperature"]
    assert told["value"] == told["fitted"] != 1.0
    assert json.dumps(told)
