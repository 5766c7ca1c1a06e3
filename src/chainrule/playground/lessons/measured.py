"""The numbers that a lesson's text may show, measured on its training.

An entry of a lesson's ``[numbers]`` says with ``of`` what is measured, and with further entries
where:

- ``loss``, ``test_loss``: after ``epoch`` (by default the last one), as the page shows it;
- ``metric``: the ``name``d one of the rows that the network does not learn from;
- ``first_epoch``: the first epoch after which ``what`` ("loss", "test_loss") is below ``below``;
- ``lowest``, ``epoch_of_lowest``: of ``what`` over the epochs;
- ``entry``: of the ``array`` of the trace of the step that follows ``step`` (or ``epoch``), in
  ``row`` and ``column`` from 1, such as "W[1]" or "Z[2]";
- ``size``: the root mean square of an ``array`` of a trace of all training rows at ``epoch``;
- ``spread``: the standard deviation of such an array over all its numbers;
- ``dead``: how many units of layer ``layer`` are 0 for every training row at ``epoch``;
- ``ratio``: of two such entries, ``top`` and ``bottom``;
- ``difference``: of the same two.

With ``times``, the number is multiplied, such as by 100 for percent. With ``with``, a table of
changes of the state, the training is that of the changed state.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Floats, UpdateRule
from chainrule.engines.optimizers import SGD
from chainrule.engines.passes import as_columns, forward_pass
from chainrule.errors import InvalidArgumentError
from chainrule.inspection.trace import Trace, trace_step
from chainrule.network.parameters import views
from chainrule.playground.inspection.places import layer_index, step_problem
from chainrule.playground.lessons.rehearsal import Rehearsal
from chainrule.playground.session.snapshot import Snapshot

Entry = Mapping[str, Any]

_NEARLY_HALF = 0.49


class Measured:
    """Measures numbers on the trainings of a state and of its variants, each trained once.

    Parameters
    ----------
    state : mapping
        The state of the page.
    train : callable
        From a state to its rehearsal.
    """

    def __init__(
        self, state: Mapping[str, Any], train: Callable[[Mapping[str, Any]], Rehearsal]
    ) -> None:
        self._state, self._train = state, train
        self._trained: dict[str, Rehearsal] = {}

    def rehearsal(self, changes: Mapping[str, Any] | None = None) -> Rehearsal:
        """Return the training of the state with some changes."""
        state = changed(self._state, changes or {})
        key = json.dumps(state, sort_keys=True)
        if key not in self._trained:
            self._trained[key] = self._train(state)
        return self._trained[key]

    def shows(self, entry: Entry, shown: str) -> bool:
        """Tell whether a text shows the number of an entry, rounded to the digits that it shows.

        Nearly halfway between two such numbers, it does not: another machine, whose training
        differs in the last bits, might round it the other way.
        """
        shown = shown.replace("−", "-")
        decimals = len(shown.partition(".")[2])
        # Zeros at the end of a whole number are not meant: 270 stands for 265 to 275.
        zeros = 0 if decimals else len(shown) - len(shown.rstrip("0"))
        unit = 10.0 ** (zeros - decimals) if shown.strip("0") else 1.0
        return abs(self(entry) - float(shown)) <= _NEARLY_HALF * unit

    def __call__(self, entry: Entry) -> float:
        """Return the number that an entry describes.

        Raises
        ------
        InvalidArgumentError
            If there is nothing of this name to measure.
        """
        kind = entry.get("of")
        if kind in ("ratio", "difference"):
            top, bottom = self(entry["top"]), self(entry["bottom"])
            return top / bottom if kind == "ratio" else top - bottom
        if kind not in _MEASURES:
            raise InvalidArgumentError(
                f"of: expected {', '.join((*_MEASURES, 'ratio', 'difference'))}; got {kind!r}"
            )
        times = float(entry.get("times", 1))
        return times * float(_MEASURES[kind](self.rehearsal(entry.get("with")), entry))


def changed(state: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state with changes, which name its parts as the state itself does."""
    result = dict(state)
    for name, value in changes.items():
        old = result.get(name)
        inside = isinstance(value, Mapping) and isinstance(old, Mapping)
        result[name] = {**old, **value} if inside else value  # type: ignore[dict-item]
    return result


def _loss(run: Rehearsal, entry: Entry) -> float:
    return float(run.ended(entry.get("epoch")).loss)


def _test_loss(run: Rehearsal, entry: Entry) -> float:
    loss = run.ended(entry.get("epoch")).validation_loss
    return float("nan") if loss is None else float(loss)


def _metric(run: Rehearsal, entry: Entry) -> float:
    return float(run.ended(entry.get("epoch")).validation_metrics[entry["name"]])


def _curve(run: Rehearsal, what: str) -> NDArray[np.float64]:
    if what == "loss":
        return np.array([one.loss for one in run.epochs], np.float64)
    return np.array([one.validation_loss for one in run.epochs], np.float64)


def _first_epoch(run: Rehearsal, entry: Entry) -> float:
    below = np.flatnonzero(_curve(run, entry["what"]) < entry["below"])
    return float(below[0] + 1) if len(below) else float("inf")


def _lowest(run: Rehearsal, entry: Entry) -> float:
    return float(_curve(run, entry["what"]).min())


def _epoch_of_lowest(run: Rehearsal, entry: Entry) -> float:
    return float(_curve(run, entry["what"]).argmin() + 1)


def _array(run: Rehearsal, entry: Entry, all_rows: bool) -> Floats:
    """Return an array of the trace of a step."""
    snapshot = run.at(entry.get("epoch"), entry.get("step"))
    found = {term.name: term.value for term in _trace(snapshot, all_rows).terms}
    if entry["array"] not in found:
        raise InvalidArgumentError(
            f"array: expected one of {', '.join(found)}; got {entry['array']!r}"
        )
    return np.atleast_2d(found[entry["array"]])


def _trace(snapshot: Snapshot, all_rows: bool) -> Trace:
    problem = step_problem(snapshot, snapshot.examples if all_rows else None)
    optimizer = snapshot.optimizer or SGD()
    rule = UpdateRule(optimizer, snapshot.plan.max_grad_norm)
    return trace_step(problem, rule, snapshot.memory, snapshot.noise_key)


def _entry(run: Rehearsal, entry: Entry) -> float:
    array = _array(run, entry, all_rows=False)
    return float(array[entry.get("row", 1) - 1, entry.get("column", 1) - 1])


def _size(run: Rehearsal, entry: Entry) -> float:
    return float(np.sqrt(np.mean(np.square(_array(run, entry, all_rows=True), dtype=float))))


def _spread(run: Rehearsal, entry: Entry) -> float:
    return float(np.std(_array(run, entry, all_rows=True), dtype=float))


def _dead(run: Rehearsal, entry: Entry) -> float:
    snapshot = run.at(entry.get("epoch"))
    theta = views(snapshot.spec, snapshot.parameters)
    passes = forward_pass(snapshot.spec, theta, as_columns(snapshot.examples.X))
    A = passes[layer_index(snapshot.spec, entry["layer"]) - 1].A
    return float((~(A != 0).any(axis=1)).sum())


_MEASURES: dict[str, Callable[[Rehearsal, Entry], float]] = {
    "loss": _loss,
    "test_loss": _test_loss,
    "metric": _metric,
    "first_epoch": _first_epoch,
    "lowest": _lowest,
    "epoch_of_lowest": _epoch_of_lowest,
    "entry": _entry,
    "size": _size,
    "spread": _spread,
    "dead": _dead,
}
