"""A trace as text: at most 80 columns, the phases of the step one below the other."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from chainrule.inspection.number_blocks import folded_block, number_text
from chainrule.inspection.terms import Term
from chainrule.pictures.picture import WIDTH

TITLES = {
    "forward": "Forward: from the inputs to the outputs",
    "cost": "Cost: how far the outputs are from the targets",
    "backward": "Backward: errors and gradients, from the last layer to the first",
    "update": "Update: the step of the optimizer",
    "after": "After the step",
}
"""The headings of the phases."""

INDENT = 6
_ROWS = 8


def phases(terms: Sequence[Term]) -> Iterator[tuple[str, list[Term]]]:
    """Yield the heading and the terms of each phase."""
    for phase, own in groupby(terms, lambda term: term.phase):
        yield TITLES.get(phase, phase), list(own)


def to_text(
    heads: Sequence[str], terms: Sequence[Term], digits: int | None = None, rows: int = _ROWS
) -> str:
    """Return a trace as text: for each term id, name, shape, equation, and the numbers below.

    Parameters
    ----------
    heads : sequence of str
        What the trace is of.
    terms : sequence of Term
    digits : int, optional
        Significant digits; by default all.
    rows : int
        The number of lines of an array that has more.
    """
    lines = [line for head in heads for line in textwrap.wrap(head, WIDTH)]
    for title, own in phases(terms):
        lines += ["", title, "─" * len(title)]
        for is_number, group in groupby(own, lambda term: term.is_number):
            if is_number:
                lines += ["", *(line for term in group for line in _number(term, digits))]
            else:
                for term in group:
                    lines += ["", *_headline(term), *array_lines(term, WIDTH, digits, rows)]
    return "\n".join(lines)


def array_lines(
    term: Term, width: int, digits: int | None, rows: int, indent: int = INDENT
) -> list[str]:
    """Return the numbers of an array, and which ones are not shown."""
    block = folded_block(term.value, width - indent, rows, digits)
    lines = [" " * indent + line for line in block.lines]
    if block.left_out:
        note = f'({block.left_out} are not shown; trace["{term.name}"] has all)'
        lines += [" " * indent + line for line in textwrap.wrap(note, width - indent)]
    return lines


def _headline(term: Term) -> list[str]:
    head = f"{term.equation:<{INDENT - 1}} {term.name}  ({term.shape_text})  "
    return _wrapped(head, term.formula)


def _number(term: Term, digits: int | None) -> list[str]:
    head = f"{term.equation:<{INDENT - 1}} {term.name} = {number_text(term.value, digits)}  "
    return _wrapped(head, term.formula)


def _wrapped(head: str, formula: str) -> list[str]:
    """Return a head and a formula in lines of at most 80 columns."""
    lines = textwrap.wrap(
        head + formula,
        WIDTH,
        subsequent_indent=" " * (INDENT + 4),
        break_on_hyphens=False,
        replace_whitespace=False,
        drop_whitespace=True,
    )
    return [line.rstrip() for line in lines]
