"""Heads: value types for an output layer whose units are divided among several targets.

The text format for the activation is "heads(softmax:3, identity:1)", and for the cost
"heads(cross_entropy:3, 0.5*mse:1)": one part per head, in row order, with the head's number of
units after a colon and, in a cost, the head's weight before an asterisk. Only `activation_of` and
`cost_of` parse this format.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from chainrule.equations._array import Array
from chainrule.equations.heads import HeadPart
from chainrule.errors import InvalidArgumentError

F = TypeVar("F")

_PART = re.compile(
    r"\s*(?:(?P<weight>[^*:()]+)\*)?\s*(?P<name>\w+\s*(?:\([^()]*\))?)\s*:\s*(?P<units>[0-9]{1,10})\s*"
)
# Commas outside the brackets of a part.
_COMMA = re.compile(r",(?![^()]*\))")


@dataclass(frozen=True)
class Head(Generic[F]):
    """A group of output units with its own activation or cost."""

    units: int
    function: F
    weight: float = 1.0
    """Factor of the head's cost in the sum over the heads."""

    def __str__(self) -> str:
        weight = "" if self.weight == 1 else f"{float(self.weight)!r}*"
        return f"{weight}{self.function}:{self.units}"

    def part(self, function: Callable[..., Array]) -> HeadPart:
        """Return the head's part of an equation: `function`, applied to the head's rows."""
        return HeadPart(self.units, function, self.weight)


@dataclass(frozen=True)
class Heads(Generic[F]):
    """The heads of an output layer, in row order."""

    heads: tuple[Head[F], ...]

    def __str__(self) -> str:
        return f"heads({', '.join(map(str, self.heads))})"

    @property
    def units(self) -> int:
        """Total number of units."""
        return sum(head.units for head in self.heads)

    def slices(self) -> Iterator[tuple[slice, Head[F]]]:
        """Yield each head with the slice of its rows."""
        begin = 0
        for head in self.heads:
            yield slice(begin, begin + head.units), head
            begin += head.units


def parsed_heads(
    text: object, argument: str, parsed: Callable[[str], F]
) -> tuple[Head[F], ...] | None:
    """Parse a text into heads; return None if the text does not describe heads.

    Parameters
    ----------
    text : str
    argument : str
        The name of the user's argument: "activation" or "cost"; only a cost has weights.
    parsed : callable
        Parser for the text of a single activation or cost.

    Raises
    ------
    InvalidArgumentError
        If the text begins with "heads" but is not valid.
    """
    if not isinstance(text, str) or not text.strip().startswith("heads"):
        return None
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
        heads.append(Head(int(match["units"]), parsed(match["name"]), weight))
    return tuple(heads)


def _number(text: str | None) -> float:
    if text is None:
        return 1.0
    try:
        return float(text)
    except ValueError:
        return float("nan")
