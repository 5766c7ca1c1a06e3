"""Numbers that stand for a missing value: -999, 9999, 1e30."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.notations.numbers import Numbers
from chainrule.tables.notes import Note

if TYPE_CHECKING:
    import polars as pl

# A sentinel of few nines must lie further out than one of many: an age may be 99.
_LEAST_TIMES, _MOST_SENTINELS = 3, 4
_BOUNDS = (32767, -32768, 65535, 2147483647, -2147483648, 4294967295)
_RANGES_OF_ANY = 1000
_SOME = 1000


def without_sentinels(
    notation: Numbers, values: "pl.Series"
) -> "tuple[Numbers, pl.Series, Note | None]":
    """Return numbers without sentinels, the notation that lists these, and a note on them.

    A sentinel is the largest or smallest value, occurs at least three times, and lies far outside
    the range of the others. The distance must be at least that range if the value consists of nines
    (999, -9999, -99.9, -99; three times the range for 99; -9 only if no other value is negative) or
    is the bound of an integer type, and a thousand times the range for any other number (1e30).
    """
    found: list[tuple[float, int]] = []
    rest = values
    while len(found) < _MOST_SENTINELS:
        one = _outermost(rest)
        if one is None:
            break
        found.append(one)
        rest = rest.filter(rest != one[0])
    if not found:
        return notation, values, None
    notation = replace(notation, missing=tuple(sorted(number for number, _ in found)))
    low, high = float(rest.min()), float(rest.max())  # type: ignore[arg-type]
    named = ", ".join(f"{number:.10g} in {count:,} rows" for number, count in found)
    note = Note(
        values.name,
        f"holds {named}, far outside its other values ({low:.5g} to {high:.5g})",
        f"{'they are' if len(found) > 1 else 'it is'} taken as missing; write another number, or "
        "leave the column out, if it is a measurement",
    )
    return notation, notation.settle(values), note


def _outermost(values: "pl.Series") -> tuple[float, int] | None:
    """Return the largest or smallest value and its count, if it is a sentinel."""
    import polars as pl

    if values.len() - values.null_count() < 2 * _LEAST_TIMES:
        return None
    some = values.head(_SOME).cast(pl.Float64).to_numpy()
    for end in (values.max(), values.min()):
        if end is None:
            return None
        number = float(end)  # type: ignore[arg-type]
        if number in (0.0, 1.0, -1.0) or number != number or abs(number) == float("inf"):
            continue
        if _is_near(number, some):
            continue
        count = int((values == end).sum())
        if count < _LEAST_TIMES:
            continue
        rest = values.filter(values != end)  # without nulls, too
        if rest.len() < 2 * _LEAST_TIMES:
            continue
        low, high = float(rest.min()), float(rest.max())  # type: ignore[arg-type]
        distance = number - high if number > high else low - number
        if low < high and distance >= _ranges(number, low) * (high - low):
            return number, count
    return None


def _is_near(number: float, some: "NDArray[Any]") -> bool:
    """Tell whether an extreme value is closer to a sample of the others than the sample's range.

    Then it is no sentinel, as the range of all others is no smaller. In nearly every column this
    avoids a pass over all values.
    """
    others = some[(some != number) & ~np.isnan(some)]
    if len(others) == 0:
        return False
    low, high = float(others.min()), float(others.max())
    return min(abs(number - low), abs(number - high)) < high - low


def _ranges(number: float, low: float) -> float:
    """Return the least distance of a sentinel from the other values, in units of their range."""
    text = f"{abs(number):.10g}"
    if number in _BOUNDS:
        return 1.0
    if not re.fullmatch(r"9+(?:\.9+)?", text):
        return _RANGES_OF_ANY
    digits = len(text.replace(".", ""))
    if digits > 2 or (number < 0 and (digits == 2 or low >= 0)):
        return 1.0
    return 3.0 if digits == 2 else _RANGES_OF_ANY
