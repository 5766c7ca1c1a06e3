"""The equations of one step, in the order of computation, typeset and with their numbers."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from chainrule.engines.base import Examples, UpdateRule
from chainrule.engines.optimizers import SGD
from chainrule.inspection.terms import Term
from chainrule.inspection.trace import trace_step
from chainrule.network.parameters import PlacedBlock, placed_blocks
from chainrule.playground.inspection.formulas import equation
from chainrule.playground.inspection.numbers import MOST, array, plain, tex
from chainrule.playground.inspection.places import drawn_layers, step_problem
from chainrule.playground.inspection.shown_terms import block_of, in_order, is_given, phase_of
from chainrule.playground.inspection.subjects import Subject, drawn_layer
from chainrule.playground.inspection.term_numbers import Numbers, Traced, element
from chainrule.playground.inspection.updates import settings_of, update_numbers
from chainrule.playground.inspection.wording import wording
from chainrule.playground.session.snapshot import Snapshot
from chainrule.tables.target import TargetEncoder

# Numbers of all arrays of a message, and the fewest rows and columns that are shown of one.
_MOST_NUMBERS, _FEWEST = 20_000, 4

_NEEDS_A_BATCH = (
    "Batch normalisation uses the mean and variance of the batch, so the step of a single example "
    "cannot be shown: these are the numbers of the whole batch, for its first example."
)
_LINE_SEARCH = (
    "L-BFGS determines a step by a line search, from many gradients: only the gradient is shown."
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
        self._updates = snapshot.optimizer is not None
        rule = UpdateRule(snapshot.optimizer or SGD(), snapshot.plan.max_grad_norm)
        trace = trace_step(
            problem,
            rule,
            snapshot.memory,
            snapshot.noise_key,
            learning_rate=snapshot.learning_rate,
        )
        weighted = problem.examples.weights is not None
        share = problem.penalties.share(problem.examples.weight)
        self.traced = Traced(self._spec, trace, problem.penalties, share, weighted)
        self._terms = in_order(trace.terms)
        self._blocks = {placed.name: placed for placed in placed_blocks(self._spec)}
        self._lines: dict[str, Mapping[str, Numbers]] = {}
        # A message holds a megabyte, so arrays are shown in smaller parts where they are many.
        self._most = MOST
        while self._most > _FEWEST and self._numbers_shown() > _MOST_NUMBERS:
            self._most //= 2

    def _numbers_shown(self) -> int:
        """Return how many numbers the arrays of all steps have."""
        shapes = (term.value.shape for term in self._terms)
        return sum(prod(min(size, self._most) for size in shape) for shape in shapes)

    def steps(self) -> list[dict[str, Any]]:
        """Return the steps about the subject."""
        found: list[dict[str, Any]] = []
        given: list[Term] = []
        told = False
        for term in self._terms:
            if term.phase in ("update", "after") and not self._updates:
                break
            if is_given(term):
                given.append(term)  # shown with what is computed from it
                continue
            if not told and term.phase == "update" and not term.name.startswith("g of "):
                told = True
                found.append(self._settings())
            if self._concerns(term):
                found.append(self._step(term, given))
            given = []
        return found

    def _concerns(self, term: Term) -> bool:
        """Tell whether a term is about the subject."""
        subject, layer = self._subject, self._layer(term)
        if subject.kind == "all":
            return True
        if layer is None:  # the cost belongs to the output layer, and so do the targets
            return subject.layer == self._count and subject.kind in ("unit", "layer")
        block = block_of(term.name)
        if subject.kind == "layer":
            return layer == subject.layer
        if subject.kind == "unit":
            own = not block or block.startswith("b[")
            return layer == subject.layer and own and term.phase != "update"
        drawn = drawn_layers(self._spec)[subject.layer - 1]
        if subject.kind == "weight" and term.name == f"A[{drawn - 1}]":
            return True
        name = "W" if subject.kind == "weight" else "b"
        return term.name == f"δ[{drawn}]" or block == f"{name}[{drawn}]"

    def _step(self, term: Term, given: Sequence[Term]) -> dict[str, Any]:
        layer = self._layer(term)
        numbers, of = self._numbers(term)
        words = wording(term.name, layer, self._count, term.equation)
        about = {"kind": "layer", "layer": layer} if layer is not None else None
        return {
            "phase": phase_of(term),
            "layer": layer,
            "id": term.equation,
            "title": words.title,
            "text": words.text,
            "name": term.name_tex,
            "about": self._subject.to_json() or about,
            "of": of,
            "equation": equation(term),
            "numbers": numbers.tex,
            "result": numbers.result,
            "arrays": [self._array(one) for one in [*given, term]],
        }

    def _settings(self) -> dict[str, Any]:
        """Return the step that shows the numbers of the optimizer."""
        settings = [term for term in settings_of(self._terms) if term.name != "‖g‖"]
        shown = [rf"{term.name_tex} = {tex(float(term.value))}" for term in settings]
        words = wording("settings", None, self._count)
        return {
            "phase": "update",
            "layer": None,
            "id": "",
            "title": words.title,
            "text": words.text,
            "name": "t",
            "about": self._subject.to_json(),
            "of": None,
            "equation": r"t,\; \alpha,\; \dots",
            "numbers": r",\quad ".join(shown),
            "result": None,
            "arrays": [],
        }

    def _numbers(self, term: Term) -> tuple[Numbers, dict[str, Any] | None]:
        """Return a term's equation with the numbers of one unit or weight, and which one it is."""
        traced, name = self.traced, term.name
        if name == "C":
            return traced.cost(), None
        if name == "J":
            return traced.loss(), None
        if name.endswith("J + P"):
            return traced.penalised_loss("new " if name.startswith("new ") else ""), None
        layer = self._layer(term)
        if layer is None:
            return element(name, term.value, 0), None
        block = block_of(name)
        if term.phase == "update":
            placed = self._blocks[block]
            lines = self._lines_of(placed)
            if name in lines:
                return lines[name], self._of_block(placed, layer)
        l = term.layer or 0  # noqa: E741 - the field's letter
        j = min(self._row(name, layer), len(term.value) - 1 if term.value.ndim else 0)
        unit = {"kind": "unit", "layer": layer, "unit": j}
        weights = l > 0 and self._spec.layers[l - 1].has_weights
        if weights and name == f"∂J/∂W[{l}]":
            row, column = self._weight(layer)
            found = traced.weight_gradient(l, row, column)
            return found, {"kind": "weight", "layer": layer, "row": row, "column": column}
        if weights and name == f"∂J/∂b[{l}]":
            return traced.bias_gradient(l, j), {"kind": "bias", "layer": layer, "row": j}
        last = l == len(self._spec.layers)
        of_units = {
            f"δ[{l}]": traced.output_error if last else traced.hidden_error,
            f"∂C/∂A[{l}]": traced.from_above,
            f"σ′(Z[{l}])": traced.slope,
        }
        if weights:
            of_units |= {f"Z[{l}]": traced.weighted_sum, f"A[{l}]": traced.activation}
        if name in of_units:
            return of_units[name](l, j), unit
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
        row = self._row("", layer)
        return row, self._seen(layer, row).start

    def _seen(self, layer: int, row: int) -> range:
        """Return the units below that a unit of a layer of the drawing sees."""
        l = drawn_layers(self._spec)[layer - 1]  # noqa: E741 - the field's letter
        return self._spec.layers[l - 1].seen(row, self._spec.sizes[l - 1])

    def _lines_of(self, placed: PlacedBlock) -> Mapping[str, Numbers]:
        """Return the update of the shown parameter of a block, with its numbers."""
        if placed.name not in self._lines:
            layer = drawn_layer(self._spec, placed.layer)
            row, column = self._weight(layer)
            if placed.block.name == "W":
                column -= self._seen(layer, row).start
                row = self._spec.layers[placed.layer - 1].row(row)
            columns = placed.block.shape[-1]
            offset = min(row * columns + min(column, columns - 1), prod(placed.block.shape) - 1)
            self._lines[placed.name] = update_numbers(self._terms, placed, offset)
        return self._lines[placed.name]

    def _of_block(self, placed: PlacedBlock, layer: int) -> dict[str, Any] | None:
        row, column = self._weight(layer)
        if placed.block.name == "W":
            return {"kind": "weight", "layer": layer, "row": row, "column": column}
        return {"kind": "bias", "layer": layer, "row": row} if placed.block.name == "b" else None

    def _layer(self, term: Term) -> int | None:
        """Return the layer of the drawing that a term belongs to; None for the cost."""
        if term.name == "A[0]":
            return 0
        if term.layer is None or term.phase == "cost":
            return None
        return drawn_layer(self._spec, term.layer)

    def _array(self, term: Term) -> dict[str, Any]:
        """Return a term's array with the names of its rows and columns, where they have any."""
        rows = columns = None
        if term.name == "A[0]":
            rows = self._features
        elif term.name in ("Y", f"A[{len(self._spec.layers)}]"):
            rows = self._outputs
        elif term.name == "W[1]" or block_of(term.name) == "W[1]":
            columns = self._features if term.value.shape[-1] == len(self._features) else None
        return array(term.name_tex, term.value, rows, columns, self._most)
