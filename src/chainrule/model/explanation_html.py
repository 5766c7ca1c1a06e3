"""An explanation as HTML for a notebook or a page."""

import re
from collections.abc import Sequence
from html import escape

from chainrule.model.explanation_words import Words
from chainrule.printable import printable

_MOST = 30
# The colours are readable on white and on black, since a notebook may be either.
_STYLE = """<style>
.chainrule-why { max-width: 44rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
.chainrule-why h2 { margin: 1.2rem 0 .3rem; font-size: 1.15rem; overflow-wrap: anywhere; }
.chainrule-why p { margin: .3rem 0 .8rem; overflow-wrap: anywhere; }
.chainrule-why table { border-collapse: collapse; width: 100%; table-layout: fixed; }
.chainrule-why th, .chainrule-why td { padding: .3rem .5rem .3rem 0; border-bottom: 1px solid #8884;
  text-align: left; vertical-align: middle; font-size: .875rem; background: none;
  overflow-wrap: anywhere; }
.chainrule-why thead th:first-child { width: 34%; }
.chainrule-why thead th { font-weight: 600; opacity: .8; }
.chainrule-why tbody th { font-weight: 500; }
.chainrule-why .n { text-align: right; white-space: nowrap; width: 5.5rem; }
.chainrule-why .b { width: 30%; }
.chainrule-why .bar { position: relative; height: .8rem; border-radius: 0; }
.chainrule-why .bar::before { content: ""; position: absolute; left: 50%; top: -.3rem;
  bottom: -.3rem; border-left: 1px solid #8888; }
.chainrule-why .bar i { position: absolute; top: 0; bottom: 0; border-radius: 2px;
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.chainrule-why .up { left: 50%; background: #2b85c4; }
.chainrule-why .down { right: 50%; background: #d9661f; }
.chainrule-why tfoot td, .chainrule-why tfoot th { font-weight: 600; border-bottom: 0; }
@media (max-width: 30rem) { .chainrule-why .b { width: 18%; } .chainrule-why .n { width: 4.2rem; } }
</style>"""


def explanation_html(explained: Sequence[Words]) -> str:
    """Return the explanations of some rows as one fragment with its own style."""
    return f'{_STYLE}<div class="chainrule-why">{"".join(map(_row, explained))}</div>'


def _row(words: Words) -> str:
    shown, rest = words.most_effects(_MOST)
    largest = max([abs(effect.effect) for effect in words.row.effects], default=0.0)
    lines = [
        _line(
            printable(one.column),
            words.value(one.value),
            words.effect(one.effect),
            _bar(one.effect, largest),
        )
        for one in shown
    ]
    if rest:
        total = words.effect(sum(one.effect for one in rest))
        lines.append(_line(f"{len(rest)} other columns", "", total, ""))
    total = words.effect(sum(one.effect for one in words.row.effects))
    head = (
        f'<th scope="col">column</th><th scope="col">value</th>'
        f'<th scope="col" class="n">{escape(words.unit)}</th>'
        f'<th class="b"><span hidden>bar</span></th>'
    )
    return (
        f"<h2>{escape(words.heading)}</h2><p><strong>{escape(words.outcome)}</strong></p>"
        f"<p>{escape(words.sentence)}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody>"
        f"<tfoot>{_line('sum', '', total, '')}</tfoot></table>"
    )


def _line(name: str, value: str, effect: str, bar: str) -> str:
    return (
        f'<tr><th scope="row">{_breakable(name)}</th><td>{escape(value)}</td>'
        f'<td class="n">{escape(effect)}</td><td class="b">{bar}</td></tr>'
    )


def _breakable(name: str) -> str:
    """Return a name that is broken after an underscore, a dot or a slash before anywhere else."""
    return re.sub(r"(?<=[_./])(?=[^_./])", "<wbr>", escape(name))


def _bar(effect: float, largest: float) -> str:
    if not largest > 0:
        return ""
    side = "up" if effect > 0 else "down"
    width = 50 * abs(effect) / largest
    return f'<div class="bar"><i class="{side}" style="width:{width:.2f}%"></i></div>'
