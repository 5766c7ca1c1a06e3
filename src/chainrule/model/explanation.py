"""Attribution of one row's prediction to the columns of its table."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import is_real
from chainrule.inspection.attribution import attribute, behind_lookup
from chainrule.model.table_model import TableModel

if TYPE_CHECKING:
    import polars as pl

_LARGEST_INPUT = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Moved:
    """How far one column moved the prediction away from that for the mean training row."""

    column: str
    value: Any
    """The row's value, as the table has it."""
    gradient_times_input: float
    integrated_gradients: float


@dataclass(frozen=True)
class Explanation:
    """What moved the prediction for one row.

    Attributes
    ----------
    quantity : str
        The quantity that is explained: "probability of M", or the target's name.
    value, reference_value : float
        The quantity for the row, and for the mean training row.
    columns : tuple of Moved
        The column that moved it most comes first.
    unexplained : float
        value − reference_value minus the sum of the integrated gradients.
    """

    quantity: str
    value: float
    reference_value: float
    columns: tuple[Moved, ...]
    unexplained: float


def explain_row(model: TableModel, row: "pl.DataFrame") -> Explanation:
    """Return which columns moved the prediction for a row, by AT1 and AT3.

    In a classification, the probability of the predicted class is explained; in a regression, the
    value in the target's units. The reference is the mean of the encoded training rows if the model
    stores it, as models of ``chainrule train`` do; otherwise the mean of every number and no
    category.

    Parameters
    ----------
    model : TableModel
    row : polars.DataFrame
        One row.

    Raises
    ------
    InvalidTableError
        If a column is missing or has unusable values.
    """
    network, target = model.network, model.target
    X = model.encoder.encode(row)
    spec, parameters, behind = behind_lookup(network.spec, network.parameters, X)
    x = behind[0]
    direction, offset = np.ones(1), 0.0
    quantity = target.name
    if target.task == "regression":
        direction, offset = np.full(1, target.std), target.mean
    else:
        best = int(model.probabilities(row)[0].argmax())
        quantity = f"probability of {target.classes[best]}"
        if network.spec.n_outputs > 1:
            direction = np.eye(network.spec.n_outputs)[best]
        elif best == 0:
            direction, offset = np.full(1, -1.0), 1.0
    reference = _reference(model, len(x))
    found = attribute(spec, parameters, x, reference, direction, offset, target.transform)
    owners = _owners(model)
    columns = []
    for place, column in enumerate(model.encoder.columns_):
        own = owners == place
        columns.append(
            Moved(
                column.name,
                row[column.name][0],
                float(found.gradient_times_input[own].sum()),
                float(found.integrated_gradients[own].sum()),
            )
        )
    columns.sort(key=lambda moved: -abs(moved.integrated_gradients))
    return Explanation(
        quantity, found.value, found.reference_value, tuple(columns), found.unexplained
    )


def _owners(model: TableModel) -> NDArray[np.intp]:
    """Return, for each input of the layer after the embeddings, the table column it belongs to."""
    widths = [column.width for column in model.encoder.columns_]
    owners = np.repeat(np.arange(len(widths)), widths)
    return owners[model.network.spec.layers[0].input_sources(len(owners))]


def _reference(model: TableModel, n_inputs: int) -> NDArray[np.float64]:
    """Return the mean training row as the network's input; zeros if the details do not hold it."""
    mean = model.details.get("mean_input")
    if (
        isinstance(mean, list)
        and len(mean) == n_inputs
        # Compared before conversion: a Python int may be too large for a float.
        and all(is_real(number) and abs(number) <= _LARGEST_INPUT for number in mean)
    ):
        return np.array(mean, np.float64)
    return np.zeros(n_inputs)
