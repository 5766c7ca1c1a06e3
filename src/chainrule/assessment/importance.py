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
# 95 % of a normal distribution lie within this many standard deviations of its mean.
_Z = 1.959963984540054


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
    low, high : float
        95 % interval of the mean, over samples of rows and over shuffles.
    """

    column: str
    mean: float
    spread: float
    low: float
    high: float

    @property
    def is_noise(self) -> bool:
        """Whether the interval contains 0: the rows do not show that the model needs the column."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True)
class Importance:
    """The result of `permutation_importance`.

    The most important column is first; columns whose importance is noise come after all others.
    """

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
    carry the same information, shuffling one of them has little effect.

    Parameters
    ----------
    model : TableModel
    table : polars.DataFrame
        With the target column; preferably rows that the model was not trained on.
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
    before = _losses(model, examples.X, examples, metric)
    columns = []
    shuffled = examples.X.copy()
    for name, place in places.items():
        worse = np.empty((repeats, table.height))
        costs = np.empty(repeats)
        for repeat in range(repeats):
            order = generator.permutation(table.height)
            shuffled[:, place] = examples.X[order, place]
            after = _losses(model, shuffled, examples, metric)
            worse[repeat], costs[repeat] = _deterioration(before, after, metric)
        shuffled[:, place] = examples.X[:, place]
        columns.append(_summed_up(name, costs, worse))
    columns.sort(key=lambda one: (one.is_noise, -one.mean))
    return Importance(metric, tuple(columns), table.height, repeats)


def _summed_up(
    name: str, costs: NDArray[np.float64], worse: NDArray[np.float64]
) -> ColumnImportance:
    """Return a column's importance from the cost of each repeat, and of each row in it."""
    mean, spread = float(np.mean(costs)), float(np.std(costs))
    repeats, rows = worse.shape
    # Other rows would give another mean, and so would other shuffles.
    of_rows = np.std(worse.mean(axis=0)) / np.sqrt(max(1, rows - 1))
    of_shuffles = spread / np.sqrt(max(1, repeats - 1))
    half = _Z * float(np.hypot(of_rows, of_shuffles))
    return ColumnImportance(name, mean, spread, mean - half, mean + half)


def _affordable_rows(model: TableModel, predictions: int, most_rows: int) -> int:
    weights = max(1, len(model.network.parameters))
    return min(most_rows, max(_FEWEST_ROWS, int(_MOST_WORK / (weights * max(1, predictions)))))


def _losses(
    model: TableModel, X: NDArray[np.floating], examples: Examples, metric: str
) -> NDArray[np.float64]:
    """Return the loss of each row, whose mean is the score; for rmse, its error."""
    outputs = outputs_of(model, X)
    if metric == "accuracy":
        return np.asarray(np.argmax(outputs, axis=1) != examples.true, np.float64)
    if metric == "log_loss":
        return log_losses(np.asarray(examples.true, np.int64), outputs)
    errors = np.abs(outputs - np.asarray(examples.true, np.float64))
    return np.asarray(errors, np.float64)


def _deterioration(
    before: NDArray[np.float64], after: NDArray[np.float64], metric: str
) -> tuple[NDArray[np.float64], float]:
    """Return each row's share of a deterioration, whose mean is about the second result.

    A root is not a mean, but changes with the squares of the errors like one: d√u = du/(2√u).
    """
    if metric != "rmse":
        worse = after - before
        return worse, float(np.mean(after) - np.mean(before))
    unit = unit_of(before, after)
    squares = [np.square(losses / unit) for losses in (before, after)]
    roots = [float(np.sqrt(np.mean(each))) for each in squares]
    # An error of 0 has no slope; its squares are all 0, too.
    first, second = (
        unit * (each - root**2) / (2 * root) if root else 0 * each
        for each, root in zip(squares, roots, strict=True)
    )
    cost = unit * (roots[1] - roots[0])
    return second - first + cost, cost
