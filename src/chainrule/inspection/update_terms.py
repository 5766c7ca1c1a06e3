"""The terms of a step's update: the gradient's clipping, the optimizer's equation, the result."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from chainrule.engines.base import Floats
from chainrule.engines.optimizer import HATS
from chainrule.equations import optimizers as equations
from chainrule.equations.averages import average_update, exponential_share, rate_share
from chainrule.equations.batch_normalization import running_value
from chainrule.equations.clipping import clipped_gradient
from chainrule.equations.optimizers import muon_size
from chainrule.equations.text import equation_text, latex
from chainrule.inspection.step import Step, precise_change, precise_directions
from chainrule.inspection.step_terms import penalty_terms
from chainrule.inspection.terms import Term, of_equation
from chainrule.network.parameters import PlacedBlock, hidden_matrices, placed_blocks

SYMBOLS = {"beta": "β", "beta_1": "β₁", "beta_2": "β₂", "epsilon": "ε", "weight_decay": "λ"}
"""The letters of an optimizer's settings."""

# "V, S and Ŝ as in O3", "c by WA3" behind a formula.
_REFERENCES = re.compile(r",\s+[^,;()]*(?:,[^,;()]*)* as in .*$|,\s+\S+ by \S+$", re.DOTALL)
_GRADIENT_FACTOR = re.compile(r"δW(?=²| ?/)")


def update_terms(step: Step) -> list[Term]:
    """Return the settings of the update, then the terms of each block of parameters."""
    terms = _clipping_terms(step) + _number_terms(step)
    change = precise_change(step)
    for placed in placed_blocks(step.problem.spec):
        terms += _block_terms(step, placed, change)
    return [term._replace(phase="update") for term in terms]


def after_terms(step: Step) -> list[Term]:
    """Return the loss after the step, on the same examples."""
    words = "J after the step: of the same examples, with the same random numbers"
    dtype = step.problem.spec.dtype
    terms = [Term("J1", "new J", words, np.asarray(step.new_J, dtype))]
    terms += penalty_terms(step, step.new_J, step.new_penalty, "new ")
    return [term._replace(phase="after") for term in terms]


def clause_of(update: Callable[..., Any], symbol: str) -> tuple[str, str]:
    """Return the id and the clause by which an update equation computes a quantity.

    Equations refer to each other, "V and S as in O3": the clause is then that equation's.

    Parameters
    ----------
    update : callable
        An update equation of `chainrule.equations.optimizers`.
    symbol : str
        "W", or the symbol of a vector: "V", "Ŝ".
    """
    text = equation_text(update)
    assert text is not None
    for clause in text.formula.split(";"):
        own = _REFERENCES.sub("", clause.strip())
        if own.startswith((f"{symbol} ←", f"{symbol} =")):
            return text.id, own
    for named in re.findall(r" as in (O\d+e?)", text.formula):
        return clause_of(_update_equation(named), symbol)
    raise AssertionError(f"{text.id} has no clause for {symbol}")


def _update_equation(id_: str) -> Callable[..., Any]:
    for _, function in inspect.getmembers(equations, inspect.isfunction):
        text = equation_text(function)
        if text is not None and text.id == id_ and not text.kind:
            return function
    raise AssertionError(f"no equation {id_}")


def _uses_old_average(update: Callable[..., Any]) -> bool:
    """Tell whether an equation steps by V as it was before (O8): it then updates V after W."""
    text = equation_text(update)
    assert text is not None
    clauses = [clause.strip() for clause in text.formula.split(";")]
    return len(clauses) == 2 and clauses[0].startswith("W ←") and clauses[1].startswith("V ←")


def _clipping_terms(step: Step) -> list[Term]:
    if not step.rule.clips:
        return []
    norm = float(np.sqrt(np.sum(np.square(step.gradient, dtype=np.float64))))
    terms = [
        Term("", "‖g‖", "the norm of the gradient of all parameters", np.asarray(norm)),
        Term("", "c of G1", "the largest norm, max_grad_norm", np.asarray(step.rule.max_grad_norm)),
    ]
    for placed in placed_blocks(step.problem.spec):
        if placed.block.has_gradient:
            value = step.downhill[placed.slice].reshape(placed.block.shape)
            term = of_equation(clipped_gradient, f"g of {placed.name}", value)
            tex = latex(term.formula.partition(", ‖")[0]).replace("min(", r"\min(")
            terms.append(term._replace(layer=placed.layer, tex=tex))
    return terms


def _number_terms(step: Step) -> list[Term]:
    """Return t, α and the settings of the optimizer."""
    optimizer = step.rule.optimizer
    terms = [
        Term("", "t", "the number of the step", np.asarray(step.t)),
        Term("", "α", "the learning rate of this step", np.asarray(step.learning_rate)),
    ]
    for name, value in optimizer.hyperparameters.items():
        words = f"{name} of {type(optimizer).__name__}"
        terms.append(Term("", SYMBOLS.get(name, name), words, np.asarray(value)))
    if not step.before.t:
        for symbol, vector in zip(optimizer.equations.vectors, step.before.slots, strict=False):
            if not vector.any():
                terms.append(Term("", f"old {symbol}", f"{symbol} starts at 0", np.asarray(0.0)))
    if optimizer.ema_decay:
        terms.append(Term("", "ρ", "ema_decay", np.asarray(optimizer.ema_decay)))
    if step.share is not None:
        share = exponential_share if optimizer.ema_decay else rate_share
        terms.append(of_equation(share, "c", step.share))
    return terms


def _block_terms(step: Step, placed: PlacedBlock, change: Floats) -> Iterator[Term]:
    def cut(vector: Floats) -> Floats:
        return vector[placed.slice].reshape(placed.block.shape)

    def term(symbol: str, name: str, vector: Floats) -> Term:
        id_, formula = _formula(step, placed, symbol)
        return Term(id_, name, formula, cut(vector), "", placed.layer, _tex(formula.split(",")[0]))

    optimizer, name, spec = step.rule.optimizer, placed.name, step.problem.spec
    old, new = step.problem.parameters, step.new_theta
    if not placed.block.has_gradient:
        for title, vector in ((f"Δ{name}", new - old), (f"new {name}", new)):
            yield of_equation(running_value, title, cut(vector))._replace(layer=placed.layer)
        return
    factor = placed.block.learning_rate_factor
    if factor != 1:
        words = f"the learning rate of {name}, {factor:g} α"
        yield Term("", f"α of {name}", words, np.asarray(step.learning_rate * factor))
    orthogonal = optimizer.orthogonal and placed.matrices > 0
    symbols = [*optimizer.equations.vectors, *(["X"] if optimizer.ema_decay else [])]
    own = ("V",) if orthogonal else optimizer.equations.vectors
    for symbol, vector in zip(symbols, step.before.slots, strict=True):
        if orthogonal and symbol == "S":
            continue
        if step.before.t or vector.any():  # before the first step, V and S are 0
            words = f"{symbol} before the step"
            yield Term("", f"old {symbol} of {name}", words, cut(vector), layer=placed.layer)
    after = dict(zip(symbols, step.after.slots, strict=True))
    equation_state = optimizer.equation_state(step.after)
    hats = {} if orthogonal else optimizer.corrected(step.downhill, equation_state)
    # O9 needs S for Z, and Z for its average X.
    for symbol in sorted(own, key="VSZX".index):
        if symbol != "X":
            yield term(symbol, f"{symbol} of {name}", after[symbol])
        hat = HATS.get(symbol)
        if hat in hats:
            yield term(hat, f"{hat} of {name}", hats[hat])
    if orthogonal:
        yield term("O", f"O of {name}", precise_directions(step))
        words = f"the size of a step of {name}"
        size = next(muon_size(one) for one in hidden_matrices(spec) if one.part == placed.slice)
        yield Term("", f"s of {name}", words, np.asarray(size), layer=placed.layer)
    if "X" in own:
        yield term("X", f"X of {name}", after["X"])
    moved = term("W", f"Δ{name}", change)
    formula, tex = _of_change(name, moved.formula)
    yield moved._replace(formula=formula, tex=tex)
    yield term("W", f"new {name}", new)
    if optimizer.ema_decay:
        yield term("average", f"X of {name}", after["X"])


def _tex(formula: str) -> str:
    tex = latex(formula).replace("old V", r"V_{\text{old}}")
    return tex.replace("sign(", r"\operatorname{sign}(").replace("NS(", r"\operatorname{NS}(")


def _of_change(name: str, formula: str) -> tuple[str, str]:
    """Return the formula of ΔW, made from that of W, as text and in LaTeX."""
    equation, comma, words = formula.partition(", ")
    right = equation.partition(" ← ")[2]
    if right.startswith(f"{name} − "):
        right = f"−{right.removeprefix(f'{name} − ')}"
    elif right.startswith(f"{name} + "):
        right = right.removeprefix(f"{name} + ")
    else:
        right += f" − {name}"
    own = f"Δ{name} = {right}"
    return own + comma + words, _tex(own)


def _formula(step: Step, placed: PlacedBlock, symbol: str) -> tuple[str, str]:
    """Return the id and the formula of one quantity of the update of one block."""
    if symbol == "average":
        text = equation_text(average_update)
        assert text is not None
        id_, clause = text.id, text.formula
    else:
        update = step.rule.optimizer.update_equation_of(placed.matrices > 0)
        id_, clause = clause_of(update, symbol)
        if symbol == "W" and _uses_old_average(update):
            clause = re.sub(r"(?<!\w)V(?!\w)", "old V", clause)
    gradient = "g" if step.rule.clips else f"∂J/∂{placed.name}"
    bracketed = "g" if step.rule.clips else f"({gradient})"
    clause = _GRADIENT_FACTOR.sub(bracketed, clause).replace("δW", gradient)
    clause = re.sub(r"(?<!\w)W(?!\[)", placed.name, clause)
    clause = clause.replace("[l]", f"[{placed.layer}]").replace("[l−1]", f"[{placed.layer - 1}]")
    if "λ" in clause and not placed.block.penalised:
        clause += f", with λ = 0 for {placed.name}"
    return id_, clause
