"""A trace as a PDF: pages of A4, formulas typeset, numbers in a fixed width."""

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from chainrule.inspection.number_blocks import number_text
from chainrule.inspection.terms import Term
from chainrule.inspection.trace_text import array_lines, phases
from chainrule.pictures.canvas import BLUE, FAINT, INK, blank, quiet_fonts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# In points; a page of A4 and its margins.
_PAGE_WIDTH, _PAGE_HEIGHT, _MARGIN = 595.0, 842.0, 54.0
_SIZES = {"title": 15.0, "head": 10.5, "phase": 12.5, "name": 10.5, "formula": 12.0, "mono": 8.0}
_SIZES["about"] = 8.5
_LETTERS, _ROWS = 90, 10


class _Line(NamedTuple):
    """A line of the pages: texts with their left edges, and its height."""

    parts: tuple[tuple[float, str, str, str], ...]
    """Left edge in points, text, kind (a size's name), colour."""
    height: float
    begins: int = 0
    """Number of lines that must follow on the same page."""


def write_pdf(
    path: Path, heads: Sequence[str], terms: Sequence[Term], digits: int | None = None
) -> None:
    """Write a trace to a PDF file."""
    from matplotlib.backends.backend_pdf import PdfPages

    facts = {"Title": heads[0], "Creator": "chainrule", "Producer": None, "CreationDate": None}
    with quiet_fonts(), PdfPages(path, metadata=facts) as pdf:
        for figure in trace_pages(heads, terms, digits):
            pdf.savefig(figure)


def trace_pages(
    heads: Sequence[str], terms: Sequence[Term], digits: int | None = None
) -> "Iterator[Figure]":
    """Yield the pages of a trace as figures."""
    pages = _paged(list(_lines(heads, terms, digits)))
    for number, lines in enumerate(pages, start=1):
        yield _drawn(lines, number, len(pages))


def _lines(heads: Sequence[str], terms: Sequence[Term], digits: int | None) -> Iterator[_Line]:
    yield _Line(((0, heads[0], "title", INK),), 24)
    for head in heads[1:]:
        yield _Line(((0, head, "head", INK),), 16)
    for title, own in phases(terms):
        yield _Line((), 10)
        yield _Line(((0, title, "phase", BLUE),), 22, begins=5)
        for term in own:
            yield from _term_lines(term, digits)


def _term_lines(term: Term, digits: int | None) -> Iterator[_Line]:
    equation = (0.0, term.equation, "head", FAINT)
    if term.is_number:
        text = f"{term.name} = {number_text(term.value, digits)}"
        about = (240.0, textwrap.shorten(term.formula, 58, placeholder=" …"), "about", FAINT)
        yield _Line((equation, (36, text, "name", INK), about), 15)
        return
    numbers = array_lines(term, _LETTERS, digits, _ROWS, indent=0)
    begins = min(len(numbers), 6) + 3
    yield _Line((equation, (36, f"{term.name}   ({term.shape_text})", "name", INK)), 17, begins)
    if term.tex and _is_drawn(term.tex):
        yield _Line(((36, f"${term.tex}$", "formula", INK),), 20)
        yield _Line((), 12 if "sum" in term.tex else 6)  # below the line, for indices
    else:
        for line in textwrap.wrap(term.formula, 66):
            yield _Line(((36, line, "head", INK),), 14)
        yield _Line((), 2)
    for line in numbers:
        yield _Line(((36, line, "mono", INK),), 10.5)
    yield _Line((), 8)


def _is_drawn(tex: str) -> bool:
    """Tell whether matplotlib's subset of LaTeX has everything that a formula needs."""
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(f"${tex}$")
    except ValueError:
        return False
    return True


def _paged(lines: Sequence[_Line]) -> list[list[_Line]]:
    """Divide lines into pages; a heading stays with what it is the heading of."""
    pages: list[list[_Line]] = [[]]
    left = full = _PAGE_HEIGHT - 2 * _MARGIN
    for place, line in enumerate(lines):
        needed = sum(one.height for one in lines[place : place + 1 + line.begins])
        if needed > left and pages[-1]:
            pages.append([])
            left = full
        if line.parts or pages[-1]:
            pages[-1].append(line)
            left -= line.height
    return pages


def _drawn(lines: Sequence[_Line], number: int, pages: int) -> "Figure":
    figure = blank(_PAGE_WIDTH / 72, _PAGE_HEIGHT / 72)
    y = _PAGE_HEIGHT - _MARGIN
    for line in lines:
        y -= line.height
        for left, text, kind, colour in line.parts:
            if text:
                _put(figure, _MARGIN + left, y, text, kind, colour)
    _put(figure, _PAGE_WIDTH - _MARGIN - 30, _MARGIN / 2, f"{number} / {pages}", "head", FAINT)
    return figure


def _put(figure: "Figure", x: float, y: float, text: str, kind: str, colour: str) -> None:
    figure.text(
        x / _PAGE_WIDTH,
        y / _PAGE_HEIGHT,
        text,
        color=colour,
        fontsize=_SIZES[kind],
        family="DejaVu Sans Mono" if kind == "mono" else "DejaVu Sans",
        weight="bold" if kind in ("title", "phase", "name") else "normal",
        parse_math=kind == "formula",
        math_fontfamily="dejavuserif",
    )
