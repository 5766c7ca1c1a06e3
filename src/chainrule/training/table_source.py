"""The rows of a table that is read while training, as the source of a stream of examples."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.patterns import naming_file
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.table_stream import TableStream
from chainrule.training.streaming import Piece

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class TableSource:
    """The training rows of a table, encoded when a window takes them.

    Parameters
    ----------
    stream : TableStream
    counts : array (blocks,)
        How many training rows each block has.
    keep : callable
        Given raw rows and their numbers, reads them, and leaves out those that are not trained on.
    encode : callable
        Given rows that were kept, and an array, (rows, inputs), writes the inputs and returns the
        targets.
    shuffle : bool
        Whether the blocks have a new order in each epoch.
    """

    stream: TableStream
    counts: NDArray[np.int64]
    keep: "Callable[[pl.DataFrame, RowNumbers], tuple[pl.DataFrame, RowNumbers]]"
    encode: "Callable[[pl.DataFrame, NDArray[Any]], NDArray[Any]]"
    shuffle: bool = True

    @property
    def rows(self) -> int:
        """The number of examples in an epoch."""
        return int(self.counts.sum())

    @property
    def identity(self) -> str:
        """Text that differs if the examples or their order do."""
        return f"{self.stream.identity}, {self.rows} with a target"

    def pieces(self, epoch: int, first: int) -> Iterator[Piece]:
        """Yield the examples of an epoch from example `first` on, in bounded pieces."""
        rows = self.stream.training_rows(epoch, first, self.counts, self.keep, shuffle=self.shuffle)
        for table, numbers, name in rows:
            yield self._piece(table, numbers, name)

    def _piece(self, table: "pl.DataFrame", numbers: RowNumbers, name: str) -> Piece:
        def write(rows: slice, out: NDArray[Any]) -> NDArray[Any]:
            with naming_file(name), numbers[rows].naming():
                return self.encode(table[rows], out)

        return Piece(table.height, write)
