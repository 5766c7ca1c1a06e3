"""An explanation as text: at most 25 lines of 80 characters."""

import textwrap

from chainrule.model.explanation_words import Words, short

_LINES, _WIDTH = 25, 80
_NAME, _VALUE, _EFFECT, _HALF = 25, 18, 10, 10


def explanation_text(words: Words) -> str:
    """Return the lines for one row: the prediction, and a line with a bar for each column."""
    lines = textwrap.wrap(words.heading, _WIDTH)
    lines += textwrap.wrap(words.outcome, _WIDTH)
    lines += ["", *textwrap.wrap(words.sentence, _WIDTH), ""]
    # A line each for the heading, the rest and the sum.
    shown, rest = words.most_effects(_LINES - len(lines) - 3)
    largest = max([abs(effect.effect) for effect in words.row.effects], default=0.0)
    lines.append(_line("column", "value", words.unit))
    for one in shown:
        effect, bar = words.effect(one.effect), _bar(one.effect, largest)
        lines.append(_line(one.column, words.value(one.value, _VALUE), effect, bar))
    if rest:
        total = sum(one.effect for one in rest)
        lines.append(_line(f"{len(rest)} other columns", "", words.effect(total), ""))
    total = sum(one.effect for one in words.row.effects)
    lines.append(_line("sum", "", words.effect(total)))
    return "\n".join(line.rstrip() for line in lines)


def _line(name: str, value: str, effect: str, bar: str = "") -> str:
    return f"{short(name, _NAME):<{_NAME}}  {value:>{_VALUE}}  {effect:>{_EFFECT}}  {bar}"


def _bar(effect: float, largest: float) -> str:
    """Return a bar to the left or to the right of an axis."""
    length = round(_HALF * abs(effect) / largest) if largest > 0 else 0
    left = "█" * length if effect < 0 else ""
    right = "█" * length if effect > 0 else ""
    return f"{left:>{_HALF}}│{right}"
