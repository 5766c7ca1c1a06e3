"""Predictions for tables that need not fit into memory: read, predicted and written in pieces."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.files.atomic import atomic_path
from chainrule.model.table_model import TableModel
from chainrule.tables.batches import scan_batches

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


def check_format(path: Path) -> None:
    """Raise unless a file of that name can be written.

    Raises
    ------
    InvalidArgumentError
        If its ending names no format.
    """
    if any("\ud800" <= letter <= "\udfff" for letter in str(path)):
        raise InvalidArgumentError(f"--out: {str(path)!r} is not Unicode text; choose another name")
    if path.suffix.lower() not in FORMATS:
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
    made = ["prediction", *(f"probability_{name}" for name in model.target.classes)]
    for name in keep:
        if name in made:
            raise InvalidArgumentError(
                f"--id: the column {name!r} has the name of one that is made; rename it"
            )
    types = model.encoder.read_types()
    done = 0
    for batch in scan_batches(
        path, rows=rows, types=types, skip_bad_rows=skip_bad_rows, notes=notes
    ):
        kept = [_kept(batch, name) for name in dict.fromkeys(keep)]
        try:
            predictions = model.predict(batch)
        except InvalidTableError as error:
            if not done:
                raise
            raise InvalidTableError(f"{error} (rows counted from row {done + 1:,} on)") from error
        done += batch.height
        yield predictions.select(*kept, *predictions.columns) if kept else predictions


def _kept(batch: "pl.DataFrame", name: str) -> "pl.Series":
    from chainrule.tables.columns import column_named

    return column_named(batch, name, " for --id")


def write_predictions(batches: Iterator["pl.DataFrame"], path: Path) -> int:
    """Write pieces of a table to one file, whole or not at all; return the number of rows.

    Parameters
    ----------
    batches : iterator of polars.DataFrame
        All with the same columns.
    path : Path
        Its ending decides the format; see `FORMATS`.

    Raises
    ------
    InvalidArgumentError
        If its ending names no format.
    OSError
        If the file cannot be written; what was there before stays.
    """
    from polars.io.plugins import register_io_source

    check_format(path)
    first = next(batches)
    source = _Source(first, batches)
    method, options = FORMATS[path.suffix.lower()]
    with atomic_path(path) as temporary:
        lazy = register_io_source(source, schema=first.schema)
        try:
            getattr(lazy, method)(temporary, **options)
        except Exception as error:
            if source.error is not None:
                raise source.error from error
            raise
        if source.error is not None:
            raise source.error
    return source.rows


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
