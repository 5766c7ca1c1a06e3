"""Parquet files in blocks: their rows, and what is wrong with them."""

import os

import polars as pl
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.tables import blocks
from chainrule.tables.blocks import BlockFiles
from chainrule.tables.patterns import files_named
from tests.tables.streams import numbers, write


@pytest.fixture
def pattern(tmp_path):
    return write(tmp_path / "data", numbers())


def opened(pattern):
    return BlockFiles(files_named(pattern))


def rows_of(files):
    pieces = [piece.table for block in files.blocks for piece in files.read(block, files.columns)]
    return pl.concat(pieces)


def test_the_blocks_hold_the_rows_of_the_files_in_the_order_of_their_names(pattern):
    files = opened(pattern)
    assert files.rows == 600
    assert len(files.blocks) == 12
    assert files.columns == ("a", "b", "y")
    assert_frame_equal(rows_of(files), numbers())


def test_files_can_be_named_one_by_one_and_each_counts_once(pattern):
    names = [pattern.replace("*", f"part{number}") for number in (2, 0)]
    files = opened([*names, pattern])
    expected = pl.concat([numbers()[400:], numbers()[:200], numbers()[200:400]])
    assert_frame_equal(rows_of(files), expected)


def test_a_large_row_group_is_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "PIECE", 64)
    files = opened(write(tmp_path / "data", numbers(), files=1, group=600))
    (block,) = files.blocks
    pieces = list(files.read(block, ["b"]))
    assert [piece.first for piece in pieces] == list(range(0, 600, 64))
    assert max(piece.table.height for piece in pieces) == 64
    assert_frame_equal(pl.concat([piece.table for piece in pieces]), numbers()[["b"]])


def test_the_identity_changes_with_the_rows(pattern, tmp_path):
    before = opened(pattern).identity
    assert opened(pattern).identity == before
    numbers(seed=1)[:200].write_parquet(tmp_path / "data" / "part0.parquet", row_group_size=50)
    assert opened(pattern).identity != before


def refusal(what, error=InvalidTableError):
    with pytest.raises(error) as caught:
        rows_of(opened(what))
    return str(caught.value)


def test_a_pattern_without_files_is_named(tmp_path):
    assert "*.parquet: no file matches it" in refusal(tmp_path / "*.parquet")
    assert "none.parquet: no such file" in refusal(tmp_path / "none.parquet")


def test_text_is_refused_with_the_way_to_make_parquet_of_it(tmp_path):
    numbers().write_csv(tmp_path / "part.csv")
    message = refusal(tmp_path / "*.csv")
    assert "part.csv: is no Parquet file" in message
    assert "sink_parquet('part.parquet')" in message


def test_a_truncated_file_is_named(pattern, tmp_path):
    path = tmp_path / "data" / "part1.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "part1.parquet: is damaged" in refusal(pattern)
    path.write_bytes(whole[:4])
    assert "part1.parquet: is damaged" in refusal(pattern)


def test_bytes_that_are_damaged_within_a_file_are_noticed_when_they_are_read(tmp_path):
    pattern = write(tmp_path / "data", numbers(), files=1, group=600)
    path = tmp_path / "data" / "part0.parquet"
    data = bytearray(path.read_bytes())
    place = pq.read_metadata(path).row_group(0).column(0).data_page_offset
    data[place : place + 200] = bytes([255]) * 200
    path.write_bytes(bytes(data))
    assert "part0.parquet: is damaged" in refusal(pattern)


def test_a_file_with_other_columns_or_types_is_named_with_the_difference(pattern, tmp_path):
    path = tmp_path / "data" / "part1.parquet"
    numbers()[:50].drop("b").write_parquet(path)
    assert "part1.parquet: has no column 'b'" in refusal(pattern)
    numbers()[:50].with_columns(pl.col("b").cast(pl.Float64)).write_parquet(path)
    message = refusal(pattern)
    assert "part1.parquet: column 'b' is double, and float in" in message
    numbers()[:50].with_columns(c=1).write_parquet(path)
    assert "part0.parquet: has no column 'c'" in refusal(pattern)


def test_a_file_that_changes_after_it_was_opened_is_an_error(pattern, tmp_path):
    files = opened(pattern)
    path = tmp_path / "data" / "part1.parquet"
    os.utime(path, ns=(1, 1))
    with pytest.raises(InvalidTableError, match=r"part1\.parquet: was changed since"):
        rows_of(files)
    path.unlink()
    with pytest.raises(InvalidTableError, match=r"part1\.parquet: cannot be read any more"):
        rows_of(files)


def test_files_without_rows_are_refused(tmp_path):
    numbers()[:0].write_parquet(tmp_path / "empty.parquet")
    assert "has columns, but no rows" in refusal(tmp_path / "*.parquet")


def test_without_pyarrow_the_error_says_what_to_install(pattern, monkeypatch):
    def absent(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(blocks.importlib, "import_module", absent)
    message = refusal(pattern, InvalidArgumentError)
    assert "pip install 'chainrule[stream]'" in message
