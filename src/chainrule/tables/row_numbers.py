"""The row numbers and lines that the rows of a table have in their file.

A table in memory lacks rows of its file: bad rows, rows without a target, rows of another part. The
numbers are kept with the table, so that messages and reports use the row numbers of the file.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.tables.columns import RowError

if TYPE_CHECKING:
    import polars as pl

Places = NDArray[np.int64]


@dataclass(frozen=True)
class RowNumbers:
    """The number of each row of a table in its file, and its line.

    Parameters
    ----------
    rows : array (m,)
        Ascending data rows: 1 is the first below the line of names. Bad rows that were skipped and
        rows without a target count; blank lines and comments do not.
    lines : array (m,) or None
        The line of the file on which each row begins, from 1, if the file has lines.
    """

    rows: Places
    lines: Places | None = None

    @classmethod
    def counted(cls, n_rows: int, first: int = 1) -> "RowNumbers":
        """Return the numbers of a table that has all rows of its file, which has no lines."""
        return cls(np.arange(first, first + n_rows, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: Any) -> "RowNumbers":
        """Return the numbers of some rows: a slice, a mask, or their indices in the table."""
        return RowNumbers(self.rows[chosen], None if self.lines is None else self.lines[chosen])

    def named(self, index: int) -> str:
        """Return the name of a row by its index in the table: "row 12 (line 14)"."""
        return f"row {self._number(index)}"

    def _number(self, index: int) -> str:
        line = "" if self.lines is None else f" (line {self.lines[index]})"
        return f"{self.rows[index]}{line}"

    def index_of(self, row: int, argument: str, where: str) -> int:
        """Return the index in the table of a row of the file.

        Parameters
        ----------
        row : int
            The number of the row in the file.
        argument, where : str
            The names of the argument that gave it, and of the file, for messages.

        Raises
        ------
        InvalidArgumentError
            If the file has no such row, or the table lacks it.
        """
        index = int(np.searchsorted(self.rows, row))
        if index < len(self) and self.rows[index] == row:
            return index
        last = int(self.rows[-1]) if len(self) else 0
        if 1 <= row < last:
            raise InvalidArgumentError(
                f"{argument}: row {row} of {where} cannot be read and was skipped; name another row"
            )
        raise InvalidArgumentError(
            f"{argument}: expected a number from 1 to {last:,}, the last row of {where}; got {row}"
        )

    @contextlib.contextmanager
    def naming(self) -> Iterator[None]:
        """Make errors of the rows of this table name the rows of its file.

        Raises
        ------
        RowError
            The error of the block, with the number and the line in the file.
        """
        try:
            yield
        except RowError as error:
            number = self._number(error.row - 1)
            if number == str(
                error.row
            ):  # a table in memory: what it was taken from is not known here
                raise
            raise error.named(number) from None


class NumberedTable(NamedTuple):
    """A table as read from a file, with the row numbers in that file."""

    table: "pl.DataFrame"
    numbers: RowNumbers
