"""The trace of one step: every array of its equations, with examples as columns."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.engines.base import Floats, Penalties, Problem, UpdateRule
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.engines.passes import (
    as_columns,
    backward_pass,
    cost_equations,
    example_costs,
    forward_pass,
    mean_cost,
    new_statistics,
    penalty,
    with_penalties,
)
from chainrule.equations import backpropagation, costs, penalties
from chainrule.equations.averages import average_update
from chainrule.equations.batch_normalization import running_value
from chainrule.equations.clipping import clipped_gradient
from chainrule.equations.text import equation_text
from chainrule.inspection.renderers import to_html, to_latex, to_text
from chainrule.inspection.terms import Term
from chainrule.network.layers import LayerPass, TrainingStep
from chainrule.network.parameters import (
    group_indicator,
    learning_rate_factors,
    placed_blocks,
    views,
)
from chainrule.network.random import step_noise
from chainrule.network.spec import NetworkSpec


@dataclass(frozen=True, repr=False)
class Trace:
    """Everything that one step computes, equation by equation.

    As in the equations, each example is a column. Lists hold layer l at index l − 1.
    ``print(trace)`` shows a table, and a notebook shows it as HTML; `to_html` and `to_latex` return
    it as text.

    Attributes
    ----------
    X, Y : array (n[0], m), (n[L], m)
    Z, A : list of L arrays (n[l], m)
        F1, F2, or the corresponding equations of the layer's kind.
    costs : array (m,)
        C of each example.
    loss : float
        J plus penalties.
    grad_A : array (n[L], m)
        ∇ₐC.
    delta : list of L arrays (n[l], m)
        δ[l]; with sample weights, already weighted (J2).
    weight_gradients, bias_gradients : lists of arrays
        BP4, BP3 of each dense layer; penalties included.
    optimizer_state : dict of str to array
        V, S after the update, as flat vectors, and t; X, where an average is evaluated.
    update : list of L tuples of arrays
        New minus old parameters of each layer: W[l], b[l] of a dense one.
    terms : list of Term
        All of these in the order of computation.
    """

    X: Floats
    Y: Floats
    Z: list[Floats]
    A: list[Floats]
    costs: Floats
    loss: float
    grad_A: Floats
    delta: list[Floats]
    weight_gradients: list[Floats]
    bias_gradients: list[Floats]
    optimizer_state: dict[str, Any]
    update: list[tuple[Floats, ...]]
    terms: list[Term] = field(repr=False)

    def __str__(self) -> str:
        return to_text(self.loss, self.terms)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self) -> str:
        """Return the trace as an HTML table."""
        return to_html(self.loss, self.terms)

    def to_latex(self) -> str:
        """Return the trace as LaTeX, one displayed equation with its numbers per array."""
        return to_latex(self.terms)


def trace_step(
    problem: Problem,
    rule: UpdateRule,
    state: OptimizerState | None = None,
    noise_key: int = 0,
) -> Trace:
    """Compute one step by the equations and keep all arrays; nothing is changed in place."""
    # Copies, so that the trace stays valid when the network or the user's arrays change.
    spec, examples, optimizer = problem.spec, problem.examples, rule.optimizer
    parameters = problem.parameters.copy()
    theta = views(spec, parameters)
    X, Y = as_columns(examples.X.copy()), as_columns(examples.targets(spec.n_outputs).copy())
    if state is None:
        state = optimizer.new_state(parameters)
    training = TrainingStep(step_noise(noise_key, state.t + 1), weights=examples.weights)
    passes = forward_pass(spec, theta, X, training)
    C = example_costs(spec, passes[-1], Y)
    back = backward_pass(spec, theta, X, Y, passes, examples.weights)
    with np.errstate(over="ignore"):  # shown, although a fused pair does not compute ∇ₐC
        grad_A = cost_equations(spec).gradient(passes[-1].A, Y)
    share = problem.penalties.share(examples.weight)
    gradients = with_penalties(spec, theta, back.gradients, problem.penalties, share)
    J = float(mean_cost(C, examples.weights))
    J += float(penalty(spec, theta, problem.penalties, share))

    gradient = np.zeros_like(parameters)
    for layer, values in zip(views(spec, gradient), gradients, strict=True):
        for block, value in zip(layer, values, strict=False):
            block[...] = value
    # The first learning rate of a schedule does not depend on the training's length.
    rate = float(optimizer.planned(1, 1).learning_rates(state.t + 1, 1)[0])
    shares = optimizer.shares(state, np.array([rate]))
    share = 1.0 if shares is None else float(shares[0])
    downhill = gradient
    if rule.clips:
        downhill = clipped_gradient(gradient, rule.max_grad_norm)
    new_theta, new_state = optimizer.update(
        parameters,
        downhill,
        optimizer.equation_state(state),
        rate * learning_rate_factors(spec),
        group_indicator(spec, "weights"),
        share,
    )
    for place, value in new_statistics(spec, theta, passes):
        new_theta[place] = value.ravel()
    step = new_theta - parameters
    update = [tuple(layer) for layer in views(spec, step)]
    new_slots = new_state._asdict() if new_state else {}
    if optimizer.ema_decay:
        new_slots["X"] = average_update(optimizer.average(state), new_theta, share)

    terms = _forward_terms(spec, theta, X, Y, passes)
    weighted = examples.weights is not None
    terms += _cost_terms(spec, C, J, grad_A)
    terms += _jacobian_terms(spec, passes[-1].A)
    terms += _backward_terms(spec, back.deltas, gradients, weighted, problem.penalties)
    if rule.clips:
        terms.append(_term(clipped_gradient, "g", downhill))
    terms += _update_terms(spec, optimizer, new_slots, step)
    return Trace(
        X=X,
        Y=Y,
        Z=[p.Z for p in passes],
        A=[p.A for p in passes],
        costs=C,
        loss=J,
        grad_A=grad_A,
        delta=back.deltas,
        weight_gradients=_named(spec, gradients, "W"),
        bias_gradients=_named(spec, gradients, "b"),
        optimizer_state=new_slots,
        update=update,
        terms=terms,
    )


def _named(spec: NetworkSpec, gradients: list[tuple[Floats, ...]], name: str) -> list[Floats]:
    return [
        value
        for blocks, values in zip(spec.blocks(), gradients, strict=True)
        for block, value in zip(blocks, values, strict=False)
        if block.name == name
    ]


def _term(
    function: Callable[..., Any], name: str, value: Any, layer: int | None = None, last: int = 0
) -> Term:
    text = equation_text(_unbound(function))
    id_, formula = (text.id, text.formula) if text else ("", "")
    if layer is not None:
        for symbol, index in (("l−1", layer - 1), ("l+1", layer + 1), ("l", layer), ("L", last)):
            formula = formula.replace(f"[{symbol}]", f"[{index}]")
    return Term(id_, name, formula, np.asarray(value))


def _forward_terms(
    spec: NetworkSpec,
    theta: list[list[Floats]],
    X: Floats,
    Y: Floats,
    passes: list[LayerPass],
) -> list[Term]:
    L = len(passes)
    terms = [Term("", "A[0]", "X, the inputs", X), Term("", "Y", "the targets", Y)]
    for l, (layer, arrays, layer_pass) in enumerate(  # noqa: E741 - the field's letter
        zip(spec.layers, theta, passes, strict=True), start=1
    ):
        for block, array in zip(spec.blocks()[l - 1], arrays, strict=True):
            terms.append(Term("", f"{block.name}[{l}]", "parameters", array))
        for shown in layer.shown(layer_pass):
            term = _term(shown.equation, f"{shown.name}[{l}]", shown.value, l, L)
            text = equation_text(_unbound(shown.sigma)) if shown.sigma is not None else None
            if text:
                name = spec.activations[l - 1].name
                term = term._replace(formula=f"{term.formula}, {name}: {text.formula}")
            terms.append(term)
    return terms


def _unbound(function: Callable[..., Any]) -> Callable[..., Any]:
    return getattr(function, "func", function)


def _cost_terms(spec: NetworkSpec, C: Floats, J: float, grad_A: Floats) -> list[Term]:
    L = len(spec.layers)
    equations = cost_equations(spec)
    cost = spec.fused_pair.cost if spec.fused_pair else equations.function
    return [
        _term(cost, "C", C, L, L),
        _term(costs.batch_cost, "J", J, L, L),
        _term(equations.gradient, "∇ₐC", grad_A, L, L),
    ]


def _jacobian_terms(spec: NetworkSpec, A: Floats) -> list[Term]:
    """Return the Jacobian of the first example, if outputs have one: BP1s multiplies by it."""
    if spec.fused_pair is not None:
        return []
    if spec.activations[-1].error_equation is not backpropagation.softmax_error:
        return []
    term = _term(backpropagation.softmax_jacobian, "J", backpropagation.softmax_jacobian(A[:, 0]))
    return [term._replace(name="∂a/∂z", formula=f"{term.formula}, here the first one")]


def _backward_terms(
    spec: NetworkSpec,
    deltas: list[Floats],
    gradients: list[tuple[Floats, ...]],
    weighted: bool,
    strengths: Penalties,
) -> list[Term]:
    L = len(deltas)
    terms = []
    for l in range(L, 0, -1):  # noqa: E741 - the field's letter
        if l < L:
            equation: Callable[..., Any] = spec.layers[l].error_equation
        elif spec.fused_pair is not None:
            equation = spec.fused_pair.error
        else:
            equation = spec.activations[-1].error_equation
        delta = _term(equation, f"δ[{l}]", deltas[l - 1], l, L)
        if l < L:
            delta = delta._replace(formula=_error_formula(spec, l))
        if weighted and l == L:
            weight = equation_text(costs.weighted_error)
            note = f"; weighted by {weight.id}: {weight.formula}" if weight else ""
            delta = delta._replace(formula=delta.formula + note)
        terms.append(delta)
        layer = spec.layers[l - 1]
        for block, function, value in zip(
            spec.blocks()[l - 1], layer.gradient_equations, gradients[l - 1], strict=False
        ):
            term = _term(function, f"∂J/∂{block.name}[{l}]", value, l, L)
            if block.penalised:
                term = term._replace(formula=term.formula + _penalty_formula(strengths))
            terms.append(term)
    return terms


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


def _update_terms(
    spec: NetworkSpec, optimizer: Optimizer, slots: dict[str, Any], step: Floats
) -> list[Term]:
    terms = []
    for placed in placed_blocks(spec):
        shape = placed.block.shape
        if not placed.block.has_gradient:
            change = step[placed.slice].reshape(shape)
            terms.append(_term(running_value, f"Δ{placed.name}", change))
            continue
        for name, vector in slots.items():
            if name == "t":
                continue
            value = np.asarray(vector)[placed.slice].reshape(shape)
            averaged = name == "X" and optimizer.ema_decay > 0
            equation = average_update if averaged else optimizer.update_equation
            terms.append(_term(equation, f"{name} of {placed.name}", value))
        change = step[placed.slice].reshape(shape)
        terms.append(_term(optimizer.update_equation, f"Δ{placed.name}", change))
    return terms
