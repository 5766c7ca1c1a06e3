import gzip

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.tables import batches
from chainrule.tables.batches import scan_batches
from chainrule.tables.notations import Text
from chainrule.tables.reader import read_table
from chainrule.tables.table_notations import TableReading

TABLE = pl.DataFrame(
    {
        "n": [place * 0.5 for place in range(250)],
        "word": [f'w{place % 7}, "x"\ny' if place % 3 else None for place in range(250)],
    }
)

WRITERS = {
    "t.csv": pl.DataFrame.write_csv,
    "t.jsonl": pl.DataFrame.write_ndjson,
    "t.parquet": pl.DataFrame.write_parquet,
    "t.arrow": pl.DataFrame.write_ipc,
    "t.arrows": pl.DataFrame.write_ipc_stream,
}


@pytest.fixture(params=[40, 1000, 1 << 25])
def piece(request, monkeypatch):
    """How many bytes of text are read at a time."""
    monkeypatch.setattr(batches, "_PIECE", request.param)
    return request.param


def together(pieces):
    # A piece that has no value of a column does not know its type.
    return pl.concat(pieces, how="vertical_relaxed")


@pytest.mark.usefixtures("piece")
@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("rows", [1, 33, 250, 1000])
def test_the_pieces_together_are_the_table(tmp_path, name, rows):
    WRITERS[name](TABLE, tmp_path / name)
    pieces = list(scan_batches(tmp_path / name, rows=rows))
    assert together(pieces).equals(TABLE)
    assert max(one.height for one in pieces) <= rows
    part = scan_batches(tmp_path / name, rows=rows, columns=["word"])
    assert together(part).equals(TABLE.select("word"))


@pytest.mark.usefixtures("piece")
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_compressed_text_is_read_in_pieces(tmp_path, name):
    import pyarrow

    WRITERS[name](TABLE, tmp_path / name)
    data = (tmp_path / name).read_bytes()
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(data, mtime=0))
    (tmp_path / f"{name}.zst").write_bytes(pyarrow.compress(data, codec="zstd", asbytes=True))
    for suffix in (".gz", ".zst"):
        assert together(scan_batches(tmp_path / f"{name}{suffix}", rows=100)).equals(TABLE)


FIELDS = st.text(st.sampled_from('ab,;"\n\r \t|'), max_size=6).map(lambda text: f"v{text}v")


@given(rows=st.lists(st.tuples(FIELDS, FIELDS), min_size=1, max_size=30), size=st.integers(5, 60))
def test_pieces_of_any_length_end_between_rows(tmp_path_factory, rows, size):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    pl.DataFrame(rows, schema=["a", "b"], orient="row").write_csv(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "_PIECE", size)
        found = together(scan_batches(path))
    assert found.equals(read_table(path))


@pytest.mark.usefixtures("piece")
def test_every_piece_is_read_as_the_first_one_or_as_it_is_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("code,name\n" + "".join(f"{n:03},x{n}\n" for n in range(40)) + "007,8\n" * 99)
    reading = TableReading({"code": Text(), "name": Text()})
    pieces = list(scan_batches(path, rows=10, reading=reading))
    assert {one.schema["code"] for one in pieces} == {pl.String}
    assert {one.schema["name"] for one in pieces} == {pl.String}
    assert together(pieces)["code"][7] == "007"


@pytest.mark.usefixtures("piece")
def test_a_bad_row_is_named_by_its_line_in_the_file(tmp_path):
    path = tmp_path / "t.csv"
    lines = ["a,b"] + [f'{n},"x{n}\n"' for n in range(100)] + ["1"] + ["2,y"] * 100
    path.write_text("\n".join(lines))
    with pytest.raises(InvalidTableError, match="line 202 has 1 field where the first line names"):
        list(scan_batches(path))
    notes = []
    assert together(scan_batches(path, skip_bad_rows=True, notes=notes)).height == 200
    assert len(notes) == 1
    assert "line 202" in str(notes[0])


@pytest.mark.usefixtures("piece")
def test_a_bad_line_of_json_is_named_by_its_line_in_the_file(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1}\n' * 99 + "{\n" + '{"a": 2}\n' * 99)
    with pytest.raises(InvalidTableError, match="line 100 is not a JSON object"):
        list(scan_batches(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"a,b\n", "no rows"),
        (bytes(range(256)), "is a binary file"),
        (b"PK\x03\x04", "an Excel workbook"),
        (b"\x1f\x8bmore", "a damaged gzip file"),
        (gzip.compress(b"a\n" * 99, mtime=0)[:-9], "a damaged gzip file"),
        (b"PAR1more", "cannot be read as Parquet"),
        (b"ARROW1more", "cannot be read as Arrow"),
    ],
)
def test_what_is_not_a_table_is_refused_in_one_sentence(tmp_path, content, message):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidTableError, match=message) as caught:
        list(scan_batches(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_and_a_wrong_number_are_refused(tmp_path):
    with pytest.raises(InvalidTableError, match="No such file"):
        list(scan_batches(tmp_path / "none"))
    with pytest.raises(InvalidArgumentError, match="rows: expected a whole number"):
        list(scan_batches(tmp_path / "none", rows=0))


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow"])
def test_a_column_that_is_not_there_is_named(tmp_path, name):
    WRITERS[name](TABLE, tmp_path / name)
    with pytest.raises(InvalidTableError, match=r"no column 'Word'; did you mean 'word'"):
        list(scan_batches(tmp_path / name, columns=["Word"]))
    WRITERS[name](TABLE.head(0), tmp_path / name)
    with pytest.raises(InvalidTableError, match="no rows"):
        list(scan_batches(tmp_path / name))


@pytest.mark.parametrize("odd", ["\r", "\n", "\r\n", "\x85", "\u2028", "\x0c", "\x1e"])
def test_no_row_is_lost_below_names_with_ends_of_lines(tmp_path, odd):
    names = [f"a{odd}b", f"{odd}c{odd}"]
    table = pl.DataFrame({names[0]: range(30), names[1]: [f"v{odd}{n % 3}" for n in range(30)]})
    path = tmp_path / "t.csv"
    for above in ("", "a title\n\n"):
        path.write_bytes(above.encode() + table.write_csv().encode())
        assert pl.concat(scan_batches(path)).equals(read_table(path))
        assert read_table(path).height == 30
