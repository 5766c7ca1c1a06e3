r"""The equations of one unit or weight with their numbers, as TeX: z_2 = 0.5 \cdot 1.2 + 0.1 = 0.7.

Every number is taken from the trace, in which the equations computed it. For an equation that has
no form of its own here, the result alone is shown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chainrule.engines.base import Floats, Penalties
from chainrule.equations import backpropagation, fused_pairs
from chainrule.equations.counts import exponential_poisson_error
from chainrule.equations.grouped import grouped_weight_gradient
from chainrule.equations.text import equation_text
from chainrule.inspection.terms import latex_name
from chainrule.inspection.trace import Trace
from chainrule.network.activation import Activation
from chainrule.network.spec import NetworkSpec
from chainrule.playground.inspection.numbers import factor, plain, products, tex, total
from chainrule.playground.inspection.substitution import is_plain, statement, substituted

_A_MINUS_Y = (
    fused_pairs.sigmoid_binary_cross_entropy_error,
    fused_pairs.identity_mean_squared_error_error,
    exponential_poisson_error,
)

# The gradient of a weight is a mean of products of one activation and one error.
_ONE_PRODUCT = (backpropagation.weight_gradient, grouped_weight_gradient)


@dataclass(frozen=True)
class Numbers:
    """An equation with its numbers."""

    tex: str
    result: float | None

    @classmethod
    def of(cls, symbol: str, value: Any, *sides: str) -> "Numbers":
        """Return "symbol = side = … = value"."""
        shown = tex(value)
        # Without a calculation, or with one that is a number already, the value stands once.
        parts = [side for side in sides if side != shown]
        return cls(" = ".join([symbol, *parts, shown]), plain(value))


@dataclass(frozen=True)
class Traced:
    """A trace with what the formulas of its single numbers need.

    Parameters
    ----------
    spec : NetworkSpec
    trace : Trace
    penalties : Penalties
    share : float
        The batch's factor of the penalties.
    weighted : bool
        Whether the examples have weights.
    """

    spec: NetworkSpec
    trace: Trace
    penalties: Penalties
    share: float
    weighted: bool

    def __post_init__(self) -> None:
        arrays = {term.name: term.value for term in self.trace.terms}
        object.__setattr__(self, "_arrays", arrays)

    def get(self, name: str) -> Floats | None:
        """Return an array of the trace by its name; None if there is none."""
        found: dict[str, Floats] = self._arrays  # type: ignore[attr-defined]
        return found.get(name)

    def __getitem__(self, name: str) -> Floats:
        found = self.get(name)
        assert found is not None, name
        return found

    @property
    def m(self) -> int:
        """The number of examples."""
        return int(self.trace.X.shape[1])

    # What a unit computes, for the first example.

    def weighted_sum(self, l: int, j: int) -> Numbers:  # noqa: E741 - the field's letter
        """F1 of one unit; with shared weights, of their products with the factors of a member."""
        seen, layer = self._seen(l, j), self.spec.layers[l - 1]
        theta = [self[f"{block.name}[{l}]"] for block in self.spec.blocks()[l - 1]]
        below = self[f"A[{l - 1}]"][seen.start : seen.stop, 0]
        terms = products(layer.unit_weights(theta)[j], below)
        terms.append(tex(self[f"b[{l}]"][j, 0]))
        return Numbers.of(unit("z", l, j), self[f"Z[{l}]"][j, 0], total(terms))

    def activation(self, l: int, j: int) -> Numbers:  # noqa: E741
        """F2 of one unit."""
        a, Z, sigma = self[f"A[{l}]"][j, 0], self[f"Z[{l}]"], self.spec.activations[l - 1]
        z, side = Z[j, 0], rf"\sigma({tex(Z[j, 0])})"
        if isinstance(sigma, Activation):
            formula = _right_side(sigma.function)
            if sigma.of_layer:
                above = [f"e^{{{tex(one)}}}" for one in Z[:, 0]]
                side = rf"\frac{{e^{{{tex(z)}}}}}{{{total(above)}}}"
            elif formula and is_plain(formula, "z"):
                side = substituted(formula, {"z": float(z)})
        return Numbers.of(unit("a", l, j), a, side)

    def cost(self) -> Numbers:
        """C of the first example."""
        C, A, Y = self["C"][0], self.trace.A[-1][:, 0], self.trace.Y[:, 0]
        side = ""
        if self.spec.cost_name == "mse":
            squares = [f"({tex(y)} - {factor(a)})^2" for y, a in zip(Y, A, strict=True)]
            side = rf"\tfrac12 \left[{total(squares)}\right]"
        elif self.spec.cost_name in ("cross_entropy", "binary_cross_entropy"):
            terms = [_log_term(y, tex(a)) for y, a in zip(Y, A, strict=True) if y]
            if self.spec.cost_name == "binary_cross_entropy":
                terms += [
                    _log_term(1 - y, f"1 - {factor(a)}") for y, a in zip(Y, A, strict=True) if y < 1
                ]
            side = "-" + (terms[0] if len(terms) == 1 else rf"\left[{total(terms)}\right]")
        return Numbers.of("C", C, *filter(None, [side]))

    def loss(self) -> Numbers:
        """J1."""
        J, costs = self["J"], self["C"]
        if self.weighted:
            return Numbers.of("J", J)
        return Numbers.of("J", J, _mean([tex(C) for C in costs]))

    def penalised_loss(self, new: str = "") -> Numbers:
        """J and the penalties."""
        J, P = self[f"{new}J"], self[f"{new}P"]
        return Numbers.of("J + P", self[f"{new}J + P"], f"{tex(float(J))} + {factor(float(P))}")

    # How the error comes back to it.

    def output_error(self, l: int, j: int) -> Numbers:  # noqa: E741
        """FU1 to FU6, BP1 or BP1s of one output."""
        delta, symbol = self[f"δ[{l}]"][j, 0], unit(r"\delta", l, j)
        a, y = self[f"A[{l}]"][j, 0], self.trace.Y[j, 0]
        pair = self.spec.fused_pair
        error = None if pair is None else _unbound(pair.error)
        sums_to_1 = abs(float(self.trace.Y[:, 0].sum()) - 1) < 1e-6
        if self.weighted:
            return Numbers.of(symbol, delta)
        if error in _A_MINUS_Y or (error is fused_pairs.softmax_cross_entropy_error and sums_to_1):
            return Numbers.of(symbol, delta, f"{tex(a)} - {factor(y)}")
        slope = self._slope(l, j)
        if error is None and slope is not None:
            return Numbers.of(symbol, delta, rf"{tex(self['∇ₐC'][j, 0])} \cdot {factor(slope)}")
        jacobian = self.get("∂a/∂z")
        if error is None and jacobian is not None:
            sides = products(jacobian[:, j], self["∇ₐC"][:, 0])
            return Numbers.of(symbol, delta, total(sides))
        return Numbers.of(symbol, delta)

    def from_above(self, l: int, j: int) -> Numbers:  # noqa: E741
        """BP2's first factor, for one unit, if the layer above is dense."""
        name = f"∂C/∂A[{l}]"
        symbol = rf"\frac{{\partial C}}{{\partial {unit('a', l, j)}}}"
        if self.spec.layers[l].error_equation is not backpropagation.hidden_error:
            return Numbers.of(symbol, self[name][j, 0])
        terms = products(self[f"W[{l + 1}]"][:, j], self[f"δ[{l + 1}]"][:, 0])
        return Numbers.of(symbol, self[name][j, 0], total(terms))

    def slope(self, l: int, j: int) -> Numbers:  # noqa: E741
        """σ′ of one unit; of the sigmoid and tanh, by its activation a."""
        a, z = float(self[f"A[{l}]"][j, 0]), float(self[f"Z[{l}]"][j, 0])
        sigma = self.spec.activations[l - 1]
        formula = _right_side(sigma.derivative) if sigma.derivative is not None else ""
        formula = formula.replace("σ(z)", "a").replace("tanh² z", "a²")
        side = rf"\sigma'({tex(z)})"
        if "a" in formula and is_plain(formula, "a²", "a"):
            side = substituted(formula, {"a": a})
        return Numbers.of(rf"\sigma'({unit('z', l, j)})", self._slope(l, j), side)

    def hidden_error(self, l: int, j: int) -> Numbers:  # noqa: E741
        """BP2 of one unit, as the product of ∂C/∂a and σ′."""
        delta, symbol = self[f"δ[{l}]"][j, 0], unit(r"\delta", l, j)
        above, slope = self.get(f"∂C/∂A[{l}]"), self._slope(l, j)
        if above is None or slope is None:
            return Numbers.of(symbol, delta)
        return Numbers.of(symbol, delta, rf"{tex(above[j, 0])} \cdot {factor(slope)}")

    def _slope(self, l: int, j: int) -> float | None:  # noqa: E741
        """Return σ′(z) of a unit; None if its activation is not element-wise."""
        slopes = self.get(f"σ′(Z[{l}])")
        return None if slopes is None else float(slopes[j, 0])

    # The gradients.

    def weight_gradient(self, l: int, j: int, k: int) -> Numbers:  # noqa: E741
        """BP4 of one weight, with the gradients of P1 and P2; of a shared one, the result alone."""
        a, delta, layer = self[f"A[{l - 1}]"][k], self[f"δ[{l}]"][j], self.spec.layers[l - 1]
        row, column = layer.row(j), k - self._seen(l, j).start
        symbol = rf"\frac{{\partial J}}{{\partial {weight(l, row, k)}}}"
        gradient, W = self[f"∂J/∂W[{l}]"], self[f"W[{l}]"]
        if layer.gradient_equations[0] not in _ONE_PRODUCT:
            symbol = rf"\frac{{\partial J}}{{\partial {weight(l, row, column)}}}"
            return Numbers.of(symbol, gradient[row, column])
        side = _mean(products(a, delta))
        w = float(W[row, column])
        if self.penalties.l2:
            side += rf" + {tex(self.penalties.l2 * self.share)} \cdot {factor(w)}"
        if self.penalties.l1:
            strength = tex(self.penalties.l1 * self.share)
            side += rf" + {strength} \cdot \operatorname{{sign}}({tex(w)})"
        return Numbers.of(symbol, gradient[row, column], side)

    def _seen(self, l: int, j: int) -> range:  # noqa: E741
        """Return the units below that a unit sees."""
        return self.spec.layers[l - 1].seen(j, self.spec.sizes[l - 1])

    def bias_gradient(self, l: int, j: int) -> Numbers:  # noqa: E741
        """BP3 of one bias."""
        side = _mean([tex(one) for one in self[f"δ[{l}]"][j]])
        symbol = rf"\frac{{\partial J}}{{\partial {unit('b', l, j)}}}"
        return Numbers.of(symbol, self[f"∂J/∂b[{l}]"][j, 0], side)


def element(name: str, value: Floats, j: int) -> Numbers:
    """Return one number of an array whose equation has no form of its own here."""
    if value.ndim == 0:
        return Numbers.of(latex_name(name), value)
    known = {
        "A[0]": unit("a", 0, j),
        "Y": f"y_{{{j + 1}}}",
        "∇ₐC": rf"\frac{{\partial C}}{{\partial a_{{{j + 1}}}}}",
    }
    if name in known:
        return Numbers.of(known[name], value[j, 0])
    one = value[j, 0] if value.ndim == 2 else value[0]
    return Numbers.of(rf"{{{latex_name(name)}}}_{{{j + 1}}}", one)


def unit(letter: str, l: int, j: int) -> str:  # noqa: E741
    """Return the symbol of a unit's number."""
    return rf"{letter}^{{[{l}]}}_{{{j + 1}}}"


def weight(l: int, j: int, k: int) -> str:  # noqa: E741
    """Return the symbol of a weight."""
    return rf"w^{{[{l}]}}_{{{j + 1},{k + 1}}}"


def _right_side(function: Callable[..., Any]) -> str:
    """Return what an equation says its result is, without remarks; "" if it has several cases."""
    text = equation_text(_unbound(function))
    if text is None or " for " in text.formula.split(", as ")[0]:
        return ""
    return statement(text.formula).partition("= ")[2]


def _unbound(function: Callable[..., Any]) -> Callable[..., Any]:
    return getattr(function, "func", function)


def _mean(terms: list[str]) -> str:
    """Return the mean of terms; of one, the term itself."""
    if len(terms) == 1:
        return terms[0]
    return rf"\tfrac{{1}}{{{len(terms)}}} \left({total(terms)}\right)"


def _log_term(share: float, probability: str) -> str:
    log = rf"\log ({probability})" if " " in probability else rf"\log {probability}"
    return log if share == 1 else rf"{tex(share)} \cdot {log}"
