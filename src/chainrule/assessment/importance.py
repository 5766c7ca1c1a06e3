"""Permutation importance: how much worse a model gets when a column's values are shuffled."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.measures import log_losses
from chainrule.assessment.predictions import Examples, examples_of, outputs_of, places_of_columns
from chainrule.checks import whole_number
from chainrule.errors import InvalidArgumentError
from chainrule.model.scores import unit_of
from chainrule.model.table_model import TableModel

if TYPE_CHECKING:
    import polars as pl

METRICS = {
    "classification": ("accuracy", "log_loss"),
    "regression": ("rmse", "mae"),
}

# Multiplications of all predictions together: some seconds of work.
_MOST_WORK = 1e11
_FEWEST_ROWS = 200


@dataclass(frozen=True)
class ColumnImportance:
    """How much a score suffers when a column is shuffled.

    Parameters
    ----------
    column : str
    mean : float
        Over the repeats; above 0 the model needs the column.
    spread : float
        Standard deviation over the repeats.
    """

    column: str
    mean: float
    spread: float


@dataclass(frozen=True)
class Importance:
    """What `permutation_importance` found, the most important column first."""

    metric: str
    columns: tuple[ColumnImportance, ...]
    rows: int
    """How many rows it was measured on."""
    repeats: int


def permutation_importance(
    model: TableModel,
    table: "pl.DataFrame",
    *,
    metric: str | None = None,
    repeats: int = 5,
    most_rows: int = 5_000,
    seed: int = 0,
) -> Importance:
    """Return how much worse the model gets on a table when one column's values change places.

    Rows of a column are shuffled among themselves, so the column says nothing about its row any
    more. Columns that say the same cover for each other: shuffling one of them costs little.

    Parameters
    ----------
    model : TableModel
    table : polars.DataFrame
        With the target, and best of rows that the model was not trained with.
    metric : str, optional
        "accuracy" (what is lost) or "log_loss" (what is added) for classes, "rmse" or "mae" (what
        is added) for values. By default the first of its task.
    repeats : int
        How often each column is shuffled.
    most_rows : int
        Of a longer table so many rows are drawn, or fewer if the network is large.
    seed : int

    Raises
    ------
    InvalidArgumentError
        If the metric is none of the task's, or a number is not positive.
    """
    known = METRICS[model.target.task]
    metric = known[0] if metric is None else metric
    if metric not in known:
        raise InvalidArgumentError(
            f"metric: expected one of {', '.join(known)} for {model.target.task}; got {metric!r}"
        )
    repeats = whole_number("repeats", repeats, 1)
    most_rows = whole_number("most_rows", most_rows, 1)
    generator = np.random.default_rng(seed)
    places = places_of_columns(model)
    most = _affordable_rows(model, len(places) * repeats, most_rows)
    if table.height > most:
        table = table[np.sort(generator.choice(table.height, most, replace=False))]
    examples = examples_of(model, table)
    before = _score(model, examples.X, examples, metric)
    # A loss rises and the accuracy falls; both are counted as what the shuffling costs.
    sign = -1.0 if metric == "accuracy" else 1.0
    columns = []
    shuffled = examples.X.copy()
    for name, place in places.items():
        costs = []
        for _ in range(repeats):
            order = generator.permutation(table.height)
            shuffled[:, place] = examples.X[order, place]
            costs.append(sign * (_score(model, shuffled, examples, metric) - before))
        shuffled[:, place] = examples.X[:, place]
        columns.append(ColumnImportance(name, float(np.mean(costs)), float(np.std(costs))))
    columns.sort(key=lambda one: -one.mean)
    return Importance(metric, tuple(columns), table.height, repeats)


def _affordable_rows(model: TableModel, predictions: int, most_rows: int) -> int:
    weights = max(1, len(model.network.parameters))
    return min(most_rows, max(_FEWEST_ROWS, int(_MOST_WORK / (weights * max(1, predictions)))))


def _score(model: TableModel, X: NDArray[np.floating], examples: Examples, metric: str) -> float:
    outputs = outputs_of(model, X)
    if metric == "accuracy":
        return float(np.mean(np.argmax(outputs, axis=1) == examples.true))
    if metric == "log_loss":
        return float(np.mean(log_losses(np.asarray(examples.true, np.int64), outputs)))
    errors = outputs - np.asarray(examples.true, np.float64)
    if metric != "rmse":
        return float(np.mean(np.abs(errors)))
    unit = unit_of(errors)
    return float(unit * np.sqrt(np.mean((errors / unit) ** 2)))
