"""How a table is read: decided once, from the rows that a model is trained with."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.tables.notations import Notation, Text
from chainrule.tables.notations.recognition import (
    Recognised,
    Seen,
    recognised,
    recognised_values,
    seen,
    with_sentinels,
)
from chainrule.tables.notes import Note

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class TableReading:
    """The notation of each column of a table.

    Everything that reads a table for a model reads it by the model's own: what a column holds does
    not depend on which of its values a file has, nor on the file's format.

    Parameters
    ----------
    notations : mapping of str to Notation
        By the name of the column.
    """

    notations: Mapping[str, Notation]

    @classmethod
    def decide(
        cls, table: "pl.DataFrame", *, separator: str = ","
    ) -> "tuple[TableReading, pl.DataFrame, tuple[Note, ...]]":
        """Decide how a table is to be read, and read it.

        Parameters
        ----------
        table : polars.DataFrame
            Columns of text, and of values where the file has types.
        separator : str
            What separates the fields of its file: between commas, 1,234 is a thousand; elsewhere it
            is one and a bit, unless other columns say otherwise.

        Returns
        -------
        reading : TableReading
        table : polars.DataFrame
            As it reads.
        notes : tuple of Note
            What is not written as a computer would write it, and what cannot be read.
        """
        import polars as pl

        texts = [column for column in table.iter_columns() if column.dtype == pl.String]
        with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
            looks = dict(zip((column.name for column in texts), pool.map(seen, texts), strict=True))
            comma = _has_decimal_commas(looks, separator)

            def read(column: "pl.Series") -> Recognised | None:
                look = looks.get(column.name)
                if look is None:
                    found = recognised_values(column)
                else:
                    found = recognised(column, look, comma=comma)
                return None if found is None else with_sentinels(found)

            found = list(pool.map(read, table.iter_columns()))
        read_columns = {
            column.name: column if one is None else one.values
            for column, one in zip(table.iter_columns(), found, strict=True)
        }
        notations = {
            column.name: one.notation
            for column, one in zip(table.iter_columns(), found, strict=True)
            if one is not None
        }
        notes = tuple(note for one in found if one is not None for note in one.notes)
        return cls(notations), pl.DataFrame(read_columns), notes

    def read(
        self, table: "pl.DataFrame", first_row: int = 1
    ) -> "tuple[pl.DataFrame, tuple[Note, ...]]":
        """Read a table by these notations; columns that have none stay as they are.

        Parameters
        ----------
        table : polars.DataFrame
        first_row : int
            The number of the table's first row in its file, counted from 1.

        Returns
        -------
        table : polars.DataFrame
        notes : tuple of Note
            What could not be read.

        Raises
        ------
        InvalidTableError
            If too many values of a column are not written as they were in training.
        """
        columns, notes = [], []
        for column in table.iter_columns():
            notation = self.notations.get(column.name)
            if notation is not None:
                name = column.name
                column, note = notation.read_all(column, first_row)
                column = column.alias(name)
                notes += [note] if note is not None else []
            columns.append(column)
        return table.with_columns(columns), tuple(notes)

    def of(self, name: str) -> Notation:
        """Return the notation of a column; that of text if it has none."""
        return self.notations.get(name, Text())


def _has_decimal_commas(looks: Mapping[str, Seen], separator: str) -> bool | None:
    """Tell whether a table has decimal commas; None where nothing tells."""
    marks = [look.numbers.decimal for look in looks.values()]
    commas, points = marks.count(","), marks.count(".")
    if commas != points:
        return commas > points
    return True if separator != "," else None
