import json

import numpy as np
import polars as pl
import pytest

from chainrule.engines import engine_named


def test_the_check_needs_the_target(chainrule, model, wdbc, tmp_path):
    less = tmp_path / "less.csv"
    pl.read_csv(wdbc).drop("diagnosis").write_csv(less)
    assert "has no column 'diagnosis'" in chainrule("check", model, less).sentence


def test_the_check_skips_rows_without_a_target(chainrule, model, wdbc, tmp_path):
    fewer = tmp_path / "fewer.csv"
    table = pl.read_csv(wdbc)[:20]
    table.with_columns(
        diagnosis=pl.when(pl.int_range(20) < 15).then(None).otherwise(pl.col("diagnosis"))
    ).write_csv(fewer)
    outcome = chainrule("check", model, fewer)
    assert outcome.code == 0
    assert "left out 15 rows without a value of diagnosis" in outcome.err
    assert "5 rows: backpropagation and differences agree." in outcome.out


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
