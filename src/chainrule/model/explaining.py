"""Attribution of predictions to the columns of a table."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.inspection.output import Output, behind_lookup
from chainrule.inspection.shares import (
    MOST_PLAYERS,
    Shares,
    by_expected_gradients,
    by_shapley_values,
)
from chainrule.model.background import Background
from chainrule.model.explained_row import Effect, RowExplanation
from chainrule.model.explanation import Explanation
from chainrule.model.network import Network
from chainrule.suggestions import did_you_mean
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.missing_words import MISSING_IN_TEXT
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.target import TargetEncoder
from chainrule.tables.task import Class

if TYPE_CHECKING:
    import polars as pl

Method: TypeAlias = Literal["expected_gradients", "shapley"]
METHODS: tuple[str, ...] = get_args(Method)


@dataclass(frozen=True)
class Explainer:
    """Explains predictions of a network for the rows of a table, against a background."""

    network: Network
    encoder: TableEncoder
    target: TargetEncoder
    background: Background
    table: str = ""
    """The name of the table whose rows are explained."""

    def explain(
        self,
        table: "pl.DataFrame",
        numbers: RowNumbers,
        *,
        method: str,
        class_name: object = None,
    ) -> Explanation:
        """Return explanations of the predictions for rows.

        Parameters
        ----------
        table : polars.DataFrame
            The rows, read as the encoder reads tables; the target may be missing, or not read.
        numbers : RowNumbers
            Where the rows stand in their file.
        method : {"expected_gradients", "shapley"}
        class_name : object, optional
            The class whose probability is explained; by default the predicted one of each row.
        """
        if method not in METHODS:
            raise InvalidArgumentError(
                f"method: expected one of {', '.join(METHODS)}; got {method!r}"
                + did_you_mean(method, METHODS)
            )
        n_columns = len(self.encoder.columns_)
        if method == "shapley" and n_columns > MOST_PLAYERS:
            raise InvalidArgumentError(
                f"method: exact Shapley values need at most {MOST_PLAYERS} columns, since all "
                f"combinations of them are evaluated; this model has {n_columns}. Use "
                "expected_gradients"
            )
        chosen = None if class_name is None else self._class_index(class_name)
        with numbers.naming():
            X = self.encoder.encode(table)
        # On one thread, matrix products have the same bits for any number of cores.
        with threadpool_limits(1), np.errstate(over="ignore", invalid="ignore"):
            found = [
                self._row(
                    table[index : index + 1], X[index : index + 1], numbers[[index]], method, chosen
                )
                for index in range(len(numbers))
            ]
        return Explanation(
            tuple(found),
            self.target.name,
            tuple(column.name for column in self.encoder.columns_),
            method,
            self.background.description,
            self.table,
        )

    def _class_index(self, name: object) -> int:
        classes = self.target.classes
        if not classes:
            raise InvalidArgumentError(
                f"class: the model predicts values of {self.target.name!r}, which has no classes; "
                "leave it out"
            )
        texts = [str(one) for one in classes]
        if str(name) not in texts:
            raise InvalidArgumentError(
                f"class: expected one of {', '.join(texts)}; got {str(name)!r}"
                + did_you_mean(str(name), texts)
            )
        return texts.index(str(name))

    def _row(
        self,
        row: "pl.DataFrame",
        X: NDArray[np.float32],
        number: RowNumbers,
        method: str,
        chosen: int | None,
    ) -> RowExplanation:
        outputs = self.network.predict(X)
        prediction: Any = self.target.decode(_of_classes(outputs, self.target))[0]
        explained = None
        if self.target.classes:
            explained = self.target.classes.index(prediction) if chosen is None else chosen
        shares = self._shares(X, method, explained)
        if not np.isfinite([shares.value, shares.baseline, *shares.shares]).all():
            raise InvalidTableError(
                f"the predictions for {number.named(0)} or for the background overflow, so their "
                "difference cannot be explained; check the values"
            )
        effects = [
            Effect(column.name, row[column.name][0], float(share))
            for column, share in zip(self.encoder.columns_, shares.shares, strict=True)
        ]
        return RowExplanation(
            int(number.rows[0]),
            None if number.lines is None else int(number.lines[0]),
            prediction,
            self._truth(row),
            None if explained is None else self.target.classes[explained],
            shares.value,
            shares.baseline,
            tuple(sorted(effects, key=lambda effect: -abs(effect.effect))),
            shares.unexplained,
        )

    def _shares(self, X: NDArray[np.float32], method: str, explained: int | None) -> Shares:
        spec, parameters, behind = behind_lookup(self.network.spec, self.network.parameters, X)
        direction, offset, undoing = np.full(1, self.target.std), self.target.mean, None
        if explained is None:
            undoing = self.target.transform
        elif spec.n_outputs > 1:
            direction, offset = np.eye(spec.n_outputs)[explained], 0.0
        else:  # a sigmoid: the probability of the second class
            direction, offset = (np.ones(1), 0.0) if explained else (-np.ones(1), 1.0)
        widths = [column.width for column in self.encoder.columns_]
        owners = np.repeat(np.arange(len(widths)), widths)
        owners = owners[self.network.spec.looked_up_sources()]
        by_method = by_shapley_values if method == "shapley" else by_expected_gradients
        return by_method(
            Output.of(spec, parameters, direction, offset, undoing),
            behind[0].astype(np.float64),
            self.background.inputs.astype(np.float64),
            self.background.weights,
            owners,
            len(widths),
        )

    def _truth(self, row: "pl.DataFrame") -> Any:
        """Return the true value of a row, or None if it has none that the model knows."""
        target = self.target
        if target.name not in row.columns:
            return None
        try:
            column = target.written.read_all(row[target.name])[0]
        except InvalidTableError:
            return None
        value = column[0]
        if value is None or value != value:  # NaN
            return None
        known: tuple[Class, ...] = target.classes
        if isinstance(value, str) and value.strip() in MISSING_IN_TEXT - set(map(str, known)):
            return None
        return value


def _of_classes(outputs: NDArray[np.floating], target: TargetEncoder) -> NDArray[np.floating]:
    """Return outputs in which a sigmoid's single output is replaced by those of both classes."""
    if target.classes and outputs.shape[1] == 1:
        return np.hstack([1 - outputs, outputs])
    return outputs
