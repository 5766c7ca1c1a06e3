"""The general formula of each step, as TeX, from the formula that the trace names."""

import re

from chainrule.equations.text import latex
from chainrule.inspection.terms import Term
from chainrule.playground.inspection.substitution import statement

# Words of formulas: functions, and what joins the cases of a definition.
_FUNCTION = re.compile(
    r"(?<![\\{a-zA-Z])(softplus|tanh|cosh|sign|max|min|mean|ELU|slope|alpha)(?![a-zA-Z])"
)
_JOINING = re.compile(r",? (for|if|else|otherwise) ")


def equation(term: Term) -> str:
    r"""Return the equation of a term of the trace as TeX, without remarks in words.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule.inspection.terms import Term
    >>> from chainrule.playground.inspection.formulas import equation
    >>> equation(Term("AC4", "σ′(Z[1])", "relu: σ′(z) = 1 for z > 0, else 0", np.zeros(1)))
    "\\sigma'(z) = 1\\text{ for }z > 0\\text{ else }0"
    """
    own = term.formula.rpartition(": ")[2] if "; plus " not in term.formula else term.formula
    found = term.tex
    # A formula may have been cut at a comma within brackets.
    if not found or found.count("(") != found.count(")") or _has_cases(own):
        found = _latex(own) if "=" in own or "←" in own else term.name_tex
    if term.name.startswith("A[") and "σ(z)" in own:
        found = rf"{term.tex},\quad {_latex(own)}"
    for penalty in term.formula.split("; plus ")[1:]:
        found += f" + {latex(statement(penalty.partition('= ')[2]))}"
    # "That" of a trace's formula is what the term before it computed.
    found = found.replace(" that ", rf" {latex(f'∂C/∂A[{term.layer}]')} ")
    found = found.replace("old V", r"\text{old }V")
    return _FUNCTION.sub(r"\\operatorname{\1}", found)


def _has_cases(formula: str) -> bool:
    """Tell whether a formula defines by cases: 1 for z > 0, else 0."""
    return re.search(r" if | for z ", formula.split(", as ")[0]) is not None


def _latex(formula: str) -> str:
    """Return a formula as TeX, with all of its cases."""
    if not _has_cases(formula):
        return latex(statement(formula))
    parts = _JOINING.split(formula.split(", as ")[0].split(";")[0])
    return "".join(
        rf"\text{{ {part} }}" if index % 2 else latex(part) for index, part in enumerate(parts)
    )
