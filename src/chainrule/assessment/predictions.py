"""What assessments need from a model: inputs, true targets, outputs, and the inputs of a column."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.model.table_model import TableModel

if TYPE_CHECKING:
    import polars as pl


class Examples(NamedTuple):
    """The network's inputs, and the true targets: class indices, or values in their units."""

    X: NDArray[np.float32]
    true: NDArray[np.generic]


def examples_of(model: TableModel, table: "pl.DataFrame") -> Examples:
    """Return a table's inputs and true targets."""
    return Examples(*model.truth(table))


def outputs_of(model: TableModel, X: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the model's predictions for inputs: probabilities (m, classes), or values (m,)."""
    outputs = model.network.predict(X)
    if model.target.task == "regression":
        return model.target.decode_values(outputs)
    exact = outputs.astype(np.float64)
    return np.hstack([1 - exact, exact]) if exact.shape[1] == 1 else exact


def places_of_columns(model: TableModel) -> dict[str, slice]:
    """Return, for each column of the table, the inputs that encode it."""
    places = {}
    start = 0
    for column in model.encoder.columns_:
        places[column.name] = slice(start, start + column.width)
        start += column.width
    return places
