"""Fuzzes `read_table` and `scan_batches`, which read the tables that users bring."""

import os

import atheris

os.environ.setdefault("POLARS_MAX_THREADS", "1")

with atheris.instrument_imports(include=["chainrule"]):
    from chainrule.errors import InvalidTableError
    from chainrule.tables import batches
    from chainrule.tables.reading import read_table

from harness import fuzz, scratch_file

PATHS = {start: scratch_file(name) for start, name in ((b"\t", ".tsv"), (b"{", ".jsonl"))}
OTHERS = scratch_file(".csv")
batches._PIECE = 64


def one(data: bytes) -> None:
    """Read a table; whatever is accepted has rows, and columns with different names."""
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


if __name__ == "__main__":
    fuzz(one, "csv_table")
