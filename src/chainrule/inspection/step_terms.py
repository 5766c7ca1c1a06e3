"""The terms of a step's forward pass, cost, and backward pass, in the order of computation."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Floats, Penalties
from chainrule.engines.passes import cost_equations
from chainrule.equations import backpropagation, costs, penalties
from chainrule.equations.text import equation_text, latex
from chainrule.inspection.step import Step
from chainrule.inspection.terms import Term, equation_tex, indexed, of_equation, unbound
from chainrule.network.activation import Activation
from chainrule.network.parameters import placed_blocks
from chainrule.network.spec import NetworkSpec

Columns = NDArray[np.intp] | slice


def forward_terms(step: Step, columns: Columns) -> list[Term]:
    """Return inputs, targets, parameters, Z and A; only these columns of examples."""
    spec, examples = step.problem.spec, step.problem.examples
    L, m = len(spec.layers), step.X.shape[1]
    terms = [
        Term("", "A[0]", "X, the inputs", step.X[:, columns]),
        Term("", "Y", "the targets", step.Y[:, columns]),
    ]
    if examples.weights is not None:
        terms.append(Term("", "w", "the weights of the examples", examples.weights[columns]))
    for l, (layer, arrays, layer_pass) in enumerate(  # noqa: E741 - the field's letter
        zip(spec.layers, step.theta, step.passes, strict=True), start=1
    ):
        for block, array in zip(spec.blocks()[l - 1], arrays, strict=True):
            terms.append(Term("", f"{block.name}[{l}]", "parameters", array, layer=l))
        for shown in layer.shown(layer_pass):
            per_example = shown.value.ndim == 2 and shown.value.shape[1] == m
            value = shown.value[:, columns] if per_example else shown.value
            term = of_equation(shown.equation, f"{shown.name}[{l}]", value, l, L)
            text = equation_text(unbound(shown.sigma)) if shown.sigma is not None else None
            if text:
                sigma = spec.activations[l - 1]
                term = term._replace(formula=f"{term.formula}, {sigma.name}: {text.formula}")
            terms.append(term)
    return [term._replace(phase="forward") for term in terms]


def cost_terms(step: Step, columns: Columns) -> list[Term]:
    """Return C, J, the penalties and ∇ₐC."""
    spec = step.problem.spec
    L, equations = len(spec.layers), cost_equations(spec)
    cost = spec.fused_pair.cost if spec.fused_pair else equations.function
    terms = [
        of_equation(cost, "C", step.costs[columns], L, L),
        of_equation(costs.batch_cost, "J", np.asarray(step.J, spec.dtype), L, L),
    ]
    terms += penalty_terms(step, step.J, step.penalty)
    terms.append(of_equation(equations.gradient, "∇ₐC", step.grad_A[:, columns], L, L))
    return [term._replace(phase="cost") for term in terms]


def penalty_terms(step: Step, J: float, penalty: float, new: str = "") -> list[Term]:
    """Return the strengths of the penalties, the penalties and J + P; nothing without penalties."""
    spec, strengths = step.problem.spec, step.problem.penalties
    if not strengths:
        return []
    terms = []
    texts = []
    for name, value, function in (
        ("l2", strengths.l2, penalties.l2_penalty),
        ("l1", strengths.l1, penalties.l1_penalty),
    ):
        text = equation_text(function)
        if not value or text is None:
            continue
        texts.append(f"{text.id}: {text.formula}")
        if not new:
            words = "the strength of the penalty"
            if strengths.shared:
                words += ", divided by the weights of the batch, P3"
            terms.append(Term("", name, words, np.asarray(value * step.penalty_share)))
    blocks = [placed.name for placed in placed_blocks(spec) if placed.block.penalised]
    plain = all(name.startswith("W[") for name in blocks)
    over = "W[l]" if plain else ", ".join(blocks)
    formula = f"the sum over all {over} of " + " and of ".join(texts)
    terms.append(Term("", f"{new}P", formula, np.asarray(penalty)))
    terms.append(Term("", f"{new}J + P", "the loss", np.asarray(J + penalty)))
    return terms


def backward_terms(step: Step, columns: Columns, example: int) -> list[Term]:
    """Return the errors with their factors, and the gradients; Jacobians of one example."""
    spec = step.problem.spec
    L = len(spec.layers)
    terms: list[Term] = []
    for l in range(L, 0, -1):  # noqa: E741 - the field's letter
        terms += _factors(step, l, columns, example)
        terms.append(_error(step, l, columns))
        layer = spec.layers[l - 1]
        for block, function, value in zip(
            spec.blocks()[l - 1], layer.gradient_equations, step.gradients[l - 1], strict=False
        ):
            term = of_equation(function, f"∂J/∂{block.name}[{l}]", value, l, L)
            if block.penalised:
                formula = term.formula + _penalty_formula(step.problem.penalties)
                term = term._replace(formula=formula)
            terms.append(term._replace(tex=_gradient_tex(term)))
    return [term._replace(phase="backward") for term in terms]


def _factors(step: Step, l: int, columns: Columns, example: int) -> list[Term]:  # noqa: E741
    """Return what δ[l] is a product of: ∂C/∂A[l], except at the output, and σ′ or Jacobians."""
    spec, L = step.problem.spec, len(step.problem.spec.layers)
    layer, layer_pass, sigma = spec.layers[l - 1], step.passes[l - 1], spec.activations[l - 1]
    terms = []
    through = layer.error_text("that", l)
    if l < L and through != "that":
        above, theta = spec.layers[l], step.theta[l]
        grad_A = above.error_below(theta, step.passes[l], step.deltas[l], lambda grad: grad)
        terms.append(_grad_A_term(spec, l, grad_A[:, columns]))
    derivative = sigma.derivative if isinstance(sigma, Activation) else None
    if derivative is not None and "σ′" in through:
        value = np.broadcast_to(derivative(layer_pass.Z), layer_pass.Z.shape)
        term = of_equation(derivative, f"σ′(Z[{l}])", value[:, columns], l, L)
        formula = f"{sigma.name}: {term.formula}"
        if l == L and spec.fused_pair is not None:
            formula += f"; not needed, since {_fused_id(spec)} has the product with ∇ₐC"
        terms.append(term._replace(formula=formula, tex=""))
    if sigma.of_layer and "Jᵀ" in through:
        terms += _jacobians(spec, l, layer_pass.A[:, example], example)
    return terms


def _grad_A_term(spec: NetworkSpec, l: int, value: Floats) -> Term:  # noqa: E741
    above = spec.layers[l].error_equation
    name = f"∂C/∂A[{l}]"
    text = equation_text(above)
    if above is backpropagation.hidden_error:
        formula = f"{name} = W[{l + 1}]ᵀ · δ[{l + 1}], the first factor of BP2"
    else:
        formula = indexed(text.formula if text else "", l + 1, len(spec.layers))
    id_ = text.id if text else ""
    return Term(id_, name, formula, value, layer=l, tex=equation_tex(name, formula))


def _jacobians(spec: NetworkSpec, l: int, a: Floats, example: int) -> list[Term]:  # noqa: E741
    """Return softmax's Jacobian at one example: whole, and by its two kinds of entries."""
    J = np.asarray(backpropagation.softmax_jacobian(a))
    off = J.copy()
    np.fill_diagonal(off, np.nan)
    output = l == len(spec.layers)
    name, layer = ("∂a/∂z", "") if output else (f"∂a[{l}]/∂z[{l}]", f" of layer {l}")
    whole = of_equation(backpropagation.softmax_jacobian, name, J, l)
    formula = whole.formula.removesuffix(", of one example")
    words = f"{formula}, of example {example + 1}"
    if output and spec.fused_pair is not None:
        words += f"; not needed, since {_fused_id(spec)} has the product with ∇ₐC"
    terms = [whole._replace(formula=words, tex=latex(formula))]
    for part, when, formula, value in (
        ("∂aᵢ/∂zᵢ", "i = j", "aᵢ(1 − aᵢ)", np.diag(J).copy()),
        ("∂aᵢ/∂zⱼ", "i ≠ j", "−aᵢaⱼ", off),
    ):
        tex = rf"{latex(part)} = {latex(formula)}, \quad {latex(when.replace('≠', '#'))}"
        tex = tex.replace("#", r"\ne ")
        text = f"{part} = {formula}, {when}"
        terms.append(Term("BP1s", f"{part}{layer}", text, value, "", l, tex))
    return terms


def _error(step: Step, l: int, columns: Columns) -> Term:  # noqa: E741
    spec, L = step.problem.spec, len(step.problem.spec.layers)
    if l < L:
        equation: Callable[..., Any] = spec.layers[l].error_equation
    elif spec.fused_pair is not None:
        equation = spec.fused_pair.error
    else:
        equation = spec.activations[-1].error_equation
    name = f"δ[{l}]"
    term = of_equation(equation, name, step.deltas[l - 1][:, columns], l, L)
    if l < L:
        formula = _error_formula(spec, l)
        term = term._replace(formula=formula, tex=equation_tex(name, formula))
    if l == L and step.problem.examples.weights is not None:
        weight = equation_text(costs.weighted_error)
        note = f"; weighted by {weight.id}: {weight.formula}" if weight else ""
        term = term._replace(formula=term.formula + note)
    return term


def _error_formula(spec: NetworkSpec, l: int) -> str:  # noqa: E741
    """Return the formula for δ[l], which depends on the kinds of layers l and l+1."""
    above, own = spec.layers[l].error_equation, spec.layers[l - 1]
    if above is backpropagation.hidden_error:
        return f"δ[{l}] = {own.error_text(f'W[{l + 1}]ᵀ · δ[{l + 1}]', l)}"
    # This equation gives ∂C/∂A[l] only, and its indices are those of the layer above.
    text = equation_text(above)
    formula = text.formula if text else ""
    for symbol, index in (("l−1", l), ("l", l + 1)):
        formula = formula.replace(f"[{symbol}]", f"[{index}]")
    through = own.error_text("that", l)
    return formula if through == "that" else f"{formula}; δ[{l}] = {through}"


def _penalty_formula(strengths: Penalties) -> str:
    formula = ""
    for strength, function in (
        (strengths.l2, penalties.l2_penalty_gradient),
        (strengths.l1, penalties.l1_penalty_gradient),
    ):
        text = equation_text(function)
        if strength and text:
            formula += f"; plus {text.id}: {text.formula}"
    return formula


def _gradient_tex(term: Term) -> str:
    """Return the equation of a gradient over the batch in LaTeX; "" if it is one in words."""
    batch = term.formula.split(";")[1] if "; over the batch, " in term.formula else ""
    batch = batch.replace("over the batch, ", "").strip()
    return f"{term.name_tex} = {latex(batch)}" if "·" in batch else ""


def _fused_id(spec: NetworkSpec) -> str:
    assert spec.fused_pair is not None
    text = equation_text(unbound(spec.fused_pair.error))
    return text.id if text else "the fused pair"
