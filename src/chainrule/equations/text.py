"""An equation as text: its id and formula, read from the function that implements it.

The docstring of every equation starts with "ID: formula." or "ID kind: formula.", so that traces,
documentation and tests all refer to the same line.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

_FIRST_LINE = re.compile(
    r"^(?P<id>[A-Z]{1,2}\d{1,2}[es]?)(?: (?P<kind>derivative|gradient|Jacobian|cost|state))?: "
)

_LATEX = {
    "ᵀ": r"^{\mathsf{T}}",
    "·": r"\cdot ",
    "⊙": r"\odot ",
    "σ′": r"\sigma'",
    "′": "'",
    "σ": r"\sigma ",
    "δ": r"\delta ",
    "Δ": r"\Delta ",
    "∇ₐC": r"\nabla_a C",
    "∂": r"\partial ",
    "α": r"\alpha ",
    "β₁ᵗ⁺¹": r"\beta_1^{t+1}",
    "β₁ᵗ": r"\beta_1^t",
    "β₂ᵗ": r"\beta_2^t",
    "β₁": r"\beta_1",
    "β₂": r"\beta_2",
    "β": r"\beta ",
    "γ": r"\gamma ",
    "λ": r"\lambda ",
    "μ": r"\mu ",
    "ρᵗ": r"\rho^t",
    "ρ": r"\rho ",
    "τ": r"\tau ",
    "π": r"\pi ",
    "⌊": r"\lfloor ",
    "⌋": r"\rfloor ",
    "cos(": r"\cos (",
    "cos ψ": r"\cos \psi ",
    "sin ψ": r"\sin \psi ",
    "ψ": r"\psi ",
    "α₀": r"\alpha_0",
    "α₁": r"\alpha_1",
    "α₂": r"\alpha_2",
    "ⁱ": "^i",
    "‖": r"\|",
    "ε": r"\varepsilon ",
    "V̂": r"\hat V",
    "X̂": r"\hat X",
    "x̂": r"\hat x",
    "Ŝ": r"\hat S",
    "√": r"\sqrt ",
    "Σ": r"\sum ",
    "←": r"\leftarrow ",
    "↦": r"\mapsto ",
    "−": "-",
    "½": r"\tfrac12 ",
    "²": "^2",
    "log": r"\log ",
    "ᵢ₌ⱼ": "_{i=j}",
    "n_in": "n_{in}",
    "n_out": "n_{out}",
    "ⱼₖ": "_{jk}",
    "ᵢⱼ": "_{ij}",
    "ⱼ": "_j",
    "ₖ": "_k",
    "ᵢ": "_i",
    "ₕ": "_h",
}
_LAYER_INDEX = re.compile(r"\[(l[^\]]*|L|\d+)\]")
# A transpose would be a second superscript of the same letter, which LaTeX refuses without braces.
_TRANSPOSED = re.compile(r"(\w)\[(l[^\]]*|L|\d+)\](ₖ?)ᵀ")

# In LaTeX, a letter may only have one subscript, so several digits are grouped.
_NUMBER = re.compile(r"[₀-₉]+")
_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


class EquationText(NamedTuple):
    """The parts of a docstring's first paragraph."""

    id: str
    kind: str
    """"" for the equation itself; or "derivative", "gradient", "Jacobian", "cost", "state"."""
    formula: str


# In LaTeX, a root applies to one sign only, so its operand is put into braces.
_ROOT = re.compile(r"√(?:\((?P<group>(?:[^()]|\([^()]*\))*)\)|(?P<letter>n_\w+|\w\u0302?))")


def equation_text(function: Callable[..., Any]) -> EquationText | None:
    """Return id and formula of an equation, or None if the function is not one."""
    paragraph = (function.__doc__ or "").partition("\n\n")[0]
    line = " ".join(paragraph.split()).removesuffix(".")
    match = _FIRST_LINE.match(line)
    if match is None:
        return None
    return EquationText(match["id"], match["kind"] or "", line[match.end() :])


def latex(formula: str) -> str:
    r"""Translate a formula of the docstrings into LaTeX.

    Examples
    --------
    >>> print(latex("Z[l] = W[l]ᵀ · A[l]"))
    Z^{[l]} = {W^{[l]}}^{\mathsf{T}} \cdot  A^{[l]}
    """
    formula = _TRANSPOSED.sub(r"{\1\3^{[\2]}}ᵀ", formula)
    formula = _ROOT.sub(lambda root: rf"\sqrt{{{root['group'] or root['letter']}}}", formula)
    for symbol in sorted(_LATEX, key=len, reverse=True):
        formula = formula.replace(symbol, _LATEX[symbol])
    formula = _NUMBER.sub(lambda number: f"_{{{number[0].translate(_DIGITS)}}}", formula)
    return _LAYER_INDEX.sub(_superscript, formula)


def _superscript(match: re.Match[str]) -> str:
    already = match.string[: match.start()].endswith("^{")
    return match[0] if already else f"^{{{match[0]}}}"
