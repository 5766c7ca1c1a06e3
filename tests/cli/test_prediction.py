import csv
import io

import numpy as np
import polars as pl
import pytest

import chainrule as cr


def test_predictions_go_to_standard_output_as_csv(chainrule, model, wdbc):
    outcome = chainrule("predict", model, wdbc)
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    expected = cr.load(model).predict(wdbc)
    assert [row["prediction"] for row in rows] == expected["prediction"].to_list()
    probabilities = np.array([row["probability_M"] for row in rows], np.float32)
    assert np.array_equal(probabilities, expected["probability_M"].to_numpy())
    assert outcome.err == ""


@pytest.mark.parametrize(("name", "separator"), [("p.csv", ","), ("p.tsv", "\t")])
def test_predictions_go_to_a_file(chainrule, model, wdbc, tmp_path, name, separator):
    outcome = chainrule("predict", model, wdbc, "-o", tmp_path / name)
    assert outcome.out == f"569 predictions written to {tmp_path / name}\n"
    written = pl.read_csv(tmp_path / name, separator=separator)
    assert written["prediction"].to_list() == cr.load(model).predict(wdbc)["prediction"].to_list()


def test_predicting_needs_no_target_and_no_order_of_columns(chainrule, model, wdbc, tmp_path):
    table = pl.read_csv(wdbc).drop("diagnosis")
    table.select(reversed(table.columns)).write_csv(tmp_path / "shuffled.csv")
    shuffled = chainrule("predict", model, tmp_path / "shuffled.csv")
    assert shuffled.out == chainrule("predict", model, wdbc).out


def test_values_are_predicted_alone(chainrule, regression):
    table, model, _ = regression
    lines = chainrule("predict", model, table).out.splitlines()
    assert lines[0] == "prediction"
    assert float(lines[1])
    assert len(lines) == 61


def test_evaluating_shows_scores_and_confusion_matrix(chainrule, model, wdbc):
    out = chainrule("evaluate", model, wdbc).out
    scores = cr.load(model).evaluate(wdbc)
    assert f"{scores['accuracy']:.4f}" in out
    for row in scores["confusion_matrix"]["counts"]:
        for count in row:
            assert str(count) in out


def test_evaluating_a_regression_shows_its_errors(chainrule, regression):
    table, model, _ = regression
    out = chainrule("evaluate", model, table).out
    assert f"{cr.load(model).evaluate(table)['rmse']:.5g}" in out


def test_an_output_of_another_kind_is_refused_before_any_work(chainrule, model, wdbc, tmp_path):
    outcome = chainrule("predict", model, wdbc, "-o", tmp_path / "p.parquet")
    assert "--out: expected a name ending in .csv or .tsv" in outcome.sentence


def test_a_missing_column_is_named(chainrule, model, wdbc, tmp_path):
    pl.read_csv(wdbc).drop("mean_area").write_csv(tmp_path / "less.csv")
    sentence = chainrule("predict", model, tmp_path / "less.csv").sentence
    assert "no column 'mean_area', which the model needs" in sentence


def test_evaluating_without_the_target_is_refused(chainrule, model, wdbc, tmp_path):
    pl.read_csv(wdbc).drop("diagnosis").write_csv(tmp_path / "less.csv")
    sentence = chainrule("evaluate", model, tmp_path / "less.csv").sentence
    assert "no column 'diagnosis', the target" in sentence


def test_a_network_without_a_table_takes_no_table(chainrule, wdbc, tmp_path):
    network = cr.Network([30, cr.Dense(2, "softmax")], cost="cross_entropy", seed=0)
    network.save(tmp_path / "network.safetensors")
    sentence = chainrule("predict", tmp_path / "network.safetensors", wdbc).sentence
    assert "without the encoder of a table" in sentence


def test_what_is_not_a_model_is_refused(chainrule, wdbc, tmp_path):
    assert "is not a chainrule model file" in chainrule("predict", wdbc, wdbc).sentence
    assert "cannot be read" in chainrule("predict", tmp_path / "none", wdbc).sentence
