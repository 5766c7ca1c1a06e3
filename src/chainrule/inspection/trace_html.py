"""A trace as HTML for a notebook or a page: no script, and styles within the elements."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

from chainrule.inspection.number_blocks import folded_block, number_text, whole_block
from chainrule.inspection.terms import Term
from chainrule.inspection.trace_text import phases

# A notebook aligns cells to the right, and breaks and fills blocks of text.
_NUMBERS = (
    "margin:.15em 0 0;padding:0;white-space:pre;word-break:normal;overflow-wrap:normal;"
    "overflow-x:auto;font:min(13px,3.1vw)/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"
    "'DejaVu Sans Mono',monospace;background:none;border:0;color:inherit;text-align:left;tab-size:8"
)
_TERM = "margin:0 0 .9em;padding-left:3.2em;position:relative;text-align:left"
_SHAPE = "opacity:.72;white-space:nowrap;margin:0 .8em 0 .4em"
_ID = "position:absolute;left:0;opacity:.72"
_HEADING = "margin:1.4em 0 .6em;font-size:1.08em;font-weight:600;text-align:left"
_WIDTH, _ROWS = 92, 8
# Numbers of one array that a page has at most: a megabyte and a half of text.
_MOST_NUMBERS = 100_000


def to_html(heads: Sequence[str], terms: Sequence[Term], digits: int | None = None) -> str:
    """Return a trace as HTML: of long arrays the corners, and all numbers folded below them."""
    parts = [f"<p style='margin:0 0 .3em'>{escape(head)}</p>" for head in heads]
    for title, own in phases(terms):
        parts.append(f"<h3 style='{_HEADING}'>{escape(title)}</h3>")
        for is_number, group in groupby(own, lambda term: term.is_number):
            if is_number:
                parts.append(_numbers(list(group), digits))
            else:
                parts += [_array(term, digits) for term in group]
    return f"<div style='text-align:left;max-width:60em'>{''.join(parts)}</div>"


def _numbers(terms: Sequence[Term], digits: int | None) -> str:
    lines = [
        f"<div data-term='{escape(term.name)}'>{_id(term)}"
        f"<b>{escape(term.name)}</b> = <span style='font-family:ui-monospace,monospace'>"
        f"{escape(number_text(term.value, digits))}</span> "
        f"<span style='opacity:.72;margin-left:.8em'>{escape(term.formula)}</span></div>"
        for term in terms
    ]
    return f"<div style='{_TERM}'>{''.join(lines)}</div>"


def _array(term: Term, digits: int | None) -> str:
    head = (
        f"<div>{_id(term)}<b>{escape(term.name)}</b> "
        f"<span style='{_SHAPE}'>{escape(term.shape_text)}</span> {escape(term.formula)}</div>"
    )
    block = folded_block(term.value, _WIDTH, _ROWS, digits)
    body = _pre(block.lines)
    if block.left_out and term.value.size <= _MOST_NUMBERS:
        body += (
            f"<details><summary>all {escape(term.shape_text)} numbers</summary>"
            f"{_pre(whole_block(term.value, _WIDTH, digits))}</details>"
        )
    elif block.left_out:
        note = f'{block.left_out} are not shown; trace["{term.name}"] has all'
        body += f"<div style='opacity:.72'>{escape(note)}</div>"
    return f"<div data-term='{escape(term.name)}' style='{_TERM}'>{head}{body}</div>"


def _id(term: Term) -> str:
    return f"<span style='{_ID}'>{escape(term.equation)}</span>"


def _pre(lines: Sequence[str]) -> str:
    # Reachable by keyboard, since it may have to be scrolled.
    return f"<pre tabindex='0' style=\"{_NUMBERS}\">{escape(chr(10).join(lines))}</pre>"
