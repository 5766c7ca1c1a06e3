"""Training a network on a table that is read meanwhile."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples
from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.network.spec import NetworkSpec
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.table_stream import TableStream, with_target
from chainrule.training.examples import as_examples, softened_examples
from chainrule.training.streaming import ExampleStream, WindowedStream
from chainrule.training.table_source import TableSource

if TYPE_CHECKING:
    import polars as pl


class StreamedData(NamedTuple):
    """The examples of a stream."""

    sample: Examples
    """Some of the training examples."""
    stream: ExampleStream
    """All training examples."""
    validation: Examples | None


def streamed_data(
    spec: NetworkSpec,
    table: TableStream,
    others: dict[str, Any],
    shuffle: bool,
    label_smoothing: float,
) -> StreamedData:
    """Return the rows of a table of numbers as examples of a network.

    Parameters
    ----------
    spec : NetworkSpec
    table : TableStream
        Its features are the network's inputs, in the order of its columns.
    others : dict
        Arguments of `fit` that need all examples in memory, by name; none may be given.
    shuffle : bool
    label_smoothing : float
        Of the training examples; the sample and the validation examples have their true targets.

    Raises
    ------
    InvalidArgumentError
        If one of the other arguments is given, or the rows do not fit the network.
    InvalidTableError
        If a column does not hold numbers.
    """
    for name, value in others.items():
        if value is not None and value != 0:
            raise InvalidArgumentError(
                f"{name}: expected none where X is a TableStream, which has its own target and "
                f"validation rows, without weights; got {type(value).__name__}"
            )

    def examples(rows: "pl.DataFrame") -> Examples:
        return _examples(spec, rows, table)

    def keep(raw: "pl.DataFrame", numbers: RowNumbers) -> "tuple[pl.DataFrame, RowNumbers]":
        kept, rows = with_target(raw, table.target)
        return kept, numbers[rows]

    def encode(rows: "pl.DataFrame", out: NDArray[Any]) -> NDArray[Any]:
        found = examples(rows)
        out[:] = found.X
        return found.Y

    def pack(X: NDArray[np.floating], Y: NDArray[Any]) -> Examples:
        return softened_examples(spec, Examples(X, Y), label_smoothing)

    source = TableSource(table, table.counts, keep, encode, shuffle)
    stream = WindowedStream(source, spec.n_features, spec.dtype, pack, table.shuffle_buffer)
    held_out = table.validation_rows
    return StreamedData(
        examples(table.sample), stream, examples(held_out) if held_out.height else None
    )


def _examples(spec: NetworkSpec, rows: "pl.DataFrame", table: TableStream) -> Examples:
    for name in table.columns:
        column = rows[name]
        if not (column.dtype.is_numeric() or str(column.dtype) == "Boolean"):
            raise InvalidTableError(
                f"column {name!r} holds {column.dtype}, and a Network takes numbers; leave it out "
                "by ignore=, or fit NetworkClassifier or NetworkRegressor, which encode it"
            )
    inputs = rows.select(table.features).cast(_polars_type(spec)).to_numpy()
    names = ("the stream's features", f"the target {table.target!r}", "")
    return as_examples(spec, inputs, rows[table.target].to_numpy(), names=names)


def _polars_type(spec: NetworkSpec) -> Any:
    import polars as pl

    return pl.Float32 if spec.dtype == "float32" else pl.Float64
