"""A network together with the encoders of the table it was trained on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.arguments import hinting
from chainrule.checks import whole_number
from chainrule.errors import InvalidArgumentError, InvalidModelFileError
from chainrule.files.details import plain_details
from chainrule.files.model_file import ModelFile, write_model_file
from chainrule.model.background import Background
from chainrule.model.conformal import Conformal
from chainrule.model.explaining import Explainer, Method
from chainrule.model.explanation import Explanation
from chainrule.model.network import Network
from chainrule.model.scores import classification_scores, regression_scores
from chainrule.model.summary import table_summary
from chainrule.model.table_intervals import (
    calibration_scores,
    columns_of,
    scores_or_refusal,
)
from chainrule.network.spec import NetworkSpec
from chainrule.pictures.picture import Picture
from chainrule.pictures.tables import Tables
from chainrule.tables.columns import column_named
from chainrule.tables.encoder import KEY, TableEncoder
from chainrule.tables.first_format import from_first_format, is_first_format
from chainrule.tables.reader import Reading, read_by
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.table_notations import TableReading
from chainrule.tables.target import TargetEncoder

if TYPE_CHECKING:
    import polars as pl

# Of a given background as many rows are used: each one costs a path from it to the explained row.
_MOST_BACKGROUND = 500
# More rows are explained only if they are named: they take minutes.
_MOST_EXPLAINED = 1_000


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
    background : Background, optional
        The background of explanations: a summary of the training rows.
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
        *,
        background: Background | None = None,
        conformal: Conformal | None = None,
    ) -> None:
        fault = _misfit(network.spec, encoder, target)
        if fault:
            raise InvalidArgumentError(f"network: does not fit the encoders: {fault}")
        self.network = network
        self.encoder = encoder
        self.target = target
        self.details = plain_details({} if details is None else details)
        self.background = background
        self.conformal = conformal

    def __repr__(self) -> str:
        return f"TableModel({self.target.task} of {self.target.name!r}, {self.network!r})"

    def summary(self) -> Tables:
        """Return tables of the columns with their inputs, and of the network's layers.

        Returns
        -------
        Tables
            Printing them gives text of at most 80 columns; a notebook shows HTML; `figure` draws
            them.
        """
        network = self.network
        return table_summary(network.spec, network.epochs_trained, self.encoder, self.target)

    def draw(self) -> Picture:
        """Return a drawing of the network with the names of its inputs and outputs.

        Returns
        -------
        Picture
            A notebook shows it; `figure` gives a matplotlib figure, and `save` writes a file.
        """
        outputs = [str(name) for name in self.target.classes] or [self.target.name]
        outputs = outputs[-self.network.spec.n_outputs :]  # one sigmoid: the second class
        return self.network.draw(list(map(str, self.encoder.get_feature_names_out())), outputs)

    def predict(self, table: Any, interval: float | None = None) -> "pl.DataFrame":
        """Return a prediction for each row.

        Parameters
        ----------
        table : path, polars or pandas DataFrame, or Arrow table
            With the columns that the model was trained with, in any order.
        interval : float, optional
            A coverage, such as 0.9: the share of new rows whose true target lies in the interval,
            or in the set, that is returned with the prediction.

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
        found = read_by(table, self.encoder.reading)
        with found.numbers.naming():
            return self.predict_read(found.table, interval)

    def predict_read(self, table: "pl.DataFrame", interval: float | None = None) -> "pl.DataFrame":
        """Return a prediction for each row of a table as `read` returns it; see `predict`."""
        import polars as pl

        outputs = self._outputs(self.encoder.encode(table))
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

    def scores_of_outputs(
        self, outputs: NDArray[np.floating], true: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Return the calibration scores of outputs A[L], (rows, n[L]), as `scores_of` does."""
        return calibration_scores(self.target, self._by_class(outputs), true)

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
        found = read_by(table, self.encoder.reading)
        with found.numbers.naming():
            return self._outputs(self.encoder.encode(found.table))

    def evaluate(self, table: Any) -> dict[str, Any]:
        """Return the scores of the predictions for a table that has the target column.

        Parameters
        ----------
        table : path, polars or pandas DataFrame, or Arrow table

        Returns
        -------
        dict
            For classes: rows, accuracy, precision, recall, f1, roc_auc, log_loss, brier, ece and
            confusion_matrix; see `chainrule.model.scores`. For values: rows, rmse, mae, r2.

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

    @hinting
    def explain(
        self,
        table: Any,
        rows: int | Sequence[int] | None = None,
        *,
        class_name: object = None,
        background: Any = None,
        method: Method = "expected_gradients",
        skip_bad_rows: bool = False,
    ) -> Explanation:
        """Explain the predictions for some rows by the effects of the columns.

        A prediction is compared with the mean prediction over a background, which represents the
        training rows. The difference is divided among the columns, by expected gradients (AT4) or
        exact Shapley values (AT6).

        Parameters
        ----------
        table : path, polars or pandas DataFrame, or Arrow table
            It needs no target.
        rows : int or sequence of int, optional
            Row numbers, counted from 1 as in messages and in ``chainrule explain --row``; by
            default all rows, of which there may be at most 1,000 then.
        class_name : object, optional
            The class whose probability is explained; by default the predicted class of each row.
        background : path, polars or pandas DataFrame, or Arrow table, optional
            Rows to compare with, in place of the summary of the training rows that the model holds.
            At most 500 of them are used, evenly spaced.
        method : {"expected_gradients", "shapley"}
            "shapley" evaluates all combinations of columns, of which there may be at most 14.
        skip_bad_rows : bool
            Whether to skip rows of a file that cannot be read; they still count in the row numbers.

        Returns
        -------
        Explanation

        Raises
        ------
        InvalidTableError
            If a table cannot be read, or a column is missing or cannot be used.
        InvalidArgumentError
            If there is no such row or class, or the model holds no background and none is given.

        Examples
        --------
        >>> print(model.explain("new.csv", rows=3))                   # doctest: +SKIP
        >>> model.explain("new.csv").to_frame()                       # doctest: +SKIP
        """
        found = read_by(table, self.encoder.reading, skip_bad_rows=skip_bad_rows)
        name = str(table) if isinstance(table, str | Path) else ""
        chosen = _indices(rows, found.numbers, name or "the table")
        return self.explain_read(
            found.table[chosen],
            found.numbers[chosen],
            name=name,
            class_name=class_name,
            background=background,
            method=method,
        )

    def explain_read(
        self,
        table: "pl.DataFrame",
        numbers: RowNumbers,
        *,
        name: str = "",
        class_name: object = None,
        background: Any = None,
        method: Method = "expected_gradients",
    ) -> Explanation:
        """Explain all rows of a table that was read as the encoder reads tables; see `explain`.

        `numbers` are the row numbers in the file `name`.
        """
        against = self._background(background)
        explainer = Explainer(self.network, self.encoder, self.target, against, Path(name).name)
        return explainer.explain(table, numbers, method=method, class_name=class_name)

    def _background(self, table: Any) -> Background:
        if table is not None:
            rows = read_by(table, self.encoder.reading).table
            taken = np.linspace(0, rows.height - 1, min(rows.height, _MOST_BACKGROUND))
            X = self.encoder.encode(rows[np.unique(taken.astype(np.intp))])
            return Background.of_rows(self.network, X)
        if self.background is None:
            raise InvalidArgumentError(
                "background: this model holds no summary of its training rows to compare with; "
                "give a table of such rows"
            )
        return self.background

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
        found = self.read(table)
        with found.numbers.naming():
            y = of_target(column_named(found.table, self.target.name, ", the target"))
            return self.encoder.encode(found.table), y

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
            ``table``, with parsed values in the columns that the model knows, ``notes``, and
            ``numbers``, the row numbers in the file.

        Raises
        ------
        InvalidTableError
            If the table cannot be read, or a column's notation differs from that in training.
        """
        return read_by(table, self.reading, skip_bad_rows=skip_bad_rows)

    def _outputs(self, X: NDArray[np.float32]) -> NDArray[np.floating]:
        """Return the network's outputs; for classes, the probability of each class."""
        return self._by_class(self.network.predict(X))

    def _by_class(self, outputs: NDArray[np.floating]) -> NDArray[np.floating]:
        if self.target.task == "classification" and outputs.shape[1] == 1:
            return np.hstack([1 - outputs, outputs])
        return outputs

    def save(self, path: str | Path) -> None:
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
        background = {} if self.background is None else self.background.to_file()
        noted, scores = ({}, {}) if self.conformal is None else self.conformal.to_file()
        write_model_file(
            path,
            replace(
                model,
                metadata={**model.metadata, **metadata, **target_metadata, **noted},
                arrays={**model.arrays, **arrays, **target_arrays, **background, **scores},
                details=self.details,
            ),
        )

    @classmethod
    def is_in(cls, model: ModelFile) -> bool:
        """Tell whether a model file holds the encoder of a table."""
        return KEY in model.metadata

    @classmethod
    def _from_file(cls, path: str | Path, model: ModelFile) -> Self:
        metadata, arrays = model.metadata, model.arrays
        try:
            if is_first_format(metadata):
                encoder, target = from_first_format(metadata, arrays)
            else:
                spec = model.spec
                encoder = TableEncoder.from_file(metadata, arrays, spec.n_features)
                target = TargetEncoder.from_file(metadata, arrays, spec.n_outputs)
            network = Network._from_file(model)
            background = Background.from_file(arrays, model.details, _inputs_of(network.spec))
            conformal = Conformal.from_file(metadata, arrays)
            return cls(
                network,
                encoder,
                target,
                model.details,
                background=background,
                conformal=conformal,
            )
        except (InvalidModelFileError, InvalidArgumentError) as error:
            raise InvalidModelFileError(f"{path}: {error}") from error


def _indices(rows: int | Sequence[int] | None, numbers: RowNumbers, where: str) -> list[int]:
    """Return the indices in the table of rows that are given by their numbers in the file.

    Raises
    ------
    InvalidArgumentError
        If there is no such row.
    """
    if rows is None:
        if len(numbers) > _MOST_EXPLAINED:
            raise InvalidArgumentError(
                f"rows: {where} has {len(numbers):,} rows, and each explanation takes some "
                f"hundredths of a second; name the rows, such as range(1, {_MOST_EXPLAINED + 1})"
            )
        return list(range(len(numbers)))
    given = [rows] if not isinstance(rows, Sequence | np.ndarray) else list(rows)
    if isinstance(rows, str) or not given:
        raise InvalidArgumentError(f"rows: expected row numbers such as [1, 3]; got {rows!r}")
    return [numbers.index_of(whole_number("rows", one, 1), "rows", where) for one in given]


def _inputs_of(spec: NetworkSpec) -> int:
    """Return how many inputs there are after any embedding lookup."""
    return len(spec.looked_up_sources())


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
