"""Rendering a trace: as text for a terminal, as HTML for a notebook, as LaTeX for a document."""

import re
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from chainrule.equations.text import latex
from chainrule.inspection.terms import Term

# Of a matrix with more rows or columns than this, only the corners are shown.
_SHOWN = 6


def to_text(loss: float, terms: Sequence[Term]) -> str:
    """Return the trace as a table: id, name, shape, equation, and the numbers below."""
    lines = [f"One step, equation by equation. Loss {loss:.6g}."]
    for term in terms:
        shape = " × ".join(map(str, term.value.shape)) or "scalar"
        lines.append("")
        lines.append(f"{term.equation:<5} {term.name:<10} ({shape})  {term.formula}")
        lines += [f"{'':<6}{row}" for row in _numbers(term.value).splitlines()]
    return "\n".join(lines)


def to_html(loss: float, terms: Sequence[Term]) -> str:
    """Return the trace as one HTML table, its numbers in fixed-width blocks."""
    rows = []
    for term in terms:
        shape = " × ".join(map(str, term.value.shape)) or "scalar"
        cells = (
            f"<td>{escape(term.equation)}</td>",
            f"<td style='white-space:nowrap'><i>{escape(term.name)}</i></td>",
            f"<td style='white-space:nowrap'>{escape(shape)}</td>",
            f"<td>{escape(term.formula)}</td>",
            f"<td><pre style='margin:0'>{escape(_numbers(term.value))}</pre></td>",
        )
        rows.append(f"<tr style='vertical-align:top'>{''.join(cells)}</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("id", "name", "shape", "equation", "numbers"))
    return (
        "<table style='text-align:left'>"
        f"<caption>One step, equation by equation. Loss {loss:.6g}.</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def to_latex(terms: Sequence[Term]) -> str:
    r"""Return the trace as display equations, tagged with their ids (needs amsmath)."""
    lines = []
    for term in terms:
        tag = rf" \tag{{{term.equation}}}" if term.equation else ""
        # The formula if it is a single clause for this very array; otherwise only its name.
        clause = re.split(r"[;,]| for ", term.formula)[0]
        left = clause if clause.startswith(f"{term.name} =") else term.name
        left = latex(left.replace(" of ", r"\ \text{of}\ "))
        lines.append(rf"\[ {left} = {_matrix(term.value)}{tag} \]")
    return "\n".join(lines)


def _numbers(value: NDArray[np.floating]) -> str:
    """Return an array's numbers in aligned columns; a column vector is shown as its transpose."""
    array = np.atleast_2d(value)
    note = ""
    if array.shape[1] == 1 and array.shape[0] > 1:
        array, note = array.T, " ᵀ"
    rows, columns = (_corners(n) for n in array.shape)
    cells = [
        ["…" if i is None or j is None else f"{array[i, j]:.4g}" for j in columns] for i in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(map(str.rjust, row, widths)) for row in cells)
    return "\n".join(lines) + note


def _matrix(value: NDArray[np.floating]) -> str:
    array = np.atleast_2d(value)
    rows, columns = (_corners(n) for n in array.shape)
    body = []
    for i in rows:
        if i is None:
            body.append(" & ".join(r"\vdots" for _ in columns))
        else:
            body.append(
                " & ".join(r"\cdots" if j is None else _latex_number(array[i, j]) for j in columns)
            )
    if value.ndim == 0:
        return body[0]
    return r"\begin{pmatrix} " + r" \\ ".join(body) + r" \end{pmatrix}"


def _latex_number(value: float) -> str:
    mantissa, _, exponent = f"{value:.4g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa


def _corners(n: int) -> list[int | None]:
    half = _SHOWN // 2
    if n <= _SHOWN:
        return list(range(n))
    return [*range(half), None, *range(n - half, n)]
