"""The entries of a trace: arrays with their names and equations."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.equations.text import equation_text, latex


class Term(NamedTuple):
    """One array or number of a step, with its name and the equation that it is computed by."""

    equation: str
    """Id in docs/explanation/maths; "" for inputs, targets, parameters and settings."""
    name: str
    """"Z[1]", "δ[2]"; the new and the old ones of an update are "new W[1]" and "old V of W[1]"."""
    formula: str
    """The equation as its function's docstring states it, or a description of what is given."""
    value: NDArray[np.floating]
    phase: str = ""
    """"forward", "cost", "backward", "update" or "after"."""
    layer: int | None = None
    """l, counted from 1; None if it belongs to no layer."""
    tex: str = ""
    """The equation in LaTeX; "" if it is described in words only."""

    @property
    def is_number(self) -> bool:
        """Whether it is a single number, such as α."""
        return self.value.ndim == 0

    @property
    def shape_text(self) -> str:
        """The shape as "3 × 2"; "number" for a single one."""
        return " × ".join(map(str, self.value.shape)) or "number"

    @property
    def name_tex(self) -> str:
        """The name in LaTeX."""
        return latex_name(self.name)


def of_equation(
    function: Callable[..., Any], name: str, value: Any, layer: int | None = None, last: int = 0
) -> Term:
    """Return a term with the id and formula of the function that computes it.

    Parameters
    ----------
    function : callable
        An equation, or a partial function of one.
    name : str
    value : array
    layer, last : int, optional
        l and L, which are filled in for the indices of the formula.
    """
    text = equation_text(unbound(function))
    id_, formula = (text.id, text.formula) if text else ("", "")
    if layer is not None:
        formula = indexed(formula, layer, last)
    return Term(id_, name, formula, np.asarray(value), layer=layer, tex=equation_tex(name, formula))


def unbound(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that a partial function calls."""
    return getattr(function, "func", function)


def indexed(formula: str, l: int, last: int) -> str:  # noqa: E741 - the field's letter
    """Return a formula with the numbers of its layers filled in."""
    for symbol, index in (("l−1", l - 1), ("l+1", l + 1), ("l", l), ("L", last)):
        formula = formula.replace(f"[{symbol}]", f"[{index}]")
    return formula


def equation_tex(name: str, formula: str) -> str:
    """Return the part of a formula that computes an array of this name, in LaTeX; "" if none does.

    A formula may also compute other arrays, and have words.
    """
    for clause in re.split(r";|,(?= )| for ", formula):
        if clause.strip().startswith((f"{name} =", f"{name}ₖ =", f"{name} ←")):
            return latex(clause.strip())
    return ""


def latex_name(name: str) -> str:
    """Return a name in LaTeX: "V of W[1]" with its word as text."""
    new = re.match(r"(new|old) (.*)", name)
    words = rf"\text{{{new[1]} }}" if new else ""
    return words + latex(new[2] if new else name).replace(" of ", r"\ \text{of}\ ")
