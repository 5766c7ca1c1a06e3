"""Reading a table, or saying in one sentence why it cannot be read."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import InvalidTableError
from chainrule.tables.frames import as_frame

if TYPE_CHECKING:
    import polars as pl

_SEPARATORS = {".tsv": "\t", ".tab": "\t"}
_SEPARATOR_NAMES = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}

# What people hand over instead of a CSV file, by its first bytes.
_OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel workbook or another ZIP archive: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as CSV",
    b"PAR1": "a Parquet file: save the table as CSV",
    b"\x1f\x8b": "compressed (gzip): decompress it first",
    b"\x28\xb5\x2f\xfd": "compressed (zstd): decompress it first",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
}


def as_table(table: Any) -> "pl.DataFrame":
    """Return a table as a polars DataFrame: one in memory, or what a path names, read.

    Raises
    ------
    InvalidTableError
        If the file cannot be read as a table, or the table has no rows.
    InvalidArgumentError
        If it is neither.
    """
    return read_table(table) if isinstance(table, str | Path) else as_frame(table)


def read_table(path: str | Path) -> "pl.DataFrame":
    """Read a table from a CSV file (.tsv and .tab: separated by tabs), in UTF-8.

    The first line names the columns. A column is numbers if all of its values are, else true/false,
    else text; spaces around names and values do not count, and neither do blank lines.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    polars.DataFrame

    Raises
    ------
    InvalidTableError
        If there is no such file or it is not a table; the message says what is wrong, and on
        which line.
    """
    path = Path(path)
    separator = _SEPARATORS.get(path.suffix.lower(), ",")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidTableError(f"{path}: cannot be read ({error.strerror or error})") from error
    _check_is_text(path, data)
    try:
        header = _header(path, data, separator)
        return _body(path, data, separator, header)
    except UnicodeDecodeError as error:
        raise InvalidTableError(f"{path}: {_undecodable(data)}; save it as UTF-8") from error
    except csv.Error as error:
        raise InvalidTableError(f"{path}: cannot be read as CSV ({error})") from error


def _check_is_text(path: Path, data: bytes) -> None:
    if not data or data.isspace():
        raise InvalidTableError(f"{path}: is empty")
    for start, description in _OTHER_FORMATS.items():
        if data.startswith(start):
            raise InvalidTableError(f"{path}: is {description}")
    if b"\0" in data:
        raise InvalidTableError(f"{path}: is a binary file, not a table of text (CSV)")


def _records(data: bytes, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record, blank ones too, with the number of its last line. Slow but exact."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=separator)
    for record in reader:
        yield reader.line_num, record


def _header(path: Path, data: bytes, separator: str) -> list[str]:
    """Return the names of the columns; read here, since polars renames duplicates in silence."""
    record = next((record for _, record in _records(data, separator) if record), [])
    header = [name.strip() for name in record]
    for number, name in enumerate(header, start=1):
        if not name:
            raise InvalidTableError(
                f"{path}: column {number} of {len(header)} has no name in the first line; "
                "name it or remove it"
            )
        first = header.index(name) + 1
        if first != number:
            raise InvalidTableError(
                f"{path}: two columns are named {name!r} (columns {first} and {number}); "
                "rename or remove one"
            )
    if len(header) == 1:
        for other in ",;\t|":
            if other in header[0]:
                raise InvalidTableError(
                    f"{path}: its first line is one name, {header[0]!r}, which looks separated by "
                    f"{_SEPARATOR_NAMES[other]}; expected {_SEPARATOR_NAMES[separator]} "
                    "(a file whose name ends in .tsv: tabs)"
                )
    return header


def _body(path: Path, data: bytes, separator: str, header: list[str]) -> "pl.DataFrame":
    import polars as pl

    failures = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
    try:
        # Types from all rows: a column whose first thousand values are whole may go on otherwise.
        table = pl.read_csv(data, separator=separator, infer_schema_length=None)
    except failures:
        try:  # whole numbers too long for any integer type, say: as text first
            table = pl.read_csv(data, separator=separator, infer_schema=False)
        except failures as error:
            _check_records(path, data, separator, header)
            data.decode()
            reason = str(error).partition("\n")[0]
            raise InvalidTableError(f"{path}: cannot be read as CSV ({reason})") from error
    if table.width != len(header):
        raise InvalidTableError(
            f"{path}: its first line names {len(header)} columns, but its rows have {table.width}; "
            "are the line ends those of Linux, macOS or Windows?"
        )
    table.columns = header
    if table.height and table[:, -1].null_count():
        # polars fills short records up with missing values, and reads a blank line as one.
        blank = _check_records(path, data, separator, header)
        if any(blank) and len(blank) == table.height:
            table = table.filter(~pl.Series(blank))
    if table.height == 0:
        raise InvalidTableError(f"{path}: has a first line with names, but no rows")
    return table.with_columns(
        [_typed(column) for column in table.iter_columns() if column.dtype == pl.String]
    )


def _check_records(path: Path, data: bytes, separator: str, header: list[str]) -> list[bool]:
    """Raise if a record has another length than the header; return which of them are blank."""
    blank = []
    names_seen = False
    for line, record in _records(data, separator):
        if not names_seen:
            names_seen = bool(record)
            continue
        blank.append(not record)
        if record and len(record) != len(header):
            raise InvalidTableError(
                f"{path}: line {line} has {len(record)} fields where the first line names "
                f"{len(header)} columns; is a quotation mark left open, or a separator too many "
                "or missing?"
            )
    return blank


def _typed(column: "pl.Series") -> "pl.Series":
    """Return a column of text without surrounding spaces; as numbers if all of it is numbers."""
    import polars as pl

    text = column.str.strip_chars()
    text = text.set(text == "", None)
    for dtype in (pl.Int64, pl.Float64):
        numbers = text.cast(dtype, strict=False)
        if numbers.null_count() == text.null_count():
            return numbers
    return text


def _undecodable(data: bytes) -> str:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return f"line {line} is not UTF-8 text"
    return "is not UTF-8 text"
