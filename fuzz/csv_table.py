"""Fuzzes `read_table` and `scan_batches`, which read the tables that users bring.

Bytes that begin with a percent sign are the seed of a table whose columns are written as people
write them; it must be read again as it was read to be learned from.
"""

import os
import random

import atheris

os.environ.setdefault("POLARS_MAX_THREADS", "1")

with atheris.instrument_imports(include=["chainrule"]):
    from chainrule.errors import InvalidTableError
    from chainrule.tables import batches
    from chainrule.tables.reader import read_by, read_for_training, read_table

import written
from harness import fuzz, scratch_file

PATHS = {start: scratch_file(name) for start, name in ((b"\t", ".tsv"), (b"{", ".jsonl"))}
OTHERS = scratch_file(".csv")
batches._PIECE = 64


def one(data: bytes) -> None:
    """Read a table; whatever is accepted has rows, and columns with different names."""
    if data[:1] == b"%":
        data = written.table(random.Random(data))
        reread(data)
    path = PATHS.get(data[:1], OTHERS)
    path.write_bytes(data)
    for skip in (False, True):
        try:
            table = read_table(path, skip_bad_rows=skip)
        except InvalidTableError:
            table = None
        try:
            pieces = list(batches.scan_batches(path, skip_bad_rows=skip))
        except InvalidTableError:
            continue
        assert all(piece.height for piece in pieces)
        if table is None:
            continue
        assert table.height > 0
        assert len(set(table.columns)) == table.width
        if path == OTHERS:
            assert sum(piece.height for piece in pieces) == table.height


def reread(data: bytes) -> None:
    """Read a table to learn from, and again by that reading: the same values."""
    OTHERS.write_bytes(data)
    try:
        first = read_for_training(OTHERS)
    except InvalidTableError:
        return
    again = read_by(OTHERS, first.reading).table
    for column in first.table.iter_columns():
        if column.null_count() < column.len():  # words for missing alone are no notation
            assert again[column.name].cast(column.dtype).equals(column), column.name


if __name__ == "__main__":
    fuzz(one, "csv_table")
