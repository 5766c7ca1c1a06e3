import contextlib
import csv
import gzip
import io
import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.tables.reader import as_table, read_by, read_table, read_with_notes
from chainrule.tables.table_notations import TableReading


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


def test_codes_keep_leading_zeros_that_stand_in_one_place_of_a_large_file(written):
    codes = [f"{10_000 + row % 90_000}" for row in range(200_000)]
    codes[9_000:9_010] = ["01234"] * 10  # between two places that a sample looks at
    path = written("code,x\n" + "".join(f"{code},{row % 7}\n" for row, code in enumerate(codes)))
    table = read_table(path)
    assert table["code"].dtype == pl.String
    assert table["code"].to_list() == codes
    assert table["x"].dtype == pl.Int64


def test_shorter_numbers_in_one_place_of_a_large_file_are_numbers(written):
    numbers = [10_000 + row % 90_000 for row in range(200_000)]
    numbers[9_000:9_010] = [123] * 10
    table = read_table(written("n,x\n" + "".join(f"{n},1.5\n" for n in numbers)))
    assert table["n"].dtype == pl.Int64
    assert table["n"].to_list() == numbers


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


def test_whole_numbers_beyond_every_float_are_names_and_keep_their_digits(written):
    table = read_table(written(f"a,b\n{'9' * 60},1\n2,3\n"))
    assert table["a"].to_list() == ["9" * 60, "2"]


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
        ('a,b\n"1,2\n3,4\n', "line 2 opens a quotation mark that is never closed"),
        ("a,b,a\n1,2,3\n", r"two columns are named 'a' \(columns 1 and 3\)"),
        ("a, a\n1,2\n", r"two columns are named 'a' \(columns 1 and 2\)"),
        ("a,,b\n0,1,2\n", "column 2 of 3 has no name"),
        (",\n0,1\n", "column 1 of 2 has no name"),
        ("a,b,\n" + "0,1,\n" * 20_000 + "0,1,2\n", r"column 3 .* \(row 20,001 below"),
        ("a:b\n1:2\n", "looks separated by colons; expected one of commas, tabs, semicolons, bars"),
        ("a b c\n1 2 3\n", "looks separated by spaces"),
        (b"a,b\n1,\x00\x01\x02\x00\n", "is a binary file"),
        (bytes(range(256)) * 300, "is a binary file"),
        (b'x\x01r,x,.",j\ny\n\n', r"table\.csv: "),  # begins as zlib's files do
        (b"PK\x03\x04more", "an Excel workbook"),
        (b"PAR1more", "cannot be read as Parquet"),
        (b"ARROW1more", "cannot be read as Arrow"),
        (b"FEA1more", "a Feather file of version 1"),
        (b"\x1f\x8bmore", "a damaged gzip file"),
        (b"\x28\xb5\x2f\xfdmore", "cannot be decompressed"),
        (b"\xff\xfea", "begins like UTF-16 text, but is not"),
        (b"\xff\xfe\n\0", "is empty"),
        (b"%PDF-1.7", "a PDF document"),
        (b"<!DOCTYPE html>", "a web page"),
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
    with pytest.raises(InvalidTableError, match="is a directory; name a file in it"):
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
    assert values[0] is None
    assert values[1:] == [math.inf, 3.0]


def compressed(data, kind):
    import pyarrow

    return pyarrow.compress(data, codec=kind, asbytes=True)


TEXT = "städte,wert\nMünchen,1\n'Köln',2\n"
ROWS = [("München", 1), ("'Köln'", 2)]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (TEXT.encode(), "t.csv"),
        (gzip.compress(TEXT.encode(), mtime=0), "t.csv.gz"),
        (compressed(TEXT.encode(), "zstd"), "t.csv.zst"),
        (gzip.compress(TEXT.replace(",", "\t").encode(), mtime=0), "t.tsv.gz"),
        (TEXT.encode("utf-16"), "t.csv"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "t.csv"),
        (gzip.compress(TEXT.encode("utf-16"), mtime=0), "t.csv.gz"),
        (b"\xef\xbb\xbf" + TEXT.encode(), "t.csv"),
        (gzip.compress(b"\xef\xbb\xbf" + TEXT.encode(), mtime=0), "t.csv.gz"),
    ],
)
def test_text_is_decompressed_and_decoded(written, content, name):
    table, notes, _ = read_with_notes(written(content, name))
    assert (table.columns, table.rows(), notes) == (["städte", "wert"], ROWS, ())


@pytest.mark.parametrize(
    ("encoding", "extra", "name"),
    [("cp1252", "€", "Windows-1252"), ("latin-1", "\x81", "Latin-1")],
)
def test_text_that_is_not_utf8_is_read_as_western_with_a_note(written, encoding, extra, name):
    table, notes, _ = read_with_notes(written(f"a,b\n1,x\n2,é{extra}\n".encode(encoding)))
    assert table["b"].to_list() == ["x", f"é{extra}"]
    assert str(*notes) == (
        f"line 3 is not UTF-8 text, so the file was read as {name}; "
        "save it as UTF-8 if letters look wrong"
    )


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt", "t"])
def test_the_separator_is_seen_from_the_lines(written, separator, name):
    lines = [("a", "b", "c"), ('"x,;|\ty"', "1", "2"), ('"z"', "3", "4")]
    table = read_table(written("".join(f"{separator.join(line)}\n" for line in lines), name))
    assert table.rows() == [("x,;|\ty", 1, 2), ("z", 3, 4)]


@pytest.mark.parametrize(
    ("content", "values"),
    [
        ("a;b\n1,5;x\n-2,25;y\n3;z\n", [1.5, -2.25, 3.0]),
        ("a\tb\n1,5\tx\n,25\ty\n", [1.5, 0.25]),
        ("a;b\n1,5;x\n1.234,5;y\n", [1.5, 1234.5]),
        ("a;b\n1.5;x\n2.5;y\n", [1.5, 2.5]),
    ],
)
def test_a_decimal_comma_is_understood_where_fields_are_not_separated_by_commas(
    written, content, values
):
    assert read_table(written(content))["a"].to_list() == values


def test_words_for_missing_values_are_missing_among_numbers_alone(written):
    table = read_table(written("a,b,c\n1,NA,x\nNA,2.5,NA\n?,-,?\n4,1,z\n"))
    assert table["a"].to_list() == [1, None, None, 4]
    assert table["b"].to_list() == [None, 2.5, None, 1.0]
    assert table["c"].to_list() == ["x", "NA", "?", "z"]


def test_true_and_false_in_any_case_are_true_and_false(written):
    table = read_table(written("a,b\nTrue,true\nFALSE,maybe\n,false\n"))
    assert table["a"].to_list() == [True, False, None]
    assert table["b"].to_list() == ["true", "maybe", "false"]


TABLE = pl.DataFrame({"a": [1.5, None], "b": ["x", "y"], "c": [True, False]})


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (pl.DataFrame.write_parquet, "t.parquet"),
        (pl.DataFrame.write_ipc, "t.arrow"),
        (pl.DataFrame.write_ipc, "t.feather"),
        (pl.DataFrame.write_ipc_stream, "t.arrows"),
        (pl.DataFrame.write_ndjson, "t.jsonl"),
        (pl.DataFrame.write_ndjson, "t.json"),
        (pl.DataFrame.write_csv, "t.csv"),
        (pl.DataFrame.write_parquet, "misnamed.csv"),
    ],
)
def test_every_kind_of_file_gives_the_same_table(tmp_path, write, name):
    write(TABLE, tmp_path / name)
    assert read_table(tmp_path / name).equals(TABLE)
    part = read_table(tmp_path / name, columns=["c", "a"])
    assert part.equals(TABLE.select("c", "a"))
    with pytest.raises(InvalidTableError, match="no column 'd'"):
        read_table(tmp_path / name, columns=["d"])


@pytest.mark.parametrize(
    ("write", "name"), [(pl.DataFrame.write_parquet, "t"), (pl.DataFrame.write_ipc, "t")]
)
def test_a_file_without_rows_is_refused(tmp_path, write, name):
    write(TABLE.head(0), tmp_path / name)
    with pytest.raises(InvalidTableError, match="has columns, but no rows"):
        read_table(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1}\n{"a": 2\n', "line 2 is not a JSON object"),
        ('{"a": 1}\n\n[1]\n', r"line 3 is not a JSON object \(it is JSON, but not an object\)"),
        ("{}\n{}\n", "has no rows"),
        (b'{"a": "\xff"}\n', "line 1 is not a JSON object"),
    ],
)
def test_a_line_that_is_no_json_object_is_named(written, content, message):
    with pytest.raises(InvalidTableError, match=message) as caught:
        read_table(written(content, "t.jsonl"))
    assert "\n" not in str(caught.value)


def test_one_json_array_is_refused_with_advice(written):
    with pytest.raises(InvalidTableError, match="one JSON array; write its objects a line each"):
        read_table(written('[{"a": 1}]', "t.json"))


def test_bad_rows_are_skipped_and_counted(written):
    text = 'a,b,c\n1,2,3\n4,5\n"x, ""y""",\n6,7,8\n9,9,9,9\n\n"10\n1",11,12\n'
    with pytest.raises(InvalidTableError, match="line 3 has 2 fields where the first line names 3"):
        read_table(written(text))
    table, notes, _ = read_with_notes(written(text), skip_bad_rows=True)
    assert table.rows() == [("1", 2, 3), ("6", 7, 8), ("10\n1", 11, 12)]
    assert str(*notes).startswith("3 bad rows were skipped (the first: line 3 has 2 fields")


def test_bad_lines_of_json_are_skipped_and_counted(written):
    path = written('{"a": 1}\nx\n{"a": 2}\n', "t.jsonl")
    table, notes, _ = read_with_notes(path, skip_bad_rows=True)
    assert table.rows() == [(1,), (2,)]
    assert str(*notes).startswith("1 bad row was skipped (the first: line 2 is not a JSON object")


def test_a_table_of_bad_rows_alone_is_refused(written):
    with pytest.raises(InvalidTableError, match="no rows"):
        read_table(written("a,b\n1\n2\n"), skip_bad_rows=True)


def test_a_table_is_read_as_the_one_that_a_model_learned_from(written):
    codes = pl.DataFrame({"zip": ["01234", "04321"], "size": [1.5, 2.5], "kind": ["7", "x"]})
    reading = TableReading.decide(codes)[0]
    path = written("zip,size,kind,more\n00001,1,7,q\n43,NA,8,q\n")
    table, notes, _ = read_by(path, reading)
    assert table.rows() == [("00001", 1.0, "7", "q"), ("43", None, "8", "q")]
    assert notes == ()


@pytest.mark.parametrize(
    "text",
    ["a,b\n1,\n2,\n", "a,b\n1,\n\n2,3\n", 'a,b\n"1,2",\n"3\n4",5\n', "a,b\n1,\n2,\n\n\n\n"],
)
def test_missing_values_in_the_last_column_are_not_bad_rows(written, text):
    table = read_table(written(text))
    assert table.height == 2
    assert table["b"].null_count() >= 1


def test_a_short_row_is_found_beside_quoted_separators(written):
    # As many separators as two whole rows have.
    text = 'a,b,c\n"x,y",1,\n2,3\n'
    with pytest.raises(InvalidTableError, match="line 3 has 2 fields"):
        read_table(written(text))


def test_ten_thousand_columns_are_read(written):
    names = ",".join(f"c{place}" for place in range(10_000))
    table = read_table(written(f"{names}\n" + (",".join(["1.5"] * 10_000) + "\n") * 3))
    assert table.shape == (3, 10_000)


def test_codes_whose_zeros_come_last_stay_codes_in_a_file(tmp_path):
    codes = [*map(str, range(90000, 10000, -10)), "09999", "00501", "00042"]
    path = tmp_path / "t.csv"
    path.write_text("zip,x\n" + "".join(f"{code},{n % 3}\n" for n, code in enumerate(codes)))
    assert read_with_notes(path).table["zip"].to_list() == codes
    wide = "w" * 200
    path.write_text("zip,x\n" + "".join(f"{code},{wide}{n % 3}\n" for n, code in enumerate(codes)))
    assert path.stat().st_size > 1_000_000
    assert read_with_notes(path).table["zip"].to_list() == codes
