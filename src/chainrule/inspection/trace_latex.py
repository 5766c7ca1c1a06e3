r"""A trace as LaTeX: a displayed equation with its numbers per array."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.inspection.number_blocks import number_text
from chainrule.inspection.terms import Term
from chainrule.inspection.trace_text import phases

# Letters of numbers that fit into a line of a page, and rows of a matrix.
_LETTERS, _ROWS = 72, 12

_DOCUMENT = r"""\documentclass[10pt]{article}
\usepackage[a4paper,margin=2cm]{geometry}
\usepackage{amsmath}
\setlength{\parindent}{0pt}
\setcounter{MaxMatrixCols}{40}
\allowdisplaybreaks
\begin{document}
%(heads)s

%(body)s
\end{document}
"""


def to_latex(terms: Sequence[Term], digits: int | None = None) -> str:
    r"""Return the trace as display equations, tagged with their ids (needs amsmath)."""
    return "\n".join(_display(term, digits) for term in terms)


def latex_document(heads: Sequence[str], terms: Sequence[Term], digits: int | None = None) -> str:
    """Return the trace as a document of its own."""
    parts = []
    for title, own in phases(terms):
        parts.append(rf"\subsection*{{{_escaped(title)}}}")
        parts += [_display(term, digits) for term in own]
    return _DOCUMENT % {
        "heads": "\n\n".join(map(_escaped, heads)),
        "body": "\n".join(parts),
    }


def _display(term: Term, digits: int | None) -> str:
    tag = rf" \tag{{{term.equation}}}" if term.equation else ""
    numbers = f"{term.name_tex} = {_value(term.value, digits)}"
    if not term.tex or term.tex == term.name_tex:
        return rf"\[ {numbers}{tag} \]"
    return rf"\begin{{gather*}} {term.tex}{tag} \\ {numbers} \end{{gather*}}"


def _value(value: NDArray[np.floating], digits: int | None) -> str:
    if value.ndim == 0:
        return _number(value[()], digits)
    array = np.atleast_2d(value)
    if not array.size:
        return r"\text{(no examples)}"
    transposed = array.shape[1] == 1 and array.shape[0] > _ROWS
    if transposed:
        array = array.T
    widest = max(len(number_text(x, digits)) for x in array[:_ROWS, :40].ravel()) + 2
    rows = _corners(array.shape[0], _ROWS)
    columns = _corners(array.shape[1], max(2, _LETTERS // widest))
    body = []
    for i in rows:
        if i is None:
            body.append(" & ".join(r"\vdots" for _ in columns))
        else:
            body.append(
                " & ".join(
                    r"\cdots" if j is None else _number(array[i, j], digits) for j in columns
                )
            )
    matrix = r"\begin{pmatrix} " + r" \\ ".join(body) + r" \end{pmatrix}"
    return matrix + (r"^{\mathsf T}" if transposed else "")


def _number(value: Any, digits: int | None) -> str:
    text = number_text(value, digits)
    if text == "·":
        return r"\cdot"
    if "inf" in text:
        return text.replace("inf", r"\infty")
    mantissa, _, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa


def _corners(n: int, shown: int) -> list[int | None]:
    if n <= shown:
        return list(range(n))
    half = shown // 2
    return [*range(half), None, *range(n - half, n)]


# Of the letters beyond Latin ones, plain LaTeX knows none.
_FIRST_LACKING = 0x180
_ESCAPES = {letter: f"\\{letter}" for letter in "&%$#_{}"}
_ESCAPES |= {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "α": r"$\alpha$",
}


def _escaped(text: str) -> str:
    """Return a text in which nothing is a command; letters that LaTeX lacks are question marks."""
    return "".join(
        _ESCAPES.get(letter, letter if ord(letter) < _FIRST_LACKING else "?") for letter in text
    )
