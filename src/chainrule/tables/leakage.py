"""Columns that leak the target: each alone predicts the target almost perfectly.

Such a column is seldom a good predictor and often the target in other words, or something that is
known only after it. Each column is looked at alone, on a sample of rows: what its values (numbers:
in bins) say of the target in one half of the sample is tried on the other half, so that a column
whose values hardly come twice says nothing.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns import column_named
from chainrule.tables.task import Task

if TYPE_CHECKING:
    import polars as pl

Floats = NDArray[np.float64]

# Above what a single legitimate column reaches in well-known tables (0.976 for the best of WDBC).
_LEAST_AREA, _LEAST_SKILL, _LEAST_R2 = 0.995, 0.98, 0.98
_MOST_ROWS, _MOST_VALUES = 20_000, 10_000_000
_LEAST_ROWS, _LEAST_OF_CLASS = 40, 10
_BINS = 64


class Leak(NamedTuple):
    """A column that alone predicts the target."""

    column: str
    score: float
    """Area under the ROC curve for two classes, the reduction of a constant guess's errors for
    more, R² of the ranks for values; 1 is perfect."""
    sentence: str


def suspicious_columns(
    table: "pl.DataFrame", target_column: "str | pl.Series", task: Task
) -> tuple[Leak, ...]:
    """Return the columns that alone predict the target almost perfectly, the strongest first.

    Parameters
    ----------
    table : polars.DataFrame
        The rows to train with.
    target_column : str or polars.Series
        A column of the table, or one beside it. Rows without a value do not count.
    task : {"classification", "regression"}

    Returns
    -------
    tuple of Leak

    Raises
    ------
    InvalidTableError
        If the table has no such column.

    Examples
    --------
    >>> import polars as pl
    >>> from chainrule.tables.leakage import suspicious_columns
    >>> table = pl.DataFrame({"euros": range(100), "noise": [n * 37 % 100 for n in range(100)]})
    >>> dollars = pl.Series("dollars", [1.1 * n for n in range(100)])
    >>> [leak.column for leak in suspicious_columns(table, dollars, "regression")]
    ['euros']
    """
    target = target_column
    if isinstance(target, str):
        target = column_named(table, target, " to use as the target")
        table = table.drop(target.name)
    random = np.random.default_rng(0)
    rows = sampled(target, table.width, random)
    if len(rows) < _LEAST_ROWS:
        return ()
    table, target = table[rows], target[rows]
    first = np.zeros(len(rows), bool)
    first[random.permutation(len(rows))[::2]] = True
    judge = ClassJudge(target, first) if task == "classification" else ValueJudge(target, first)
    leaks = []
    for column in table.iter_columns():
        if column.dtype.is_nested() or column.null_count() == column.len():
            continue
        score = judge.score(*bins_of(column))
        if score >= judge.least:
            leaks.append(Leak(column.name, score, judge.sentence(column.name, target.name, score)))
    return tuple(sorted(leaks, key=lambda leak: -leak.score))


def sampled(
    target: "pl.Series",
    width: int,
    random: np.random.Generator | None = None,
    most: int = _MOST_ROWS,
) -> NDArray[np.intp]:
    """Return the positions of a sample of the rows that have a target, in their order."""
    rows = np.flatnonzero(target.is_not_null().to_numpy())
    most = min(most, max(2000, _MOST_VALUES // max(1, width)))
    if len(rows) > most:
        random = np.random.default_rng(0) if random is None else random
        rows = np.sort(random.choice(rows, most, replace=False))
    return rows


def bins_of(column: "pl.Series", most: int = _BINS) -> tuple[NDArray[np.intp], Floats | None]:
    """Return the bin of each row, and the values if the column is ordered."""
    import polars as pl

    dtype = column.dtype
    if not (dtype.is_numeric() or dtype.is_temporal() or dtype == pl.Boolean):
        dense = column.cast(pl.String).rank("dense").fill_null(0)
        return dense.to_numpy().astype(np.intp), None
    if dtype.is_temporal():
        column = column.to_physical()
    values = np.asarray(column.cast(pl.Float64).fill_null(np.nan).to_numpy(), np.float64)
    present = values[~np.isnan(values)]
    edges = np.unique(present)
    if len(edges) > most:
        bins = max(2, min(most, len(values) // 10))
        edges = np.unique(np.quantile(present, np.arange(1, bins) / bins, method="nearest"))
    codes: NDArray[np.intp] = 1 + np.searchsorted(edges, values, side="right")
    codes[np.isnan(values)] = 0
    return codes, np.where(np.isnan(values), -np.inf, values)


def _held_out_means(codes: NDArray[np.intp], values: Floats, first: NDArray[np.bool_]) -> Floats:
    """Return, for each row, the mean of its bin over the other half of the rows, (rows, …)."""
    means = np.empty_like(values)
    for half in (first, ~first):
        counts = np.bincount(codes[half], minlength=codes.max() + 1)
        for place in range(values.shape[1]):
            known = values[half, place]
            sums = np.bincount(codes[half], weights=known, minlength=len(counts))
            bin_means = np.where(counts > 0, sums / np.maximum(counts, 1), known.mean())
            means[~half, place] = bin_means[codes[~half]]
    return means


class ClassJudge:
    """How well a column predicts classes."""

    def __init__(self, target: "pl.Series", first: NDArray[np.bool_]) -> None:
        self._first = first
        self._codes = target.rank("dense").to_numpy().astype(np.intp) - 1
        self._counts = np.bincount(self._codes)
        self.members = np.eye(len(self._counts))[self._codes]
        self.binary = len(self._counts) == 2
        self.least = _LEAST_AREA if self.binary else _LEAST_SKILL

    def score(self, codes: NDArray[np.intp], values: Floats | None) -> float:
        """Return how well a column predicts, given its bins and, if it is ordered, its values."""
        if len(self._counts) < 2 or np.sort(self._counts)[-2] < _LEAST_OF_CLASS:
            return 0.0
        means = _held_out_means(codes, self.members, self._first)
        if not self.binary:
            right = float(np.mean(means.argmax(axis=1) == self._codes))
            guess = self._counts.max() / len(self._codes)
            return 1 - (1 - right) / float(1 - guess)
        area = area_of(self.members[:, 1], means[:, 1])
        if values is not None:
            ordered = area_of(self.members[:, 1], values)
            area = max(area, ordered, 1 - ordered)
        return area

    def sentence(self, name: str, target: str, score: float) -> str:
        """Return the note about a column."""
        what = (
            f"ROC AUC {score:.4f}"
            if self.binary
            else f"{score:.1%} fewer errors than a constant guess"
        )
        return _sentence(name, target, what)


def area_of(members: Floats, scores: Floats) -> float:
    """Return the area under the ROC curve: how often the second class scores higher.

    Parameters
    ----------
    members : array (m,)
        1 for the second class, 0 for the first.
    scores : array (m,)
    """
    ranks, positive = ranks_of(scores), float(members.sum())
    negative = len(members) - positive
    above = float(ranks[members == 1].sum()) - positive * (positive + 1) / 2
    return above / (positive * negative) if positive and negative else 0.0


class ValueJudge:
    """How well a column predicts values, by ranks, on which outliers have little influence."""

    least = _LEAST_R2

    def __init__(self, target: "pl.Series", first: NDArray[np.bool_]) -> None:
        self._first = first
        self._ranks = ranks_of(np.asarray(target.to_numpy(), np.float64))[:, np.newaxis]
        self._variance = float(self._ranks.var())

    def score(self, codes: NDArray[np.intp], values: Floats | None) -> float:
        """Return how well a column predicts, given its bins and, if it is ordered, its values."""
        if self._variance == 0:
            return 0.0
        errors = self._ranks - _held_out_means(codes, self._ranks, self._first)
        return 1 - float(np.square(errors).mean()) / self._variance

    def sentence(self, name: str, target: str, score: float) -> str:
        """Return the note about a column."""
        return _sentence(name, target, f"R² of ranks {score:.4f}")


def _sentence(name: str, target: str, what: str) -> str:
    return (
        f"column {name!r} alone predicts {target!r} almost perfectly ({what}); if it is known only "
        f"after {target!r}, or is another form of it, leave it out"
    )


def ranks_of(values: Floats) -> Floats:
    """Return ranks from 1; equal values get the mean of their ranks."""
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[index]
    return ranks
