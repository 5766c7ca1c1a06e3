"""Permutation importance: how much a model's score drops when a column is shuffled."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.predictions import Examples, examples_of, outputs_of, places_of_columns
from chainrule.checks import whole_number
from chainrule.errors import InvalidArgumentError
from chainrule.model.probability_scores import log_losses
from chainrule.model.scores import unit_of
from chainrule.model.table_model import TableModel
from chainrule.suggestions import did_you_mean

if TYPE_CHECKING:
    import polars as pl

METRICS = {
    "classification": ("accuracy", "log_loss"),
    "regression": ("rmse", "mae"),
}

# Multiplications of all predictions together: a few seconds of work.
_MOST_WORK = 1e11
_FEWEST_ROWS = 200


@dataclass(frozen=True)
class ColumnImportance:
    """How much worse a score gets when a column is shuffled.

    Parameters
    ----------
    column : str
    mean : float
        Mean deterioration over the repeats; above 0, the model uses the column.
    spread : float
        Standard deviation over the repeats.
    """

    column: str
    mean: float
    spread: float


@dataclass(frozen=True)
class Importance:
    """The result of `permutation_importance`, the most important column first."""

    metric: str
    columns: tuple[ColumnImportance, ...]
    rows: int
    """Number of rows that it was measured on."""
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
    """Return how much worse the model's score gets when one column of a table is shuffled.

    Shuffling a column's values among the rows destroys its information about them. If two columns
    carry the same information, shuffling one of them costs little, since the other one remains.

    Parameters
    ----------
    model : TableModel
    table : polars.DataFrame
        With the target column; best of rows that the model was not trained on.
    metric : str, optional
        For classes "accuracy" (its decrease) or "log_loss" (its increase), for values "rmse" or
        "mae" (its increase). By default the first of the two.
    repeats : int
        Number of times that each column is shuffled.
    most_rows : int
        From a longer table this many rows are drawn, fewer if the network is large.
    seed : int

    Raises
    ------
    InvalidArgumentError
        If the metric does not belong to the model's task, or a number is not positive.
    """
    known = METRICS[model.target.task]
    metric = known[0] if metric is None else metric
    if metric not in known:
        raise InvalidArgumentError(
            f"metric: expected one of {', '.join(known)} for {model.target.task}; got {metric!r}"
            f"{did_you_mean(metric, known)}"
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
    # Losses increase and accuracy decreases; the sign makes both a positive deterioration.
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
