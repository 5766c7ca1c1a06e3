import csv
import io
import json

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app


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
    shuffled = chainrule("predict", model, tmp_path / "shuffled.csv", "--keep", "none")
    assert shuffled.out == chainrule("predict", model, wdbc, "--keep", "none").out


def test_values_are_predicted_alone(chainrule, regression):
    table, model, _ = regression
    lines = chainrule("predict", model, table, "--keep", "none").out.splitlines()
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
    outcome = chainrule("predict", model, wdbc, "-o", tmp_path / "p.xlsx")
    assert "--out: expected a name ending in .parquet, .csv, .tsv" in outcome.sentence


READERS = {
    ".parquet": pl.read_parquet,
    ".csv": pl.read_csv,
    ".tsv": lambda path: pl.read_csv(path, separator="\t"),
    ".arrow": pl.read_ipc,
    ".feather": pl.read_ipc,
    ".jsonl": pl.read_ndjson,
    ".ndjson": pl.read_ndjson,
}


@pytest.mark.parametrize("ending", READERS)
def test_every_kind_of_output_holds_the_predictions_and_the_id(
    chainrule, model, wdbc, tmp_path, ending
):
    out = tmp_path / f"predictions{ending}"
    outcome = chainrule("predict", model, wdbc, "-o", out, "--keep", "mean_area")
    assert outcome.code == 0
    assert f"569 predictions written to {out}" in outcome.out.replace("\n", "")
    written = READERS[ending](out)
    expected = cr.load(model).predict(wdbc)
    assert written.columns == ["mean_area", *expected.columns]
    # As it stands in the table, whatever the model takes it for.
    as_it_stands = pl.read_csv(wdbc, infer_schema=False)["mean_area"]
    expected_ids = as_it_stands.cast(written["mean_area"].dtype)  # CSV has no types
    assert written["mean_area"].equals(expected_ids)
    assert written["prediction"].to_list() == expected["prediction"].to_list()
    probabilities = written["probability_M"].to_numpy().astype(np.float32)
    np.testing.assert_array_equal(probabilities, expected["probability_M"].to_numpy())
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_a_mistake_in_a_late_piece_leaves_no_file(chainrule, model, wdbc, tmp_path, monkeypatch):
    from chainrule.model import table_predictions

    monkeypatch.setattr(
        table_predictions.predicted_batches,
        "__kwdefaults__",
        {**table_predictions.predicted_batches.__kwdefaults__, "rows": 100},
    )
    table = tmp_path / "table.csv"
    lines = wdbc.read_text(encoding="utf-8").splitlines()
    for row in range(301, 311):
        lines[row] = lines[row].replace(lines[row].split(",")[3], "large", 1)
    table.write_text("\n".join(lines), encoding="utf-8")
    out = tmp_path / "p.parquet"
    outcome = chainrule("predict", model, table, "-o", out)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "mean_area" in outcome.err
    assert not out.exists()


@pytest.fixture
def parts(wdbc, tmp_path):
    """A pattern of three files of the table: two of text, with other ends of lines, and Parquet."""
    table, folder = pl.read_csv(wdbc, infer_schema=False), tmp_path / "parts"
    folder.mkdir()
    table[:200].write_csv(folder / "a.csv")
    table[200:201].write_csv(folder / "b.csv", line_terminator="\r\n")
    pl.read_csv(wdbc)[201:].write_parquet(folder / "c.parquet")
    return folder / "[abc].*"


def test_the_files_of_a_pattern_are_predicted_as_one_table(chainrule, model, wdbc, parts, tmp_path):
    out, whole = tmp_path / "parts.parquet", tmp_path / "whole.parquet"
    outcome = chainrule("predict", model, parts, "-o", out)
    assert outcome.out == f"569 predictions written to {out}\n"
    chainrule("predict", model, wdbc, "-o", whole)
    found, expected = pl.read_parquet(out), pl.read_parquet(whole)
    columns = [name for name in expected.columns if not name.startswith("probability")]
    assert found.columns == expected.columns
    assert found[columns].equals(expected[columns])
    lines = chainrule("predict", model, parts, "--keep", "none").out.splitlines()
    assert len(lines) == 570
    assert lines[0] == "prediction,probability_B,probability_M"


def test_what_is_wrong_with_a_file_of_a_pattern_names_it(chainrule, model, parts, tmp_path):
    out = tmp_path / "p.csv"

    def refusal():
        outcome = chainrule("predict", model, parts, "-o", out)
        assert outcome.code == 2
        assert not out.exists()
        return " ".join(outcome.err.split())

    second = parts.parent / "b.csv"
    table = pl.read_csv(second, infer_schema=False)
    table.with_columns(new=pl.lit("1")).write_csv(second)
    assert "b.csv: has a column 'new', which the files before it have not; name" in refusal()
    table.drop("diagnosis").write_csv(second)
    assert "b.csv: has no column 'diagnosis', which the files before it have" in refusal()
    table.with_columns(mean_area=pl.lit("large")).write_csv(second)
    message = refusal()
    assert "b.csv: " in message
    assert "mean_area" in message


def test_the_notes_on_the_files_of_a_pattern_name_them(chainrule, model, parts):
    second = parts.parent / "b.csv"
    second.write_bytes(second.read_bytes() + b"1,2\n")
    outcome = chainrule("predict", model, parts, "--skip-bad-rows", "--keep", "none")
    assert len(outcome.out.splitlines()) == 570
    assert f"Note: {second}: " in outcome.err.replace("\n", " ")


def test_a_file_of_a_pattern_is_not_written_over(chainrule, model, parts):
    third = parts.parent / "c.parquet"
    before = third.read_bytes()
    assert chainrule("predict", model, parts, "-o", third).code == 2
    assert third.read_bytes() == before


@pytest.mark.parametrize(
    ("command", "reason"),
    [("predict", "no file matches it"), ("evaluate", "one file is expected; train and predict")],
)
def test_a_pattern_of_no_file_or_for_another_command_is_refused(
    chainrule, model, tmp_path, command, reason
):
    outcome = chainrule(command, model, tmp_path / "*.nothing")
    assert outcome.code == 2
    assert reason in " ".join(outcome.err.split())


def test_pieces_are_predicted_as_the_whole(model, wdbc):
    from chainrule.model.table_predictions import predicted_batches

    loaded = cr.load(model)
    pieces = list(predicted_batches(loaded, wdbc, rows=50))
    assert [piece.height for piece in pieces] == [50] * 11 + [19]
    whole = loaded.predict(wdbc)
    joined = pl.concat(pieces)
    assert joined["prediction"].equals(whole["prediction"])
    # A product of other rows may round otherwise: 240 bins + 16 + 8 terms of float32.
    tolerance = 264 * np.finfo(np.float32).eps
    for name in ("probability_B", "probability_M"):
        assert np.abs(joined[name].to_numpy() - whole[name].to_numpy()).max() <= tolerance


def test_scores_are_given_as_json(chainrule, model, wdbc):
    scores = json.loads(chainrule("evaluate", model, wdbc, "--json").out)
    assert scores == cr.load(model).evaluate(wdbc)


def test_rows_without_a_target_are_left_out_of_the_scores(chainrule, model, wdbc, tmp_path):
    table = tmp_path / "table.csv"
    rows = pl.read_csv(wdbc)
    rows.with_columns(
        diagnosis=pl.when(pl.int_range(569) < 9).then(None).otherwise(pl.col("diagnosis"))
    ).write_csv(table)
    outcome = chainrule("evaluate", model, table, "--json")
    assert json.loads(outcome.out) == cr.load(model).evaluate(rows[9:])
    assert "left out 9 rows without a value of diagnosis" in outcome.err


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


@pytest.mark.parametrize(
    "command", ["predict", "evaluate", "explain", "importance", "trace", "check"]
)
def test_every_command_takes_its_table_from_standard_input(chainrule, model, wdbc, command):
    more = ["--row", "2"] if command in ("explain", "trace") else []
    from_file = chainrule(command, model, wdbc, *more)
    outcome = CliRunner().invoke(app, [command, str(model), "-", *more], input=wdbc.read_bytes())
    assert outcome.exit_code == 0
    shown = outcome.stdout.replace("wdbc.csv", "-")
    expected = from_file.out.replace("wdbc.csv", "-")
    # A table on the screen is as wide as its name.
    words = [[word for word in text.split() if "─" not in word] for text in (shown, expected)]
    assert words[0] == words[1]
