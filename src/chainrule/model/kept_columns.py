"""The columns of a table that are written with its predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from chainrule.errors import InvalidTableError
from chainrule.tables.columns import column_named
from chainrule.tables.notes import Note

if TYPE_CHECKING:
    import polars as pl

Keep: TypeAlias = "Sequence[str] | Literal['all']"
"""Names of columns, or all of them."""


@dataclass(frozen=True)
class KeptColumns:
    """The columns to write before the predictions.

    Parameters
    ----------
    names : mapping of str to str
        The name in the output of each column of the table.
    types : mapping of str to polars types
        The type of each column of the table.
    """

    names: Mapping[str, str]
    types: "Mapping[str, pl.DataType]"

    @classmethod
    def chosen(cls, keep: Keep, table: "pl.DataFrame", made: Sequence[str]) -> Self:
        """Return the requested columns.

        Parameters
        ----------
        keep : "all", or names
            An entry that is no column may be several names with commas between them.
        table : polars.DataFrame
            The first rows of the table.
        made : names
            Of the columns of the predictions: a column of the table that has one of these gets
            another.

        Raises
        ------
        InvalidTableError
            If the table lacks a column.
        """
        names: list[str] = []
        for entry in table.columns if keep == "all" else keep:
            several = [entry] if entry in table.columns else _divided(entry)
            names += [column_named(table, name, " for --keep").name for name in several]
        taken = {*made, *names}
        renamed: dict[str, str] = {}
        for name in names:
            new = name
            while new in made or (new != name and new in taken):
                new += "_in_table"
            taken.add(new)
            renamed[name] = new
        return cls(renamed, {name: table.schema[name] for name in renamed})

    def check_same(self, keep: Keep, table: "pl.DataFrame") -> None:
        """Check that the first rows of another file have the same columns to copy.

        Raises
        ------
        InvalidTableError
            If they do not.
        """
        for name in self.names:
            if name not in table.columns:
                raise InvalidTableError(
                    f"has no column {name!r}, which the files before it have; name those to copy "
                    "with --keep"
                )
        for name in table.columns if keep == "all" else ():
            if name not in self.names:
                raise InvalidTableError(
                    f"has a column {name!r}, which the files before it have not; name those to "
                    "copy with --keep"
                )

    def of(self, raw: "pl.DataFrame", read: "pl.DataFrame | None") -> "list[pl.Series]":
        """Return the columns of some rows.

        Parameters
        ----------
        raw : polars.DataFrame
            The rows as they are in the file.
        read : polars.DataFrame, optional
            The rows as the model reads them, if values are to have the types that it reads.

        Raises
        ------
        InvalidTableError
            If a column has another type than in the rows before.
        """
        columns = []
        for name, new in self.names.items():
            column = raw[name]
            if column.dtype != self.types[name]:
                column = self._as_before(column)
            if read is not None:
                column = read[name]
            columns.append(column.alias(new))
        return columns

    def _as_before(self, column: "pl.Series") -> "pl.Series":
        import polars as pl

        kind = self.types[column.name]
        try:
            return column.cast(kind)
        except pl.exceptions.PolarsError as error:
            raise InvalidTableError(
                f"column {column.name!r} holds values of type {kind} first and of type "
                f"{column.dtype} further down, which cannot be written as one column; leave it out "
                "with --keep"
            ) from error

    def notes(self) -> list[Note]:
        """Return a note on each column that was renamed."""
        return [
            Note(
                name,
                f"has the name of a column of the predictions, and is written as {new!r}",
                "rename it in the table, or leave it out with --keep, if that is wrong",
            )
            for name, new in self.names.items()
            if new != name
        ]


def _divided(entry: str) -> list[str]:
    return [part for part in map(str.strip, entry.split(",")) if part]
