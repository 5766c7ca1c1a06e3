import numpy as np
import polars as pl
import pytest

import chainrule as cr


def test_a_trace_shows_truth_prediction_inputs_and_every_equation(chainrule, model, wdbc):
    out = chainrule("trace", model, wdbc, "--row", 5).out
    loaded, table = cr.load(model), pl.read_csv(wdbc)
    predicted = loaded.predict(table).row(4, named=True)
    assert f"Row 5 (line 6): diagnosis is M, predicted {predicted['prediction']}" in out
    assert f"(probability {predicted['probability_M']:.4f})" in out
    assert f"{table['mean_area'][4]:.6g}" in out
    for equation in ("F1", "F2", "C2", "FU2", "BP2", "BP3", "BP4", "O3"):
        assert f"\n{equation} " in out


def test_the_trace_is_that_of_the_networks_step_on_the_row(chainrule, model, wdbc):
    out = chainrule("trace", model, wdbc, "--row", 569, "--optimizer", "sgd").out
    loaded = cr.load(model)
    X, y = loaded.examples(wdbc)
    assert str(loaded.network.trace(X[-1:], y[-1:], optimizer="sgd")) in out
    assert "--html FILE shows all numbers" in out.splitlines()[-1]


def test_a_trace_is_written_as_a_page_and_as_latex(chainrule, model, wdbc, tmp_path):
    page, latex = tmp_path / "row.html", tmp_path / "row.tex"
    out = chainrule("trace", model, wdbc, "--row", 1, "--html", page, "--latex", latex).out
    assert f"Page written to {page}" in out
    assert f"LaTeX written to {latex}" in out
    assert "diagnosis is M" in page.read_text(encoding="utf-8")
    assert r"\tag{F1}" in latex.read_text(encoding="utf-8")


def test_the_step_of_a_regression_is_traced(chainrule, regression):
    table, model, _ = regression
    assert (
        "Row 2 (line 3): price is 103.5, predicted "
        in chainrule("trace", model, table, "--row", 2).out
    )


def test_a_trace_is_written_as_a_pdf(chainrule, model, wdbc, tmp_path):
    pdf = tmp_path / "row.pdf"
    assert f"PDF written to {pdf}" in chainrule("trace", model, wdbc, "--row", 1, "--pdf", pdf).out
    assert pdf.read_bytes().startswith(b"%PDF")


def test_a_later_step_on_the_row_is_traced_with_what_the_optimizer_remembers(
    chainrule, model, wdbc
):
    out = chainrule("trace", model, wdbc, "--row", 2, "--steps", 3, "--optimizer", "momentum").out
    loaded = cr.load(model)
    X, y = loaded.examples(wdbc)
    net = loaded.network
    before = net.parameters.copy()
    net.fit(X[1:2], y[1:2], optimizer="momentum", epochs=2)
    traced = net.trace(X[1:2], y[1:2], optimizer="momentum", state=net.optimizer_state)
    assert str(traced) in out
    assert "\n      t = 3  the number of the step\n" in out
    assert "old V of W[3]" in out
    np.testing.assert_array_equal(cr.load(model).network.parameters, before)


def test_no_line_of_the_equations_is_wider_than_a_terminal(chainrule, model, wdbc):
    out = chainrule("trace", model, wdbc, "--row", 1).out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("row", [0, -1, 570])
def test_a_row_that_is_not_there_is_refused(chainrule, model, wdbc, row):
    sentence = chainrule("trace", model, wdbc, "--row", row).sentence
    assert "--row: expected a number from 1 to 569" in sentence


def test_a_trace_needs_the_target_column(chainrule, model, wdbc, tmp_path):
    less = tmp_path / "less.csv"
    pl.read_csv(wdbc).drop("diagnosis").write_csv(less)
    sentence = chainrule("trace", model, less, "--row", 1).sentence
    assert "has no column 'diagnosis', the target, which the trace needs" in sentence


@pytest.mark.parametrize("empty", ["", "NA"])
def test_a_row_without_a_target_is_not_traced_but_counts(chainrule, model, wdbc, tmp_path, empty):
    gaps = tmp_path / "gaps.csv"
    table = pl.read_csv(wdbc)[:5]
    first = pl.int_range(5) == 0
    table.with_columns(
        diagnosis=pl.when(first).then(pl.lit(empty)).otherwise(pl.col("diagnosis"))
    ).write_csv(gaps, quote_style="never")
    sentence = chainrule("trace", model, gaps, "--row", 1).sentence
    assert "row 1 (line 2) has no value of 'diagnosis'" in sentence
    assert "use chainrule explain, which needs no target value" in sentence
    out = chainrule("trace", model, gaps, "--row", 2).out
    assert out.startswith(f"Row 2 (line 3): diagnosis is {table['diagnosis'][1]}")
