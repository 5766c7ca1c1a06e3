"""The prediction intervals or sets that an exported file returns."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.model.conformal import checked_coverage
from chainrule.model.network import Network
from chainrule.model.table_intervals import lowest_value
from chainrule.model.table_model import TableModel

TARGETS = ("onnx", "c", "numpy")
"""The targets whose files can have an interval."""


@dataclass(frozen=True, eq=False)
class Interval:
    """CP2 at the coverage that was chosen at export.

    Parameters
    ----------
    coverage : float
    quantile : array (outputs,)
        q of each value in the target's units, or of the transformed target; for classes, one.
    lowest : float
        The lowest end of an interval: 0 for counts, otherwise −∞.
    """

    coverage: float
    quantile: NDArray[np.float64]
    lowest: float = -np.inf


def interval_of(model: Any, coverage: object) -> Interval:
    """Return the interval of a model's predictions.

    Raises
    ------
    InvalidArgumentError
        If `coverage` is not in (0, 1), or the model has no or too few calibration scores.
    """
    asked = checked_coverage(coverage, "interval")
    if isinstance(model, Network):
        raise InvalidArgumentError(
            "interval: a Network alone has no calibration scores; export the model of a run, or an "
            "estimator that was fitted with validation examples"
        )
    if isinstance(model, TableModel):
        quantile = np.array([model.quantile(asked, "interval")])
        values, transform = model.target.task == "regression", model.target.transform
        if not values or transform is not None:
            return Interval(asked, quantile)
        low = lowest_value(model.network.spec, model.target.mean, model.target.std)
        return Interval(asked, quantile, float(low))
    from chainrule.estimators.calibration import quantile_of
    from chainrule.estimators.regressor import BaseRegressor

    quantile = quantile_of(model, asked, name="interval")
    if isinstance(model, BaseRegressor):
        return Interval(asked, quantile, float(lowest_value(model.network_.spec)))
    return Interval(asked, quantile)
