import contextlib
import csv
import io
import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.tables.reading import as_table, read_table


@pytest.fixture
def written(tmp_path):
    """Write bytes or text to a file and return its path."""

    def write(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_numbers_true_false_and_text_are_told_apart(written):
    table = read_table(written("a,b,c,d\n1,1.5,true,x\n-2,3,false,y\n"))
    assert table.to_dict(as_series=False) == {
        "a": [1, -2],
        "b": [1.5, 3.0],
        "c": [True, False],
        "d": ["x", "y"],
    }


def test_a_column_has_one_type_however_late_its_first_fraction_comes(written):
    table = read_table(written("a\n" + "1\n" * 5000 + "1.5\n"))
    assert table["a"].dtype == pl.Float64
    assert table["a"][-1] == 1.5


def test_spaces_around_names_and_values_do_not_count(written):
    table = read_table(written(" a , b\n 1 , x\n2, y \n"))
    assert table.to_dict(as_series=False) == {"a": [1, 2], "b": ["x", "y"]}


def test_a_byte_order_mark_and_windows_line_ends_are_understood(written):
    table = read_table(written(b"\xef\xbb\xbfa,b\r\n1,2\r\n3,4\r\n"))
    assert table.to_dict(as_series=False) == {"a": [1, 3], "b": [2, 4]}


def test_quoted_values_may_hold_separators_quotes_and_line_ends(written):
    table = read_table(written('a,b\n"x, ""y""\nz",1\n'))
    assert table.rows() == [('x, "y"\nz', 1)]


def test_a_tsv_file_is_separated_by_tabs(written):
    assert read_table(written("a\tb\n1,5\t2\n", "table.tsv")).columns == ["a", "b"]


def test_blank_lines_are_no_rows(written):
    assert read_table(written("a,b\n1,2\n\n3,4\n\n\n")).rows() == [(1, 2), (3, 4)]


def test_a_row_of_empty_fields_is_a_row_of_missing_values(written):
    assert read_table(written("a,b\n1,2\n,\n3,4\n\n")).rows() == [(1, 2), (None, None), (3, 4)]


def test_whole_numbers_beyond_every_integer_type_are_read_as_floats(written):
    table = read_table(written(f"a,b\n{'9' * 60},1\n2,3\n"))
    assert table["a"].to_list() == [float("9" * 60), 2.0]


def test_a_path_with_wildcards_names_one_file(written):
    assert read_table(written("a\n1\n", "x[1]*.csv")).height == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("a,b\n", "no rows"),
        ("a,b\n\n\n", "no rows"),
        ("a,b\n1,2\n3,4,5\n", "line 3 has 3 fields"),
        ("a,b,c\n1,2,3\n4,5\n6,7,8\n", "line 3 has 2 fields"),
        ('a,b\n"1,2\n3,4\n', "has 1 fields"),
        ("a,b,a\n1,2,3\n", r"two columns are named 'a' \(columns 1 and 3\)"),
        ("a, a\n1,2\n", r"two columns are named 'a' \(columns 1 and 2\)"),
        (",a\n0,1\n", "column 1 of 2 has no name"),
        ("a;b\n1;2\n", "separated by semicolons; expected commas"),
        ("a\tb\n1\t2\n", "separated by tabs; expected commas"),
        (b"a,b\n1,2\n\xff\xfe,3\n", "line 3 is not UTF-8"),
        (b"\xffa,b\n1,2\n", "line 1 is not UTF-8"),
        (b"a,b\n1,\x00\n", "is a binary file"),
        (b"PK\x03\x04more", "an Excel workbook"),
        (b"PAR1more", "a Parquet file"),
        (b"\x1f\x8bmore", "compressed"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"a,b\r1,2\r", "line ends"),
        (b"a" * 200_000 + b",b\n1,2\n", "field larger than field limit"),
    ],
)
def test_what_is_not_a_table_is_refused_in_one_sentence(written, content, message):
    path = written(content)
    with pytest.raises(InvalidTableError, match=message) as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InvalidTableError, match="No such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InvalidTableError, match="Is a directory"):
        read_table(tmp_path)


def test_a_table_in_memory_is_taken_as_it_is():
    table = pl.DataFrame({"a": [1]})
    assert as_table(table) is table


def test_what_is_neither_path_nor_table_is_refused():
    with pytest.raises(InvalidArgumentError, match=r"Arrow table, or an array .*; got dict"):
        as_table({"a": [1, 2]})
    with pytest.raises(InvalidTableError, match="at least one row"):
        as_table(pl.DataFrame({"a": []}))


NUMBERS = st.one_of(
    st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False)
)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@given(
    rows=st.lists(st.tuples(NUMBERS, WORDS.map(lambda word: f"w{word}w")), min_size=1, max_size=20)
)
def test_what_the_csv_module_writes_reads_back(tmp_path_factory, rows):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([("number", "word"), *rows])
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    table = read_table(path)
    assert table["number"].to_list() == [number for number, _ in rows]
    assert table["word"].to_list() == [word for _, word in rows]


PIECES = st.sampled_from(
    [*b',;\t\n\r" \0\xffab19.-', b"nan", b"1e999", b"\r\n", b'""', b"\xef\xbb\xbf", b"9" * 50]
).map(lambda piece: bytes([piece]) if isinstance(piece, int) else piece)


@given(content=st.lists(PIECES, max_size=30).map(b"".join))
def test_any_bytes_are_a_table_or_an_invalid_table(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    path.write_bytes(content)
    with contextlib.suppress(InvalidTableError):
        table = read_table(path)
        assert table.height >= 1
        assert all(table.columns)


def test_not_a_number_and_infinity_in_a_column_of_numbers_are_numbers(written):
    values = read_table(written("a,b\nnan,1\ninf,2\n3,3\n"))["a"].to_list()
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, 3.0]
