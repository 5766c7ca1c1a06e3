"""The metrics that training can report, by name; outputs and targets have examples as rows."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.suggestions import did_you_mean

Metric: TypeAlias = Callable[[NDArray[np.floating], NDArray[np.floating]], float]
"""A function from (outputs, targets), both (m, n[L]), to a number."""


def accuracy(outputs: NDArray[np.floating], targets: NDArray[np.floating]) -> float:
    """Return the share of correctly classified examples.

    The predicted class is that of the largest output; with a single output, it is the second class
    from one half on.
    """
    if outputs.shape[1] == 1:
        right = (outputs[:, 0] >= 0.5) == (targets[:, 0] >= 0.5)
    else:
        right = np.argmax(outputs, axis=1) == np.argmax(targets, axis=1)
    return float(np.mean(right))


def rmse(outputs: NDArray[np.floating], targets: NDArray[np.floating]) -> float:
    """Return the root of the mean squared error over all outputs."""
    return float(np.sqrt(np.mean(np.square(outputs - targets, dtype=np.float64))))


def mae(outputs: NDArray[np.floating], targets: NDArray[np.floating]) -> float:
    """Return the mean absolute error over all outputs."""
    return float(np.mean(np.abs(outputs - targets), dtype=np.float64))


def r2(outputs: NDArray[np.floating], targets: NDArray[np.floating]) -> float:
    """Return 1 − (residual sum of squares)/(total sum of squares), the mean over outputs.

    An output whose target is constant counts as 1 if it is predicted exactly, otherwise as 0.
    """
    residual = np.sum(np.square(outputs - targets, dtype=np.float64), axis=0)
    total = np.sum(np.square(targets - targets.mean(axis=0), dtype=np.float64), axis=0)
    constant = total == 0
    scores = np.where(constant, residual == 0, 1 - residual / np.where(constant, 1, total))
    return float(np.mean(scores))


METRICS: Mapping[str, Metric] = MappingProxyType(
    {"accuracy": accuracy, "rmse": rmse, "mae": mae, "r2": r2}
)


_TAKEN = ("epoch", "loss", "penalty", "learning_rate", "gradient_norm", "seconds")


def named_metrics(metrics: Sequence[str | Metric]) -> dict[str, Metric]:
    """Return metrics by name; the name of a function is its `__name__`.

    Raises
    ------
    InvalidArgumentError
        If a name is unknown, or two metrics have the same name.
    """
    if isinstance(metrics, str):
        metrics = [metrics]
    if not isinstance(metrics, Sequence):
        raise InvalidArgumentError(
            f"metrics: expected a list of names or functions of (outputs, targets); got {metrics!r}"
        )
    result: dict[str, Metric] = {}
    for metric in metrics:
        if callable(metric):
            name = getattr(metric, "__name__", repr(metric))
            if name in result or name in _TAKEN or name.startswith("validation_"):
                raise InvalidArgumentError(
                    f"metrics: the history already has a column named {name!r}; give the function "
                    "another __name__"
                )
            result[name] = metric
        elif isinstance(metric, str) and metric in METRICS:
            result[metric] = METRICS[metric]
        else:
            raise InvalidArgumentError(
                f"metrics: expected {', '.join(METRICS)} or a function of (outputs, targets); "
                f"got {metric!r}{did_you_mean(metric, METRICS)}"
            )
    return result
