"""A trace as a PDF, and as the files of `save`."""

import re
from itertools import pairwise

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import chainrule as cr
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.inspection.trace_pdf import trace_pages
from tests.inspection.traces import large_trace, trace_of


def pages(path):
    return len(re.findall(rb"/Type /Page\b(?!s)", path.read_bytes()))


@pytest.mark.parametrize("optimizer", ["sgd", "nadam", "schedule_free_adamw"])
def test_a_pdf_has_pages_of_a4(tmp_path, optimizer):
    trace = trace_of(optimizer=OPTIMIZERS[optimizer](), l1=0.1, max_grad_norm=0.1)
    trace.save(tmp_path / "one.pdf")
    content = (tmp_path / "one.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/MediaBox [ 0 0 595 842 ]" in content
    assert pages(tmp_path / "one.pdf") >= 3


def test_a_pdf_is_the_same_each_time(tmp_path):
    trace = trace_of()
    one, two = tmp_path / "one.pdf", tmp_path / "two.pdf"
    for path in (one, two):
        trace.save(path)
    assert one.read_bytes() == two.read_bytes()


def test_every_text_lies_within_the_margins_and_none_lies_on_another():
    trace = large_trace(m=20, l1=0.1, l2=0.1, optimizer="adam", max_grad_norm=0.1)
    seen = 0
    for figure in trace_pages([trace.title, trace.losses], trace.terms):
        FigureCanvasAgg(figure).draw()
        width, height = figure.bbox.width, figure.bbox.height
        boxes = sorted((text.get_window_extent() for text in figure.texts), key=lambda box: -box.y0)
        for box in boxes:
            assert 0.05 * width < box.x0 < box.x1 < 0.93 * width
            assert 0.01 * height < box.y0 < box.y1 < 0.96 * height
        for upper, lower in pairwise(boxes):
            beside = upper.x1 <= lower.x0 or lower.x1 <= upper.x0
            # Letters of a line reach below it by a fifth of a point of their box at most.
            assert beside or lower.y1 - upper.y0 < 3.5 * figure.dpi / 72
        seen += len(boxes)
    assert seen > 200


def test_the_suffix_of_a_file_decides_its_form(tmp_path):
    trace = trace_of()
    trace.save(tmp_path / "step.txt")
    assert (tmp_path / "step.txt").read_text(encoding="utf-8") == f"{trace}\n"
    trace.save(tmp_path / "step.TEX")
    assert r"\documentclass" in (tmp_path / "step.TEX").read_text(encoding="utf-8")
    with pytest.raises(cr.InvalidArgumentError, match=r"^path: expected a name ending in .pdf"):
        trace.save(tmp_path / "step.png")
    with pytest.raises(cr.InvalidArgumentError, match=r"^path: expected the path of a file"):
        trace.save(3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step.TEX", "step.txt"]
