"""The target column as a network's targets, and its outputs as the target's values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import json_from_file
from chainrule.errors import InvalidModelFileError, InvalidTableError
from chainrule.tables.columns import RowError, check_complete, numeric_column
from chainrule.tables.notations import Notation, Numbers, Text, Truth, notation_from_json
from chainrule.tables.spellings import fold
from chainrule.tables.task import Class, Task, distinct_classes, infer_task, task_named
from chainrule.tables.transform import TargetTransform

if TYPE_CHECKING:
    import polars as pl

KEY = "target"
"""The header entry of a model file, and what the names of the arrays start with."""

NUMERIC_TARGET = "a regression needs a target of numbers (the task for text is classification)"


def _no_value(name: str) -> InvalidTableError:
    return InvalidTableError(
        f"the target {name!r} has no value in any row; is it the right column?"
    )


@dataclass(frozen=True)
class TargetEncoder:
    """The column to predict as a network's targets, and a network's outputs as its values.

    Parameters
    ----------
    task : {"classification", "regression"}
    name : str
        Of the column.
    classes : tuple of str, bool or numbers
        In the order of the network's outputs; empty for regression.
    mean, std : float
        The network learns (value − mean)/std; predictions come back in the target's own units.
    transform : TargetTransform, optional
        The transform of a regression target with a long tail: the network learns (t − mean)/std.
    merged : bool
        Whether texts that differ in case and spaces alone are one class.
    notation : Notation, optional
        How its values are written where the column is text; by default plainly.

    Examples
    --------
    >>> import numpy as np
    >>> import polars as pl
    >>> from chainrule.tables.target import TargetEncoder
    >>> kinds = pl.Series("kind", ["b", "a", "b", "a"])
    >>> target = TargetEncoder.fit(kinds)
    >>> target.encode(kinds)
    array([1, 0, 1, 0])
    >>> target.decode(np.array([[0.9, 0.1], [0.2, 0.8]])).to_list()
    ['a', 'b']
    """

    task: Task
    name: str
    classes: tuple[Class, ...] = ()
    mean: float = 0.0
    std: float = 1.0
    transform: TargetTransform | None = None
    merged: bool = False
    notation: Notation | None = None

    @classmethod
    def fit(
        cls,
        column: "pl.Series",
        task: Task | None = None,
        classes: Sequence[Class] | None = None,
    ) -> "TargetEncoder":
        """Take classes or statistics from the training rows of a column.

        Parameters
        ----------
        column : polars.Series
        task : {"classification", "regression"}, optional
            By default as `infer_task` says.
        classes : sequence, optional
            All classes, if the given rows may lack some.

        Raises
        ------
        InvalidTableError
            If the column cannot be a target of the task.
        """
        task = infer_task(column) if task is None else task_named(task)
        if column.len() == column.null_count():
            raise _no_value(column.name)
        if task == "classification":
            found = distinct_classes(column) if classes is None else tuple(classes)
            return cls(task, column.name, found)
        values = numeric_column(column, NUMERIC_TARGET)
        low, high = values.min(), values.max()
        if low == high:
            raise InvalidTableError(
                f"the target {column.name!r} is {column[0]} in all {column.len()} rows; "
                "there is nothing to learn"
            )
        return cls(task, column.name, (), *mean_and_deviation(values))

    def transformed(
        self, transform: TargetTransform, values: NDArray[np.float64]
    ) -> "TargetEncoder":
        """Return the encoder of a regression that learns a transform of the training rows."""
        mean, std = mean_and_deviation(transform.forward(values))
        return replace(self, mean=mean, std=std, transform=transform)

    @property
    def written(self) -> Notation:
        """How the column is read."""
        if self.notation is not None:
            return self.notation
        kinds = {type(value) for value in self.classes}
        return Text() if kinds == {str} else Truth() if kinds == {bool} else Numbers()

    @property
    def n_outputs(self) -> int:
        """Outputs that the network needs: one a class, or one value."""
        return len(self.classes) or 1

    def encode(self, column: "pl.Series") -> NDArray[Any]:
        """Return the network's targets, (rows,): class indices, or standardised values.

        Raises
        ------
        InvalidTableError
            If the column holds what cannot be a target of this model.
        """
        if self.task == "regression":
            values = numeric_column(column, NUMERIC_TARGET)
            if self.transform is not None:
                values = self.transform.forward(values)
            with np.errstate(over="ignore"):  # seen below
                encoded = (values - self.mean) / self.std
            if not np.isfinite(encoded).all():
                row = int(np.argmin(np.isfinite(encoded)))
                raise RowError(
                    f"the target {self.name!r} in row ",
                    row + 1,
                    f" is too far from the values that the model was trained with (mean "
                    f"{self.mean:.4g}, deviation {self.std:.4g}); is it right?",
                )
            return np.asarray(encoded)
        check_complete(column)
        return self._class_indices(column)

    def truth(self, column: "pl.Series") -> NDArray[Any]:
        """Return the values to compare predictions with: class indices, or values in their units.

        Raises
        ------
        InvalidTableError
            If the column holds what cannot be a target of this model.
        """
        if self.task == "regression" and self.transform is not None:
            return numeric_column(column, NUMERIC_TARGET)  # without the clipping of the encoding
        encoded = self.encode(column)
        return encoded * self.std + self.mean if self.task == "regression" else encoded

    def decode(self, outputs: NDArray[np.floating]) -> "pl.Series":
        """Return a network's outputs as predictions: classes, or values in the target's units."""
        import polars as pl

        if self.task == "regression":
            return pl.Series("prediction", self.decode_values(outputs))
        best = np.argmax(outputs, axis=1)
        return pl.Series("prediction", list(self.classes)).gather(best)

    def decode_values(self, outputs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return outputs of a regression, (rows, 1), as values in the target's units, (rows,)."""
        with np.errstate(over="ignore", invalid="ignore"):  # seen below
            values = self.undone(outputs[:, 0].astype(np.float64) * self.std + self.mean)
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values)))
            raise RowError(
                "the prediction in row ",
                row + 1,
                f" of {self.name!r} is beyond what a number can hold (mean {self.mean:.4g}, "
                f"deviation {self.std:.4g}); train the model again with the target in larger units",
            )
        return values

    def undone(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values in the target's units for learned values that are not standardised."""
        return t if self.transform is None else self.transform.undone(t)

    def _class_indices(self, column: "pl.Series") -> NDArray[np.int64]:
        import polars as pl

        if isinstance(self.classes[0], str):
            # A table may have only the classes that look like numbers.
            column = column.cast(pl.String)
        key = fold if self.merged else lambda value: value
        index_of = {key(value): index for index, value in enumerate(self.classes)}
        values = column.unique()
        codes = [index_of.get(key(value), -1) for value in values.to_list()]
        indices = column.replace_strict(values, codes, return_dtype=pl.Int64).to_numpy()
        if -1 in codes:
            row = int(np.argmin(indices))
            raise RowError(
                f"the target {self.name!r} is {column[row]!r} in row ",
                row + 1,
                f", which is none of the model's classes ({', '.join(map(str, self.classes))})",
            )
        return np.asarray(indices)

    def to_file(self) -> tuple[dict[str, str], dict[str, NDArray[np.float64]]]:
        """Return header entries and arrays for a model file."""
        header: dict[str, Any] = {"task": self.task, "name": self.name, "classes": self.classes}
        arrays = {f"{KEY}.numbers": np.array([self.mean, self.std])}
        # Written only if needed: files of most targets stay as in earlier versions.
        if self.transform is not None:
            header["transform"] = self.transform.kind
            arrays[f"{KEY}.transform"] = self.transform.to_array()
        if self.merged:
            header["merged"] = True
        if self.notation is not None:
            header["notation"] = self.notation.to_json()
        text = json.dumps(header, ensure_ascii=False, sort_keys=True, allow_nan=False)
        return {KEY: text}, arrays

    @classmethod
    def from_file(
        cls,
        metadata: Mapping[str, str],
        arrays: Mapping[str, NDArray[Any]],
        n_outputs: int | None = None,
    ) -> "TargetEncoder":
        """Build the encoder that `to_file` wrote; data only, checked.

        Parameters
        ----------
        metadata, arrays : mapping
            The header entries and the arrays of a model file.
        n_outputs : int, optional
            How many outputs its network has: more classes are refused before they are looked at.

        Raises
        ------
        InvalidModelFileError
            If entries are missing or contradict each other.
        """
        try:
            header = json_from_file(metadata[KEY])
            numbers = arrays[f"{KEY}.numbers"]
            if set(header) - {"transform", "merged", "notation"} != {"task", "name", "classes"}:
                raise ValueError("its entries are not task, name and classes")
            if numbers.shape != (2,) or numbers.dtype != np.float64:
                raise ValueError("expected two numbers of float64")
            classes = tuple(header["classes"])
            if n_outputs is not None and len(classes) > max(2, n_outputs):
                raise ValueError(f"{len(classes)} classes for {n_outputs} outputs")
            transform = None
            if "transform" in header:
                array = arrays[f"{KEY}.transform"]
                transform = TargetTransform.from_array(header["transform"], array)
            mean, std = numbers.tolist()
            merged = header.get("merged", False)
            notation = notation_from_json(header["notation"]) if "notation" in header else None
            task, name = header["task"], header["name"]
            target = cls(task, name, classes, mean, std, transform, merged, notation)
            fault = target.fault()
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            fault = f"{type(error).__name__}: {error}"
        if fault:
            raise InvalidModelFileError(f"its target encoder cannot be used ({fault})")
        return target

    def fault(self) -> str:
        """Return what is wrong with fields that were read from a file, or ""."""
        numbers = (self.mean, self.std)
        if self.task not in ("classification", "regression"):
            return f"unknown task {self.task!r}"
        if type(self.name) is not str:
            return "the target is not named by text"
        if not all(type(number) is float and np.isfinite(number) for number in numbers):
            return "the target's statistics are not finite numbers"
        if self.task == "regression":
            if self.merged is not False:
                return "values have no spellings to merge"
            return "" if self.std > 0 and not self.classes else "no scale for the target"
        if self.transform is not None:
            return "classes have no transform"
        return _class_fault(self.classes) or _spelling_fault(self.classes, self.merged)


def mean_and_deviation(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return both; scaled by the largest value, so that squares neither overflow nor vanish."""
    scale = max(abs(values.min()), abs(values.max())) or 1.0
    scaled = values / scale
    return float(scaled.mean() * scale), float(scaled.std() * scale)


def _spelling_fault(classes: Sequence[Class], merged: Any) -> str:
    if type(merged) is not bool:
        return "whether spellings are merged is not true or false"
    if not merged:
        return ""
    if not all(isinstance(value, str) for value in classes):
        return "classes that are not text have no spellings to merge"
    folded = {fold(value) for value in classes if isinstance(value, str)}
    return "" if len(folded) == len(classes) else "two of its classes are spellings of one"


def _class_fault(classes: Sequence[Class]) -> str:
    kinds = {float if type(value) is int else type(value) for value in classes}
    if len(kinds) != 1 or not kinds <= {str, bool, float}:
        return "its classes are not all text, all true or false, or all numbers"
    if kinds == {float} and not all(abs(value) < 2**127 for value in classes):  # type: ignore[arg-type]
        return "a class is not a finite number"
    return "" if len(set(classes)) == len(classes) >= 2 else "fewer than two different classes"
