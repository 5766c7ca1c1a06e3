"""Prediction intervals and prediction sets of a table model, as columns of a table."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.equations.conformal import (
    absolute_residual,
    class_score,
    prediction_interval,
    prediction_set,
)
from chainrule.errors import InvalidArgumentError
from chainrule.model.conformal import Conformal, checked_coverage
from chainrule.network.spec import NetworkSpec
from chainrule.tables.target import TargetEncoder

if TYPE_CHECKING:
    import polars as pl

Floats = NDArray[np.floating]

LOWER, UPPER, SET = "lower", "upper", "prediction_set"
"""The names of the columns."""


def calibration_scores(
    target: TargetEncoder, outputs: Floats, true: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the scores of rows whose true target is known, (rows,): CP1 or CP4.

    Parameters
    ----------
    target : TargetEncoder
    outputs : array
        For classes, the probabilities (rows, classes); for values, the network's outputs (rows, 1).
    true : array (rows,)
        As `TargetEncoder.truth` returns it.
    """
    if target.task == "classification":
        scores = class_score(outputs.astype(np.float64))
        return np.asarray(scores[np.arange(len(true)), true])
    values = np.asarray(true, np.float64)
    transform = target.transform
    if transform is None:
        return np.asarray(absolute_residual(values, target.decode_values(outputs)))
    learned = outputs[:, 0].astype(np.float64) * target.std + target.mean
    return np.asarray(absolute_residual(transform.position(values), transform.clipped(learned)))


def interval_of(
    target: TargetEncoder, spec: NetworkSpec, outputs: Floats, quantile: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and the upper end of each row's interval, in the target's units: CP3.

    The interval of a transformed target is CP3 of the transformed values, so in the target's units
    it is wider where values are larger.
    """
    transform = target.transform
    if transform is None:
        lower, upper = prediction_interval(target.decode_values(outputs), quantile)
        return np.maximum(lower, lowest_value(spec, target.mean, target.std)), upper
    learned = outputs[:, 0].astype(np.float64) * target.std + target.mean
    lower, upper = prediction_interval(transform.clipped(learned), quantile)
    return transform.exact(lower), transform.exact(upper)


def lowest_value(spec: NetworkSpec, mean: Any = 0.0, deviation: Any = 1.0) -> Any:
    """Return the lowest value that a network can predict: 0 for counts, −∞ for most others."""
    (head,) = spec.heads
    low = head.activation.row.outputs.low
    return -np.inf if low == -np.inf else low * deviation + mean


def scores_or_refusal(conformal: Conformal | None, coverage: object, name: str) -> Conformal:
    """Return a model's scores, or raise because it has none.

    Raises
    ------
    InvalidArgumentError
        If the coverage is not in (0, 1), or the model has no scores.
    """
    checked_coverage(coverage, name)
    if conformal is None:
        raise InvalidArgumentError(
            f"{name}: this model has no calibration scores, which models of earlier versions "
            "lack; train it again"
        )
    return conformal


def names_of_columns(target: TargetEncoder) -> tuple[str, ...]:
    """Return the names of the columns that an interval or a set adds to predictions."""
    return (SET,) if target.task == "classification" else (LOWER, UPPER)


def columns_of(
    target: TargetEncoder, spec: NetworkSpec, outputs: Floats, quantile: float
) -> "list[pl.Series]":
    """Return the columns that an interval or a set adds to the predictions of rows."""
    import polars as pl

    if target.task == "regression":
        ends = interval_of(target, spec, outputs, quantile)
        return [pl.Series(name, end) for name, end in zip((LOWER, UPPER), ends, strict=True)]
    members = prediction_set(class_score(outputs.astype(np.float64)), quantile)
    classes = pl.Series(list(target.classes))
    # Many rows have the same set: each different one is built once.
    patterns, places = np.unique(members, axis=0, return_inverse=True)
    sets = [classes.gather(np.flatnonzero(pattern)).to_list() for pattern in patterns]
    return [pl.Series(SET, sets, pl.List(classes.dtype)).gather(places.ravel())]
