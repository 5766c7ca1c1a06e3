"""A trace as HTML: in a notebook, and as a page."""

import re
from html.parser import HTMLParser

import numpy as np

from tests.inspection.shown_numbers import from_html
from tests.inspection.traces import large_trace, overflowing_trace, trace_of


class Page(HTMLParser):
    """All text, and whether every tag was closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], set(), ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_every_term_is_there_with_its_id_shape_and_formula():
    trace = trace_of(l1=0.1, l2=0.1)
    page = Page(trace.to_html())
    assert page.open == []
    for term in trace.terms:
        assert term.formula in page.text
        assert f"{term.equation}{term.name}" in page.text


def test_long_arrays_are_folded_with_all_numbers_inside():
    trace = large_trace()
    html = trace.to_html()
    assert "<details><summary>all 40 × 50 numbers</summary>" in html
    shown = from_html(html)
    for term in trace.terms:
        read = np.asarray(shown[term.name], term.value.dtype)
        np.testing.assert_array_equal(read, term.value)


def test_arrays_with_too_many_numbers_for_a_page_say_where_all_of_them_are(monkeypatch):
    monkeypatch.setattr("chainrule.inspection.trace_html._MOST_NUMBERS", 1_000)
    html = trace_of((400, 2), examples=(np.zeros((2, 3)), [0, 1])).to_html()
    assert "are not shown; trace[&quot;W[1]&quot;] has all" in html  # 1,200
    whole = re.findall(r"<summary>all ([\d,]+) × ([\d,]+) numbers</summary>", html)
    assert whole
    assert all(int(rows) * int(columns) <= 1_000 for rows, columns in whole)


def test_a_notebook_shows_it_and_neither_breaks_nor_centres_the_lines_of_numbers():
    html = trace_of()._repr_html_()
    assert html == trace_of().to_html()
    blocks = re.findall(r"<pre [^>]*style=\"([^\"]*)\">", html)
    assert blocks
    for style in blocks:
        assert "white-space:pre;" in style
        assert "overflow-x:auto" in style
        assert "text-align:left" in style
        assert "monospace" in style


def test_a_saved_page_is_whole_and_asks_for_nothing_and_runs_nothing(tmp_path):
    trace_of().save(tmp_path / "step.html")
    text = (tmp_path / "step.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert not {"script", "link", "img", "iframe"} & page.tags
    assert "http" not in text
    assert "color-scheme: light dark" in text


def test_numbers_that_are_not_finite_can_be_shown():
    assert Page(overflowing_trace().to_html()).open == []
