"""Tables larger than memory: a file read in pieces."""

import gzip
import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from chainrule.checks import whole_number
from chainrule.errors import InvalidTableError
from chainrule.tables.columns import column_named
from chainrule.tables.csv_bytes import end_of_rows, has_odd_quotes
from chainrule.tables.csv_files import read_csv, read_records
from chainrule.tables.json_lines import read_json_lines
from chainrule.tables.layouts import Layout
from chainrule.tables.notations.base import Unreadable
from chainrule.tables.notes import Note
from chainrule.tables.raw import layout_of, read_raw, text_layout
from chainrule.tables.records import Tally, good_records
from chainrule.tables.row_numbers import NumberedTable, RowNumbers
from chainrule.tables.sources import TableFile, open_table
from chainrule.tables.streams import TextStream
from chainrule.tables.table_notations import TableReading
from chainrule.tables.text import (
    GZIP,
    SAMPLE,
    ZSTD,
    as_latin,
    checked_text,
)

if TYPE_CHECKING:
    import polars as pl

# The size in bytes of a piece of text; a longer row makes its piece longer.
_PIECE = 1 << 25
_MOST_PIECES = 16
# The number of records of a piece when records are read one by one.
_RECORDS = 20_000


class RawPiece(NamedTuple):
    """Some rows of a file, as they are in it."""

    layout: Layout
    table: "pl.DataFrame"
    numbers: RowNumbers


def scan_batches(
    path: str | Path,
    *,
    rows: int = 100_000,
    columns: Sequence[str] | None = None,
    reading: TableReading | None = None,
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
    reading : TableReading, optional
        How the columns are read; by default as the first piece tells.
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
    tally = Tally(skip_bad_rows)
    expected = () if reading is None else tuple(reading.notations)
    types = {} if reading is None else reading.plain_types()
    unread: dict[str, Unreadable] = {}
    known: dict[str, Any] = {}
    for layout, raw, numbers in raw_batches(
        file, tally, expected, columns=columns, strings=True, types=types, known=known
    ):
        if reading is None:
            separator = layout.separator if layout.kind == "csv" else None
            reading, piece, more = TableReading.decide(raw, separator=separator, numbers=numbers)
            tally.others += more
        else:
            piece, bad = reading.read_piece(raw, numbers)
            for one in bad:
                earlier = unread.get(one.column)
                unread[one.column] = one if earlier is None else earlier.with_more(one)
        if not known:
            known.update(raw.schema)
        yield from piece.iter_slices(rows)
    tally.others += [one.note() for one in unread.values()]
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
) -> Iterator[RawPiece]:
    """Read a file's pieces as `chainrule.tables.raw.read_raw` reads it whole.

    Parameters
    ----------
    file : TableFile
    tally : Tally
        Collects irregularities; its notes are those of the whole file once the last piece was read.
    expected, columns, strings, types
        As for `layout_of` and `read_raw`.
    known : mapping of str to polars types, optional
        More types, looked up again for each piece: the types found in earlier pieces.
    layout : Layout, optional
        The layout of this file; by default recognised from its first piece.
    rows : int
        How many rows a piece of Parquet or Arrow has.

    Yields
    ------
    RawPiece
    """
    if file.binary in ("Parquet", "Arrow"):
        for piece in _of_columns(file, rows, columns):
            numbers = RowNumbers.counted(piece.height, tally.rows + 1)
            tally.rows += piece.height
            yield RawPiece(Layout(file.binary), piece, numbers)
        return
    with file.open() as raw:
        start = raw.read(4)
        zipped = start.startswith(GZIP)
        if file.binary is not None or start.startswith(ZSTD):
            layout = layout or layout_of(file, expected)
            table, notes, numbers = read_raw(
                file, layout, columns, strings, types=types, skip_bad_rows=tally.skip
            )
            tally.others += notes
            yield RawPiece(layout, table, numbers)
            return
        raw.seek(0)
        stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw) if zipped else raw)
        yield from _of_text(
            TextStream(file, stream),
            tally,
            layout,
            expected,
            {"columns": columns, "strings": strings},
            lambda: {**(known or {}), **(types or {})},
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
                    column_named(empty, name, used=columns)
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


class _OneByOne(NamedTuple):
    """The rest of the file has quotation marks that polars would misread."""


def _of_text(
    stream: TextStream,
    tally: Tally,
    layout: Layout | None,
    expected: Collection[str],
    options: dict[str, Any],
    types: Callable[[], dict[str, Any]],
) -> Iterator[RawPiece]:
    file = stream.file
    first = stream.read(max(_PIECE, SAMPLE))
    text = checked_text(file, first)._replace(encoding=stream.encoding, line_ends=stream.line_ends)
    layout = layout or text_layout(text, expected)
    tally.others += layout.notes
    if layout.encoding in ("cp1252", "latin-1"):
        tally.add(as_latin(text))
    if layout.kind == "csv":
        lines = layout.header_line + layout.header_lines - 1
        stream.back(_below(first, lines))
    else:
        lines = 0
        stream.back(first.removeprefix(b"\xef\xbb\xbf"))
    any_rows = False
    for data in _pieces(stream, layout):
        if isinstance(data, _OneByOne):
            tables = _one_by_one(stream, layout, tally, lines, options, types)
        else:
            tables = iter([_table(file, data, layout, tally, lines, options, types)])
            lines += data.count(b"\n")
        for table in tables:
            if table.table.height:
                any_rows = True
                yield RawPiece(layout, *table)
    tally.nuls += stream.nuls
    if not any_rows:
        raise InvalidTableError(f"{file.name}: has a first line with names, but no rows")


def _table(
    file: TableFile,
    data: bytes,
    layout: Layout,
    tally: Tally,
    lines: int,
    options: dict[str, Any],
    types: Callable[[], dict[str, Any]],
) -> NumberedTable:
    text = checked_text(file, data, shift=lines)
    if layout.kind == "json lines":
        return read_json_lines(text, tally, columns=options["columns"], types=types())
    return read_csv(text, layout, tally, types=types(), body=True, **options)


def _one_by_one(
    stream: TextStream,
    layout: Layout,
    tally: Tally,
    lines: int,
    options: dict[str, Any],
    types: Callable[[], dict[str, Any]],
) -> Iterator[NumberedTable]:
    encoding = layout.encoding if layout.encoding in ("cp1252", "latin-1") else "utf-8"
    found = good_records(stream.file.name, stream.lines(encoding), layout, tally, lines)
    while some := list(itertools.islice(found, _RECORDS)):
        yield read_records(stream.file, some, layout, types=types(), **options)


def _below(data: bytes, lines: int) -> bytes:
    """Return the text below so many lines."""
    start = 0
    for _ in range(lines):
        start = data.find(b"\n", start) + 1 or len(data)
    return data[start:]


def _pieces(stream: TextStream, layout: Layout) -> Iterator[bytes | _OneByOne]:
    """Yield pieces that end with a record; trailing rows of empty fields go to the next one."""
    rest = b""
    quoted = layout.kind == "csv"
    while read := stream.read(_PIECE):
        rest += read
        odd = quoted and b'"' in rest and has_odd_quotes(rest, layout.separator, whole=False)
        if odd or (quoted and layout.skip_spaces):
            stream.back(rest)
            yield _OneByOne()
            return
        end = _last_end(rest, quoted)
        if not end and quoted and len(rest) > _MOST_PIECES * _PIECE:
            stream.back(rest)  # an unclosed quotation mark
            yield _OneByOne()
            return
        if end and quoted:
            end, _ = end_of_rows(rest[:end], layout.separator, len(layout.names))
        if end and not rest[:end].isspace():
            yield rest[:end]
            rest = rest[end:]
    if rest and not rest.isspace():
        yield rest


def _last_end(data: bytes, quoted: bool) -> int:
    """Return where the last whole record ends; 0 if none does."""
    end = len(data)
    inside = quoted and data.count(b'"') % 2 == 1
    while True:
        before = data.rfind(b"\n", 0, end) + 1
        if before == 0:
            return 0
        if quoted:
            inside ^= data.count(b'"', before, end) % 2 == 1
        if not inside:
            return before
        end = before - 1
