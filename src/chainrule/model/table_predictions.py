"""Predictions for tables larger than memory: read, predicted and written in batches."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import FileWriteError, InvalidArgumentError
from chainrule.files.atomic import atomic_path, destination
from chainrule.files.outputs import check_apart
from chainrule.model.kept_columns import Keep, KeptColumns
from chainrule.model.table_intervals import SET, names_of_columns
from chainrule.model.table_model import TableModel
from chainrule.tables.batches import raw_batches
from chainrule.tables.cells import as_cells, without_formulas
from chainrule.tables.notations.base import Unreadable
from chainrule.tables.notes import Note
from chainrule.tables.patterns import files_named, is_pattern, naming_file
from chainrule.tables.records import Tally
from chainrule.tables.sources import open_table

if TYPE_CHECKING:
    import polars as pl

# For each suffix that can be written, polars' streaming writer and its options.
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
# How polars quotes an error of the operating system.
_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")


def format_of(path: Path) -> str:
    """Return the key in `FORMATS` of the format to write to a path.

    A device or pipe without a suffix, such as /dev/stdout, takes CSV.

    Raises
    ------
    InvalidArgumentError
        If the suffix is not that of a known format.
    FileWriteError, OSError
        If no file can be written there.
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
    keep: Keep = (),
    *,
    typed: bool = False,
    rows: int = _ROWS,
    skip_bad_rows: bool = False,
    notes: "list[Note] | None" = None,
    interval: float | None = None,
) -> Iterator["pl.DataFrame"]:
    """Yield the predictions for the rows of a file, or of several files, batch by batch.

    Parameters
    ----------
    model : TableModel
    path : str or Path
        Of a file; or a pattern such as "data/*.parquet", for the rows of one file after the other,
        in the order of their names.
    keep : sequence of str, or "all"
        Columns of the table to copy in front of the predictions.
    typed : bool
        Whether kept columns have the types that the model reads. By default they are as they are in
        the file: 007 and 1.50 remain so.
    rows : int
        The largest number of rows in a batch.
    skip_bad_rows, notes
        As for `chainrule.tables.batches.scan_batches`.
    interval : float, optional
        A coverage: see `TableModel.predict`.

    Raises
    ------
    InvalidTableError
        If a file is not a table, a column is missing or has unusable values, or a file has other
        columns to copy than the first one.
    InvalidArgumentError
        If the model cannot give such an interval.
    """
    predicting = _Predicting(model, keep, typed, rows, skip_bad_rows, interval)
    if is_pattern(path):
        for one in files_named(path):
            with naming_file(str(one)):
                yield from predicting.file(one)
            predicting.name_notes(str(one))
    else:
        yield from predicting.file(path)
    if notes is not None:
        notes += predicting.notes


class _Predicting:
    """The predictions for one file after another, which are to be one table."""

    def __init__(
        self,
        model: TableModel,
        keep: Keep,
        typed: bool,
        rows: int,
        skip_bad_rows: bool,
        interval: float | None,
    ) -> None:
        self._model, self._keep, self._typed, self._rows = model, keep, typed, rows
        self._skip, self._interval = skip_bad_rows, interval
        self._made = ["prediction", *(f"probability_{name}" for name in model.target.classes)]
        if interval is not None:
            model.quantile(interval, "--interval")
            self._made += names_of_columns(model.target)
        self._kept: KeptColumns | None = None
        self._named = 0
        self.notes: list[Note] = []

    def file(self, path: str | Path) -> Iterator["pl.DataFrame"]:
        """Yield the predictions for the rows of a file, batch by batch."""
        import polars as pl

        reading = self._model.encoder.reading
        columns = list(reading.notations)
        types = reading.plain_types()
        if self._keep and not self._typed:  # as text, so that they come out as they are in the file
            types = {}
        first, renamed = True, self._kept is None
        known: dict[str, Any] = {}
        tally = Tally(self._skip)
        unread: dict[str, Unreadable] = {}
        for _, piece, places in raw_batches(
            open_table(path), tally, columns, strings=True, types=types, known=known
        ):
            kept = self._kept_of(piece, first)
            first = False
            # A later batch of JSON lines lacks a column that is missing in all of its rows.
            known.update(dict.fromkeys({*columns, *kept.names} - set(types), pl.String))
            for start in range(0, piece.height, self._rows):
                raw, numbers = piece.slice(start, self._rows), places[start : start + self._rows]
                read, bad = reading.read_piece(raw, numbers)
                for one in bad:
                    earlier = unread.get(one.column)
                    unread[one.column] = one if earlier is None else earlier.with_more(one)
                with numbers.naming():
                    predictions = self._model.predict_read(read, self._interval)
                beside = kept.of(raw, read if self._typed else None)
                yield predictions.select(*beside, *predictions.columns) if beside else predictions
        self.notes += [*tally.notes(), *(one.note() for one in unread.values())]
        if renamed and self._kept is not None:
            self.notes += self._kept.notes()

    def name_notes(self, name: str) -> None:
        """Have the notes since the last call name a file."""
        self.notes[self._named :] = [
            Note("", f"{name}: {note.subject}{note.reason}", note.advice)
            for note in self.notes[self._named :]
        ]
        self._named = len(self.notes)

    def _kept_of(self, piece: "pl.DataFrame", first: bool) -> KeptColumns:
        """Return the columns to copy of a file's piece, the first one or a later one."""
        if self._kept is None:
            self._kept = KeptColumns.chosen(self._keep, piece, self._made)
        elif first:
            self._kept.check_same(self._keep, piece)
        return self._kept


def flat(batch: "pl.DataFrame") -> "pl.DataFrame":
    r"""Return a batch without lists, which text files cannot hold.

    The classes of a set are joined with "|". A "|" or a "\" in the name of a class has a "\" in
    front of it, so the names are distinct. An empty set is an empty string.
    """
    import polars as pl

    if SET not in batch.columns or not isinstance(batch.schema[SET], pl.List):
        return batch
    names = pl.element().cast(pl.String).str.replace_all(r"([|\\])", r"\$1")
    return batch.with_columns(pl.col(SET).list.eval(names).list.join("|"))


def as_text(batch: "pl.DataFrame", *, neutralise: bool = False) -> "pl.DataFrame":
    """Return a batch as a file of text can hold it; `neutralise` makes formulas harmless."""
    batch = as_cells(flat(batch))
    return without_formulas(batch) if neutralise else batch


def write_predictions(
    batches: Iterator["pl.DataFrame"],
    path: Path,
    inputs: Sequence[Path] = (),
    *,
    neutralise: bool = False,
) -> int:
    """Write the batches of a table to one file, whole or not at all; return the number of rows.

    Parameters
    ----------
    batches : iterator of polars.DataFrame
        All with the same columns. They are written as `as_text` has them if the format is CSV.
    path : Path
        Its suffix determines the format; see `FORMATS`.
    inputs : sequence of Path
        Files that the batches are read from; `path` must not be one of them.
    neutralise : bool
        Whether texts that are formulas to a spreadsheet are made harmless in CSV.

    Raises
    ------
    InvalidArgumentError
        If the suffix is not that of a known format, or `path` is one of the inputs.
    FileWriteError, OSError
        If the file cannot be written; an existing file is then left unchanged.
    """
    import polars as pl
    from polars.io.plugins import register_io_source

    check_apart([("path", path)], [("an input", one) for one in inputs])
    method, options = FORMATS[format_of(path)]
    if method == "sink_csv":
        batches = (as_text(batch, neutralise=neutralise) for batch in batches)
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
    """Return the operating system's error, such as a full disk, from an exception of polars."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    code = _SYSTEM_ERROR.search(str(error))
    if code is not None:
        number = int(code[1])
        return OSError(number, os.strerror(number), str(path))
    return FileWriteError(f"{path}: cannot be written: {str(error).partition(chr(10))[0]}")


class _Source:
    """The batches as a data source of polars; it keeps an error that reading them raises."""

    def __init__(self, first: "pl.DataFrame", rest: Iterator["pl.DataFrame"]) -> None:
        self._first, self._rest = first, rest
        self.rows = 0
        self.error: BaseException | None = None

    def __call__(
        self, with_columns: Any, predicate: Any, n_rows: Any, batch_size: Any
    ) -> Iterator["pl.DataFrame"]:
        """Yield all batches unchanged; the projection and filter that polars offers are unused."""
        try:
            self.rows = self._first.height
            yield self._first
            for batch in self._rest:
                self.rows += batch.height
                yield batch
        except BaseException as error:
            self.error = error
            raise
