"""Fitting an estimator to a table that is read while it trains."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples
from chainrule.ensembles.members import BEST
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.inputs import TRAINING, checked_rows
from chainrule.estimators.preparation import GivenData, Preparation
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.table_stream import TableStream, with_target
from chainrule.training.streaming import WindowedStream
from chainrule.training.table_source import TableSource

if TYPE_CHECKING:
    import polars as pl


def check_streamed(estimator: Preparation, stream: TableStream, others: dict[str, Any]) -> None:
    """Raise unless an estimator can be fitted to a stream.

    Parameters
    ----------
    estimator : BaseMLP
    stream : TableStream
    others : dict
        The other arguments of `fit`, by name; all have to be None.

    Raises
    ------
    InvalidArgumentError
    """
    if not estimator._takes_tables:
        raise InvalidArgumentError(
            "X: expected an array for a drop-in estimator of scikit-learn; got a TableStream. Fit "
            "NetworkClassifier or NetworkRegressor to it"
        )
    for name, value in others.items():
        if value is not None:
            raise InvalidArgumentError(
                f"{name}: expected None where X is a TableStream, which has its own target, and "
                f"validation rows; got {type(value).__name__}"
            )
    for name, needs in (("quality", BEST), ("solver", "lbfgs")):
        if getattr(estimator, name) == needs:
            raise InvalidArgumentError(
                f"{name}: expected another value where X is a TableStream, since {needs!r} needs "
                f"all rows in memory; got {needs!r}"
            )
    if getattr(estimator, "class_weight", None) is not None:
        raise InvalidArgumentError(
            "class_weight: expected None where X is a TableStream, whose rows have no weights; got "
            f"{estimator.class_weight!r}"
        )


def in_memory(stream: TableStream) -> "tuple[pl.DataFrame, pl.Series, GivenData]":
    """Return the sample of a stream as X and y, and its validation rows."""
    features, target = list(stream.features), stream.target
    sample, rest = stream.sample, stream.validation_rows
    held_out: GivenData = (None, None, None)
    if rest.height:
        held_out = (rest[features], rest[target], None)
    return sample[features], sample[target], held_out


def examples_of(estimator: Preparation, stream: TableStream) -> WindowedStream:
    """Return the training rows of a stream as examples of an estimator that knows its sample."""
    features, target = list(stream.features), stream.target
    spec = estimator.network_.spec
    total = float(stream.counts.sum())

    def keep(raw: "pl.DataFrame", numbers: RowNumbers) -> "tuple[pl.DataFrame, RowNumbers]":
        table, rows = with_target(raw, target)
        return table, numbers[rows]

    def encode(table: "pl.DataFrame", out: NDArray[Any]) -> NDArray[Any]:
        X: Any = table[features]
        rows = checked_rows(estimator, X, table[target], None, TRAINING, reset=False)
        targets = estimator._encoded(rows.y, False, True)
        examples = estimator._examples(rows, estimator._inputs(rows), targets)
        out[:] = examples.X
        return examples.Y

    def pack(X: NDArray[np.floating], Y: NDArray[Any]) -> Examples:
        return estimator._softened(Examples(X, Y), total)

    source = TableSource(stream, stream.counts, keep, encode, bool(estimator.shuffle))
    return WindowedStream(source, spec.n_features, spec.dtype, pack, stream.shuffle_buffer)
