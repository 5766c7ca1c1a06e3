"""Numbers as JSON and as TeX."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 32
"""Rows and columns of an array that a page is sent, at most; the rest is folded."""

DIGITS = 4
"""Significant digits of a number in TeX."""

_MOST_TERMS = 8


def plain(value: float | np.floating[Any]) -> float | None:
    """Return a number as JSON can write it, with the digits of its type; None if not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule.playground.inspection.numbers import plain
    >>> plain(np.float32(0.1)), plain(float("inf"))
    (0.1, None)
    """
    if not math.isfinite(value):
        return None
    # float(str(…)): a float32 of 0.1 is 0.1, not 0.10000000149011612.
    return float(str(value)) if isinstance(value, np.floating) else float(value)


def plain_list(values: NDArray[np.generic]) -> list[float | None]:
    """Return an array (n,) as a list of numbers that JSON can write."""
    return [plain(value) for value in values]


def array(
    name: str,
    values: NDArray[np.generic],
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    most: int = MOST,
) -> dict[str, Any]:
    """Return an array with its name, folded if it has more than `most` rows or columns.

    Parameters
    ----------
    name : str
        As TeX.
    values : array (n, m) or (n,)
        A vector becomes a column.
    rows, columns : sequences of str, optional
        Their names.
    most : int
    """
    matrix = np.atleast_2d(values) if values.ndim != 1 else values[:, None]
    n, m = matrix.shape
    return {
        "name": name,
        "shape": [n, m],
        "values": [plain_list(row) for row in matrix[:most, :most]],
        "rows": None if rows is None else list(rows[:most]),
        "columns": None if columns is None else list(columns[:most]),
        "folded": n > most or m > most,
    }


def tex(value: float | np.floating[Any], digits: int = DIGITS) -> str:
    r"""Return a number as TeX with `digits` significant digits.

    Examples
    --------
    >>> from chainrule.playground.inspection.numbers import tex
    >>> tex(0.5), tex(-1 / 3), tex(1.25e-7), tex(float("inf"))
    ('0.5', '-0.3333', '1.25 \\cdot 10^{-7}', '\\infty')
    """
    exact = float(value)
    if not math.isfinite(exact):
        return r"\text{NaN}" if exact != exact else r"\infty" if exact > 0 else r"-\infty"
    mantissa, exponent = f"{exact:.{digits - 1}e}".split("e")
    power = int(exponent)
    if exact == 0:
        return "0"
    if -4 <= power < 7:
        fixed = f"{float(f'{exact:.{digits - 1}e}'):.{max(0, digits - 1 - power)}f}"
        return fixed.rstrip("0").rstrip(".") if "." in fixed else fixed
    mantissa = mantissa.rstrip("0").rstrip(".")
    return rf"{mantissa} \cdot 10^{{{power}}}"


def factor(value: float | np.floating[Any], digits: int = DIGITS) -> str:
    """Return a number as TeX that may follow another factor: negative numbers in brackets."""
    text = tex(value, digits)
    return f"({text})" if text.startswith("-") else text


def total(terms: Iterable[str]) -> str:
    r"""Return a sum of terms as TeX; of more than eight, the middle ones are left out.

    Examples
    --------
    >>> from chainrule.playground.inspection.numbers import total
    >>> total(["a", "-b", "c"]), total(str(n) for n in range(20))
    ('a - b + c', '0 + 1 + 2 + 3 + 4 + 5 + \\cdots + 18 + 19')
    """
    parts = list(terms)
    if len(parts) > _MOST_TERMS:
        parts = [*parts[: _MOST_TERMS - 2], r"\cdots", *parts[-2:]]
    text = parts[0] if parts else "0"
    for part in parts[1:]:
        text += f" - {part[1:]}" if part.startswith("-") else f" + {part}"
    return text


def products(left: NDArray[np.generic], right: NDArray[np.generic]) -> list[str]:
    """Return the products of two vectors, number by number, as TeX."""
    return [
        rf"{tex(a)} \cdot {factor(b)}"  # a product begins with its sign, which a sum takes over
        for a, b in zip(left, right, strict=True)
    ]
