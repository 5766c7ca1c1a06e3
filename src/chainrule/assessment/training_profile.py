"""The summary of the training rows in a model file, with which later rows are compared.

The bins of each column, and how much the predictions depend on it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.column_bins import Bins, Counts
from chainrule.assessment.predictions import outputs_of, places_of_columns
from chainrule.checks import is_real
from chainrule.errors import InvalidModelFileError
from chainrule.model.table_model import TableModel

if TYPE_CHECKING:
    import polars as pl

KEY = "profile"
"""The entry of a model's details."""

_ROWS = 1000
_FEWEST_ROWS = 30
# Multiplications of the predictions with shuffled columns: about a second of work.
_MOST_WORK = 2e9
_SEED = 0
_MOST_CHARACTERS = 1 << 20


@dataclass(frozen=True)
class TrainingProfile:
    """The distributions of a model's training rows.

    Parameters
    ----------
    columns : mapping of str to Bins
        Of very wide tables, those that fit into a model file.
    dependence : mapping of str to float
        For each column, the mean change of a prediction when the column's values are shuffled: half
        the sum of the changes of the probabilities, or the change of the value. Empty if that would
        take too long.
    predictions : Bins
        Of the probability of the second of two classes, the predicted class, or the value, for rows
        that were held out.
    """

    columns: Mapping[str, Bins]
    dependence: Mapping[str, float]
    predictions: Bins

    @classmethod
    def of(cls, model: TableModel, train: "pl.DataFrame", held_out: "pl.DataFrame") -> Self:
        """Return the profile of a model's training rows, and of its predictions for other rows."""
        return cls(
            {one.name: Bins.of_column(one, train[one.name]) for one in model.encoder.columns_},
            dependence(model, train),
            prediction_bins(model, held_out),
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain data for a model's details."""
        # The columns that matter most come first if not all of them fit into a model file.
        ordered = sorted(self.columns, key=lambda name: -self.dependence.get(name, 0.0))
        columns, left = {}, _MOST_CHARACTERS
        for name in ordered:
            entry = self.columns[name].to_json()
            left -= len(json.dumps(entry, ensure_ascii=False)) + len(name)
            if left >= 0:
                columns[name] = entry
        return {
            "columns": {name: columns[name] for name in self.columns if name in columns},
            "dependence": dict(self.dependence),
            "predictions": self.predictions.to_json(),
        }

    @classmethod
    def of_model(cls, model: TableModel) -> Self:
        """Return the profile that a model's details hold.

        Raises
        ------
        InvalidModelFileError
            If they hold none, or a damaged one.
        """
        entry = model.details.get(KEY)
        if entry is None:
            raise InvalidModelFileError(
                "model: does not hold the distribution of its training rows: an earlier version "
                "of chainrule trained it, or it is not the model of a run; train it again with "
                "chainrule train or chainrule.train"
            )
        try:
            columns = {name: Bins.from_json(bins) for name, bins in entry["columns"].items()}
            found = entry["dependence"]
            if not all(is_real(value) and value >= 0 for value in found.values()):
                raise ValueError("a dependence is not a number")
            needed = {one.name for one in model.encoder.columns_}
            if not set(columns) <= needed or set(found) not in (needed, set()):
                raise ValueError("its columns are not those of the model")
            return cls(columns, found, Bins.from_json(entry["predictions"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidModelFileError(
                f"model: its profile of the training rows cannot be used ({error}); train it again"
            ) from error


def prediction_bins(model: TableModel, rows: "pl.DataFrame") -> Bins:
    """Return the bins of a model's predictions for some rows."""
    found = _predicted(model, rows)
    return Bins.of_numbers(found) if isinstance(found, np.ndarray) else Bins.of_texts(found)


def prediction_counts(model: TableModel, bins: Bins, rows: "pl.DataFrame") -> Counts:
    """Return the predictions for some rows in the bins of others."""
    found = _predicted(model, rows)
    if isinstance(found, np.ndarray):
        return bins.count_numbers(found)
    return bins.count_texts(found)


def _predicted(model: TableModel, rows: "pl.DataFrame") -> "NDArray[np.float64] | pl.Series":
    """Return the values, the probability of the second of two classes, or the classes."""
    import polars as pl

    outputs = outputs_of(model, model.encoder.encode(rows))
    if len(model.target.classes) > 2:
        names = pl.Series(list(map(str, model.target.classes)))
        return names.gather(outputs.argmax(axis=1))
    return outputs[:, 1] if model.target.classes else outputs


def dependence(model: TableModel, train: "pl.DataFrame") -> dict[str, float]:
    """Return how much the predictions depend on each column; see `TrainingProfile`."""
    places = places_of_columns(model)
    work = len(places) * len(model.network.parameters)
    rows = int(min(_ROWS, max(_FEWEST_ROWS, _MOST_WORK / work)))
    if rows * work > 10 * _MOST_WORK:
        return {}
    random = np.random.default_rng(_SEED)
    if train.height > rows:
        train = train[np.sort(random.choice(train.height, rows, replace=False))]
    X = model.encoder.encode(train)
    before = outputs_of(model, X)
    found = {}
    for name, place in places.items():
        shuffled = X.copy()
        shuffled[:, place] = X[random.permutation(len(X)), place]
        found[name] = _change(before, outputs_of(model, shuffled))
    return found


def _change(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    moved = np.abs(after - before)
    return float(moved.sum(axis=1).mean() / 2 if moved.ndim == 2 else moved.mean())
