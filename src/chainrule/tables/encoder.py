"""A table's columns as a network's inputs and targets, and its outputs as the table's values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidModelFileError, InvalidTableError
from chainrule.tables.columns import check_complete, column_named, numeric_column, numeric_matrix
from chainrule.tables.target import Class, Task, distinct_classes, infer_task

if TYPE_CHECKING:
    import polars as pl

KEY = "encoder"
"""The header entry of a model file, and what the names of the arrays start with."""

_NUMERIC_TARGET = "a regression needs a target of numbers (the task for text is classification)"
_LARGEST_INPUT = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class TableEncoder:
    """What a network must know of the table that it was trained with.

    Columns go by name: their order does not matter, and columns with other names are ignored.

    Parameters
    ----------
    task : {"classification", "regression"}
    target : str
        Name of the column to predict.
    features : tuple of str
        Names of the columns to predict from, in the order of the network's inputs.
    mean, std : array (features,)
        Of the training rows. A column that did not vary there has std 0 and is given to the
        network as 0, whatever it holds: the network has learned nothing about it.
    classes : tuple of str, bool or numbers
        In the order of the network's outputs; empty for regression.
    target_mean, target_std : float
        The network learns (target − mean)/std; predictions come back in the target's own units.
    """

    task: Task
    target: str
    features: tuple[str, ...]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    classes: tuple[Class, ...] = ()
    target_mean: float = 0.0
    target_std: float = 1.0

    @classmethod
    def fit(
        cls,
        table: "pl.DataFrame",
        target: str,
        *,
        task: Task | None = None,
        classes: Sequence[Class] | None = None,
    ) -> "TableEncoder":
        """Take names, statistics and classes from a table of training rows.

        Parameters
        ----------
        table : polars.DataFrame
        target : str
        task : {"classification", "regression"}, optional
            By default as `chainrule.tables.target.infer_task` says.
        classes : sequence, optional
            All classes, where the rows at hand might lack some.

        Raises
        ------
        InvalidTableError
            If a column cannot be used; the message names it, and the row.
        """
        column = column_named(table, target, " to use as the target")
        features = tuple(name for name in table.columns if name != target)
        if not features:
            raise InvalidTableError(
                f"the table has no column beside the target {target!r} to predict it from"
            )
        mean, std = _statistics(numeric_matrix(table, features))
        task = task or infer_task(column)
        if task == "classification":
            found = distinct_classes(column) if classes is None else tuple(classes)
            return cls(task, target, features, mean, std, found)
        values = numeric_column(column, _NUMERIC_TARGET)
        target_mean, target_std = _statistics(values[:, np.newaxis])
        if target_std[0] == 0:
            raise InvalidTableError(
                f"the target {target!r} is {column[0]} in all {column.len()} rows; "
                "there is nothing to learn"
            )
        return cls(
            task, target, features, mean, std, (), float(target_mean[0]), float(target_std[0])
        )

    @property
    def n_outputs(self) -> int:
        """Outputs that the network needs: one a class, or one value."""
        return len(self.classes) or 1

    def transform(self, table: "pl.DataFrame") -> NDArray[np.float64]:
        """Return the network's inputs, (rows, features): standardised.

        Raises
        ------
        InvalidTableError
            If a column is missing or cannot be used.
        """
        values = numeric_matrix(table, self.features)
        inputs = np.zeros_like(values)
        with np.errstate(over="ignore"):  # seen below
            np.subtract(values, self.mean, out=values)
            np.divide(values, self.std, out=inputs, where=self.std > 0)
        too_large = np.abs(inputs) > _LARGEST_INPUT
        if too_large.any():
            row, column = np.argwhere(too_large)[0]
            raise InvalidTableError(
                f"column {self.features[column]!r} in row {row + 1} is too far from the values "
                f"that the model was trained with (mean {self.mean[column]:.4g}, standard "
                f"deviation {self.std[column]:.4g}); is it right?"
            )
        return inputs

    def encode_target(self, table: "pl.DataFrame") -> NDArray[Any]:
        """Return the network's targets, (rows,): class indices, or standardised values.

        Raises
        ------
        InvalidTableError
            If the target column is missing or holds what cannot be a target of this model.
        """
        column = column_named(table, self.target, ", the target")
        if self.task == "regression":
            values = numeric_column(column, _NUMERIC_TARGET)
            return (values - self.target_mean) / self.target_std
        check_complete(column)
        return self._class_indices(column)

    def decode(self, outputs: NDArray[np.floating]) -> "pl.Series":
        """Return a network's outputs as predictions: classes, or values in the target's units."""
        import polars as pl

        if self.task == "regression":
            return pl.Series("prediction", self.decode_values(outputs))
        best = np.argmax(outputs, axis=1)
        return pl.Series("prediction", list(self.classes)).gather(best)

    def decode_values(self, outputs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return outputs (rows, 1) of a regression as values in the target's units, (rows,)."""
        return outputs[:, 0].astype(np.float64) * self.target_std + self.target_mean

    def _class_indices(self, column: "pl.Series") -> NDArray[np.int64]:
        import polars as pl

        if isinstance(self.classes[0], str):
            # A table may hold only those classes that read as numbers.
            column = column.cast(pl.String)
        index_of = {value: index for index, value in enumerate(self.classes)}
        values = column.unique()
        codes = [index_of.get(value, -1) for value in values.to_list()]
        indices = column.replace_strict(values, codes, return_dtype=pl.Int64).to_numpy()
        if -1 in codes:
            row = int(np.argmin(indices))
            raise InvalidTableError(
                f"the target {self.target!r} is {column[row]!r} in row {row + 1}, which is none of "
                f"the model's classes ({', '.join(map(str, self.classes))})"
            )
        return np.asarray(indices)

    def to_file(self) -> tuple[dict[str, str], dict[str, NDArray[np.float64]]]:
        """Return header entries and arrays for a model file."""
        header = {
            "task": self.task,
            "target": self.target,
            "features": self.features,
            "classes": self.classes,
            "target_mean": self.target_mean,
            "target_std": self.target_std,
        }
        arrays = {f"{KEY}.mean": self.mean, f"{KEY}.std": self.std}
        return {KEY: json.dumps(header, ensure_ascii=False, sort_keys=True)}, arrays

    @classmethod
    def from_file(
        cls, metadata: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]
    ) -> "TableEncoder":
        """Build the encoder that `to_file` wrote; data only, checked.

        Raises
        ------
        InvalidModelFileError
            If entries are missing or contradict each other.
        """
        try:
            header = json.loads(metadata[KEY])
            encoder = cls(
                task=header["task"],
                target=header["target"],
                features=tuple(header["features"]),
                mean=arrays[f"{KEY}.mean"],
                std=arrays[f"{KEY}.std"],
                classes=tuple(header["classes"]),
                target_mean=header["target_mean"],
                target_std=header["target_std"],
            )
            fault = _fault(encoder)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            fault = f"{type(error).__name__}: {error}"
        if fault:
            raise InvalidModelFileError(f"its table encoder cannot be used ({fault})")
        return encoder


def _statistics(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each column; exactly 0 for one that does not vary."""
    low, high = values.min(axis=0), values.max(axis=0)
    varies = low < high
    # In units of the largest value, so that squares neither overflow nor vanish.
    scale = np.where(varies, np.maximum(np.abs(low), np.abs(high)), 1.0)
    scaled = values / scale
    mean = np.where(varies, scaled.mean(axis=0) * scale, low)
    std = np.where(varies, scaled.std(axis=0) * scale, 0.0)
    return mean, std


def _fault(encoder: TableEncoder) -> str:
    """Return what is wrong with an encoder that was read, or ""."""
    names = (*encoder.features, encoder.target)
    numbers = (encoder.target_mean, encoder.target_std)
    shape = (len(encoder.features),)
    if encoder.task not in ("classification", "regression"):
        return f"unknown task {encoder.task!r}"
    if not encoder.features or not all(isinstance(name, str) for name in names):
        return "its columns are not named by text"
    if len(set(names)) != len(names):
        return "two of its columns have one name"
    for array in (encoder.mean, encoder.std):
        if array.shape != shape or array.dtype != np.float64 or not np.isfinite(array).all():
            return f"expected {shape[0]} finite numbers of float64 for mean and std"
    if (encoder.std < 0).any():
        return "a standard deviation is negative"
    if not all(type(number) is float and np.isfinite(number) for number in numbers):
        return "the target's statistics are not finite numbers"
    if encoder.task == "regression":
        return "" if encoder.target_std > 0 and not encoder.classes else "no scale for the target"
    return _class_fault(encoder.classes)


def _class_fault(classes: Sequence[Class]) -> str:
    kinds = {float if type(value) is int else type(value) for value in classes}
    if len(kinds) != 1 or not kinds <= {str, bool, float}:
        return "its classes are not all text, all true or false, or all numbers"
    if kinds == {float} and not all(abs(value) < 2**127 for value in classes):  # type: ignore[arg-type]
        return "a class is not a finite number"
    return "" if len(set(classes)) == len(classes) >= 2 else "fewer than two different classes"
