import json
import re

import polars as pl
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app


@pytest.fixture(scope="module")
def narrow(chainrule, wdbc, tmp_path_factory):
    """A model and a table of a few columns: what it takes to explain a row grows with them."""
    folder = tmp_path_factory.mktemp("narrow")
    table = folder / "wdbc.csv"
    names = ["mean_radius", "mean_texture", "mean_area", "mean_concavity", "diagnosis"]
    pl.read_csv(wdbc)[names].write_csv(table)
    outcome = chainrule(
        *("train", table, "--target", "diagnosis", "--layers", "8", "--epochs", "5"),
        *("--no-report", "--out", folder / "run"),
    )
    assert outcome.code == 0
    return folder / "run" / "model.safetensors", table


def test_a_row_is_explained_by_line_prediction_truth_and_effects(chainrule, model, wdbc):
    out = chainrule("explain", model, wdbc, "--row", 5).out
    table = pl.read_csv(wdbc)
    found = cr.load(model).explain(wdbc, 5).rows[0]
    lines = out.splitlines()
    assert lines[0] == "Row 5 (line 6) of wdbc.csv"
    assert lines[1].startswith(f"Predicted diagnosis: {found.prediction} (")
    assert lines[1].endswith(f"its true value is {table['diagnosis'][4]}")
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80
    first = next(line for line in lines if line.startswith(found.effects[0].column))
    assert f"{table[found.effects[0].column][4]:.6g}" in first
    shown = float(first.split()[2])
    assert shown == pytest.approx(100 * found.effects[0].effect, rel=5e-3)  # three digits
    assert any(line.startswith("sum ") for line in lines)


@pytest.mark.parametrize("change", ["absent", "empty", "nonsense"])
def test_a_row_without_a_target_is_explained(chainrule, narrow, tmp_path, change):
    model, wdbc = narrow
    table = pl.read_csv(wdbc)
    value = {"empty": None, "nonsense": "?!"}.get(change)
    changed = table.drop("diagnosis") if change == "absent" else table
    if change != "absent":
        changed = table.with_columns(diagnosis=pl.lit(value, pl.String))
    path = tmp_path / "wdbc.csv"
    changed.write_csv(path)
    given = chainrule("explain", model, wdbc, "--row", 7).out
    out = chainrule("explain", model, path, "--row", 7).out
    if change != "nonsense":
        assert "true value" not in out
    assert out.splitlines()[2:] == given.splitlines()[2:]


def test_the_value_of_a_regression_is_explained_in_its_units(chainrule, regression):
    table, model, _ = regression
    out = chainrule("explain", model, table, "--row", 2).out
    assert "Predicted price: " in out
    assert "its true value is 103.5" in out
    assert "%" not in out


def test_another_class_has_the_opposite_effects(chainrule, narrow):
    model, wdbc = narrow
    found = [
        json.loads(chainrule("explain", model, wdbc, "--row", 3, "--class", name, *JSON).out)
        for name in ("B", "M")
    ]
    sums = [row["value"] - row["baseline"] for one in found for row in one["rows"]]
    assert sums[0] == pytest.approx(-sums[1])
    assert [one["rows"][0]["class"] for one in found] == ["B", "M"]


JSON = ("--format", "json")


@pytest.mark.parametrize("rows", [("--row", "3,7"), ("--row", 3, "--row", 7), ("--row", " 3, 7,3")])
def test_several_rows_are_explained_in_the_order_given(chainrule, narrow, rows):
    model, wdbc = narrow
    found = json.loads(chainrule("explain", model, wdbc, *rows, *JSON).out)
    assert [(row["row"], row["line"]) for row in found["rows"]] == [(3, 4), (7, 8)]
    for row in found["rows"]:
        total = sum(effect["effect"] for effect in row["effects"])
        assert total + row["unexplained"] == pytest.approx(row["value"] - row["baseline"])
        assert abs(row["unexplained"]) < 1e-6


def test_the_background_may_be_a_table_of_the_users_own(chainrule, narrow, tmp_path):
    model, wdbc = narrow
    few = tmp_path / "few.csv"
    pl.read_csv(wdbc)[:30].write_csv(few)
    arguments = ("explain", model, wdbc, "--row", 3, "--background", few)
    assert "on average over 30 rows" in " ".join(chainrule(*arguments).out.split())
    found = json.loads(chainrule(*arguments, "--class", "M", *JSON).out)
    expected = cr.load(model).predict(few)["probability_M"].mean()
    assert found["rows"][0]["baseline"] == pytest.approx(expected, rel=1e-4)


def test_exact_shapley_values_are_a_method_for_few_columns(chainrule, model, regression, wdbc):
    table, small, _ = regression
    exact = json.loads(
        chainrule("explain", small, table, "--row", 2, "--method", "shapley", *JSON).out
    )
    assert exact["method"] == "shapley"
    assert abs(exact["rows"][0]["unexplained"]) < 1e-9
    refused = chainrule("explain", model, wdbc, "--row", 2, "--method", "shapley").sentence
    assert "this model has 30" in refused


@pytest.mark.parametrize(
    ("name", "option"), [("why.html", ()), ("why", ("--format", "html")), ("why.HTM", ())]
)
def test_a_page_needs_nothing_else_and_follows_dark_mode(chainrule, narrow, tmp_path, name, option):
    model, wdbc = narrow
    page = tmp_path / name
    arguments = ("explain", model, wdbc, "--row", 3, *option)
    assert chainrule(*arguments, "-o", page).out == f"Explanation written to {page}\n"
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"<script|<link|src=|https?://", text)
    assert "default-src 'none'" in text.replace("&#x27;", "'")
    printed = chainrule(*arguments[:5], "--format", "html").out
    assert printed == text


def test_json_and_text_are_written_to_files(chainrule, narrow, tmp_path):
    model, wdbc = narrow
    arguments = ("explain", model, wdbc, "--row", 3)
    data, text = tmp_path / "why.json", tmp_path / "why.txt"
    chainrule(*arguments, "-o", data)
    chainrule(*arguments, "-o", text)
    assert json.loads(data.read_text()) == json.loads(chainrule(*arguments, *JSON).out)
    assert text.read_text(encoding="utf-8") == chainrule(*arguments).out


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (0, "--row: expected a number from 1 to 569, the last row of"),
        (570, "--row: expected a number from 1 to 569, the last row of"),
        (-1, "--row: expected row numbers from 1, such as 3 or 3,7; got '-1'"),
        ("1.5", "got '1.5'"),
        ("three", "got 'three'"),
        ("3,", "got ''"),
        ("٣", "--row: expected row numbers"),
        ("9" * 30, "--row: expected a number from 1 to 569"),
    ],
)
def test_a_row_that_is_not_there_is_refused(chainrule, model, wdbc, row, sentence):
    assert sentence in chainrule("explain", model, wdbc, f"--row={row}").sentence


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--class", "C"), "expected one of B, M; got 'C'"),
        (("--method", "lime"), "method: expected one of expected_gradients, shapley"),
        (("--format", "pdf"), "--format: expected one of text, html, json; got 'pdf'"),
        (("--background", "none.csv"), "none.csv"),
    ],
)
def test_a_wrong_option_is_named(chainrule, model, wdbc, options, sentence):
    assert sentence in chainrule("explain", model, wdbc, "--row", 1, *options).sentence


@pytest.mark.parametrize(
    "option",
    [
        ("--html", "row.html"),
        ("--latex", "row.tex"),
        ("--optimizer", "sgd"),
        ("--learning-rate", "0.1"),
    ],
)
def test_options_that_moved_to_trace_say_so(chainrule, model, wdbc, option):
    sentence = chainrule("explain", model, wdbc, "--row", 1, *option).sentence
    assert f"{option[0]}" in sentence
    assert "chainrule trace" in sentence
    assert option[0] not in chainrule("explain", "--help").out


@pytest.mark.parametrize("other", ["model", "wdbc", "background"])
def test_the_output_is_none_of_the_inputs(chainrule, model, wdbc, tmp_path, other):
    background = tmp_path / "b.csv"
    background.write_bytes(wdbc.read_bytes())
    out = {"model": model, "wdbc": wdbc, "background": background}[other]
    arguments = ("explain", model, wdbc, "--row", 1, "--background", background, "-o", out)
    before = out.read_bytes()
    assert f"{out} would be overwritten" in chainrule(*arguments).sentence
    assert out.read_bytes() == before


def test_a_model_of_arrays_is_refused(chainrule, wdbc, tmp_path):
    path = tmp_path / "net.safetensors"
    cr.Network([30, cr.Dense(1, "identity")], cost="mse", seed=0).save(path)
    sentence = chainrule("explain", path, wdbc, "--row", 1).sentence
    assert "without the encoder of a table" in sentence


def test_json_on_a_narrow_stream_is_read_back_unchanged(narrow):
    model, wdbc = narrow
    result = CliRunner(charset="ascii").invoke(
        app, ["explain", str(model), str(wdbc), "--row", "1", "--format", "json"]
    )
    assert json.loads(result.stdout)["target"] == "diagnosis"
