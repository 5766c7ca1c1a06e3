"""Tables larger than memory: Parquet files, read a row group at a time."""

import hashlib
import importlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.errors import InvalidArgumentError, InvalidTableError

if TYPE_CHECKING:
    import polars as pl

PIECE = 1 << 16
"""How many rows of a row group are in memory at most: row groups have any size."""

_MAGIC = b"PAR1"
_FOOTER = 8  # the length of the metadata and the magic bytes, at the end of a file


class Block(NamedTuple):
    """A row group."""

    file: int
    """Index of its file."""
    group: int
    """Its index in the file."""
    first: int
    """How many rows of the file come before it."""
    rows: int


class RawPiece(NamedTuple):
    """Some rows of a block, as they are in the file."""

    table: "pl.DataFrame"
    first: int
    """How many rows of the file come before them."""


@dataclass(frozen=True)
class _File:
    path: Path
    metadata: Any
    """As pyarrow has read it, so that it is read once."""
    size: int
    modified: int
    checksum: str
    """Of the metadata, which hold the place, size and statistics of every column."""


class BlockFiles:
    """Parquet files with one schema, in blocks.

    Parameters
    ----------
    paths : sequence of Path
        In the order of the rows.

    Attributes
    ----------
    blocks : tuple of Block
    columns : tuple of str
    rows : int

    Raises
    ------
    InvalidArgumentError
        If pyarrow is not installed.
    InvalidTableError
        If a file is no Parquet file, is damaged, has other columns than the first one, or if
        there is no row.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = [self._opened(path) for path in paths]
        self._schemas = [one.metadata.schema.to_arrow_schema() for one in self._files]
        self._check_schemas()
        self.columns = tuple(self._schemas[0].names)
        self.blocks = tuple(
            block for place, one in enumerate(self._files) for block in _blocks(place, one.metadata)
        )
        self.rows = sum(block.rows for block in self.blocks)
        if self.rows == 0:
            names = ", ".join(str(path) for path in paths[:3])
            raise InvalidTableError(f"{names}: has columns, but no rows")

    def name_of(self, file: int) -> str:
        """Return the name of a file, for messages."""
        return str(self._files[file].path)

    def rows_before(self, block: Block) -> int:
        """Return how many rows the files before a block's file have."""
        return sum(one.metadata.num_rows for one in self._files[: block.file])

    def key_of(self, file: int) -> int:
        """Return 64 bits that depend on a file's name alone, without its folder."""
        name = self._files[file].path.name.encode("utf-8", "surrogateescape")
        return int.from_bytes(hashlib.sha256(name).digest()[:8], "big")

    @property
    def identity(self) -> str:
        """Text that differs if the files do."""
        digest = hashlib.sha256()
        for one in self._files:
            digest.update(
                f"{one.path.name}\0{one.size}\0{one.checksum}\n".encode("utf-8", "replace")
            )
        return f"{len(self._files)} files, {self.rows} rows, checksum {digest.hexdigest()[:16]}"

    def read(self, block: Block, columns: Sequence[str]) -> Iterator[RawPiece]:
        """Yield the rows of a block, in order, in pieces of at most `PIECE` rows.

        Raises
        ------
        InvalidTableError
            If the file has changed since it was opened, or is damaged.
        """
        import polars as pl

        one, parquet = self._files[block.file], _pyarrow_parquet()
        self._check_unchanged(one)
        first = block.first
        try:
            with parquet.ParquetFile(one.path, metadata=one.metadata) as file:
                pieces = file.iter_batches(PIECE, [block.group], list(columns))
                for piece in pieces:
                    table: Any = pl.from_arrow(piece)
                    yield RawPiece(table, first)
                    first += piece.num_rows
        except (OSError, ValueError) as error:  # what pyarrow raises of damaged files
            if isinstance(error, InvalidTableError | InvalidArgumentError):
                raise
            raise _damaged(one.path, error) from error
        if first != block.first + block.rows:
            raise InvalidTableError(
                f"{one.path}: row group {block.group} has {first - block.first:,} rows, and its "
                f"metadata say {block.rows:,}; write the file again"
            )

    def _opened(self, path: Path) -> _File:
        parquet = _pyarrow_parquet()
        try:
            with path.open("rb") as file:
                start = file.read(len(_MAGIC))
                if start != _MAGIC:
                    raise InvalidTableError(
                        f"{path}: is no Parquet file, and only these are read in row groups. Write "
                        f"it as one, such as by polars: pl.scan_csv({path.name!r})"
                        f".sink_parquet({path.stem + '.parquet'!r})"
                    )
                status = os.fstat(file.fileno())
                metadata = parquet.read_metadata(file)
                checksum = _checksum(file, status.st_size)
        except InvalidTableError:
            raise
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                reason = error.strerror or error
                raise InvalidTableError(f"{path}: cannot be read ({reason})") from error
            raise _damaged(path, error) from error
        return _File(path, metadata, status.st_size, status.st_mtime_ns, checksum)

    def _check_unchanged(self, one: _File) -> None:
        try:
            status = one.path.stat()
        except OSError as error:
            raise InvalidTableError(
                f"{one.path}: cannot be read any more ({error.strerror or error})"
            ) from error
        if (status.st_size, status.st_mtime_ns) != (one.size, one.modified):
            raise InvalidTableError(
                f"{one.path}: was changed since its rows were counted; train again with files that "
                "nothing writes to"
            )

    def _check_schemas(self) -> None:
        expected = {field.name: field.type for field in self._schemas[0]}
        where = self._files[0].path
        for one, schema in zip(self._files[1:], self._schemas[1:], strict=True):
            found = {field.name: field.type for field in schema}
            for name in [*expected, *found]:
                if name not in found or name not in expected:
                    lacking = one.path if name not in found else where
                    raise InvalidTableError(
                        f"{lacking}: has no column {name!r}, which other files of this table have; "
                        "all files need the same columns"
                    )
                if found[name] != expected[name]:
                    raise InvalidTableError(
                        f"{one.path}: column {name!r} is {found[name]}, and {expected[name]} in "
                        f"{where}; write all files with the same types"
                    )


def _blocks(place: int, metadata: Any) -> Iterator[Block]:
    first = 0
    for index in range(metadata.num_row_groups):
        rows = metadata.row_group(index).num_rows
        if rows:
            yield Block(place, index, first, rows)
        first += rows


def _checksum(file: Any, size: int) -> str:
    file.seek(size - _FOOTER)
    length = int.from_bytes(file.read(4), "little")
    file.seek(max(0, size - _FOOTER - length))
    return hashlib.sha256(file.read(length)).hexdigest()[:16]


def _damaged(path: Path, error: Exception) -> InvalidTableError:
    reason = str(error).partition("\n")[0]
    return InvalidTableError(
        f"{path}: is damaged, or was not written to its end ({reason}); write it again"
    )


def _pyarrow_parquet() -> Any:
    try:
        return importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise InvalidArgumentError(
            "files: reading tables in row groups needs pyarrow; install it with pip install "
            f"'chainrule[stream]' ({error})"
        ) from error
