"""The text form of heads: "heads(softmax:3, identity:1)", "heads(cross_entropy:3, 0.5*mse:1)".

An output layer divided into heads has such a text as its activation, and its network one as its
cost: a part for each head, in the order of the rows, with the head's units behind a colon and, in a
cost, the head's weight before a star.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from chainrule.errors import InvalidArgumentError

_PART = re.compile(
    r"\s*(?:(?P<weight>[^*:()]+)\*)?\s*(?P<name>\w+\s*(?:\([^()]*\))?)\s*:\s*(?P<units>[0-9]{1,10})\s*"
)
# Commas that are not inside a part's own brackets.
_COMMA = re.compile(r",(?![^()]*\))")


class Head(NamedTuple):
    """One part of a text of heads."""

    units: int
    name: str
    """An activation or a cost, with its parameters."""
    weight: float = 1.0


def is_heads(text: object) -> bool:
    """Whether a text is one of heads, right or wrong."""
    return isinstance(text, str) and text.strip().startswith("heads")


@lru_cache(maxsize=256)
def parse_heads(text: str, argument: str) -> tuple[Head, ...]:
    """Return the parts of a text of heads; their names are for the caller to check.

    Parameters
    ----------
    text : str
    argument : str
        What the user calls it: "activation" or "cost"; only a cost has weights.

    Raises
    ------
    InvalidArgumentError
        If it is not such a text.

    Examples
    --------
    >>> parse_heads("heads(cross_entropy:3, 0.5*mse:1)", "cost")[1]
    Head(units=1, name='mse', weight=0.5)
    """
    example = (
        "heads(cross_entropy:3, 0.5*mse:1)"
        if argument == "cost"
        else "heads(softmax:3, identity:1)"
    )
    inner = re.fullmatch(r"\s*heads\s*\((.*)\)\s*", text, re.DOTALL)
    matches = [_PART.fullmatch(part) for part in _COMMA.split(inner[1])] if inner else [None]
    heads = []
    for match in matches:
        if match is None or (match["weight"] is not None and argument != "cost"):
            raise InvalidArgumentError(
                f'{argument}: expected heads as in "{example}"; got {text!r}'
            )
        weight = _number(match["weight"])
        if not 0 < weight < float("inf") or int(match["units"]) < 1:
            raise InvalidArgumentError(
                f"{argument}: a head has at least 1 unit and a finite weight > 0; got {match[0]!r} "
                f"in {text!r}"
            )
        heads.append(Head(int(match["units"]), match["name"], weight))
    return tuple(heads)


def canonical_heads(text: str, argument: str, canonical: Callable[[str], str]) -> str:
    """Return the one spelling of a text of heads, each name by `canonical`."""
    return heads_text(
        head._replace(name=canonical(head.name)) for head in parse_heads(text, argument)
    )


def heads_text(heads: Iterable[Head]) -> str:
    """Return heads as the text that `parse_heads` reads."""
    parts = []
    for head in heads:
        weight = "" if head.weight == 1 else f"{float(head.weight)!r}*"
        parts.append(f"{weight}{head.name}:{head.units}")
    return f"heads({', '.join(parts)})"


def _number(text: str | None) -> float:
    if text is None:
        return 1.0
    try:
        return float(text)
    except ValueError:
        return float("nan")
