"""Tables larger than memory: a file read in pieces."""

import codecs
import gzip
import io
import itertools
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from chainrule.checks import whole_number
from chainrule.errors import InvalidTableError
from chainrule.tables.columns import column_named
from chainrule.tables.csv_files import end_of_rows, has_odd_quotes, read_csv
from chainrule.tables.json_lines import read_json_lines
from chainrule.tables.layouts import Layout
from chainrule.tables.notes import Note
from chainrule.tables.raw import read_raw, text_layout
from chainrule.tables.records import Tally, good_records, written
from chainrule.tables.sources import TableFile, open_table
from chainrule.tables.text import GZIP, SAMPLE, ZSTD, checked_text, encoding_of, line_ends_of
from chainrule.tables.text_types import typed

if TYPE_CHECKING:
    import polars as pl

# A piece of text that is read at a time; a row that is longer makes it longer.
_PIECE = 1 << 25
_MOST_PIECES = 16
# So many records are read at a time where they are read one by one.
_RECORDS = 20_000


class Piece(NamedTuple):
    """Rows of a file, and where they begin."""

    table: "pl.DataFrame"
    row: int
    """How many rows of the table came before."""


def scan_batches(
    path: str | Path,
    *,
    rows: int = 100_000,
    columns: Sequence[str] | None = None,
    types: Mapping[str, Any] | None = None,
    skip_bad_rows: bool = False,
    notes: list[Note] | None = None,
) -> Iterator["pl.DataFrame"]:
    """Read a table in pieces, so that it need not fit into memory.

    CSV and JSON lines (gzip too), Parquet and Arrow files are read piece by piece; what cannot be
    (zstd, Arrow streams) is read whole and handed out in pieces.

    Parameters
    ----------
    path : str or Path
        "-" is standard input.
    rows : int
        How many rows a piece has at most.
    columns : sequence of str, optional
        Those to read; by default all.
    types : mapping of str to polars types, optional
        As `TableEncoder.read_types` gives them. Columns of text that are not in it have the type
        that the first rows tell.
    skip_bad_rows : bool
        As in `read_table`.
    notes : list, optional
        Gets the notes of `read_with_notes` when the last piece was read; lines are counted from the
        file's first.

    Yields
    ------
    polars.DataFrame
        With at least one row.

    Raises
    ------
    InvalidTableError
        If there is no such file or it is not a table, as soon as that is seen.
    """
    rows = whole_number("rows", rows, 1)
    file = open_table(path)
    given = {} if types is None else dict(types)
    known: dict[str, Any] = {}
    tally = Tally(skip_bad_rows)
    for layout, piece in raw_batches(file, tally, given, columns=columns, types=given, known=known):
        table = piece
        if layout.kind == "csv":
            table = typed(piece, {**known, **given}, decimal_comma=layout.separator != ",")
        if layout.kind in ("csv", "json lines") and not known:
            known.update(table.schema)
        yield from table.iter_slices(rows)
    if notes is not None:
        notes += tally.notes()


def raw_batches(
    file: TableFile,
    tally: Tally,
    expected: Collection[str] = (),
    *,
    columns: Sequence[str] | None = None,
    strings: Collection[str] | bool = (),
    types: Mapping[str, Any] | None = None,
    known: Mapping[str, Any] | None = None,
    layout: Layout | None = None,
    rows: int = 100_000,
) -> "Iterator[tuple[Layout, pl.DataFrame]]":
    """Read a file's pieces as `chainrule.tables.raw.read_raw` reads it whole.

    Parameters
    ----------
    file : TableFile
    tally : Tally
        Gets what is odd; its notes are those of the whole file once the last piece was read.
    expected, columns, strings, types
        As for `layout_of` and `read_raw`.
    known : mapping of str to polars types, optional
        More types, looked up anew for each piece: what earlier ones told.
    layout : Layout, optional
        Of this file; by default its first piece tells it.
    rows : int
        How many rows a piece of Parquet or Arrow has.

    Yields
    ------
    layout, piece
    """
    if file.binary in ("Parquet", "Arrow"):
        for piece in _of_columns(file, rows, columns):
            yield Layout(file.binary), piece
        return
    with file.open() as raw:
        start = raw.read(4)
        zipped = start.startswith(GZIP)
        if file.binary is not None or start.startswith(ZSTD):
            from chainrule.tables.raw import layout_of

            layout = layout or layout_of(file, expected)
            table, notes = read_raw(
                file, layout, columns, strings, types=types, skip_bad_rows=tally.skip
            )
            tally.others += notes
            yield layout, table
            return
        raw.seek(0)
        stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw) if zipped else raw)
        yield from _of_text(
            _Stream(file, stream), tally, expected, columns, strings, types, known or {}, layout
        )


def _of_columns(
    file: TableFile, rows: int, columns: Sequence[str] | None
) -> Iterator["pl.DataFrame"]:
    import polars as pl

    failures = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
    scan: Any = pl.scan_parquet if file.binary == "Parquet" else pl.scan_ipc
    start = 0
    while True:
        try:
            lazy = scan(file.place, glob=False)
            if columns is not None:
                empty = pl.DataFrame(schema=dict.fromkeys(lazy.collect_schema(), pl.Null))
                for name in columns:
                    column_named(empty, name)
                lazy = lazy.select(columns)
            piece = lazy.slice(start, rows).collect()
        except failures as error:
            reason = str(error).partition("\n")[0]
            raise InvalidTableError(
                f"{file.name}: cannot be read as {file.binary} ({reason})"
            ) from error
        if piece.height:
            yield piece
        elif start == 0:
            raise InvalidTableError(f"{file.name}: has columns, but no rows")
        start += piece.height
        if piece.height < rows:
            return


class _Stream:
    """The bytes of a file as UTF-8 with plain line ends, read as they come."""

    def __init__(self, file: TableFile, stream: IO[bytes]) -> None:
        self.file = file
        self._stream: Any = stream
        start = self._read(SAMPLE)
        stream.seek(0)
        self.encoding = encoding_of(file, start)
        if self.encoding != "utf-8":
            start = start[: len(start) // 4 * 4].decode(self.encoding, "ignore").encode()
            # errors: a lone half of a pair has no UTF-8.
            self._stream = codecs.EncodedFile(stream, "utf-8", self.encoding, "replace")
        self._macintosh = line_ends_of(start) == "\r"
        self._held = b""

    def read(self, size: int) -> bytes:
        """Read up to about so many bytes."""
        data = self._held + self._read(size)
        self._held = b""
        if not self._macintosh:
            return data
        if data.endswith(b"\r") and (more := self._read(1)):
            data += more
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _read(self, size: int) -> bytes:
        try:
            return bytes(self._stream.read(size))
        except UnicodeError as error:
            raise InvalidTableError(
                f"{self.file.name}: begins like UTF-16 text and is none; save it as UTF-8"
            ) from error
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidTableError(f"{self.file.name}: is a damaged gzip file ({error})") from error


def _of_text(
    stream: _Stream,
    tally: Tally,
    expected: Collection[str],
    columns: Sequence[str] | None,
    strings: Collection[str] | bool,
    types: Mapping[str, Any] | None,
    known: Mapping[str, Any],
    layout: Layout | None,
) -> "Iterator[tuple[Layout, pl.DataFrame]]":
    file = stream.file
    first = stream.read(max(_PIECE, 1))
    while (more := _short_of_rows(first)) and (read := stream.read(SAMPLE)):
        first += read
        if len(first) > SAMPLE and more < 2:
            break
    text = checked_text(file, first)
    text = text._replace(encoding=stream.encoding)
    layout = layout or text_layout(text, expected)
    tally.others += layout.notes
    lines, any_rows = 0, False
    body = first
    if layout.kind == "csv":
        lines = layout.header_line + layout.header_lines - 1
        body = _below(text.data if text.notes else first, lines)
        if text.notes:
            tally.others += text.notes
    quoted = layout.kind == "csv"
    for data in _pieces(stream, body, layout, quoted):
        if data is None:
            return
        if isinstance(data, _OneByOne):
            for table in _one_by_one(stream, data.data, lines, layout, tally, columns, strings, {**known, **(types or {})}):
                any_rows = True
                yield layout, table
            break
        all_types = {**known, **(types or {})}
        text = checked_text(file, data, shift=lines)
        tally.others += text.notes
        if layout.kind == "json lines":
            table = read_json_lines(text, tally, columns=columns, types=all_types)
        else:
            table = read_csv(
                text, layout, tally, columns=columns, strings=strings, types=all_types, body=True
            )
        lines += data.count(b"\n")
        if table.height:
            any_rows = True
            yield layout, table
    if not any_rows:
        raise InvalidTableError(f"{file.name}: has a first line with names, but no rows")
