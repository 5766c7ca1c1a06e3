"""Arrays as blocks of text: numbers in columns, aligned at their decimal points."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

GAP = "  "
ELLIPSIS = "…"
# From 10⁷ on and below 10⁻⁴, a number is written with an exponent.
_LARGE, _SMALL = 1e7, 1e-4
_FEWEST = 2


class Block(NamedTuple):
    """An array as lines of text."""

    lines: list[str]
    left_out: str
    """Which numbers are not shown, "24 of 30 columns"; "" if all are."""


def number_text(value: Any, digits: int | None = None) -> str:
    """Return a number with all digits of its type, or rounded to a number of digits.

    All digits are the fewest that give the same number when they are read back in. NaN, which
    stands for no number, is a dot.
    """
    value = np.asarray(value)[()]
    if np.isnan(value):
        return "·"
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"
    if not isinstance(value, np.floating):
        value = np.float64(value)
    size = abs(value)
    unique = digits is None
    if size and not _SMALL <= size < _LARGE:
        precision = None if unique else max(0, (digits or 1) - 1)
        text = np.format_float_scientific(value, precision, unique=unique, trim="-", exp_digits=1)
    else:
        text = np.format_float_positional(value, digits, unique=unique, fractional=False, trim="-")
    return "0" if text == "-0" else text


def whole_block(value: NDArray[Any], width: int, digits: int | None = None) -> list[str]:
    """Return all numbers of an array, row by row; a vector in as many lines as it takes."""
    array = np.atleast_2d(value)
    if _is_vector(value):
        return _flowing(array.ravel(), width, digits)
    return _aligned([[number_text(x, digits) for x in row] for row in array])


def folded_block(value: NDArray[Any], width: int, rows: int, digits: int | None = None) -> Block:
    """Return an array in at most `rows` lines of `width` letters: whole, or its corners.

    Parameters
    ----------
    value : array
        Of at most two axes; a column vector is shown in rows.
    width : int
    rows : int
    digits : int, optional
        As for `number_text`.
    """
    array = np.atleast_2d(value)
    if not array.size:
        return Block(["(no examples)"], "")
    if _is_vector(value):
        return _folded_vector(array.ravel(), width, rows, digits)
    n, m = array.shape
    kept_rows = _corners(n, n if n <= rows else rows - 1)
    for shown in range(min(m, width // 2), 0, -1):
        kept = _corners(m, shown)
        cells = [
            [ELLIPSIS if i is None or j is None else number_text(array[i, j], digits) for j in kept]
            for i in kept_rows
        ]
        lines = _aligned(cells)
        if max(map(len, lines)) <= width or shown == 1:
            return Block(lines, _left_out(n, n if n <= rows else rows - 1, m, shown))
    raise AssertionError("a single column is always shown")


def _is_vector(array: NDArray[Any]) -> bool:
    return array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1 and array.shape[0] > 1)


def _folded_vector(vector: NDArray[Any], width: int, rows: int, digits: int | None) -> Block:
    lines = _flowing(vector[: rows * width // 2], width, digits)
    if len(lines) <= rows and len(vector) <= rows * width // 2:
        return Block(lines, "")
    # Of a longer one, as many numbers as fit into half the lines, from both ends.
    half = max(1, rows // 2)
    shown = max(1, half * (width // _widest(vector, digits)))
    shown = min(shown, (len(vector) - 1) // 2)
    head = _flowing(vector[:shown], width, digits)
    tail = _flowing(vector[-shown:], width, digits)
    return Block([*head, ELLIPSIS, *tail], f"{len(vector) - 2 * shown} of {len(vector)} numbers")


def _widest(vector: NDArray[Any], digits: int | None) -> int:
    sample = vector if len(vector) <= 200 else np.concatenate([vector[:100], vector[-100:]])
    whole, rest = _parts([[number_text(x, digits)] for x in sample])
    return whole[0] + rest[0] + len(GAP)


def _flowing(vector: NDArray[Any], width: int, digits: int | None) -> list[str]:
    """Return a vector in lines of equally wide columns."""
    texts = [number_text(x, digits) for x in vector]
    for per_line in range(min(len(texts), max(1, width // 2)), 0, -1):
        rows = [texts[i : i + per_line] for i in range(0, len(texts), per_line)]
        lines = _aligned(rows)
        if max(map(len, lines)) <= width or per_line == 1:
            return lines
    return []


def _aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of numbers in columns, aligned at their decimal points."""
    whole, rest = _parts(cells)
    lines = []
    for row in cells:
        parts = [
            head.rjust(whole[j]) + tail.ljust(rest[j])
            for j, (head, tail) in enumerate(map(_divided, row))
        ]
        lines.append(GAP.join(parts).rstrip())
    return lines


def _parts(cells: Sequence[Sequence[str]]) -> tuple[list[int], list[int]]:
    """Return, for each column, the widths before and from the decimal point."""
    columns = max(map(len, cells))
    whole, rest = [0] * columns, [0] * columns
    for row in cells:
        for j, (head, tail) in enumerate(map(_divided, row)):
            whole[j], rest[j] = max(whole[j], len(head)), max(rest[j], len(tail))
    return whole, rest


def _divided(text: str) -> tuple[str, str]:
    for mark in ".e":
        if mark in text and "inf" not in text:
            place = text.index(mark)
            return text[:place], text[place:]
    return text, ""


def _corners(n: int, shown: int) -> list[int | None]:
    """Return the indices of the first and last entries, with None between them if any is left."""
    if shown >= n:
        return list(range(n))
    head = (shown + 1) // 2
    return [*range(head), None, *range(n - (shown - head), n)]


def _left_out(n: int, rows: int, m: int, columns: int) -> str:
    parts = []
    if rows < n:
        parts.append(f"{n - rows} of {n} rows")
    if columns < m:
        parts.append(f"{m - columns} of {m} columns")
    return " and ".join(parts)
