"""Fuzzes `read_table`, which reads the tables that users bring."""

import os

import atheris

os.environ.setdefault("POLARS_MAX_THREADS", "1")

with atheris.instrument_imports(include=["chainrule"]):
    from chainrule.errors import InvalidTableError
    from chainrule.tables.reading import read_table

from harness import fuzz, scratch_file

PATHS = [scratch_file(suffix) for suffix in (".csv", ".tsv")]


def one(data: bytes) -> None:
    """Read a table; whatever is accepted has rows, and columns with different names."""
    path = PATHS[data[:1] == b"\t"]
    path.write_bytes(data)
    try:
        table = read_table(path)
    except InvalidTableError:
        return
    assert table.height > 0
    assert len(set(table.columns)) == table.width


if __name__ == "__main__":
    fuzz(one, "csv_table")
