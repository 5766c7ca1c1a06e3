"""The notations of a table, decided once, from the rows that a model is trained with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.tables.notations import Notation, Numbers, Text
from chainrule.tables.notations.base import Unreadable
from chainrule.tables.notations.recognition import (
    Recognised,
    Seen,
    recognised,
    recognised_target_of_time,
    recognised_values,
    seen,
    with_sentinels,
)
from chainrule.tables.notes import Note
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.threads import in_threads

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class TableReading:
    """The notation of each column of a table.

    Every table is read for a model by the model's own notations: the meaning of a column depends
    neither on the values in a file nor on its format.

    Parameters
    ----------
    notations : mapping of str to Notation
        By the name of the column.
    """

    notations: Mapping[str, Notation]

    @classmethod
    def decide(
        cls,
        table: "pl.DataFrame",
        *,
        separator: str | None = None,
        target: str = "",
        numbers: RowNumbers | None = None,
    ) -> "tuple[TableReading, pl.DataFrame, tuple[Note, ...]]":
        """Decide how a table is to be read, and read it.

        Parameters
        ----------
        table : polars.DataFrame
            Columns of text, and of typed values if the file has types.
        separator : str, optional
            The field separator of a text file: between commas, 1,234 is a thousand; with another
            separator it is a decimal number, unless other columns show otherwise.
        target : str
            The column to predict. It is never read as dates, and none of its numbers is taken for a
            sentinel before its task is known.
        numbers : RowNumbers, optional
            Where the rows stand in the file; by default they are counted from 1.

        Returns
        -------
        reading : TableReading
        table : polars.DataFrame
            With the values that were read.
        notes : tuple of Note
            Which columns are not plainly written, and what could not be read.
        """
        import polars as pl

        texts = [column for column in table.iter_columns() if column.dtype == pl.String]
        threads = pl.thread_pool_size()
        looks = dict(
            zip((column.name for column in texts), in_threads(seen, texts, threads), strict=True)
        )
        comma = _has_decimal_commas(table, looks, separator)

        def read(column: "pl.Series") -> Recognised | None:
            look = looks.get(column.name)
            is_target = column.name == target
            if look is None:
                found = recognised_values(column)
            else:
                if is_target and (look.dates or look.durations):
                    return recognised_target_of_time(column, look)
                if is_target:  # its words for missing values are decided with its classes
                    look = look._replace(is_missing=False)
                found = recognised(column, look, comma=comma, numbers=numbers)
            return found if found is None or is_target else with_sentinels(found)

        found = in_threads(read, table.iter_columns(), threads)
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

    def with_sentinels(
        self, table: "pl.DataFrame", name: str
    ) -> "tuple[TableReading, pl.DataFrame, tuple[Note, ...]]":
        """Return the reading and the table with a column's sentinels taken as missing values."""
        found = with_sentinels(Recognised(self.of(name), table[name]))
        reading = TableReading({**self.notations, name: found.notation})
        return reading, table.with_columns(found.values.alias(name)), found.notes

    def read(
        self, table: "pl.DataFrame", numbers: RowNumbers | None = None
    ) -> "tuple[pl.DataFrame, tuple[Note, ...]]":
        """Read a table by these notations; columns that have none stay as they are.

        Parameters
        ----------
        table : polars.DataFrame
        numbers : RowNumbers, optional
            Where its rows stand in the file; by default they are counted from 1.

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
        read, bad = self.read_piece(table, numbers)
        return read, tuple(one.note() for one in bad)

    def read_piece(
        self, table: "pl.DataFrame", numbers: RowNumbers | None = None
    ) -> "tuple[pl.DataFrame, list[Unreadable]]":
        """Read a piece of a table as `read` does, but return unreadable values for adding up."""
        import polars as pl

        def read(column: "pl.Series") -> "tuple[pl.Series, Unreadable | None]":
            notation = self.notations.get(column.name)
            return (column, None) if notation is None else notation.read_all(column, numbers)

        found = in_threads(read, table.iter_columns(), pl.thread_pool_size())
        columns = {name: one for name, (one, _) in zip(table.columns, found, strict=True)}
        return pl.DataFrame(columns), [bad for _, bad in found if bad is not None]

    def plain_types(self) -> "dict[str, pl.DataType | type[pl.DataType]]":
        """Return the types of the columns of plain numbers, which polars can read by itself."""
        import polars as pl

        return {
            name: pl.Float64
            for name, notation in self.notations.items()
            if isinstance(notation, Numbers) and notation.is_plain
        }

    def of(self, name: str) -> Notation:
        """Return the notation of a column; that of text if it has none."""
        return self.notations.get(name, Text())


def _has_decimal_commas(
    table: "pl.DataFrame", looks: Mapping[str, Seen], separator: str | None
) -> bool | None:
    """Tell whether a table has decimal commas; None if that is unknown."""
    marks = [look.numbers.decimal for look in looks.values()]
    commas, points = marks.count(","), marks.count(".")
    if separator is not None:
        # Columns that polars has read as floats have decimal points.
        points += sum(dtype.is_float() for dtype in table.dtypes)
    if commas != points:
        return commas > points
    return True if separator is not None and separator != "," else None
