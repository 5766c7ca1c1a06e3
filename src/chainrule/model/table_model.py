"""A network together with the encoders of the table it was trained on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError, InvalidModelFileError
from chainrule.files.details import plain_details
from chainrule.files.model_file import ModelFile, write_model_file
from chainrule.model.conformal import Conformal
from chainrule.model.network import Network
from chainrule.model.scores import classification_scores, regression_scores
from chainrule.model.table_intervals import (
    calibration_scores,
    columns_of,
    scores_or_refusal,
)
from chainrule.network.spec import NetworkSpec
from chainrule.tables.columns import column_named
from chainrule.tables.encoder import KEY, TableEncoder
from chainrule.tables.first_format import from_first_format, is_first_format
from chainrule.tables.reader import Reading, read_by
from chainrule.tables.table_notations import TableReading
from chainrule.tables.target import TargetEncoder

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


class TableModel:
    """A network whose inputs and outputs are tables.

    ``chainrule train`` writes such models and `chainrule.load` returns them.

    Parameters
    ----------
    network : Network
        For classes: softmax outputs, one per class, or a single sigmoid output, the probability of
        the second of two classes. For values: a single output.
    encoder : TableEncoder
        The fitted encoder of the columns to predict from.
    target : TargetEncoder
        The encoder of the column to predict.
    details : mapping, optional
        Information stored in the model file: plain data that JSON can hold. A number that is not
        finite becomes None.
    conformal : Conformal, optional
        The scores of calibration rows, from which intervals and sets are made.

    Raises
    ------
    InvalidArgumentError
        If the network does not fit the encoders.

    Examples
    --------
    >>> import chainrule as cr
    >>> model = cr.load("run/model.safetensors")                  # doctest: +SKIP
    >>> model.predict("new.csv")                                  # doctest: +SKIP
    """

    def __init__(
        self,
        network: Network,
        encoder: TableEncoder,
        target: TargetEncoder,
        details: Mapping[str, Any] | None = None,
        conformal: Conformal | None = None,
    ) -> None:
        fault = _misfit(network.spec, encoder, target)
        if fault:
            raise InvalidArgumentError(f"network: does not fit the encoders: {fault}")
        self.network = network
        self.encoder = encoder
        self.target = target
        self.details = plain_details({} if details is None else details)
        self.conformal = conformal

    def __repr__(self) -> str:
        return f"TableModel({self.target.task} of {self.target.name!r}, {self.network!r})"

    def predict(self, table: Any, interval: float | None = None) -> "pl.DataFrame":
        """Return a prediction for each row.

        Parameters
        ----------
        table : path, polars or pandas DataFrame, or Arrow table
            With the columns that the model was trained with, in any order.
        interval : float, optional
            A coverage, such as 0.9: the share of new rows whose true target lies in the interval,
            or in the set, that is returned beside the prediction.

        Returns
        -------
        polars.DataFrame
            Column "prediction": a class, or a value in the target's units. For classes also
            "probability_<class>", one column for each. With `interval`, also "lower" and "upper",
            or for classes "prediction_set", a list of the classes that are likely enough: it may be
            empty.

        Raises
        ------
        InvalidTableError
            If the table cannot be read, or a column is missing or cannot be used.
        InvalidArgumentError
            If `interval` is not in (0, 1), or the model has no or too few calibration scores.
        """
        if interval is not None:
            self.quantile(interval, "interval")
        return self.predict_read(self._table(table, self.encoder.reading), interval=interval)

    def predict_read(
        self, table: "pl.DataFrame", first_row: int = 1, interval: float | None = None
    ) -> "pl.DataFrame":
        """Return a prediction for each row of a table as `read` returns it; see `predict`.

        `first_row` is the row number of the table's first row in the file, for messages.
        """
        import polars as pl

        outputs = self._outputs(self.encoder.encode(table, first_row))
        result = self.target.decode(outputs).to_frame()
        more = [
            pl.Series(f"probability_{name}", np.ascontiguousarray(outputs[:, index]))
            for index, name in enumerate(self.target.classes)
        ]
        if interval is not None:
            quantile = self.quantile(interval, "interval")
            more += columns_of(self.target, self.network.spec, outputs, quantile)
        return result.with_columns(more)

    def quantile(self, coverage: float, name: str = "coverage") -> float:
        """Return q of CP2: the score that a share `coverage` of new rows does not exceed.

        Parameters
        ----------
        coverage : float
            In (0, 1).
        name : str
            The name of the argument in errors.

        Raises
        ------
        InvalidArgumentError
            If `coverage` is not in (0, 1), or the model has no or too few calibration scores.
        """
        return float(scores_or_refusal(self.conformal, coverage, name).quantile(coverage, name)[0])

    def scores_of(self, X: NDArray[np.floating], true: NDArray[Any]) -> NDArray[np.float64]:
        """Return the calibration scores of rows, (rows,): CP1 for values, CP4 for classes.

        Parameters
        ----------
        X, true : arrays
            As `truth` returns them.
        """
        return calibration_scores(self.target, self._outputs(X), true)

    def probabilities(self, table: Any) -> NDArray[np.floating]:
        """Return the probability of each class, in the order of ``target.classes``.

        Parameters
        ----------
        table : path, polars or pandas DataFrame, or Arrow table

        Returns
        -------
        array (m, classes)

        Raises
        ------
        InvalidArgumentError
            If the model predicts values.
        InvalidTableError
            If the table cannot be read, or a column is missing or cannot be used.
        """
        if self.target.task != "classification":
            raise InvalidArgumentError(
                f"probabilities: expected a classification; the model predicts values of "
                f"{self.target.name!r}. Use predict"
            )
        return self._outputs(self.encoder.encode(self._table(table, self.encoder.reading)))

    def evaluate(self, table: Any) -> dict[str, Any]:
        """Return the scores of the predictions for a table that has the target column.

        Parameters
        ----------
        table : path, polars or pandas DataFrame, or Arrow table

        Returns
        -------
        dict
            For classes: rows, accuracy, precision, recall, f1, roc_auc, confusion_matrix; see
            `chainrule.model.scores`. For values: rows, rmse, mae, r2.

        Raises
        ------
        InvalidTableError
            If the table cannot be read, or a column is missing or cannot be used.
        """
        X, true = self.truth(table)
        outputs = self._outputs(X)
        if self.target.task == "classification":
            return classification_scores(true, outputs, self.target.classes)
        return regression_scores(true, self.target.decode_values(outputs))

    def examples(self, table: Any) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Return a table as the network's inputs and encoded targets.

        Parameters
        ----------
        table : path, polars or pandas DataFrame, or Arrow table

        Returns
        -------
        X : array (m, n[0])
        y : array (m,)

        Raises
        ------
        InvalidTableError
            If the table cannot be read, or a column is missing or cannot be used.
        """
        return self._rows(table, self.target.encode)

    def truth(self, table: Any) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Return the network's inputs, and the true targets to compare predictions with.

        Parameters
        ----------
        table : path, polars or pandas DataFrame, or Arrow table

        Returns
        -------
        X : array (m, n[0])
        true : array (m,)
            Class indices, or values in the target's units.

        Raises
        ------
        InvalidTableError
            If the table cannot be read, or a column is missing or cannot be used.
        """
        return self._rows(table, self.target.truth)

    def _rows(
        self, table: Any, of_target: "Callable[[pl.Series], NDArray[Any]]"
    ) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Return a table's inputs, and what is made of its target."""
        table = self._table(table)
        y = of_target(column_named(table, self.target.name, ", the target"))
        return self.encoder.encode(table), y

    @property
    def reading(self) -> TableReading:
        """The notations by which tables are read: those of the predictors and of the target."""
        notations = self.encoder.reading.notations
        return TableReading({**notations, self.target.name: self.target.written})

    def read(self, table: Any, *, skip_bad_rows: bool = False) -> Reading:
        """Read a table in the same way as the model's training table.

        Parameters
        ----------
        table : path, polars or pandas DataFrame, or Arrow table
        skip_bad_rows : bool
            Whether to skip rows of a file that cannot be read.

        Returns
        -------
        Reading
            ``table``, with parsed values in the columns that the model knows, and ``notes``.

        Raises
        ------
        InvalidTableError
            If the table cannot be read, or a column's notation differs from that in training.
        """
        return read_by(table, self.reading, skip_bad_rows=skip_bad_rows)

    def _table(self, table: Any, reading: TableReading | None = None) -> "pl.DataFrame":
        return read_by(table, reading or self.reading).table

    def _outputs(self, X: NDArray[np.float32]) -> NDArray[np.floating]:
        """Return the network's outputs; for classes, the probability of each class."""
        outputs = self.network.predict(X)
        if self.target.task == "classification" and outputs.shape[1] == 1:
            return np.hstack([1 - outputs, outputs])
        return outputs

    def save(self, path: "str | Path") -> None:
        """Write network, encoders and details to a safetensors file, whole or not at all.

        Parameters
        ----------
        path : str or Path
            By convention it ends in .safetensors; an existing file is replaced.

        Raises
        ------
        OSError
            If the file cannot be written; an existing file is then left unchanged.
        """
        model = self.network._to_file()
        metadata, arrays = self.encoder.to_file()
        target_metadata, target_arrays = self.target.to_file()
        scores = ({}, {}) if self.conformal is None else self.conformal.to_file()
        write_model_file(
            path,
            replace(
                model,
                metadata={**model.metadata, **metadata, **target_metadata, **scores[0]},
                arrays={**model.arrays, **arrays, **target_arrays, **scores[1]},
                details=self.details,
            ),
        )

    @classmethod
    def is_in(cls, model: ModelFile) -> bool:
        """Tell whether a model file holds the encoder of a table."""
        return KEY in model.metadata

    @classmethod
    def _from_file(cls, path: "str | Path", model: ModelFile) -> "TableModel":
        metadata, arrays = model.metadata, model.arrays
        try:
            if is_first_format(metadata):
                encoder, target = from_first_format(metadata, arrays)
            else:
                spec = model.spec
                encoder = TableEncoder.from_file(metadata, arrays, spec.n_features)
                target = TargetEncoder.from_file(metadata, arrays, spec.n_outputs)
            conformal = Conformal.from_file(metadata, arrays)
            return cls(Network._from_file(model), encoder, target, model.details, conformal)
        except (InvalidModelFileError, InvalidArgumentError) as error:
            raise InvalidModelFileError(f"{path}: {error}") from error


def _misfit(spec: NetworkSpec, encoder: TableEncoder, target: TargetEncoder) -> str:
    """Return why a network does not fit the encoders, or ""."""
    if spec.n_features != encoder.n_inputs:
        return (
            f"it has {spec.n_features} inputs, but the {len(encoder.columns_)} columns are encoded "
            f"as {encoder.n_inputs}"
        )
    if target.name in {column.name for column in encoder.columns_}:
        return f"the target {target.name!r} is one of the columns to predict from"
    if target.task == "regression":
        return "" if spec.n_outputs == 1 else f"it has {spec.n_outputs} outputs for one value"
    allowed: Sequence[tuple[int, str]] = [(len(target.classes), "softmax")]
    if len(target.classes) == 2:
        allowed = [*allowed, (1, "sigmoid")]
    if (spec.n_outputs, spec.output_activation) not in allowed:
        expected = " or ".join(f"Dense({units}, {name!r})" for units, name in allowed)
        return (
            f"{len(target.classes)} classes need the output layer {expected}; it has "
            f"{spec.n_outputs} outputs with {spec.output_activation}"
        )
    return ""
