"""Drift: the difference between the distributions of a table's rows and of the training rows."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.assessment.column_bins import Counts
from chainrule.assessment.training_profile import TrainingProfile, prediction_counts
from chainrule.equations.stability import population_stability, smoothed_shares, stability_unit
from chainrule.model.table_model import TableModel
from chainrule.pictures.canvas import shortened
from chainrule.pictures.tables import Tables, TextTable
from chainrule.printable import printable

if TYPE_CHECKING:
    import polars as pl

SMALL, LARGE = 0.1, 0.25
"""The conventional limits of the index: a shift is moderate from the first, large from the
second."""
_ERROR = 0.01
"""Probability that a shift is reported for some column of a table without drift."""
_MATTERS = 0.05
_FEW_ROWS = 100
_SHOWN = 15
_NOTABLE = 0.001
_WIDTH = 24


@dataclass(frozen=True)
class Shift:
    """The shift of one distribution.

    Parameters
    ----------
    column : str
        The name of the column; "" for the predictions.
    psi : float
        The population stability index, PS1.
    by_chance : float
        The index that rows of the same distribution have on average, by PS3.
    limit : float
        The index that some column exceeds by chance in 1 of 100 tables without drift.
    verdict : str
        "none" up to `limit`; above it, by `psi` − `by_chance`, "small" below 0.1, "moderate" below
        0.25, and "large".
    weight : float or None
        The column's share of the model's dependence on all columns; None if that is unknown.
    missing_then, missing_now : float
        Shares of the rows without a value.
    outside : float
        The share of the rows with a value outside the range of the training rows, or an unknown
        category.
    span : tuple of str
        The range of the training rows.
    examples : tuple of str
        The most frequent of the unknown categories.
    """

    column: str
    psi: float
    by_chance: float
    limit: float
    verdict: str
    weight: float | None
    missing_then: float
    missing_now: float
    outside: float
    span: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    matters: bool = False
    """Whether the shift is moderate or large, and the model depends on the column."""


@dataclass(frozen=True, repr=False)
class Drift:
    """The difference between the distributions of a table's rows and of a model's training rows.

    A notebook and ``print`` show it as a table.

    Attributes
    ----------
    rows, training_rows : int
    predictions : Shift
        Of the predictions, compared with those for rows that were held out in training.
    columns : tuple of Shift
        Those that shifted and matter most to the model come first.
    not_compared : tuple of str
        Columns whose distribution did not fit into the model file.
    """

    rows: int
    training_rows: int
    predictions: Shift
    columns: tuple[Shift, ...]
    not_compared: tuple[str, ...] = ()

    def to_frame(self) -> "pl.DataFrame":
        """Return a row for each column."""
        import polars as pl

        return pl.DataFrame([asdict(one) for one in self.columns], infer_schema_length=None)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)

    def __repr__(self) -> str:
        return repr(self._shown)

    def _repr_html_(self) -> str:
        return self._shown._repr_html_()

    @property
    def _shown(self) -> Tables:
        notable = [one for one in self.columns if one.verdict != "none" or one.outside >= _NOTABLE]
        parts: list[TextTable | str] = [
            f"{_rows(self.rows)}, compared with the {self.training_rows:,} training rows",
            *self.sentences,
        ]
        if notable:
            columns = ("column", "shift", ">PSI", ">chance", ">weight", ">missing", "new values")
            parts.append(TextTable(columns, tuple(map(_cells, notable[:_SHOWN]))))
        rest = len(self.columns) - min(len(notable), _SHOWN)
        if rest:
            others = "other columns have" if notable else "columns have"
            one = "other column has" if notable else "column has"
            noted = "" if len(notable) <= _SHOWN else " a smaller weight or"
            parts.append(f"{rest} {others if rest > 1 else one}{noted} no shift beyond chance.")
        if notable:
            parts.append(
                "PSI: population stability index; a shift is moderate from 0.1 and large from "
                "0.25. Chance: the PSI that some column exceeds in 1 of 100 tables without drift. "
                "Weight: how much the predictions change when the column is shuffled, as a share "
                "of all columns. New values: outside the training range, or unknown categories."
            )
        if self.not_compared:
            parts.append(
                "Columns not compared, because the model file has no room for their "
                f"distributions: {len(self.not_compared)}."
            )
        return Tables(parts)

    @property
    def sentences(self) -> Sequence[str]:
        """What follows from the numbers, in sentences."""
        found = []
        if self.rows < _FEW_ROWS:
            found.append(
                f"With {_rows(self.rows)}, only very large shifts can be distinguished from chance."
            )
        if self.predictions.verdict == "none":
            found.append(
                "The predictions show no shift beyond chance (PSI "
                f"{_number(self.predictions.psi)}; up to {_number(self.predictions.limit)} by "
                "chance)."
            )
        else:
            found.append(
                f"The predictions have a {self.predictions.verdict} shift (PSI "
                f"{_number(self.predictions.psi)})."
            )
        mattering = [one.column for one in self.columns if one.matters]
        little = [
            one.column
            for one in self.columns
            if one.verdict in ("moderate", "large") and not one.matters
        ]
        if mattering:
            found.append(
                f"Shifted {_columns(mattering)} that the model depends on: {_listed(mattering)}. "
                "Evaluate the model on rows like these, and train it again if the score is worse."
            )
        if little:
            found.append(
                f"Shifted {_columns(little)} that the model depends on little: {_listed(little)}."
            )
        return found


def drift(model: TableModel, rows: "pl.DataFrame") -> Drift:
    """Return the difference between the distributions of some rows and of the training rows.

    Parameters
    ----------
    model : TableModel
        Trained by `chainrule train` or `chainrule.train`.
    rows : polars.DataFrame
        As the model reads them: the result of ``model.encoder.reading.read``.

    Raises
    ------
    InvalidModelFileError
        If the model does not hold the distribution of its training rows.
    InvalidTableError
        If a column is missing or cannot be used.
    """
    profile = TrainingProfile.of_model(model)
    counted = prediction_counts(model, profile.predictions, rows)
    tests = len(profile.columns) + 1
    total = math.fsum(profile.dependence.values())  # a file has them in another order
    columns = []
    for column in model.encoder.columns_:
        bins = profile.columns.get(column.name)
        if bins is None:
            continue
        weight = profile.dependence[column.name] / total if total > 0 else None
        found = bins.count(column, rows[column.name])
        columns.append(_shift(column.name, bins.training, found, tests, weight, bins.shown))
    columns.sort(key=_order)
    names = [one.name for one in model.encoder.columns_ if one.name not in profile.columns]
    training_rows = next(iter(profile.columns.values())).training.rows
    predictions = _shift("", profile.predictions.training, counted, tests)
    return Drift(rows.height, training_rows, predictions, tuple(columns), tuple(names))


def _shift(
    name: str,
    then: Counts,
    now: Counts,
    tests: int,
    weight: float | None = None,
    span: tuple[str, ...] = (),
) -> Shift:
    from scipy.stats import chi2

    counts = np.array([[*then.bins, then.missing], [*now.bins, now.missing]], np.float64)
    counts = counts[:, counts.sum(axis=0) > 0]
    p, q = map(smoothed_shares, counts)
    psi = float(population_stability(p, q))
    unit, freedom = stability_unit(then.rows, now.rows), counts.shape[1] - 1
    limit = unit * float(chi2.ppf(1 - _ERROR / tests, freedom)) if freedom else 0.0
    by_chance = unit * freedom
    verdict = "none"
    if psi > limit:
        more = psi - by_chance
        verdict = "small" if more < SMALL else "moderate" if more < LARGE else "large"
    # With many columns, hardly any has 5 %: one with a mean share counts, too.
    depends = weight is None or weight >= min(_MATTERS, 1 / (tests - 1))
    return Shift(
        name,
        psi,
        by_chance,
        limit,
        verdict,
        weight,
        then.missing / then.rows,
        now.missing / now.rows,
        now.outside / now.rows,
        span,
        now.examples,
        verdict in ("moderate", "large") and depends,
    )


def _order(shift: Shift) -> tuple[bool, bool, float, str]:
    weight = 1.0 if shift.weight is None else shift.weight
    return not shift.matters, shift.verdict == "none", -weight * shift.psi, shift.column


def _cells(shift: Shift) -> tuple[str, ...]:
    new = "–"
    if shift.outside:
        new = _share(shift.outside)
        told = f" not in {shift.span[0]}…{shift.span[1]}" if shift.span else ""
        if shift.examples:
            new += f" {', '.join(shift.examples)}"
        elif len(new + told) <= _WIDTH:
            new += told
    missing = _share(shift.missing_now)
    if shift.missing_then != shift.missing_now:
        missing = f"{_share(shift.missing_then)} → {missing}"
    return (
        printable(shift.column),
        "–" if shift.verdict == "none" else shift.verdict,
        _number(shift.psi),
        _number(shift.limit),
        "–" if shift.weight is None else _share(shift.weight),
        missing,
        shortened(printable(new), _WIDTH),
    )


def _rows(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _number(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.0f}"


def _share(value: float) -> str:
    if 0 < value < 0.001:
        return "<0.1 %"
    return f"{100 * value:.1f} %" if 0 < value < 1 else f"{100 * value:.0f} %"


def _listed(names: Sequence[str], most: int = 6) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _columns(names: Sequence[str]) -> str:
    return "column" if len(names) == 1 else "columns"
