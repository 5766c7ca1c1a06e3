"""What is minimised, by scikit-learn's names and the package's, or by two functions of a user's."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import InvalidArgumentError
from chainrule.network.cost import CustomCost
from chainrule.settings.given import Settings


class Output(NamedTuple):
    """What the last layer is, and the cost of its outputs."""

    name: str
    """The activation in scikit-learn's words."""
    activation: str
    cost: str | CustomCost


def _delta(given: Settings, unit: float) -> float:
    """Return Huber's δ in units of the targets' deviation, however far from 1 that is."""
    with np.errstate(over="ignore", under="ignore"):
        delta = np.float64(given["huber_delta"]) / unit
    return float(np.clip(delta, np.finfo(float).tiny, np.finfo(float).max))


# Of the settings, and the deviation that its targets are divided by.
REGRESSION: Mapping[str, Callable[[Settings, float], str]] = MappingProxyType(
    {
        "squared_error": lambda given, unit: "mse",
        "absolute_error": lambda given, unit: "absolute_error",
        "huber": lambda given, unit: f"huber(delta={_delta(given, unit)!r})",
        "quantile": lambda given, unit: f"quantile(quantile={float(given['quantile'])!r})",
        "poisson": lambda given, unit: "poisson",
        "log_cosh": lambda given, unit: "log_cosh",
    }
)

# Of the settings, and the beginning of the name where an output stands for itself.
CLASSIFICATION: Mapping[str, Callable[[Settings, str], str]] = MappingProxyType(
    {
        "log_loss": lambda given, binary: f"{binary}cross_entropy",
        "focal": lambda given, binary: f"{binary}focal(gamma={float(given['focal_gamma'])!r})",
    }
)


def named(loss: Any, names: Mapping[str, Any]) -> str | CustomCost:
    """Return a loss by its name, or a user's own as the network takes it.

    Raises
    ------
    InvalidArgumentError
        If it is neither a name of these nor a pair of functions.
    """
    if isinstance(loss, str) and loss in names:
        return loss
    if isinstance(loss, CustomCost):
        return loss
    if isinstance(loss, list | tuple) and len(loss) == 2 and all(map(callable, loss)):
        return CustomCost(*loss)
    hint = ""
    if isinstance(loss, str) and names is CLASSIFICATION and loss in REGRESSION:
        hint = "; for values use NetworkRegressor or MLPRegressor"
    elif isinstance(loss, str) and names is REGRESSION and loss in CLASSIFICATION:
        hint = "; for classes use NetworkClassifier or MLPClassifier"
    raise InvalidArgumentError(
        f"loss: expected {', '.join(map(repr, names))}, a CustomCost or a pair of functions "
        f"(cost, gradient) of (outputs, targets); got {loss!r}{hint}"
    )


def regression_output(given: Settings, unit: float) -> Output:
    """Return the output of a regressor whose targets are divided by `unit` inside."""
    loss = named(given["loss"], REGRESSION)
    if isinstance(loss, CustomCost):
        return Output("identity", "identity", loss)
    cost = REGRESSION[loss](given, unit)
    if loss == "poisson":
        return Output("exp", "exponential", cost)
    return Output("identity", "identity", cost)


def classification_output(given: Settings, multiclass: bool) -> Output:
    """Return the output of a classifier: softmax over classes, or an answer for each output."""
    loss = named(given["loss"], CLASSIFICATION)
    cost: str | CustomCost = loss
    if not isinstance(loss, CustomCost):
        cost = CLASSIFICATION[loss](given, "" if multiclass else "binary_")
    if multiclass:
        return Output("softmax", "softmax", cost)
    return Output("logistic", "sigmoid", cost)
