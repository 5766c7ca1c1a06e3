"""What `predict` writes beside its predictions, and for which programs."""

import csv
import io
import subprocess
import sys

import polars as pl
import pytest

import chainrule as cr


def test_all_columns_of_the_table_stand_in_front_as_they_are_in_it(chainrule, regression, tmp_path):
    model, table = regression[1], tmp_path / "t.csv"
    table.write_text('id,size,note,rooms\n007,1.50,"a\nb",2\n008,NA,,3\n')
    lines = list(csv.reader(io.StringIO(chainrule("predict", model, table).out, newline="")))
    assert lines[0] == ["id", "size", "note", "rooms", "prediction"]
    assert [line[:4] for line in lines[1:]] == [
        ["007", "1.50", "a\nb", "2"],
        ["008", "NA", "", "3"],
    ]
    expected = cr.load(model).predict(table)["prediction"].to_list()
    assert [float(line[4]) for line in lines[1:]] == expected


def test_a_typed_file_has_the_values_that_the_model_reads(chainrule, regression, tmp_path):
    table, out = tmp_path / "t.csv", tmp_path / "p.parquet"
    table.write_text("id,size,rooms\n007,1.50,2\n008,NA,3\n")
    assert chainrule("predict", regression[1], table, "-o", out).code == 0
    written = pl.read_parquet(out)
    assert written.drop("prediction").to_dict(as_series=False) == {
        "id": ["007", "008"],
        "size": [1.5, None],
        "rooms": [2, 3],
    }


@pytest.mark.parametrize(
    ("keep", "names"),
    [
        ([], ["a,b", "size", "rooms"]),
        (["all"], ["a,b", "size", "rooms"]),
        (["none"], []),
        (["rooms,size"], ["rooms", "size"]),
        (["rooms", "--keep", "a,b"], ["rooms", "a,b"]),
        (["rooms , rooms"], ["rooms"]),
    ],
)
def test_the_columns_that_are_named_are_kept(chainrule, regression, tmp_path, keep, names):
    table = tmp_path / "t.csv"
    table.write_text('"a,b",size,rooms\n1,2,3\n4,5,6\n')
    more = ["--keep", *keep] if keep else []
    out = chainrule("predict", regression[1], table, *more).out
    assert next(csv.reader(io.StringIO(out))) == [*names, "prediction"]


def test_a_column_to_keep_that_is_not_there_is_named(chainrule, model, wdbc):
    sentence = chainrule("predict", model, wdbc, "--keep", "mean_area,patient").sentence
    assert "no column 'patient' for --keep" in sentence


def test_predictions_of_an_earlier_model_are_kept_under_another_name(
    chainrule, regression, tmp_path
):
    table = tmp_path / "t.csv"
    table.write_text("size,prediction,prediction_in_table,rooms\n1,2,3,4\n5,6,7,8\n")
    outcome = chainrule("predict", regression[1], table)
    assert outcome.out.splitlines()[0] == (
        "size,prediction_in_table_in_table,prediction_in_table,rooms,prediction"
    )
    assert "column 'prediction' has the name of a column of the predictions" in outcome.err
    assert pl.read_csv(outcome.out.encode())["prediction_in_table_in_table"].to_list() == [2, 6]


def test_lists_objects_and_durations_of_a_table_are_text_in_csv(chainrule, regression, tmp_path):
    table, out = tmp_path / "t.parquet", tmp_path / "p.parquet"
    frame = pl.DataFrame(
        {
            "size": [1, 2],
            "rooms": [3, 4],
            "tags": [["a", "é"], None],
            "place": [{"x": 1.5}, {"x": None}],
            "taken": pl.Series([90_000, 3_600_000]).cast(pl.Duration("ms")),
        }
    )
    frame.write_parquet(table)
    read = pl.read_csv(chainrule("predict", regression[1], table).out.encode())
    assert read["tags"].to_list() == ['["a", "é"]', None]
    assert read["place"].to_list() == ['{"x": 1.5}', '{"x": null}']
    assert read["taken"].to_list() == ["PT1M30S", "PT1H"]
    assert chainrule("predict", regression[1], table, "-o", out).code == 0
    assert pl.read_parquet(out).drop("prediction").equals(frame)
    frame.with_columns(raw=pl.lit(b"\xff")).write_parquet(table)
    sentence = chainrule("predict", regression[1], table).sentence
    assert "column 'raw' holds values of type Binary" in sentence
    assert "--keep" in sentence


def test_a_column_of_json_lines_that_changes_its_type_is_named(
    chainrule, regression, tmp_path, monkeypatch
):
    from chainrule.tables import batches

    monkeypatch.setattr(batches, "_PIECE", 1 << 16)
    table = tmp_path / "t.jsonl"
    rows = ['{"size":1,"rooms":2,"other":3}'] * 4000
    table.write_text("\n".join([*rows, *['{"size":1,"rooms":2}'] * 4000]))
    assert chainrule("predict", regression[1], table, "-q").out.count("\n") == 8001
    table.write_text("\n".join([*rows, *['{"size":1,"rooms":2,"other":"x"}'] * 4000]))
    out = tmp_path / "p.csv"
    sentence = chainrule("predict", regression[1], table, "-o", out).sentence
    assert "column 'other' holds values of type Int64 first and of type String" in sentence
    assert not out.exists()


EVIL = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", "-"]
PLAIN = ["-5", "+1.5e-3", "-1,234.5", "-3 %", "a=b", "x-1", "'=1"]


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
def test_formulas_are_made_harmless_where_that_is_asked_for(
    chainrule, regression, tmp_path, ending
):
    table, out = tmp_path / "t.parquet", tmp_path / f"p{ending}"
    rows = [*EVIL, *PLAIN]
    frame = pl.DataFrame(
        {"=name": rows, "size": [-n for n in range(len(rows))], "rooms": [1] * len(rows)}
    )
    frame.with_columns(kind=pl.Series(rows, dtype=pl.Categorical)).write_parquet(table)
    for option in ([], ["--neutralise-formulas"]):
        assert chainrule("predict", regression[1], table, "-o", out, *option).code == 0
        with out.open(newline="", encoding="utf-8") as file:
            names, *found = csv.reader(file, delimiter="\t" if ending == ".tsv" else ",")
        mark = "'" if option else ""
        assert names == [f"{mark}=name", "size", "rooms", "kind", "prediction"]
        expected = [*(mark + text for text in EVIL), *PLAIN]
        assert [row[0] for row in found] == expected
        assert [row[3] for row in found] == expected
        assert [row[1] for row in found] == [str(-n) for n in range(len(rows))]


def test_formulas_are_made_harmless_on_standard_output_too(chainrule, regression, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("note,size,rooms\n=1+1,-1,2\n")
    printed = chainrule("predict", regression[1], table, "--neutralise-formulas", "-o", "-").out
    assert printed.splitlines()[1].startswith("'=1+1,-1,2,")
    refused = chainrule(
        *("predict", regression[1], table, "--neutralise-formulas", "-o", tmp_path / "p.parquet")
    )
    assert "--neutralise-formulas: only CSV and TSV" in refused.sentence


@pytest.mark.parametrize(
    "command", ["predict", "evaluate", "explain", "importance", "check", "info", "export"]
)
def test_every_command_takes_a_run_s_folder_for_its_model(
    chainrule, light, wdbc, tmp_path, command
):
    more = {
        "explain": [wdbc, "--row", "2"],
        "info": [],
        "export": [tmp_path / "m.py"],
    }.get(command, [wdbc])
    found = chainrule(command, light, *more)
    assert found.code == 0, found.err
    assert found.out == chainrule(command, light / "model.safetensors", *more).out
    wrong = chainrule(command, tmp_path, *more)
    assert f"{tmp_path}: is a folder without model.safetensors" in wrong.sentence


def test_a_pipe_that_is_closed_ends_the_command_without_a_word(model, wdbc):
    command = [sys.executable, "-m", "chainrule", "predict", str(model), str(wdbc)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode != 0
