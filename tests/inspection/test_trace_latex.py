"""A trace as LaTeX."""

import re
import shutil
import subprocess

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.optimizers import OPTIMIZERS
from tests.inspection.traces import large_trace, overflowing_trace, trace_of


def balanced(text):
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    return depth == 0


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_every_term_has_a_line_with_its_tag_and_all_numbers_of_a_small_array(optimizer):
    trace = trace_of(optimizer=optimizer, l1=0.1, l2=0.1, sample_weight=[1, 2])
    lines = trace.to_latex().splitlines()
    assert len(lines) == len(trace.terms)
    for line, term in zip(lines, trace.terms, strict=True):
        assert line.startswith((r"\[ ", r"\begin{gather*} "))
        assert (rf"\tag{{{term.equation}}}" in line) == bool(term.equation)
        value = np.atleast_2d(term.value)
        body = line.rpartition(" = ")[2]
        if term.value.ndim:
            body = re.search(r"\\begin{pmatrix} (.*?) \\end{pmatrix}", line)[1]
        rows = body.split(r"\\")
        assert len(rows) == value.shape[0]
        assert all(row.count("&") == value.shape[1] - 1 for row in rows)
        shown = re.sub(r" \\cdot 10\^\{(-?\d+)\}", r"e\1", body.split(r" \tag")[0])
        shown = re.sub(r"\\cdot", "nan", shown)
        shown = [float(n) for n in re.findall(r"nan|-?\d+(?:\.\d+)?(?:e-?\d+)?", shown)]
        np.testing.assert_array_equal(np.array(shown, value.dtype), value.ravel())


@pytest.mark.parametrize("layers", [(4, 2), (40, 2), (1, 2)])
@pytest.mark.parametrize("activation", ["tanh", "leaky_relu(slope=0.2)", "softmax", "gelu"])
def test_it_is_well_formed(layers, activation):
    latex = trace_of(layers, activation, l1=0.1, l2=0.1, max_grad_norm=0.1).to_latex()
    assert balanced(latex)
    assert latex.count(r"\begin{pmatrix}") == latex.count(r"\end{pmatrix}")
    # Plain LaTeX has no glyphs for σ, ∂ or superscript letters, and takes one superscript a letter.
    assert latex.isascii(), sorted({c for c in latex if not c.isascii()})
    assert not re.search(r"\^\{[^{}]*\}\s*\^", latex)
    assert not re.search(r"\}\s*'\s*\^|'\s*\^", latex)


def test_the_formula_of_an_update_is_written_for_its_block():
    latex = trace_of(optimizer="adam").to_latex()
    assert r"W^{[1]} \leftarrow  W^{[1]} - \alpha  \hat V / (\sqrt{\hat S} + \varepsilon )" in latex
    assert r"\hat V = V/(1 - \beta_1^t)" in latex
    assert r"V \leftarrow  \beta_1V + (1 - \beta_1) \partial J/\partial W^{[1]}" in latex


def test_numbers_that_are_not_finite_can_be_shown():
    assert r"\infty" in overflowing_trace().to_latex()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no LaTeX here")
@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_a_saved_document_compiles(tmp_path, optimizer):
    trace = large_trace(optimizer=cr.engines.optimizers.OPTIMIZERS[optimizer](), l2=0.1)
    trace.save(tmp_path / "step.tex")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "step.tex"],
        cwd=tmp_path, capture_output=True, timeout=200, check=False,
    )  # fmt: skip
    log = done.stdout.decode("latin-1")
    assert done.returncode == 0, log[-2000:]
    assert "Overfull" not in log
