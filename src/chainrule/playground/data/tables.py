"""Users' tables: uploaded to a session, or named when the playground starts."""

import hashlib
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import ChainruleError, InvalidArgumentError, InvalidTableError
from chainrule.number_texts import plain
from chainrule.playground.data.uploads import require_bounded
from chainrule.suggestions import did_you_mean
from chainrule.tables.reader import read_for_training

if TYPE_CHECKING:
    import polars as pl

MOST_TABLES = 4
"""Uploaded tables that a session keeps; the oldest one goes first."""

_LONGEST_NAME = 100
_USUAL_TARGETS = re.compile(
    r"(target|class|label|outcome|y|species|diagnosis|survived|income|price|churn|quality"
    r"|median_?house_?value|result|response)$",
    re.IGNORECASE,
)
_MOST_CLASSES = 50


@dataclass(frozen=True)
class OwnTable:
    """A user's table, stored as its original file.

    Parameters
    ----------
    identity : str
        Which table it is: a part of the checksum of the file.
    name : str
        The file's name, without its folder.
    path : Path
    rows : int
    columns : tuple of dict
        Name, kind, what is in it, and the number of missing values.
    suggested_target : str
        The column that is probably to be predicted.
    """

    identity: str
    name: str
    path: Path
    rows: int
    columns: tuple[Mapping[str, Any], ...]
    suggested_target: str

    @classmethod
    def read(cls, path: Path, name: str) -> "OwnTable":
        """Read a file.

        Raises
        ------
        InvalidTableError
            If it is no table; the message has the file's name, and not its folder.
        """
        with naming(path, name):
            table = read_for_training(path).table
            if table.width < 2:
                raise InvalidTableError(
                    f"{path}: has one column, {table.columns[0]!r}; a table needs one to predict "
                    "and at least one to predict it from"
                )
        with path.open("rb") as file:
            identity = hashlib.file_digest(file, "sha256").hexdigest()[:16]
        columns = tuple(_described(column) for column in table.iter_columns())
        return cls(identity, name, path, table.height, columns, suggested_target(table))

    def summary(self) -> dict[str, Any]:
        """Return identity, name and number of rows."""
        return {"table": self.identity, "name": self.name, "rows": self.rows}

    def description(self) -> dict[str, Any]:
        """Return what a page shows of the table."""
        more = {"columns": list(self.columns), "suggested_target": self.suggested_target}
        return self.summary() | more


class OwnTables:
    """The tables of one session: those that the playground was started with, and uploads.

    Parameters
    ----------
    start : sequence of OwnTable
        Tables that are there from the beginning and stay.
    """

    def __init__(self, *start: OwnTable) -> None:
        self._start = {table.identity: table for table in start}
        self._uploads: dict[str, OwnTable] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()

    def all(self) -> list[OwnTable]:
        """Return the tables, the newest upload last."""
        with self._lock:
            return [*self._start.values(), *self._uploads.values()]

    def get(self, identity: object) -> OwnTable:
        """Return a table.

        Raises
        ------
        InvalidArgumentError
            If there is none of that id.
        """
        tables = {table.identity: table for table in self.all()}
        if not isinstance(identity, str) or identity not in tables:
            raise InvalidArgumentError(
                "table: the server does not have this table (any more); upload it again, and "
                "choose its target"
            )
        return tables[identity]

    def add(self, path: Path, name: str) -> OwnTable:
        """Copy an uploaded file, and read it.

        Raises
        ------
        InvalidTableError
            If it is no table, or one that takes too much memory.
        """
        name = printable_name(name)
        with naming(path, name):
            require_bounded(path)
        found = OwnTable.read(path, name)
        with self._lock:
            if found.identity in self._start:
                return self._start[found.identity]
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(
                    prefix="chainrule-play-",
                    ignore_cleanup_errors=True,  # on Windows, of a file that is still being read
                )
            # Stored by its checksum: a name from outside must not choose a file name.
            place = Path(self._folder.name) / found.identity
            shutil.copyfile(path, place)
            kept = OwnTable(
                *(found.identity, name, place, found.rows, found.columns, found.suggested_target)
            )
            self._uploads.pop(found.identity, None)
            self._uploads[found.identity] = kept
            while len(self._uploads) > MOST_TABLES:
                oldest = self._uploads.pop(next(iter(self._uploads)))
                oldest.path.unlink(missing_ok=True)
            return kept

    def close(self) -> None:
        """Delete the copies."""
        with self._lock:
            self._uploads.clear()
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None


@contextmanager
def naming(path: Path, name: str) -> Iterator[None]:
    """Let errors name a file as its owner does, and not where this machine keeps it."""
    try:
        yield
    except ChainruleError as error:
        told = str(error).replace(str(path), name)
        if told == str(error):
            raise
        raise type(error)(told) from None


def printable_name(name: str) -> str:
    """Return a file's name without folders and invisible letters, and not too long."""
    last = re.split(r"[/\\]", name)[-1]
    clean = "".join(letter for letter in last if letter.isprintable()).strip(" .")
    return clean[-_LONGEST_NAME:] or "table"


def target_in(table: OwnTable, target: object) -> str:
    """Return the name of a column of a table.

    Raises
    ------
    InvalidArgumentError
        If there is none of that name.
    """
    names = [str(column["name"]) for column in table.columns]
    if not isinstance(target, str) or target not in names:
        hint = did_you_mean(target, names) if isinstance(target, str) else ""
        raise InvalidArgumentError(
            f"target: expected a column of {table.name}; got {target!r:.60}{hint}"
        )
    return target


def suggested_target(table: "pl.DataFrame") -> str:
    """Return the column that is probably to be predicted: by its name, or else the last one.

    A column that could not be a target (a date, or a text that differs in most rows) is none.
    """
    possible = [column.name for column in table.iter_columns() if _may_be_target(column)]
    usual = [name for name in possible if _USUAL_TARGETS.match(name.strip())]
    return [*(usual or possible or table.columns)][-1]


def _may_be_target(column: "pl.Series") -> bool:
    dtype = column.dtype
    if dtype.is_numeric():
        return column.drop_nulls().n_unique() > 1
    if dtype.is_temporal() or dtype.is_nested():
        return False
    return 2 <= column.drop_nulls().n_unique() <= _MOST_CLASSES


def _described(column: "pl.Series") -> dict[str, Any]:
    """Return what a page says of a column."""
    import polars as pl

    dtype, present = column.dtype, column.drop_nulls()
    if dtype.is_numeric():
        kind = "number"
        low, high = (float(value) for value in (present.min() or 0, present.max() or 0))  # type: ignore[arg-type]
        about = f"{plain(low)} to {plain(high)}" if present.len() else "no values"
    elif dtype == pl.Boolean:
        kind, about = "true or false", f"{int(present.sum() or 0):,} true"
    elif dtype.is_temporal():
        kind = "date or time"
        about = f"{present.min()!s} to {present.max()!s}" if present.len() else "no values"
    else:
        kind, count = "category", present.n_unique()
        most = present.cast(pl.String).value_counts(sort=True)[present.name].head(3).to_list()
        about = f"{count:,} value{'' if count == 1 else 's'}: {', '.join(map(_short, most))}"
        about += ", …" if count > len(most) else ""
    return {"name": column.name, "kind": kind, "about": about, "missing": column.null_count()}


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:19] + "…"
