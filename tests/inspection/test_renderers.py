"""A trace as text, HTML and LaTeX."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.optimizers import OPTIMIZERS

X = np.array([[0.5, -1.25, 2.0], [1.5, 0.0, -0.75]])
Y = [0, 1]


def trace_of(layers=(4, 2), activation="tanh", examples=(X, Y), **arguments):
    *hidden, outputs = layers
    net = cr.Network(
        [3, *(cr.Dense(n, activation) for n in hidden), cr.Dense(outputs, "softmax")],
        cost="cross_entropy", seed=0,
    )  # fmt: skip
    return net.trace(*examples, **arguments)


def shape_text(value):
    return " × ".join(map(str, value.shape)) or "scalar"


class Page(HTMLParser):
    """The cells of each row, and whether every tag was closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data


def test_text_shows_id_name_shape_and_formula_of_every_term():
    trace = trace_of()
    text = str(trace)
    start = 0
    for term in trace.terms:
        headline = re.search(
            rf"^{re.escape(term.equation)} +{re.escape(term.name)} +"
            rf"\({shape_text(term.value)}\)  {re.escape(term.formula)}$",
            text[start:],
            re.MULTILINE,
        )
        assert headline, term.name
        start += headline.end()


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?", text)]


def test_text_shows_every_number_of_small_arrays_row_by_row():
    trace = trace_of()
    blocks = re.split(r"\n\n", str(trace))[1:]
    assert len(blocks) == len(trace.terms)
    for block, term in zip(blocks, trace.terms, strict=True):
        body = "\n".join(block.splitlines()[1:])
        # A column of numbers may be shown as its transpose; the order is the same.
        shown = numbers(body)
        np.testing.assert_allclose(shown, term.value.ravel(), rtol=5e-4)


def test_text_begins_with_the_loss():
    trace = trace_of()
    assert float(re.search(r"Loss (\S+)\.\n", str(trace))[1]) == pytest.approx(trace.loss, rel=1e-5)


def test_large_arrays_are_shown_by_their_corners():
    m = 50
    inputs = np.random.default_rng(0).standard_normal((m, 3))
    trace = trace_of((40, 2), examples=(inputs, [0] * m))
    lines = str(trace).splitlines()
    assert max(map(len, lines)) < 200
    assert len(lines) < 15 * len(trace.terms)
    start = next(i for i, line in enumerate(lines) if re.match(r"F1 +Z\[1\]", line))
    corners = np.r_[:3, -3:0]
    body = "\n".join(lines[start + 1 : start + 8])
    Z = trace.Z[0][np.ix_(corners, corners)]
    np.testing.assert_allclose(numbers(body), Z.ravel(), rtol=5e-4)
    assert "…" in body


def test_html_is_one_table_with_a_row_for_every_term():
    trace = trace_of()
    page = Page(trace.to_html())
    assert page.open == []
    header, *rows = page.rows
    assert header == ["id", "name", "shape", "equation", "numbers"]
    assert len(rows) == len(trace.terms)
    for row, term in zip(rows, trace.terms, strict=True):
        assert row[:4] == [term.equation, term.name, shape_text(term.value), term.formula]
        np.testing.assert_allclose(numbers(row[4]), term.value.ravel(), rtol=5e-4)


def test_a_notebook_shows_the_html():
    trace = trace_of()
    assert trace._repr_html_() == trace.to_html()


def balanced(text):
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    return depth == 0


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_latex_has_a_tagged_line_with_the_shape_and_numbers_of_every_term(optimizer):
    trace = trace_of(optimizer=optimizer, l1=0.1, l2=0.1, sample_weight=[1, 2])
    lines = trace.to_latex().splitlines()
    assert len(lines) == len(trace.terms)
    for line, term in zip(lines, trace.terms, strict=True):
        assert line.startswith(r"\[ ")
        assert line.endswith(r" \]")
        assert (rf"\tag{{{term.equation}}}" in line) == bool(term.equation)
        value = np.atleast_2d(term.value)
        body = line.rpartition(" = ")[2]
        rows = body.replace(r"\begin{pmatrix}", "").split(r"\end{pmatrix}")[0].split(r"\\")
        assert len(rows) == value.shape[0]
        assert all(row.count("&") == value.shape[1] - 1 for row in rows)
        shown = re.sub(r" \\cdot 10\^\{(-?\d+)\}", r"e\1", body.split(r" \tag")[0])
        shown = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", shown)]
        np.testing.assert_allclose(shown, value.ravel(), rtol=5e-4)


@pytest.mark.parametrize("layers", [(4, 2), (40, 2), (1, 2)])
@pytest.mark.parametrize("activation", ["tanh", "leaky_relu(slope=0.2)", "softmax", "gelu"])
def test_latex_is_well_formed(layers, activation):
    latex = trace_of(layers, activation, l1=0.1, l2=0.1).to_latex()
    assert balanced(latex)
    assert latex.count(r"\begin{pmatrix}") == latex.count(r"\end{pmatrix}")
    # Plain LaTeX has no glyphs for σ, ∂ or superscript letters, and takes one superscript a letter.
    assert latex.isascii(), sorted({c for c in latex if not c.isascii()})
    assert not re.search(r"\^\{[^{}]*\}\s*\^", latex)
    assert not re.search(r"\}\s*'\s*\^|'\s*\^", latex)


def test_numbers_that_are_not_finite_can_be_shown():
    net = cr.Network([1, cr.Dense(1, "identity")], cost="mse", seed=0)
    net.weights[0][...] = 1e30
    with np.errstate(all="ignore"):
        trace = net.trace([[1e10]], [0.0])
    assert "inf" in str(trace)
    assert Page(trace.to_html()).open == []
    assert "inf" in trace.to_latex()


def test_a_column_of_numbers_is_no_wider_than_its_own_numbers():
    net = cr.Network([3, cr.Dense(1, "identity")], cost="mse", seed=0)
    trace = net.trace(np.array([[123456.0, 1.0, -2.0]]), np.array([[0.0]]))
    inputs = str(trace).split("X, the inputs\n")[1].splitlines()[0]
    assert inputs.split(" ᵀ")[0].strip() == "1.235e+05  1  -2"
