r"""Formulas with numbers in the places of their symbols, as TeX.

The formulas are those of the equations' docstrings: none is written here a second time. A product
that is written without a sign, βV, gets one between two numbers: 0.9 \cdot 0.12.
"""

import re
from collections.abc import Mapping

from chainrule.equations.text import latex
from chainrule.playground.inspection.numbers import DIGITS, factor, tex

_FUNCTIONS = {
    "softplus": r"\operatorname{softplus}",
    "sign": r"\operatorname{sign}",
    **{name: rf"\{name}" for name in ("tanh", "max", "min", "log", "exp")},
}
_POWERS = {"²": "2", "ᵗ⁺¹": "t+1", "ᵗ": "t"}
_REMARK = re.compile(r";|, | (?:for|with|per) ")


def statement(formula: str) -> str:
    """Return the first statement of a formula, without the remarks that follow it.

    Examples
    --------
    >>> from chainrule.playground.inspection.substitution import statement
    >>> statement("g ← g min(1, c/‖g‖), ‖g‖² = Σ g² over all parameters")
    'g ← g min(1, c/‖g‖)'
    """
    depth = 0
    for index, letter in enumerate(formula):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if not depth and _REMARK.match(formula, index):
            return formula[:index].strip()
    return formula.strip()


def substituted(formula: str, values: Mapping[str, float], digits: int = DIGITS) -> str:
    r"""Return an expression as TeX, with numbers in the places of the symbols that have values.

    Examples
    --------
    >>> from chainrule.playground.inspection.substitution import substituted
    >>> substituted("βV + (1 − β) δW", {"β": 0.9, "V": -0.5, "δW": 2.0})
    '0.9 \\cdot (-0.5) + (1 - 0.9) \\cdot 2'
    >>> substituted("W − α δW / (√S + ε)", {"W": 1, "α": 0.1, "δW": -2, "S": 4, "ε": 1e-8})
    '1 - 0.1 \\cdot (-2) / (\\sqrt{4} + 1 \\cdot 10^{-8})'
    """
    return _Substitution(formula, values, digits).text()


def is_plain(formula: str, *symbols: str) -> bool:
    """Tell whether an expression consists of these symbols, numbers and common functions alone."""
    for word in (*_FUNCTIONS, *symbols):
        formula = formula.replace(word, "")
    return re.fullmatch(r"[0-9e^{}()+−·/,. ]*", formula) is not None


class _Substitution:
    """Reads an expression from left to right."""

    def __init__(self, formula: str, values: Mapping[str, float], digits: int) -> None:
        self._rest, self._values, self._digits = formula, values, digits
        self._symbols = sorted(values, key=len, reverse=True)
        self._parts: list[str] = []
        self._after_value = False

    def text(self) -> str:
        while self._rest:
            self._next()
        return re.sub(r" +", " ", "".join(self._parts)).strip()

    def _next(self) -> None:
        if self._rest[0] == " ":
            self._put(" ", self._after_value)
            self._rest = self._rest[1:]
            return
        if self._rest[0] == "√":
            self._rest = self._rest[1:]
            inside = substituted(self._operand(), self._values, self._digits)
            self._put(rf"{self._times()}\sqrt{{{inside}}}", True)
            return
        symbol = next((one for one in self._symbols if self._rest.startswith(one)), None)
        if symbol is not None:
            self._rest = self._rest[len(symbol) :]
            value = self._values[symbol]
            power = next((one for one in _POWERS if self._rest.startswith(one)), "")
            self._rest = self._rest[len(power) :]
            shown = tex(value, self._digits)
            first = not self._parts or self._parts[-1].endswith(("(", "{"))
            if power:
                exponent = _POWERS[power]
                if "t" in self._values and exponent != "2":
                    shift = 1 if exponent == "t+1" else 0
                    exponent = str(int(self._values["t"]) + shift)
                compound = shown.startswith("-") or "cdot" in shown
                shown = f"{f'({shown})' if compound else shown}^{{{exponent}}}"
            elif not first or self._after_value:
                shown = factor(value, self._digits)
            self._put(f"{self._times()}{shown}", True)
            return
        for name, command in _FUNCTIONS.items():
            if self._rest.startswith(name):
                self._rest = self._rest[len(name) :]
                self._put(f"{self._times()}{command} ", False)
                return
        letter, self._rest = self._rest[0], self._rest[1:]
        if letter == "(":
            self._put(f"{self._times()}(", False)
        elif letter == ")":
            self._put(")", True)
        elif letter in "+−·/=,^{}|[]":
            self._put(latex(letter), letter == "}")
        else:
            self._put(latex(letter), False)

    def _operand(self) -> str:
        """Take what stands below a root: brackets, or one symbol."""
        if not self._rest.startswith("("):
            symbol = next((one for one in self._symbols if self._rest.startswith(one)), "")
            symbol = symbol or self._rest[:1]
            self._rest = self._rest[len(symbol) :]
            return symbol
        depth, stop = 0, len(self._rest)
        for index, letter in enumerate(self._rest, start=1):
            depth += {"(": 1, ")": -1}.get(letter, 0)
            if not depth:
                stop = index
                break
        inside, self._rest = self._rest[1 : stop - 1], self._rest[stop:]
        return inside

    def _times(self) -> str:
        return r" \cdot " if self._after_value else ""

    def _put(self, part: str, after_value: bool) -> None:
        self._parts.append(part)
        self._after_value = after_value
