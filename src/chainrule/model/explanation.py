"""Explanations of predictions: how much each column of a table contributed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import InvalidArgumentError
from chainrule.model.explained_row import Effect, RowExplanation
from chainrule.model.explanation_html import explanation_html
from chainrule.model.explanation_text import explanation_text
from chainrule.model.explanation_words import Words

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, repr=False)
class Explanation:
    """Explanations of the predictions for some rows, as `TableModel.explain` returns them.

    A notebook shows it as HTML, ``print`` as text.

    Attributes
    ----------
    rows : tuple of RowExplanation
    target : str
        The name of the predicted column.
    columns : tuple of str
        The columns that the model predicts from, in its own order.
    method : {"expected_gradients", "shapley"}
    background : str
        A description of the rows whose mean prediction is the baseline.
    table : str
        The name of the table, or "".
    """

    rows: tuple[RowExplanation, ...]
    target: str
    columns: tuple[str, ...]
    method: str
    background: str
    table: str = ""

    def __str__(self) -> str:
        return "\n\n".join(explanation_text(words) for words in self._words())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return explanation_html(self._words())

    def _words(self) -> list[Words]:
        return [Words(row, self.target, self.background, self.table) for row in self.rows]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, as ``chainrule explain --format json`` writes it."""
        return {
            "target": self.target,
            "method": self.method,
            "background": self.background,
            "rows": [_row_dict(row) for row in self.rows],
        }

    def to_frame(self) -> "pl.DataFrame":
        """Return a table with a row for each explained row and column: row, column, value, effect.

        The values are texts, since columns have different types.
        """
        import polars as pl

        effects = [(row.row, effect) for row in self.rows for effect in row.effects]
        return pl.DataFrame(
            {
                "row": [number for number, _ in effects],
                "column": [effect.column for _, effect in effects],
                "value": [None if e.value is None else str(e.value) for _, e in effects],
                "effect": [effect.effect for _, effect in effects],
            },
            schema={"row": pl.Int64, "column": pl.String, "value": pl.String, "effect": pl.Float64},
        )

    def to_shap(self) -> Any:
        """Return a ``shap.Explanation``, for the plots of the package shap.

        Raises
        ------
        InvalidArgumentError
            If shap is not installed.
        """
        try:
            import shap
        except ImportError as error:
            raise InvalidArgumentError(
                "to_shap: needs the package shap; install it with pip install shap"
            ) from error
        by_row: list[Mapping[str, Effect]] = [
            {effect.column: effect for effect in row.effects} for row in self.rows
        ]
        return shap.Explanation(
            values=np.array([[by[name].effect for name in self.columns] for by in by_row]),
            base_values=np.array([row.baseline for row in self.rows]),
            data=np.array([[by[name].value for name in self.columns] for by in by_row], object),
            feature_names=list(self.columns),
        )


def _row_dict(row: RowExplanation) -> dict[str, Any]:
    return {
        "row": row.row,
        "line": row.line,
        "prediction": _plain(row.prediction),
        "true": _plain(row.truth),
        "class": _plain(row.class_name),
        "value": row.value,
        "baseline": row.baseline,
        "effects": [
            {"column": one.column, "value": _plain(one.value), "effect": one.effect}
            for one in row.effects
        ],
        "unexplained": row.unexplained,
    }


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: dates, times and the like as text, NaN as None."""
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
