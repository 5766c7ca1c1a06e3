"""The equations of one step, in the order of computation, typeset and with their numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from chainrule.engines.base import Examples, UpdateRule
from chainrule.engines.optimizers import SGD
from chainrule.equations.text import latex
from chainrule.inspection.terms import Term
from chainrule.inspection.trace import trace_step
from chainrule.network.parameters import PlacedBlock, placed_blocks
from chainrule.playground.inspection.numbers import array, plain
from chainrule.playground.inspection.places import drawn_layers, step_problem
from chainrule.playground.inspection.subjects import Subject, drawn_layer
from chainrule.playground.inspection.substitution import clauses
from chainrule.playground.inspection.term_numbers import Numbers, Traced, element
from chainrule.playground.inspection.updates import Clause, Update
from chainrule.playground.inspection.wording import wording
from chainrule.playground.session.snapshot import Snapshot
from chainrule.tables.target import TargetEncoder

_LAYER = re.compile(r"\[(\d+)\]")

_NEEDS_A_BATCH = (
    "Batch normalisation compares the examples of a batch, so a single one has no step of its own: "
    "these are the numbers of the whole batch, whose first example is shown."
)
_LINE_SEARCH = (
    "L-BFGS finds its steps by a search along a line, from many gradients: only the gradient is "
    "shown."
)


def equations_view(
    snapshot: Snapshot,
    features: Sequence[str],
    target: TargetEncoder,
    example: Examples | None = None,
    subject: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the equations of the next step as a page shows them.

    All numbers come from `chainrule.inspection.trace`, which computes the step by the equations.

    Parameters
    ----------
    snapshot : Snapshot
    features : sequence of str
        The names of the network's inputs.
    target : TargetEncoder
        The target column, whose classes name the outputs.
    example : Examples, optional
        The step is that of this one example; by default, of the next step's batch.
    subject : mapping, optional
        What the equations are about: {"kind": "unit", "layer": 1, "unit": 0}, or "weight" or "bias"
        with "layer", "row" and "column", or "layer" with "layer". Layers count as in the drawing:
        0 for the inputs, then those with weights. By default, the whole step.

    Returns
    -------
    dict
        "rows" (how many examples), "batch" ("example", "next" or "first"), "epoch", "step",
        "loss", "subject", "notes" and "steps". A step has "phase" (forward, cost, backward,
        gradients, update), "layer", "id", "title", "text", "name", "about", "of" (the unit or
        weight whose numbers are shown), "equation" and "numbers" as TeX, "result", and "arrays".

    Raises
    ------
    InvalidArgumentError
        If the network has no such part.
    """
    chosen = Subject.of(snapshot.spec, subject)
    notes = []
    if example is not None and any(layer.standardises for layer in snapshot.spec.layers):
        example = None
        notes.append(_NEEDS_A_BATCH)
    if snapshot.optimizer is None:
        notes.append(_LINE_SEARCH)
    view = _View(snapshot, features, target, example, chosen)
    batch = "next" if snapshot.rows is not None else "first"
    return {
        "rows": view.traced.m,
        "batch": batch if example is None else "example",
        "epoch": snapshot.epoch,
        "step": snapshot.step + 1,
        "loss": plain(view.traced.trace.loss),
        "subject": chosen.to_json(),
        "notes": notes,
        "steps": view.steps(),
    }


class _View:
    """The steps of one trace."""

    def __init__(
        self,
        snapshot: Snapshot,
        features: Sequence[str],
        target: TargetEncoder,
        example: Examples | None,
        subject: Subject,
    ) -> None:
        self._spec, self._subject, self._features = snapshot.spec, subject, features
        names = [str(one) for one in target.classes] or [target.name]
        self._outputs = names[-1:] if self._spec.n_outputs == 1 else names
        self._count = len(drawn_layers(self._spec))
        problem = step_problem(snapshot, example)
        optimizer, state = snapshot.optimizer, snapshot.memory
        self._updates = optimizer is not None
        if optimizer is None:
            optimizer, state = SGD(), None
        elif snapshot.learning_rate is not None:
            # The rate of this very step, whatever its schedule says of others.
            optimizer = replace(optimizer, learning_rate=snapshot.learning_rate)
        rule = UpdateRule(optimizer, snapshot.plan.max_grad_norm)
        before = state or optimizer.new_state(problem.parameters)
        trace = trace_step(problem, rule, before, snapshot.noise_key)
        weight = problem.examples.weight
        self.traced = Traced(
            self._spec,
            trace,
            problem.penalties,
            problem.penalties.share(weight),
            problem.examples.weights is not None,
        )
        self._update = Update(self._spec, rule, before, problem.parameters, trace)
        self._blocks = {placed.name: placed for placed in placed_blocks(self._spec)}
        self._clauses: dict[str, dict[str, Clause]] = {}

    def steps(self) -> list[dict[str, Any]]:
        """Return the steps about the subject."""
        found, given, after_cost = [], [], False
        for term in self.traced.trace.terms:
            if not term.equation and term.name not in ("A[0]", "Y"):
                given.append(term)  # parameters are shown with what is computed from them
                continue
            phase = _phase(term.name, after_cost)
            after_cost = after_cost or term.name == "J"
            if phase == "update" and not self._updates:
                break
            if self._concerns(term, phase):
                found.append(self._step(term, phase, given))
            given = []
        return found

    def _concerns(self, term: Term, phase: str) -> bool:
        """Tell whether a term is about the subject."""
        subject, block = self._subject, _block_of(term.name)
        layer = self._layer(term.name)
        if subject.kind == "all":
            return True
        if layer is None:  # the cost belongs to the output layer, and so do the targets
            if term.name == "g":
                return subject.kind in ("weight", "bias")
            return subject.layer == self._count and subject.kind in ("unit", "layer")
        if subject.kind == "layer":
            return layer == subject.layer
        if subject.kind == "unit":
            own = phase in ("forward", "cost", "backward") or block.startswith("b[")
            return layer == subject.layer and own and phase != "update"
        drawn = drawn_layers(self._spec)[subject.layer - 1]
        if subject.kind == "weight" and term.name == f"A[{drawn - 1}]":
            return True
        if term.name == f"δ[{drawn}]":
            return True
        return block == f"{'W' if subject.kind == 'weight' else 'b'}[{drawn}]"

    def _step(self, term: Term, phase: str, given: Sequence[Term]) -> dict[str, Any]:
        layer = self._layer(term.name)
        numbers, of = self._numbers(term, phase)
        words = wording(term.name, layer, self._count)
        about = {"kind": "layer", "layer": layer} if layer is not None else None
        return {
            "phase": phase,
            "layer": layer,
            "id": term.equation,
            "title": words.title,
            "text": words.text,
            "name": _symbol(term.name),
            "about": self._subject.to_json() or about,
            "of": of,
            "equation": self._equation(term, phase),
            "numbers": numbers.tex,
            "result": numbers.result,
            "arrays": [self._array(one) for one in [*given, term]],
        }

    def _equation(self, term: Term, phase: str) -> str:
        clause = self._clause(term) if phase == "update" else None
        if clause is not None:
            return clause.equation
        found = clauses(term.formula)
        return latex(found[0]) if found else _symbol(term.name)

    def _numbers(self, term: Term, phase: str) -> tuple[Numbers, dict[str, Any] | None]:
        """Return a term's equation with the numbers of one unit or weight, and which one it is."""
        traced, name = self.traced, term.name
        if name == "C":
            return traced.cost(), None
        if name == "J":
            return traced.loss(), None
        layer = self._layer(name)
        if layer is None:
            return element(name, term.value, 0), None
        places = [int(one) for one in _LAYER.findall(name)]
        l = places[-1]  # noqa: E741 - the field's letter
        j = min(self._row(name, layer), len(term.value) - 1 if term.value.ndim else 0)
        unit = {"kind": "unit", "layer": layer, "unit": j}
        weights = l > 0 and self._spec.layers[l - 1].has_weights
        if phase == "update":
            clause, placed = self._clause(term), self._blocks[_block_of(name)]
            if clause is not None:
                return clause.numbers, self._of_block(placed, layer)
            return element(name, term.value, j), self._of_block(placed, layer)
        if weights and name == f"Z[{l}]":
            return traced.weighted_sum(l, j), unit
        if weights and name == f"A[{l}]":
            return traced.activation(l, j), unit
        if name == f"δ[{l}]":
            last = l == len(self._spec.layers)
            error = traced.output_error(l, j) if last else traced.hidden_error(l, j)
            return error, unit
        if weights and name == f"∂J/∂W[{l}]":
            row, column = self._weight(layer)
            found = traced.weight_gradient(l, row, column)
            return found, {"kind": "weight", "layer": layer, "row": row, "column": column}
        if weights and name == f"∂J/∂b[{l}]":
            return traced.bias_gradient(l, j), {"kind": "bias", "layer": layer, "row": j}
        return element(name, term.value, j), unit

    def _row(self, name: str, layer: int) -> int:
        """Return the unit whose numbers are shown in a layer."""
        subject = self._subject
        if layer == subject.layer and subject.kind != "layer":
            return subject.row
        # What flows into the clicked weight comes from the unit of its column.
        if subject.kind == "weight" and layer == subject.layer - 1 and name.startswith("A["):
            return subject.column
        return 0

    def _weight(self, layer: int) -> tuple[int, int]:
        """Return row and column of the weight whose numbers are shown in a layer."""
        if self._subject.kind == "weight" and layer == self._subject.layer:
            return self._subject.row, self._subject.column
        return self._row("", layer), 0

    def _clause(self, term: Term) -> Clause | None:
        """Return the clause of the optimizer's equation that computed a term."""
        name = _block_of(term.name)
        symbol = term.name.partition(" of ")[0] if " of " in term.name else "W"
        placed = self._blocks.get(name)
        if placed is None or not placed.block.has_gradient:
            return None
        if name not in self._clauses:
            index = placed.slice.start + self._offset(placed)
            found = self._update.clauses(placed, index)
            self._clauses[name] = {clause.symbol: clause for clause in found}
        return self._clauses[name].get(symbol)

    def _offset(self, placed: PlacedBlock) -> int:
        """Return which entry of a block is shown."""
        row, column = self._weight(drawn_layer(self._spec, placed.layer))
        columns = placed.block.shape[-1]
        return min(row * columns + min(column, columns - 1), prod(placed.block.shape) - 1)

    def _of_block(self, placed: PlacedBlock, layer: int) -> dict[str, Any] | None:
        row, column = self._weight(layer)
        if placed.block.name == "W":
            return {"kind": "weight", "layer": layer, "row": row, "column": column}
        return {"kind": "bias", "layer": layer, "row": row} if placed.block.name == "b" else None

    def _layer(self, name: str) -> int | None:
        """Return the layer of the drawing that a term belongs to; None for the cost."""
        places = _LAYER.findall(name)
        return drawn_layer(self._spec, int(places[-1])) if places else None

    def _array(self, term: Term) -> dict[str, Any]:
        """Return a term's array with the names of its rows and columns, where they have any."""
        rows = columns = None
        if term.name == "A[0]":
            rows = self._features
        elif term.name in ("Y", f"A[{len(self._spec.layers)}]"):
            rows = self._outputs
        elif term.name in ("W[1]", "∂J/∂W[1]", "ΔW[1]") or term.name.endswith(" of W[1]"):
            columns = self._features
        return array(_symbol(term.name), term.value, rows, columns)


def _phase(name: str, after_cost: bool) -> str:
    if name in ("C", "J", "∇ₐC"):
        return "cost"
    if name.startswith("∂J/∂") or name == "g":
        return "gradients"
    if " of " in name or name.startswith(("Δ", "new ")):
        return "update"
    return "backward" if after_cost else "forward"


def _block_of(name: str) -> str:
    """Return the block of parameters that a term belongs to, such as "W[1]"; "" if none."""
    for prefix in ("∂J/∂", "Δ", "new "):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name.partition(" of ")[2]


def _symbol(name: str) -> str:
    """Return the name of a term as TeX."""
    symbol, _, block = name.partition(" of ")
    return rf"{latex(symbol)}\;\text{{of}}\;{latex(block)}" if block else latex(symbol)
