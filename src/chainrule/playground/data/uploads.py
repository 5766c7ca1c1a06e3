"""How large an uploaded table becomes when it is read, which its file's size may not tell.

A few megabytes of compressed zeros become gigabytes. Who starts the playground with a table knows
it; who uploads one may be anybody who has the page's address.
"""

import gzip
import zlib
from pathlib import Path

from chainrule.errors import InvalidTableError

MOST_BYTES = 512 << 20
"""Of a compressed text."""
MOST_VALUES = 100_000_000
"""Rows times columns of a Parquet or Arrow file."""

_PIECE = 1 << 20


def require_bounded(path: Path) -> None:
    """Raise if an uploaded file would take too much memory to read.

    Raises
    ------
    InvalidTableError
        If it would. What is no table at all is not found out here.
    """
    with path.open("rb") as file:
        magic = file.read(6)
    if magic[:2] == b"\x1f\x8b":
        _require_short_text(path)
    elif magic[:4] == b"\x28\xb5\x2f\xfd":
        raise InvalidTableError(
            f"{path}: is compressed by zstd; decompress it before the upload, or compress it by "
            "gzip"
        )
    elif magic[:4] == b"PAR1" or magic == b"ARROW1":
        _require_few_values(path, is_parquet=magic[:4] == b"PAR1")


def _require_short_text(path: Path) -> None:
    size = 0
    try:
        with gzip.open(path) as file:
            while piece := file.read(_PIECE):
                size += len(piece)
                if size > MOST_BYTES:
                    raise InvalidTableError(
                        f"{path}: has more than {MOST_BYTES >> 20} MB when it is decompressed, the "
                        "limit of an upload; give its path to chainrule play instead, which has no "
                        "limit"
                    )
    except (OSError, EOFError, zlib.error):
        return  # a damaged file, of which reading tells more


def _require_few_values(path: Path, is_parquet: bool) -> None:
    import polars as pl

    try:
        frame = pl.scan_parquet(path) if is_parquet else pl.scan_ipc(path)
        values = len(frame.collect_schema()) * int(frame.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError, ValueError):
        return
    if values > MOST_VALUES:
        raise InvalidTableError(
            f"{path}: has {values:,} values, and an upload may have {MOST_VALUES:,}; give its path "
            "to chainrule play instead, which has no limit"
        )
