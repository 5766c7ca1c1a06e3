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
    for equation in ("F1", "F2", "C3", "FU1", "BP2", "BP3", "BP4", "O3"):
        assert f"\n{equation} " in out


def test_the_trace_is_that_of_the_networks_step_on_the_row(chainrule, model, wdbc):
    out = chainrule("explain", model, wdbc, "--row", 569, "--optimizer", "sgd").out
    loaded = cr.load(model)
    X, y = loaded.examples(wdbc)
    assert out.endswith(str(loaded.network.trace(X[-1:], y[-1:], optimizer="sgd")) + "\n")


def test_explaining_writes_a_page_and_latex(chainrule, model, wdbc, tmp_path):
    page, latex = tmp_path / "row.html", tmp_path / "row.tex"
    out = chainrule("explain", model, wdbc, "--row", 1, "--html", page, "--latex", latex).out
    assert f"The page is in {page}" in out
    assert f"The LaTeX is in {latex}" in out
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
    assert (
        "has no column 'diagnosis', the target, which errors and gradients start from" in sentence
    )


def test_right_gradients_pass_the_check(chainrule, model, wdbc):
    outcome = chainrule("check", model, wdbc, "--rows", 5)
    assert outcome.code == 0
    assert "W[3]" in outcome.out
    assert "5 rows: backpropagation and differences agree." in outcome.out


def test_wrong_gradients_end_with_exit_code_1(chainrule, model, wdbc, monkeypatch):
    kind = type(engine_named("auto"))
    right = kind.loss_and_gradient

    def wrong(self, spec, parameters, examples, objective, gradient):
        loss = right(self, spec, parameters, examples, objective, gradient)
        gradient[-1] += np.float64(1e-3)
        return loss

    monkeypatch.setattr(kind, "loss_and_gradient", wrong)
    outcome = chainrule("check", model, wdbc, "--rows", 5)
    assert outcome.code == 1
    assert "DISAGREE" in outcome.out
    assert "WRONG" in outcome.out
