import json
import re

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.engines import engine_named


def test_explaining_shows_truth_prediction_inputs_and_every_equation(chainrule, model, wdbc):
    out = chainrule("explain", model, wdbc, "--row", 5).out
    loaded, table = cr.load(model), pl.read_csv(wdbc)
    predicted = loaded.predict(table).row(4, named=True)
    assert f"Row 5: diagnosis is M, predicted {predicted['prediction']}" in out
    assert f"(probability {predicted['probability_M']:.4f})" in out
    assert f"{table['mean_area'][4]:.6g}" in out
    for equation in ("F1", "F2", "C2", "FU2", "BP2", "BP3", "BP4", "O3"):
        assert f"\n{equation} " in out


def test_the_trace_is_that_of_the_networks_step_on_the_row(chainrule, model, wdbc):
    out = chainrule("explain", model, wdbc, "--row", 569, "--optimizer", "sgd").out
    loaded = cr.load(model)
    X, y = loaded.examples(wdbc)
    assert out.endswith(str(loaded.network.trace(X[-1:], y[-1:], optimizer="sgd")) + "\n")


def test_explaining_writes_a_page_and_latex(chainrule, model, wdbc, tmp_path):
    page, latex = tmp_path / "row.html", tmp_path / "row.tex"
    out = chainrule("explain", model, wdbc, "--row", 1, "--html", page, "--latex", latex).out
    assert f"Page written to {page}" in out
    assert f"LaTeX written to {latex}" in out
    assert "diagnosis is M" in page.read_text(encoding="utf-8")
    assert r"\tag{F1}" in latex.read_text(encoding="utf-8")


def test_a_regression_can_be_explained(chainrule, regression):
    table, model, _ = regression
    assert "Row 2: price is 103.5, predicted " in chainrule("explain", model, table, "--row", 2).out


@pytest.mark.parametrize("row", [0, -1, 570])
def test_a_row_that_is_not_there_is_refused(chainrule, model, wdbc, row):
    sentence = chainrule("explain", model, wdbc, "--row", row).sentence
    assert "--row: expected a number from 1 to 569" in sentence


@pytest.mark.parametrize("command", [("explain", "--row", 1), ("check",)])
def test_errors_and_gradients_need_the_target(chainrule, model, wdbc, tmp_path, command):
    less = tmp_path / "less.csv"
    pl.read_csv(wdbc).drop("diagnosis").write_csv(less)
    sentence = chainrule(command[0], model, less, *command[1:]).sentence
    assert "has no column 'diagnosis', the target, which errors and gradients depend on" in sentence


def test_right_gradients_pass_the_check(chainrule, model, wdbc):
    outcome = chainrule("check", model, wdbc, "--rows", 5)
    assert outcome.code == 0
    assert "W[3]" in outcome.out
    assert "5 rows: backpropagation and differences agree." in outcome.out


def test_wrong_gradients_end_with_exit_code_1(chainrule, model, wdbc, monkeypatch):
    kind = type(engine_named("auto"))
    right = kind.loss_and_gradient

    def wrong(self, problem, gradient):
        loss = right(self, problem, gradient)
        gradient[-1] += np.float64(1e-3)
        return loss

    monkeypatch.setattr(kind, "loss_and_gradient", wrong)
    outcome = chainrule("check", model, wdbc, "--rows", 5)
    assert outcome.code == 1
    assert "DISAGREE" in outcome.out
    assert "WRONG" in outcome.out


def test_what_moved_the_prediction_adds_up_to_it(chainrule, model, wdbc):
    out = chainrule("explain", model, wdbc, "--row", 5).out
    loaded, row = cr.load(model), pl.read_csv(wdbc)[4:5]
    predicted = loaded.predict(row).row(0, named=True)
    lines = out[out.index("What moved the probability of") :].split("\n\n")[0].splitlines()
    assert f"probability of {predicted['prediction']}" in lines[0]
    before, after = map(float, re.findall(r"(?:from|to) ([\d.e-]+)", lines[0]))
    assert after == pytest.approx(predicted["probability_M"], abs=1e-5)
    # 15 columns, and the others in one line; each is shown with five digits.
    assert len(lines) == 18
    moved = sum(float(line.split()[-1]) for line in lines[2:])
    assert moved == pytest.approx(after - before, abs=1e-4)


def test_importance_ranks_what_the_model_needs(chainrule, tmp_path):
    table = tmp_path / "table.csv"
    random = np.random.default_rng(0)
    x, noise = random.normal(size=(2, 400))
    pl.DataFrame({"noise": noise, "x": x, "y": 3 * x}).write_csv(table)
    arguments = ("train", table, "--target", "y", "--no-report", "--out", tmp_path / "run")
    assert chainrule(*arguments).code == 0
    model = tmp_path / "run" / "model.safetensors"
    out = chainrule("importance", model, table, "--metric", "mae").out
    assert "Increase in mae when a column is shuffled (400 rows, 5 times each)" in out
    assert out.index("x ") < out.index("noise ")
    found = json.loads(chainrule("importance", model, table, "--json", "--repeats", 2).out)
    assert found["metric"] == "rmse"
    assert [column["column"] for column in found["columns"]] == ["x", "noise"]
    # Two draws of 3x, which deviates by 3: √2 times that; noise costs almost nothing.
    assert found["columns"][0]["mean"] > 3 > 1 > abs(found["columns"][1]["mean"])


def test_an_unknown_metric_of_importance_is_refused(chainrule, model, wdbc):
    sentence = chainrule("importance", model, wdbc, "--metric", "rmse").sentence
    assert "metric: expected one of accuracy, log_loss for classification" in sentence


@pytest.mark.parametrize("ending", [".py", ".c", ".onnx", ".safetensors", ".npz"])
def test_a_model_is_exported_as_the_name_says(chainrule, model, tmp_path, ending):
    out = tmp_path / f"exported{ending}"
    outcome = chainrule("export", model, out)
    assert outcome.code == 0
    assert f"Written: {out}" in outcome.out.splitlines()
    assert out.stat().st_size > 1000


def test_an_export_to_what_is_not_known_is_refused(chainrule, model, tmp_path):
    assert "expected one of onnx, c" in chainrule("export", model, tmp_path / "model.exe").sentence
    assert chainrule("export", model, tmp_path / "model.c", "--to", "rust").sentence
