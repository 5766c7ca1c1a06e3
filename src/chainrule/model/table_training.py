"""From a table to a trained model: divide the rows, encode, build the network, train, score."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.optimizers import Optimizer
from chainrule.errors import InvalidTableError
from chainrule.model.network import Network
from chainrule.model.table_model import TableModel
from chainrule.network.layers import Dense
from chainrule.tables.columns import check_finite, column_named
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.reading import as_table
from chainrule.tables.splitting import Split, split_rows
from chainrule.tables.target import TargetEncoder, Task
from chainrule.training.events import Callback
from chainrule.training.history import History
from chainrule.training.metrics import Metric, rmse

if TYPE_CHECKING:
    import polars as pl

DEFAULT_HIDDEN = (24, 24)
DEFAULT_ACTIVATION = "relu"
DEFAULT_EPOCHS = 50
DEFAULT_BATCH_SIZE = 32
# A light penalty: tables are small for the networks that learn them.
DEFAULT_L2 = 1e-3


@dataclass(frozen=True)
class TableTraining:
    """A model and the rows that it is to learn from; `fit` trains, `scores` judges.

    Parameters
    ----------
    model : TableModel
    table : polars.DataFrame
    split : Split
        Which rows train, validate and test.
    """

    model: TableModel
    table: "pl.DataFrame"
    split: Split

    @classmethod
    def prepare(
        cls,
        table: "str | Path | pl.DataFrame",
        target: str,
        *,
        task: Task | None = None,
        hidden: Sequence[int] = DEFAULT_HIDDEN,
        activation: str = DEFAULT_ACTIVATION,
        seed: int = 0,
    ) -> "TableTraining":
        """Check the table, divide its rows and build a network that fits.

        All statistics are those of the training rows.

        Parameters
        ----------
        table : path or polars.DataFrame
        target : str
            Name of the column to predict.
        task : {"classification", "regression"}, optional
            By default as `chainrule.tables.target.infer_task` says.
        hidden : sequence of int
            Units of the hidden layers.
        activation : str
            Of the hidden layers.
        seed : int
            Decides the division, the initial weights and the order of examples.

        Raises
        ------
        InvalidTableError, InvalidArgumentError
            If the table or an option cannot be used.
        """
        table = as_table(table)
        column = column_named(table, target, " to use as the target")
        # Over all rows, so that an error names the row in the file.
        whole = TargetEncoder.fit(column, task)
        inputs = table.drop(target)
        if inputs.width == 0:
            raise InvalidTableError(
                f"the table has no column beside the target {target!r} to predict it from"
            )
        check_finite(inputs)
        codes = whole.encode(column) if whole.classes else None
        split = split_rows(table.height, codes, seed=seed)
        encoder = TableEncoder().fit(inputs[split.train])
        goal = TargetEncoder.fit(column[split.train], whole.task, whole.classes or None)
        output = Dense(goal.n_outputs, "softmax" if whole.classes else "identity")
        network = Network(
            [encoder.n_inputs, *(Dense(units, activation) for units in hidden), output],
            cost="cross_entropy" if whole.classes else "mse",
            seed=seed,
        )
        return cls(TableModel(network, encoder, goal), table, split)

    def part(self, name: str) -> "pl.DataFrame":
        """Return the rows of "train", "validation" or "test"."""
        rows: NDArray[np.intp] = getattr(self.split, name)
        return self.table[rows]

    def fit(
        self,
        *,
        optimizer: Optimizer | str = "adam",
        epochs: int = DEFAULT_EPOCHS,
        batch_size: int = DEFAULT_BATCH_SIZE,
        l1: float = 0.0,
        l2: float = DEFAULT_L2,
        engine: str = "auto",
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
    ) -> History:
        """Train the model's network on the training rows; see `Network.fit`.

        The history follows the accuracy, or the RMSE in the target's units.
        """
        X, y = self.model.examples(self.part("train"))
        return self.model.network.fit(
            X,
            y,
            optimizer=optimizer,
            epochs=epochs,
            batch_size=batch_size,
            validation_data=self.model.examples(self.part("validation")),
            metrics=[self._metric()],
            l1=l1,
            l2=l2,
            engine=engine,
            verbose=verbose,
            callbacks=callbacks,
        )

    def scores(self) -> dict[str, dict[str, Any]]:
        """Return `TableModel.evaluate` of each part: train, validation and test."""
        return {name: self.model.evaluate(self.part(name)) for name in Split._fields}

    def _metric(self) -> str | Metric:
        if self.model.target.task == "classification":
            return "accuracy"
        units = self.model.target.std

        def rmse_in_units(outputs: NDArray[np.floating], targets: NDArray[np.floating]) -> float:
            return rmse(outputs, targets) * units

        rmse_in_units.__name__ = "rmse"
        return rmse_in_units
