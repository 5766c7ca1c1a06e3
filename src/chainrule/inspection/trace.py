"""The trace of one step: every array of its equations, with examples as columns."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.engines.base import Examples, Floats, Problem, UpdateRule
from chainrule.engines.optimizer import OptimizerState
from chainrule.errors import InvalidArgumentError
from chainrule.inspection.step import Outcome, Step, computed_step
from chainrule.inspection.step_terms import backward_terms, cost_terms, forward_terms
from chainrule.inspection.terms import Term
from chainrule.inspection.trace_files import format_of, write
from chainrule.inspection.trace_html import to_html
from chainrule.inspection.trace_latex import to_latex
from chainrule.inspection.trace_text import to_text
from chainrule.inspection.update_terms import after_terms, update_terms
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec
from chainrule.suggestions import did_you_mean


@dataclass(frozen=True, repr=False)
class Trace:
    """Everything that one step computes, equation by equation.

    As in the equations, each example is a column. Lists hold layer l at index l − 1.
    ``print(trace)`` shows a table of at most 80 columns, and a notebook shows it as HTML;
    ``trace["W[1]"]`` returns an array by its name in the table, and `save` writes a page, a PDF or
    LaTeX. Numbers have all digits of their type, so that each can be computed again from those
    shown. ΔW is what the optimizer's equation adds to W, with all of its digits; `update`, the
    difference of the new and the old parameters, loses some.

    Attributes
    ----------
    X, Y : array (n[0], m), (n[L], m)
    Z, A : list of L arrays (n[l], m)
        F1, F2, or the corresponding equations of the layer's kind.
    costs : array (m,)
        C of each example.
    loss, new_loss : float
        J plus penalties, before and after the step: of the same examples, with the same units
        dropped.
    grad_A : array (n[L], m)
        ∇ₐC.
    delta : list of L arrays (n[l], m)
        δ[l]; with sample weights, already weighted (J2).
    weight_gradients, bias_gradients : lists of arrays
        BP4, BP3 of each dense layer; penalties included.
    parameters, new_parameters : array (number of parameters,)
        The flat vectors that the step updates, before and after it.
    optimizer_state : dict of str to array
        V, S after the update, as flat vectors, and t; X, where an average is evaluated.
    update : list of L tuples of arrays
        New minus old parameters of each layer: W[l], b[l] of a dense one.
    t : int
        The number of the step, counted from the optimizer's first one.
    learning_rate : float
        α of this step.
    step, epoch : int or None
        Of a step that a `Tracer` kept: its number in the training, and its epoch.
    rows : array or None
        Of a step that a `Tracer` kept: the indices of the examples shown, in the training data.
    terms : list of Term
        All of these in the order of computation, each with `name`, `equation` (its id), `formula`,
        `tex` (the formula in LaTeX), `value`, `phase` and `layer`.
    """

    X: Floats
    Y: Floats
    Z: list[Floats]
    A: list[Floats]
    costs: Floats
    loss: float
    new_loss: float
    grad_A: Floats
    delta: list[Floats]
    weight_gradients: list[Floats]
    bias_gradients: list[Floats]
    parameters: Floats = field(repr=False)
    new_parameters: Floats = field(repr=False)
    optimizer_state: dict[str, Any]
    update: list[tuple[Floats, ...]]
    t: int
    learning_rate: float
    optimizer: str
    examples: int
    step: int | None = None
    epoch: int | None = None
    rows: Any = None
    terms: list[Term] = field(default_factory=list, repr=False)

    def __getitem__(self, name: str) -> Any:
        """Return an array or number by its name in the table, such as "W[1]" or "V of b[2]"."""
        found = {term.name: term.value for term in self.terms}
        if name not in found:
            raise InvalidArgumentError(
                f"trace[…]: expected the name of an array of the trace, such as 'W[1]'; got "
                f"{name!r}{did_you_mean(name, list(found))}"
            )
        return found[name]

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_html()

    @property
    def title(self) -> str:
        """What the trace is of, in one sentence."""
        which = (
            f"Step {self.step} of the training (epoch {self.epoch})" if self.step else "One step"
        )
        number = f", t = {self.t}" if self.step != self.t else ""
        shown = self.X.shape[1]
        batch = f"{self.examples} example{'s' * (self.examples != 1)}"
        part = "" if shown == self.examples else f", of which {shown} are shown"
        return f"{which}{number}: {self.optimizer} on {batch}{part}."

    @property
    def losses(self) -> str:
        """The loss before and after the step, in one sentence."""
        return f"Loss {self.loss:.6g} before the step, {self.new_loss:.6g} after it."

    def to_text(self, digits: int | None = None) -> str:
        """Return the trace as a table of at most 80 columns; of long arrays, the corners.

        Parameters
        ----------
        digits : int, optional
            Significant digits of the numbers; by default all that their type has.
        """
        return to_text([self.title, self.losses], self.terms, checked_digits(digits))

    def to_html(self, digits: int | None = None) -> str:
        """Return the trace as HTML; of long arrays, the corners, with all numbers folded in.

        Parameters
        ----------
        digits : int, optional
            As for `to_text`.
        """
        return to_html([self.title, self.losses], self.terms, checked_digits(digits))

    def to_latex(self, digits: int | None = None) -> str:
        """Return the trace as LaTeX, one displayed equation with its numbers per array.

        It is a part of a document that uses amsmath; ``save("step.tex")`` writes a whole document.

        Parameters
        ----------
        digits : int, optional
            As for `to_text`.
        """
        return to_latex(self.terms, checked_digits(digits))

    def save(self, path: str | Path, digits: int | None = None) -> None:
        """Write the trace to a file, whole or not at all; an existing file is replaced.

        Parameters
        ----------
        path : str or Path
            The suffix determines the format: .pdf (pages of A4), .html, .tex or .txt.
        digits : int, optional
            As for `to_text`.

        Raises
        ------
        InvalidArgumentError
            If the suffix is none of these.
        OSError
            If the file cannot be written; an existing file is then left unchanged.
        """
        heads = [self.title, self.losses]
        write(path, format_of(path), heads, self.terms, checked_digits(digits))


def checked_digits(digits: int | None) -> int | None:
    """Return the number of digits; raise unless it is from 1 to 17, or None."""
    if digits is None:
        return None
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= 17:
        raise InvalidArgumentError(
            f"digits: expected None, for all digits, or a whole number from 1 to 17; got {digits!r}"
        )
    return digits


def trace_step(
    problem: Problem,
    rule: UpdateRule,
    state: OptimizerState | None = None,
    noise_key: int = 0,
    *,
    learning_rate: float | None = None,
    outcome: Outcome | None = None,
    example: int = 0,
    columns: Sequence[int] | None = None,
) -> Trace:
    """Compute one step by the equations and keep all arrays; nothing is changed in place.

    Parameters
    ----------
    problem : Problem
    rule : UpdateRule
    state : OptimizerState, optional
        Before the step; its `theta`, if it has one, are the parameters that the step updates. By
        default the optimizer takes its first step.
    noise_key : int, default 0
        Determines, with t, the units that dropout drops.
    learning_rate : float, optional
        α; by default that of the optimizer's schedule.
    outcome : Outcome, optional
        What a training made of this step: the parameters and the state after it.
    example : int, default 0
        The example whose Jacobians are shown, counted from 0.
    columns : list of int, optional
        The examples that are shown; by default all.
    """
    spec, optimizer = problem.spec, rule.optimizer
    # Copies, so that the trace stays valid when the network or the user's arrays change.
    moving = state.theta if state is not None and state.theta is not None else problem.parameters
    X, Y, weights = problem.examples
    examples = Examples(X.copy(), Y.copy(), None if weights is None else weights.copy())
    problem = replace(problem, parameters=moving.copy(), examples=examples)
    state = optimizer.new_state(problem.parameters) if state is None else state.copy()
    if learning_rate is None:
        learning_rate = _rate(rule, state.t + 1)
    step = computed_step(problem, rule, state, noise_key, learning_rate, outcome)
    chosen = slice(None) if columns is None else np.asarray(columns, np.intp)
    terms = [
        *forward_terms(step, chosen),
        *cost_terms(step, chosen),
        *backward_terms(step, chosen, example),
        *update_terms(step),
        *after_terms(step),
    ]
    return Trace(
        X=step.X[:, chosen],
        Y=step.Y[:, chosen],
        Z=_shared(terms, "Z", [p.Z for p in step.passes], chosen),
        A=_shared(terms, "A", [p.A for p in step.passes], chosen),
        costs=step.costs[chosen],
        loss=step.J + step.penalty,
        new_loss=step.new_J + step.new_penalty,
        grad_A=step.grad_A[:, chosen],
        delta=_shared(terms, "δ", step.deltas, chosen),
        weight_gradients=_named(spec, step.gradients, "W"),
        bias_gradients=_named(spec, step.gradients, "b"),
        parameters=problem.parameters,
        new_parameters=step.new_theta,
        optimizer_state=_state_by_symbol(step),
        update=[tuple(layer) for layer in views(spec, step.new_theta - problem.parameters)],
        t=step.t,
        learning_rate=learning_rate,
        optimizer=type(optimizer).__name__,
        examples=len(examples.X),
        terms=terms,
    )


def _rate(rule: UpdateRule, t: int) -> float:
    optimizer = rule.optimizer
    # The first learning rate of a schedule does not depend on the training's length.
    planned = optimizer.planned(1, 1)
    if t > 1 and planned is not optimizer:
        raise InvalidArgumentError(
            f"optimizer: expected a learning rate that is known at step t = {t}; got "
            f"{optimizer.learning_rate!r}, whose length depends on the training. Give the schedule "
            "its length, steps="
        )
    return float(planned.learning_rates(t, 1)[0])


def _shared(terms: list[Term], symbol: str, arrays: list[Floats], columns: Any) -> list[Floats]:
    """Return the columns of each layer's array: the one of the terms, if there is one."""
    known = {term.name: term.value for term in terms}
    return [
        known.get(f"{symbol}[{l}]", array[:, columns])
        for l, array in enumerate(arrays, start=1)  # noqa: E741 - the field's letter
    ]


def _named(spec: NetworkSpec, gradients: list[tuple[Floats, ...]], name: str) -> list[Floats]:
    return [
        value
        for blocks, values in zip(spec.blocks(), gradients, strict=True)
        for block, value in zip(blocks, values, strict=False)
        if block.name == name
    ]


def _state_by_symbol(step: Step) -> dict[str, Any]:
    optimizer = step.rule.optimizer
    symbols = [*optimizer.equations.vectors, *(["X"] if optimizer.ema_decay else [])]
    found: dict[str, Any] = dict(zip(symbols, step.after.slots, strict=True))
    if optimizer.equations.counts:
        found["t"] = step.after.t
    return found
