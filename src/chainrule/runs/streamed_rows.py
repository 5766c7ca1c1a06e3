"""The training rows of a run that are read while it trains."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples
from chainrule.ensembles.members import BEST
from chainrule.errors import InvalidArgumentError
from chainrule.runs.config import RunConfig
from chainrule.runs.options import DataOptions
from chainrule.runs.rows import TargetRows
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.patterns import is_pattern
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.table_notations import TableReading
from chainrule.tables.table_stream import TableStream
from chainrule.tables.target import TargetEncoder
from chainrule.training.streaming import WindowedStream
from chainrule.training.table_source import TableSource

if TYPE_CHECKING:
    import polars as pl


def is_streamed(options: DataOptions) -> bool:
    """Whether the rows of a run's table are read while it trains."""
    return options.shuffle_buffer is not None or is_pattern(options.table)


def stream_of(config: RunConfig, shares: tuple[float, ...]) -> TableStream:
    """Return the rows of a run's table as a stream.

    Raises
    ------
    InvalidArgumentError
        If a setting needs all rows at once.
    InvalidTableError
        If the files cannot be used.
    """
    options = config.data
    for option in ("group", "time"):
        if getattr(options, option):
            raise InvalidArgumentError(
                f"{option}: expected none for a table that is read while training, whose rows are "
                f"divided by a hash of their places; got {getattr(options, option)!r}. Leave it "
                "out, or divide the rows yourself: --test names a table of test rows"
            )
    if config.training.quality == BEST:
        raise InvalidArgumentError(
            "quality: expected 'standard' for a table that is read while training, since the "
            "networks of an ensemble learn from different rows in memory; got 'best'"
        )
    return TableStream(
        options.table,
        options.target,
        validation=shares[1],
        test=0.0 if options.test else shares[2],
        seed=config.training.seed,
        ignore=options.ignore,
        shuffle_buffer=options.shuffle_buffer,
    )


@dataclass(frozen=True)
class StreamedRows:
    """All training rows of a run.

    Parameters
    ----------
    stream : TableStream
    reading : TableReading
        How the columns are read.
    target : TargetRows
        Which rows have a target.
    shuffle : bool
        Whether each epoch has a new order.
    """

    stream: TableStream
    reading: TableReading
    target: TargetRows
    shuffle: bool

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many training rows each block has."""
        missing = self.target.words.missing
        return np.array([one.count(missing) for one in self.stream.scan.targets], np.int64)

    @property
    def rows(self) -> int:
        """How many training rows there are."""
        return int(self.counts.sum())

    def notes(self, where: str, sampled: int, tests: bool) -> list[str]:
        """Return what a user must know of the division."""
        parts = "validate, and to test," if tests else "validate"
        return [
            f"{where}: its {self.rows:,} training rows are read while training; the encoding was "
            f"decided from a sample of {sampled:,} of them, which the training scores are of, and "
            f"the rows to {parts} with were chosen by a hash of their places"
        ]

    def keep(self, raw: "pl.DataFrame", numbers: RowNumbers) -> "tuple[pl.DataFrame, RowNumbers]":
        """Read raw rows, and return those with a target."""
        table, _ = self.reading.read(raw, numbers)
        kept = self.target.among(table)
        return kept.table, numbers[kept.indices]


@dataclass(frozen=True)
class EncodedStream:
    """All training rows of a run as examples, once a network is known.

    Parameters
    ----------
    rows : StreamedRows
    encoder : TableEncoder
    target : TargetEncoder
    """

    rows: StreamedRows
    encoder: TableEncoder
    target: TargetEncoder

    def __call__(
        self, dtype: str, pack: Callable[[NDArray[np.floating], NDArray[Any]], Examples]
    ) -> WindowedStream:
        """Return the stream.

        Parameters
        ----------
        dtype : str
            Of the inputs.
        pack : callable
            Makes examples of inputs and encoded targets.
        """
        rows = self.rows
        source = TableSource(rows.stream, rows.counts, rows.keep, self._encode, rows.shuffle)
        return WindowedStream(
            source, self.encoder.n_inputs, dtype, pack, rows.stream.shuffle_buffer
        )

    def _encode(self, table: "pl.DataFrame", out: NDArray[Any]) -> NDArray[Any]:
        self.encoder.encode(table, out)
        return self.target.encode(table[self.target.name])
