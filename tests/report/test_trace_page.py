from html.parser import HTMLParser

import chainrule as cr
from chainrule.report.trace_page import write_trace_latex, write_trace_page

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
    write_trace_page(TRACE, tmp_path / "trace.html", "Row 1 of <a>", "y is M & more")
    page = (tmp_path / "trace.html").read_text(encoding="utf-8")
    parser = Balance()
    parser.feed(page)
    assert not parser.open
    assert "Row 1 of <a>" in parser.text
    assert "y is M & more" in parser.text
    for equation in ("F1", "F2", "BP2", "BP3", "BP4", "FU1", "O3"):
        assert equation in parser.text


def test_the_page_asks_no_other_host_for_anything(tmp_path):
    write_trace_page(TRACE, tmp_path / "trace.html", "t", "l")
    page = (tmp_path / "trace.html").read_text(encoding="utf-8")
    assert "http" not in page
    assert "src=" not in page


def test_the_latex_is_written(tmp_path):
    write_trace_latex(TRACE, tmp_path / "trace.tex")
    assert r"\begin{pmatrix}" in (tmp_path / "trace.tex").read_text(encoding="utf-8")
