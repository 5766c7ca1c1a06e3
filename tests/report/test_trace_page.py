from html.parser import HTMLParser

import chainrule as cr
from chainrule.report.trace_page import write_trace

NET = cr.Network([2, cr.Dense(3, "relu"), cr.Dense(2, "softmax")], cost="cross_entropy", seed=0)
TRACE = NET.trace([[1.0, -2.0]], [1])


class Balance(HTMLParser):
    """Collects the tags that are open, and all text."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_is_whole_and_shows_every_equation(tmp_path):
    write_trace(TRACE, tmp_path / "trace.html", ".html", "Row 1 of <a>", "y is M & more")
    page = (tmp_path / "trace.html").read_text(encoding="utf-8")
    parser = Balance()
    parser.feed(page)
    assert not parser.open
    assert "Row 1 of <a>" in parser.text
    assert "y is M & more" in parser.text
    for equation in ("F1", "F2", "BP2", "BP3", "BP4", "FU1", "O3"):
        assert equation in parser.text


def test_the_page_asks_no_other_host_for_anything(tmp_path):
    write_trace(TRACE, tmp_path / "trace.html", ".html", "t", "l")
    page = (tmp_path / "trace.html").read_text(encoding="utf-8")
    assert "http" not in page
    assert "src=" not in page


def test_latex_and_pdf_are_written_whatever_the_file_s_name(tmp_path):
    title, lead = "Row 1 of a_b & {c}", "100 % of $5 # ~ ^ \\\\"
    write_trace(TRACE, tmp_path / "trace.latex", ".tex", title, lead)
    written = (tmp_path / "trace.latex").read_text(encoding="utf-8")
    assert r"\begin{pmatrix}" in written
    assert r"Row 1 of a\_b \& \{c\}" in written
    assert r"100 \% of \$5 \# \textasciitilde{} \textasciicircum{} \textbackslash{}" in written
    write_trace(TRACE, tmp_path / "trace", ".pdf", title, lead)
    assert (tmp_path / "trace").read_bytes().startswith(b"%PDF")
