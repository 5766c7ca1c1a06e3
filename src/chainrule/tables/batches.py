"""Tables larger than memory: a file read in pieces."""

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from chainrule.checks import whole_number
from chainrule.errors import InvalidTableError
from chainrule.tables.columns import column_named
from chainrule.tables.csv_files import layout_of, read_csv
from chainrule.tables.json_lines import read_json_lines
from chainrule.tables.notes import Note
from chainrule.tables.reading import binary_kind, is_json_lines, openable, read_with_notes
from chainrule.tables.text import checked_text

if TYPE_CHECKING:
    import polars as pl

# A piece of text that is read at a time; a row that is longer makes it longer.
_PIECE = 1 << 25
_MOST_PIECES = 16
_GZIP, _WHOLE = b"\x1f\x8b", (b"\x28\xb5\x2f\xfd", b"\xff\xfe", b"\xfe\xff")


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
    (zstd, UTF-16, Arrow streams) is read whole and handed out in pieces.

    Parameters
    ----------
    path : str or Path
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
        Gets the notes of `read_with_notes`, one for each piece that has some.

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
    path = openable(path)
    found: list[Note] = [] if notes is None else notes
    given = {} if types is None else dict(types)
    try:
        kind = binary_kind(path)
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise InvalidTableError(f"{path}: cannot be read ({error.strerror or error})") from error
    pieces: Iterator[pl.DataFrame]
    if kind in ("Parquet", "Arrow"):
        yield from _of_columns(path, kind, rows, columns)
        return
    if kind is not None or start.startswith(_WHOLE):
        table, more = read_with_notes(
            path, skip_bad_rows=skip_bad_rows, columns=columns, types=given
        )
        found += more
        pieces = iter([table])
    else:
        pieces = _of_text(path, start.startswith(_GZIP), columns, given, skip_bad_rows, found)
    for piece in pieces:
        yield from piece.iter_slices(rows)


def _of_columns(
    path: Path, kind: str, rows: int, columns: Sequence[str] | None
) -> Iterator["pl.DataFrame"]:
    import polars as pl

    failures = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
    start = 0
    while True:
        try:
            scan = pl.scan_parquet if kind == "Parquet" else pl.scan_ipc
            lazy = scan(path, glob=False) if kind == "Parquet" else scan(path)
            if columns is not None:
                empty = pl.DataFrame(schema=dict.fromkeys(lazy.collect_schema(), pl.Null))
                for name in columns:
                    column_named(empty, name)
                lazy = lazy.select(columns)
            piece = lazy.slice(start, rows).collect()
        except failures as error:
            reason = str(error).partition("\n")[0]
            raise InvalidTableError(f"{path}: cannot be read as {kind} ({reason})") from error
        if piece.height:
            yield piece
        elif start == 0:
            raise InvalidTableError(f"{path}: has columns, but no rows")
        start += piece.height
        if piece.height < rows:
            return


def _of_text(
    path: Path,
    zipped: bool,
    columns: Sequence[str] | None,
    types: dict[str, Any],
    skip_bad_rows: bool,
    notes: list[Note],
) -> Iterator["pl.DataFrame"]:
    layout, head = None, b""
    known: dict[str, Any] = {}
    lines = 0
    with path.open("rb") as raw:
        file = cast(IO[bytes], gzip.GzipFile(fileobj=raw) if zipped else raw)
        json_lines = is_json_lines(path, _read(path, file, 64))
        file.seek(0)
        pieces = _pieces(path, file, quoted=not json_lines)
        if not json_lines:
            pieces = _with_a_row(pieces)
        for data in pieces:
            text = checked_text(path, head + data, on_disk=False)
            text = text._replace(lines_before=max(0, lines - head.count(b"\n")))
            if json_lines:
                table, more = read_json_lines(
                    text, skip_bad_rows=skip_bad_rows, columns=columns, types=known
                )
            else:
                layout = layout or layout_of(text)
                table, more = read_csv(
                    text,
                    skip_bad_rows=skip_bad_rows,
                    columns=columns,
                    types={**known, **types},
                    layout=layout,
                )
                head = head or _first_record(bytes(text.data))
            lines += data.count(b"\n")
            notes += more
            known = known or dict(table.schema)
            yield table


def _pieces(path: Path, file: IO[bytes], *, quoted: bool) -> Iterator[bytes]:
    """Yield pieces that end where a line does, outside quotation marks if these count."""
    rest, any_yet = b"", False
    while read := _read(path, file, _PIECE):
        rest += read
        end = _last_end(rest, quoted)
        if not end and len(rest) > _MOST_PIECES * _PIECE:
            end = _last_end(rest, False)  # a quotation mark that ends nowhere is a letter
        if end and not rest[:end].isspace():
            yield rest[:end]
            rest, any_yet = rest[end:], True
    if not any_yet or (rest and not rest.isspace()):
        yield rest


def _with_a_row(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield pieces of which the first has more than the line of names, if there is more."""
    first = next(pieces)
    for more in pieces:
        if len(_first_record(first)) < len(first):
            yield first
            yield more
            yield from pieces
            return
        first += more
    yield first


def _read(path: Path, file: IO[bytes], size: int) -> bytes:
    try:
        return file.read(size)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidTableError(f"{path}: is a damaged gzip file ({error})") from error


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


def _first_record(data: bytes) -> bytes:
    """Return the line of names, blank lines before it too."""
    end = 0
    while True:
        end = data.find(b"\n", end) + 1
        if end == 0:
            return data + b"\n"
        if data[:end].count(b'"') % 2 == 0 and not data[:end].isspace():
            return data[:end]
