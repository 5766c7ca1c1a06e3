"""Rows and lines counted by hand, and by Python's csv module."""

import csv
import gzip
import io

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.tables import batches
from chainrule.tables.csv_bytes import lines_of_records
from chainrule.tables.reader import read_by, read_for_training, read_with_notes
from chainrule.tables.records import Tally
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.sources import open_table


def places(path, **options):
    """Return number, line and first value of each row, as the whole file is read."""
    found = read_with_notes(path, **options)
    lines = found.numbers.lines
    return list(
        zip(
            found.numbers.rows.tolist(),
            [None] * len(found.numbers) if lines is None else lines.tolist(),
            found.table.to_series(0).to_list(),
            strict=True,
        )
    )


def places_in_pieces(path, *, skip=False):
    """Return the same as the file is read piece by piece."""
    found = []
    for _, table, numbers in batches.raw_batches(open_table(path), Tally(skip), strings=True):
        lines = [None] * len(numbers) if numbers.lines is None else numbers.lines.tolist()
        found += zip(numbers.rows.tolist(), lines, table.to_series(0).to_list(), strict=True)
    return found


TABLES = {
    "plain": ("a,b\nu,1\nv,2\n", False, [(1, 2, "u"), (2, 3, "v")]),
    "no line end at the end": ("a,b\nu,1\nv,2", False, [(1, 2, "u"), (2, 3, "v")]),
    "carriage returns": ("a,b\r\nu,1\r\n\r\nv,2\r\n", False, [(1, 2, "u"), (2, 4, "v")]),
    "blank lines": ("a,b\n\nu,1\n\n\nv,2\n", False, [(1, 3, "u"), (2, 6, "v")]),
    "a title": ("Report of the year\na,b\nu,1\nv,2\n", False, [(1, 3, "u"), (2, 4, "v")]),
    "comments": (
        "# by a tool\n# 2026\na,b\nu,1\n# later\nv,2\n",
        False,
        [(1, 4, "u"), (2, 6, "v")],
    ),
    "sep=": ("sep=;\na;b\nu;1\nv;2\n", False, [(1, 3, "u"), (2, 4, "v")]),
    "quoted line breaks": (
        'a,b\nu,"1\n2"\nv,3\nw,"4\n\n5"\nx,6\n',
        False,
        [(1, 2, "u"), (2, 4, "v"), (3, 5, "w"), (4, 8, "x")],
    ),
    "line breaks in the names": ('a,"b\nc"\nu,1\nv,2\n', False, [(1, 3, "u"), (2, 4, "v")]),
    "bad rows": ("a,b\nu,1\nbad\nv,2\nw,3,4\nx,5\n", True, [(1, 2, "u"), (3, 4, "v"), (5, 6, "x")]),
    "an open mark": ('a,b\n"u,1\nv,2\nw,3\n', True, [(2, 3, "v"), (3, 4, "w")]),
    "rows of empty fields": (
        "a,b\nu,1\n,\nv,2\n,\n,\n",
        False,
        [(1, 2, "u"), (2, 3, None), (3, 4, "v")],
    ),
    "empty rows, then a bad one": (
        "a,b\nu,1\n,\nbad\nv,2\n",
        True,
        [(1, 2, "u"), (2, 3, None), (4, 5, "v")],
    ),
    "repeated names": ("a,b\nu,1\na,b\nv,2\n", False, [(1, 2, "u"), (2, 4, "v")]),
    "a stray mark": ('a,b\nu,3"\nv,"x\ny"\nw,2\n', False, [(1, 2, "u"), (2, 3, "v"), (3, 5, "w")]),
    "row names": (",a,b\n0,u,1\n1,v,2\n", False, [(1, 2, "u"), (2, 3, "v")]),
}


@pytest.mark.parametrize(("text", "skip", "expected"), TABLES.values(), ids=TABLES)
def test_rows_have_the_number_and_the_line_of_the_file(tmp_path, text, skip, expected):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    assert places(path, skip_bad_rows=skip) == expected


@pytest.mark.parametrize("size", [1, 12, 1 << 20])
@pytest.mark.parametrize(("text", "skip", "expected"), TABLES.values(), ids=TABLES)
def test_rows_of_a_file_in_pieces_have_the_same_numbers(
    tmp_path, monkeypatch, text, skip, expected, size
):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    monkeypatch.setattr(batches, "_PIECE", size)
    monkeypatch.setattr(batches, "_RECORDS", 2)
    assert places_in_pieces(path, skip=skip) == expected


@pytest.mark.parametrize(
    ("text", "skip", "expected"),
    [
        ('{"a":"u"}\n{"a":"v"}\n', False, [(1, 1, "u"), (2, 2, "v")]),
        ('\n{"a":"u"}\n  \n{"a":"v"}', False, [(1, 2, "u"), (2, 4, "v")]),
        ('{"a":"u"}\n[1]\n\n{"a":"v"}\n', True, [(1, 1, "u"), (3, 4, "v")]),
    ],
)
def test_rows_of_json_lines_have_numbers_and_lines(tmp_path, text, skip, expected):
    path = tmp_path / "t.jsonl"
    path.write_text(text)
    assert places(path, skip_bad_rows=skip) == expected
    assert places_in_pieces(path, skip=skip) == expected


def test_rows_of_a_parquet_file_have_no_lines(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": ["u", "v", "w"]}).write_parquet(path)
    assert places(path) == [(1, None, "u"), (2, None, "v"), (3, None, "w")]
    pieces = batches.raw_batches(open_table(path), Tally(), rows=2)
    assert [numbers.rows.tolist() for _, _, numbers in pieces] == [[1, 2], [3]]


FIELD = st.text("ab \n\r,", max_size=5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(FIELD, FIELD), min_size=1, max_size=20), st.sampled_from(["\n", "\r\n"]))
def test_records_begin_on_the_lines_on_which_pythons_reader_finds_them(rows, end):
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=end).writerows(rows)
    # Counted by "\n" alone, as the lines of a text with such ends are.
    expected, line = [], 1
    for row in rows:
        expected.append(line)
        line += sum(field.count("\n") for field in row) + 1
    found = lines_of_records(text.getvalue().encode(), quoted=True)
    assert found.tolist() == expected


def test_numbers_stay_with_their_rows_where_some_are_chosen():
    numbers = RowNumbers.counted(9, 11)[[2, 5, 8]]
    assert numbers.rows.tolist() == [13, 16, 19]
    assert numbers[1:].rows.tolist() == [16, 19]
    assert numbers.named(1) == "row 16"


def test_a_row_is_found_by_its_number(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\nu,1\nbad\nv,2\n")
    found = read_with_notes(path, skip_bad_rows=True)
    assert found.numbers.index_of(3, "--row", "t.csv") == 1
    assert found.numbers.named(1) == "row 3 (line 4)"
    with pytest.raises(InvalidArgumentError, match=r"--row: row 2 of t\.csv cannot be read"):
        found.numbers.index_of(2, "--row", "t.csv")
    for row in (0, -1, 4):
        with pytest.raises(InvalidArgumentError, match=f"from 1 to 3, the last .*; got {row}"):
            found.numbers.index_of(row, "--row", "t.csv")


def test_notes_on_values_name_the_row_of_the_file(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{n},x" for n in range(100)]
    path.write_text("\n".join(["# title", "a,b", *rows[:40], "bad", *rows[40:], "1O,y"]) + "\n")
    notes = read_for_training(path, skip_bad_rows=True).notes
    assert "in row 102 (line 104)" in " ".join(map(str, notes))


def test_a_model_refuses_a_value_by_the_row_of_the_file(tmp_path):
    first = tmp_path / "t.csv"
    first.write_text("a,b\n" + "1,2\n2,1\n" * 10)
    reading = read_for_training(first).reading
    path = tmp_path / "new.csv"
    path.write_text("a,b\n\nx,2\ny,1\n")
    with pytest.raises(InvalidTableError, match=r"the first in row 1 \(line 3\)"):
        read_by(path, reading)
