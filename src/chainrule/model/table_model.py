"""A network together with the encoder of the table it learned from."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError, InvalidModelFileError
from chainrule.files.model_file import ModelFile, write_model_file
from chainrule.model.network import Network
from chainrule.model.scores import classification_scores, regression_scores
from chainrule.network.spec import NetworkSpec
from chainrule.tables.encoder import KEY, TableEncoder
from chainrule.tables.reading import as_table

if TYPE_CHECKING:
    import polars as pl


class TableModel:
    """A network that takes tables and gives tables.

    ``chainrule train`` writes such models and `chainrule.load` returns them.

    Parameters
    ----------
    network : Network
        For classes: softmax outputs, one a class, or a single sigmoid output, the probability of
        the second of two classes. For values: a single output.
    encoder : TableEncoder

    Raises
    ------
    InvalidArgumentError
        If the two do not fit together.

    Examples
    --------
    >>> import chainrule as cr
    >>> model = cr.load("run/model.safetensors")                  # doctest: +SKIP
    >>> model.predict("new.csv")                                  # doctest: +SKIP
    """

    def __init__(self, network: Network, encoder: TableEncoder) -> None:
        fault = _misfit(network.spec, encoder)
        if fault:
            raise InvalidArgumentError(f"network: does not fit the encoder: {fault}")
        self.network = network
        self.encoder = encoder

    def __repr__(self) -> str:
        return f"TableModel({self.encoder.task} of {self.encoder.target!r}, {self.network!r})"

    def predict(self, table: "str | Path | pl.DataFrame") -> "pl.DataFrame":
        """Return a prediction for each row.

        Parameters
        ----------
        table : path or polars.DataFrame
            With the columns that the model was trained with, in any order.

        Returns
        -------
        polars.DataFrame
            Column "prediction": a class, or a value in the target's units. For classes also
            "probability_<class>", one column for each.

        Raises
        ------
        InvalidTableError
            If the table cannot be read, or a column is missing or cannot be used.
        """
        outputs = self._outputs(self.encoder.transform(as_table(table)))
        result = self.encoder.decode(outputs).to_frame()
        for index, name in enumerate(self.encoder.classes):
            result = result.with_columns(**{f"probability_{name}": outputs[:, index]})
        return result

    def evaluate(self, table: "str | Path | pl.DataFrame") -> dict[str, Any]:
        """Return how good the predictions for a table with the target column are.

        Parameters
        ----------
        table : path or polars.DataFrame

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
        X, y = self.examples(table)
        outputs = self._outputs(X)
        if self.encoder.task == "classification":
            return classification_scores(y, outputs, self.encoder.classes)
        true = y * self.encoder.target_std + self.encoder.target_mean
        return regression_scores(true, self.encoder.decode_values(outputs))

    def examples(
        self, table: "str | Path | pl.DataFrame"
    ) -> tuple[NDArray[np.float64], NDArray[Any]]:
        """Return a table as the network takes it: inputs, and encoded targets.

        Parameters
        ----------
        table : path or polars.DataFrame

        Returns
        -------
        X : array (m, n[0])
        y : array (m,)

        Raises
        ------
        InvalidTableError
            If the table cannot be read, or a column is missing or cannot be used.
        """
        table = as_table(table)
        return self.encoder.transform(table), self.encoder.encode_target(table)

    def _outputs(self, X: NDArray[np.float64]) -> NDArray[np.floating]:
        """Return the network's outputs; for classes the probability of each."""
        outputs = self.network.predict(X)
        if self.encoder.task == "classification" and outputs.shape[1] == 1:
            return np.hstack([1 - outputs, outputs])
        return outputs

    def save(self, path: str | Path) -> None:
        """Write network and encoder to a safetensors file, whole or not at all.

        Parameters
        ----------
        path : str or Path
            Conventionally ending in .safetensors; an existing file is replaced.

        Raises
        ------
        OSError
            If the file cannot be written; what was there before stays.
        """
        model = self.network._to_file()
        metadata, arrays = self.encoder.to_file()
        write_model_file(
            path,
            replace(
                model,
                metadata={**model.metadata, **metadata},
                arrays={**model.arrays, **arrays},
            ),
        )

    @classmethod
    def is_in(cls, model: ModelFile) -> bool:
        """Tell whether a model file holds the encoder of a table."""
        return KEY in model.metadata

    @classmethod
    def _from_file(cls, path: str | Path, model: ModelFile) -> "TableModel":
        try:
            encoder = TableEncoder.from_file(model.metadata, model.arrays)
            return cls(Network._from_file(model), encoder)
        except (InvalidModelFileError, InvalidArgumentError) as error:
            raise InvalidModelFileError(f"{path}: {error}") from error


def _misfit(spec: NetworkSpec, encoder: TableEncoder) -> str:
    """Return why a network cannot serve an encoder, or ""."""
    if spec.n_features != len(encoder.features):
        return f"it has {spec.n_features} inputs for {len(encoder.features)} columns"
    if encoder.task == "regression":
        return "" if spec.n_outputs == 1 else f"it has {spec.n_outputs} outputs for one value"
    allowed: Sequence[tuple[int, str]] = [(len(encoder.classes), "softmax")]
    if len(encoder.classes) == 2:
        allowed = [*allowed, (1, "sigmoid")]
    if (spec.n_outputs, spec.output_activation) not in allowed:
        expected = " or ".join(f"Dense({units}, {name!r})" for units, name in allowed)
        return (
            f"{len(encoder.classes)} classes need the output layer {expected}; it has "
            f"{spec.n_outputs} outputs with {spec.output_activation}"
        )
    return ""
