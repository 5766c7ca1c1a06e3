"""Predictions for tables that need not fit into memory: read, predicted and written in pieces."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import FileWriteError, InvalidArgumentError
from chainrule.files.atomic import atomic_path, destination
from chainrule.files.outputs import check_apart
from chainrule.model.table_model import TableModel
from chainrule.tables.batches import raw_batches
from chainrule.tables.notations.base import Unreadable
from chainrule.tables.records import Tally
from chainrule.tables.sources import open_table

if TYPE_CHECKING:
    import polars as pl

    from chainrule.tables.notes import Note

# Of the files that are written, by the end of their names: polars' way to write in pieces.
FORMATS = {
    ".parquet": ("sink_parquet", {}),
    ".csv": ("sink_csv", {}),
    ".tsv": ("sink_csv", {"separator": "\t"}),
    ".arrow": ("sink_ipc", {}),
    ".feather": ("sink_ipc", {}),
    ".jsonl": ("sink_ndjson", {}),
    ".ndjson": ("sink_ndjson", {}),
}

_ROWS = 100_000
# How polars quotes the system.
_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")


def format_of(path: Path) -> str:
    """Return the key in `FORMATS` of what is written to that name.

    A device or pipe that has no ending, such as /dev/stdout, takes CSV.

    Raises
    ------
    InvalidArgumentError
        If the ending names no format.
    FileWriteError, OSError
        If it is nothing that a file can be written to.
    """
    if any("\ud800" <= letter <= "\udfff" for letter in str(path)):
        raise InvalidArgumentError(f"--out: {str(path)!r} is not Unicode text; choose another name")
    ending = path.suffix.lower()
    if ending in FORMATS:
        return ending
    if not ending and destination(path).through:
        return ".csv"
    raise InvalidArgumentError(
        f"--out: expected a name ending in {', '.join(FORMATS)}; got {str(path)!r}"
    )


def predicted_batches(
    model: TableModel,
    path: str | Path,
    keep: Sequence[str] = (),
    *,
    rows: int = _ROWS,
    skip_bad_rows: bool = False,
    notes: "list[Note] | None" = None,
) -> Iterator["pl.DataFrame"]:
    """Yield the predictions for the rows of a file, piece by piece.

    Parameters
    ----------
    model : TableModel
    path : str or Path
    keep : sequence of str
        Columns of the table that stand before the predictions, as they are.
    rows : int
        How many rows a piece has at most.
    skip_bad_rows, notes
        As for `chainrule.tables.batches.scan_batches`.

    Raises
    ------
    InvalidTableError
        If the file is not a table, or a column is missing or cannot be used.
    InvalidArgumentError
        If a column to keep has the name of one that is made.
    """
    import polars as pl

    made = ["prediction", *(f"probability_{name}" for name in model.target.classes)]
    for name in keep:
        if name in made:
            raise InvalidArgumentError(
                f"--id: the column {name!r} has the name of one that is made; rename it"
            )
    reading = model.encoder.reading
    columns = list(reading.notations)
    # What is kept is kept as it stands in the table.
    types = {name: kind for name, kind in reading.plain_types().items() if name not in keep}
    known: dict[str, Any] = {}
    tally = Tally(skip_bad_rows)
    unread: dict[str, Unreadable] = {}
    done = 0
    file = open_table(path)
    for _, piece in raw_batches(file, tally, columns, strings=True, types=types, known=known):
        # Later pieces of JSON lines may lack what is missing in all of their rows.
        known.update(dict.fromkeys(set(columns) - set(types), pl.String))
        for raw in piece.iter_slices(rows):
            kept = [_kept(raw, name) for name in dict.fromkeys(keep)]
            read, bad = reading.read_piece(raw, done + 1)
            for one in bad:
                earlier = unread.get(one.column)
                unread[one.column] = one if earlier is None else earlier.with_more(one)
            predictions = model.predict_read(read, done + 1)
            done += raw.height
            yield predictions.select(*kept, *predictions.columns) if kept else predictions
    if notes is not None:
        notes += [*tally.notes(), *(one.note() for one in unread.values())]


def _kept(batch: "pl.DataFrame", name: str) -> "pl.Series":
    from chainrule.tables.columns import column_named

    return column_named(batch, name, " for --id")


def write_predictions(
    batches: Iterator["pl.DataFrame"], path: Path, inputs: Sequence[Path] = ()
) -> int:
    """Write pieces of a table to one file, whole or not at all; return the number of rows.

    Parameters
    ----------
    batches : iterator of polars.DataFrame
        All with the same columns.
    path : Path
        Its ending decides the format; see `FORMATS`.
    inputs : sequence of Path
        What the pieces are read from; none of it may be written.

    Raises
    ------
    InvalidArgumentError
        If its ending names no format, or it is one of the inputs.
    FileWriteError, OSError
        If the file cannot be written; what was there before stays.
    """
    import polars as pl
    from polars.io.plugins import register_io_source

    check_apart([("path", path)], [("an input", one) for one in inputs])
    method, options = FORMATS[format_of(path)]
    first = next(batches)
    source = _Source(first, batches)
    with atomic_path(path) as temporary:
        lazy = register_io_source(source, schema=first.schema)
        try:
            getattr(lazy, method)(temporary, **options)
        except (Exception, pl.exceptions.PanicException) as error:
            if source.error is not None:
                raise source.error from error
            raise _failure(error, path) from error
        if source.error is not None:
            raise source.error
    return source.rows


def _failure(error: BaseException, path: Path) -> OSError:
    """Return what polars told of the system's refusal to write, such as a full disk."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    code = _SYSTEM_ERROR.search(str(error))
    if code is not None:
        number = int(code[1])
        return OSError(number, os.strerror(number), str(path))
    return FileWriteError(f"{path}: cannot be written: {str(error).partition(chr(10))[0]}")


class _Source:
    """What polars asks for the pieces, and what went wrong in them."""

    def __init__(self, first: "pl.DataFrame", rest: Iterator["pl.DataFrame"]) -> None:
        self._first, self._rest = first, rest
        self.rows = 0
        self.error: BaseException | None = None

    def __call__(
        self, with_columns: Any, predicate: Any, n_rows: Any, batch_size: Any
    ) -> Iterator["pl.DataFrame"]:
        """Yield the pieces; nothing of them is left out, whatever is asked for."""
        try:
            self.rows = self._first.height
            yield self._first
            for batch in self._rest:
                self.rows += batch.height
                yield batch
        except BaseException as error:
            self.error = error
            raise
