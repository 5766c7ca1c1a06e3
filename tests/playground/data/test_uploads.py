"""Uploads that are small as files and large as tables."""

import gzip

import polars as pl
import pytest

from chainrule.errors import InvalidTableError
from chainrule.playground.data import uploads
from chainrule.playground.data.tables import OwnTables
from chainrule.playground.data.uploads import require_bounded


def test_a_text_that_becomes_too_long_is_refused_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES", 3 << 20)
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"0" * (4 << 20)))
    tables = OwnTables()
    with pytest.raises(InvalidTableError, match=r"^bomb\.csv\.gz: has more than 3 MB when it is"):
        tables.add(path, "bomb.csv.gz")
    assert tables.all() == []
    path.write_bytes(gzip.compress(b"0" * (2 << 20)))
    require_bounded(path)


@pytest.mark.parametrize("write", ["write_parquet", "write_ipc"])
def test_a_table_of_too_many_values_is_refused(tmp_path, monkeypatch, write):
    path = tmp_path / "table"
    table = pl.DataFrame({"a": [0] * 1_000, "b": [1] * 1_000})
    getattr(table, write)(path)
    require_bounded(path)
    monkeypatch.setattr(uploads, "MOST_VALUES", 1_999)
    with pytest.raises(InvalidTableError, match="has 2,000 values, and an upload may have 1,999"):
        require_bounded(path)


def test_zstd_is_refused_with_a_remedy(tmp_path):
    path = tmp_path / "t.csv.zst"
    path.write_bytes(bytes.fromhex("28b52ffd") + b"anything")
    with pytest.raises(InvalidTableError, match="decompress it before the upload"):
        require_bounded(path)


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", b"\x1f\x8bdamaged", b"PAR1damaged", b"ARROW1damaged"]
)
def test_what_is_short_or_no_table_is_left_to_the_reader(tmp_path, content):
    path = tmp_path / "t"
    path.write_bytes(content)
    require_bounded(path)
