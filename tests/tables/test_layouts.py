"""Files as programs write them: each form is read whole, and in pieces of any length."""

import gzip
import json

import polars as pl
import pytest

from chainrule.errors import InvalidTableError
from chainrule.tables import batches
from chainrule.tables.batches import scan_batches
from chainrule.tables.layouts import Layout
from chainrule.tables.raw import layout_of, read_raw
from chainrule.tables.reader import read_with_notes
from chainrule.tables.sources import open_table

ROWS = "".join(f"{n},{n % 3}.5,{'ab'[n % 2]}\n" for n in range(9))
VALUES = [(n, n % 3 + 0.5, "ab"[n % 2]) for n in range(9)]
NAMES = "x,z,y\n"
WORDS = "".join(f'"{n}th car","{"mn"[n % 2]}","{"ab"[n % 2]}"\n' for n in range(9))
ROW_NAMES = "row names, as pandas and R write them, were left out"

# What a file holds, the rows that are read, and what the notes say.
FORMS = {
    "plain": (NAMES + ROWS, VALUES, ()),
    "pandas' index": (",z,y\n" + ROWS, [row[1:] for row in VALUES], (ROW_NAMES,)),
    "pandas' two indexes": (",,y\n" + ROWS, [row[2:] for row in VALUES], ("first 2 columns",)),
    "pandas' index read again": (
        "Unnamed: 0,z,y\n" + ROWS,
        [row[1:] for row in VALUES],
        (ROW_NAMES,),
    ),
    "R's row names": ('"z","y"\n' + ROWS, [row[1:] for row in VALUES], (ROW_NAMES,)),
    "R's row names beside text": (
        '"k","y"\n' + WORDS,
        [("mn"[n % 2], "ab"[n % 2]) for n in range(9)],
        (ROW_NAMES,),
    ),
    "a separator at each line's end": ((NAMES + ROWS).replace("\n", ",\n"), VALUES, ()),
    "a separator at each row's end": (NAMES + ROWS.replace("\n", ",\n"), VALUES, ()),
    "a separator at some rows' ends": (
        NAMES + ROWS.replace("a\n", "a,\n"),
        VALUES,
        ("5 lines are longer than the line of names by empty fields", "line 2 is the first"),
    ),
    "a separator after the names alone": ("x,z,y,\n" + ROWS, VALUES, ()),
    "empty columns": ((NAMES + ROWS).replace("\n", ",,,\n"), VALUES, ()),
    "an empty column between": ((NAMES + ROWS).replace(",", ",,", 1), None, ()),
    "empty rows at the end": (
        NAMES + ROWS + ",,\n\n,,\n",
        VALUES,
        ("2 rows of empty fields at the end left out",),
    ),
    "sep=": ("sep=;\n" + (NAMES + ROWS).replace(",", ";"), VALUES, ()),
    "sep= with a mark": ("\ufeffSEP=\t\r\n" + (NAMES + ROWS).replace(",", "\t"), VALUES, ()),
    "a title": (
        "Sales report 2023\n\n" + NAMES + ROWS,
        VALUES,
        ("line 1 was skipped", "from line 3"),
    ),
    "titles": (
        '"Sales, 2023"\nRegion: North, Q3\n\n' + NAMES + ROWS,
        VALUES,
        ("lines 1 to 2 were skipped", "from line 4"),
    ),
    "a title of Excel": (
        "Sales report,,\n,,\n" + NAMES + ROWS,
        VALUES,
        ("line 1 was skipped", "from line 3"),
    ),
    "a comment": ("# by a tool\n" + NAMES + ROWS, VALUES, ("line 1 was skipped (comments",)),
    "comments with as many fields": (
        "# by a tool, today, again\n# and, so, on\n" + NAMES + ROWS,
        VALUES,
        ("lines 1 to 2 were skipped (comments",),
    ),
    "names in the last comment": (
        "##by=me\n" + "#" + (NAMES + ROWS),
        VALUES,
        ("line 1 was skipped (comments",),
    ),
    "a comment below": (NAMES + ROWS + "# end\n", VALUES, ("1 line is of comments", "line 11")),
    "a count below": (NAMES + ROWS + "(9 rows)\n", VALUES, ("line 11 is the first",)),
    "files that were joined": (
        NAMES + ROWS + NAMES + ROWS,
        VALUES * 2,
        ("1 line is of repeated names", "line 11 is the first"),
    ),
    "files with marks that were joined": (
        ("\ufeff" + NAMES + ROWS) * 2,
        VALUES * 2,
        ("1 line is of repeated names",),
    ),
    "rows with a mark inside": (NAMES + ROWS + "\ufeff" + ROWS, VALUES * 2, ()),
    "two lines of names": (NAMES * 2 + ROWS, VALUES, ("line 2 is the first",)),
    "UTF-16 LE": ((NAMES + ROWS).encode("utf-16-le"), VALUES, ()),
    "UTF-16 BE": ((NAMES + ROWS).encode("utf-16-be"), VALUES, ()),
    "UTF-16 of another alphabet": (
        ("имя,город\n" + "анна,москва\nпётр,рим\n" * 3).encode("utf-16-le"),
        [("анна", "москва"), ("пётр", "рим")] * 3,
        (),
    ),
    "UTF-32": ((NAMES + ROWS).encode("utf-32"), VALUES, ()),
    "CR": ((NAMES + ROWS).replace("\n", "\r"), VALUES, ()),
    "CR LF and LF": (NAMES.replace("\n", "\r\n") + ROWS, VALUES, ()),
    "CR and LF": (NAMES + ROWS.replace("\n", "\r", 1), VALUES, ()),
    "a NUL byte": (
        NAMES + ROWS.replace("2.5", "2.\x005", 1),
        VALUES,
        ("line 4 has a NUL byte, passed over",),
    ),
    "NUL bytes at the end": (
        NAMES + ROWS + "\0" * 500,
        VALUES,
        ("line 11 has NUL bytes (500 in all), passed over",),
    ),
    "inches": (
        'size,x,y\nm3",1,b\nm2",5,a\nm,3,"q, r"\n',
        [('m3"', 1, "b"), ('m2"', 5, "a"), ("m", 3, "q, r")],
        (),
    ),
    "marks inside": ('a,x\n"a "b" c",1\n"q",2\n', [('a b" c"', 1), ("q", 2)], ()),
    "spaces before marks": ('a, b\n1, "p, q"\n2, "r"\n', [(1, "p, q"), (2, "r")], ()),
    "a field with line ends": (
        'a,x\n"abc,1\nq",2\nr,3\n',
        [("abc,1\nq", 2), ("r", 3)],
        ("a quoted field holds line ends and separators (the first begins on line 2)",),
    ),
    "quoted numbers": ('"x","y"\n"1","a"\n"2.5","b"\n', [(1.0, "a"), (2.5, "b")], ()),
    "years as names": ("land,2019,2020\nNL,1,2\nDE,3,4\n", [("NL", 1, 2), ("DE", 3, 4)], ()),
    "one column with semicolons": (
        "text\nhello; world\na; b\nplain\n",
        [("hello; world",), ("a; b",), ("plain",)],
        (),
    ),
    "Western letters, inches and a comment": (
        '# für\nx,größe\né,3"\nb,4\n'.encode("cp1252"),
        [("é", 3), ("b", 4)],
        ("line 1 is not UTF-8 text, so the file was read as Windows-1252", "(comments"),
    ),
}
FORMS["an empty column between"] = (
    "x,,z,y\n" + "".join(f"{x},,{z},{y}\n" for x, z, y in VALUES),
    VALUES,
    (),
)


def content_of(form):
    content = FORMS[form][0]
    return content if isinstance(content, bytes) else content.encode()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.csv.zst"])
def test_every_form_is_read_with_its_notes(tmp_path, form, name):
    content = content_of(form)
    if name.endswith("gz"):
        content = gzip.compress(content, mtime=0)
    elif name.endswith("zst"):
        content = pytest.importorskip("pyarrow").compress(content, codec="zstd", asbytes=True)
    path = tmp_path / name
    path.write_bytes(content)
    table, notes, _ = read_with_notes(path)
    _, rows, remarks = FORMS[form]
    assert table.rows() == rows
    said = "\n".join(map(str, notes))
    assert all(remark in said for remark in remarks)
    assert bool(notes) == bool(remarks)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 7, 60, 1 << 25])
def test_pieces_of_every_form_are_the_whole_with_the_same_notes(tmp_path, monkeypatch, form, size):
    path = tmp_path / "t.csv"
    path.write_bytes(content_of(form))
    whole, notes, _ = read_with_notes(path)
    monkeypatch.setattr(batches, "_PIECE", size)
    monkeypatch.setattr(batches, "_RECORDS", 2)
    found = []
    pieces = list(scan_batches(path, notes=found))
    assert pl.concat(pieces, how="vertical_relaxed").rows() == whole.rows()
    assert sorted(map(str, found)) == sorted(map(str, notes))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Report\n1,2,3\n4,5,6\n7,8,9\n", "line 2 .* is line 1 a title or a comment above"),
        ('a,x\n"b "c, d" e",1\nq,2\n', "line 2 has 3 fields"),
        ('a,x,y\nq,3,4\n"def,5,6\nr,7,8\n', "line 3 opens a quotation mark that is never closed"),
        (
            'a,x,y\n"b,1,2\nq,3,4\n"def,5,6\nr,7,8\n',
            "line 2 opens a quotation mark that is closed inside a field, 2 lines below",
        ),
        ("# by a tool\n\na,b\n1,2\n3\n", "line 5 has 1 field where the line of names, 3, names 2"),
        ("sep=;\n", "is empty|no names"),
    ],
)
@pytest.mark.parametrize("read", [read_with_notes, lambda path: list(scan_batches(path))])
def test_what_has_no_one_meaning_is_named_by_its_line(tmp_path, content, message, read):
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(InvalidTableError, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [20, 1 << 25])
def test_a_mark_left_open_costs_its_own_row_where_bad_rows_are_skipped(tmp_path, monkeypatch, size):
    monkeypatch.setattr(batches, "_PIECE", size)
    path = tmp_path / "t.csv"
    path.write_text('a,x\n"b,1\nq,2\n' + "r,3\n" * 100 + '"s,4\nt,5\n')
    rows = [("q", 2)] + [("r", 3)] * 100 + [("t", 5)]
    table, notes, _ = read_with_notes(path, skip_bad_rows=True)
    assert table.rows() == rows
    assert "2 bad rows were skipped (the first: line 2 opens" in str(notes[0])
    found = []
    pieces = scan_batches(path, skip_bad_rows=True, notes=found)
    assert pl.concat(list(pieces)).rows() == rows
    assert found == list(notes)


def test_names_that_are_known_tell_the_line_of_names_and_the_separator(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("Report;of;the;year\nby|me\nfor|you\nx|y\na|b\n")
    layout = layout_of(open_table(path), ["x", "y"])
    assert (layout.separator, layout.columns, layout.header_line) == ("|", ["x", "y"], 4)


def test_a_column_that_a_model_needs_is_not_taken_for_row_names(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("Unnamed: 0,x\n1,2\n2,3\n")
    assert layout_of(open_table(path), ["Unnamed: 0", "x"]).columns == ["Unnamed: 0", "x"]
    assert layout_of(open_table(path)).columns == ["x"]


def test_the_caller_decides_which_columns_are_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("# by a tool\nzip,n\n01,1\n02,2\n")
    file = open_table(path)
    layout = layout_of(file)
    assert read_raw(file, layout, strings=["zip"])[0].rows() == [("01", 1), ("02", 2)]
    assert read_raw(file, layout, strings=True)[0].rows() == [("01", "1"), ("02", "2")]
    assert read_raw(file, layout, ["n"])[0].rows() == [(1,), (2,)]


def test_a_layout_goes_through_json_and_back(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("# by a tool\n,x,y,\n0,1,2,\n1,3,4,\n")
    layout = layout_of(open_table(path))
    again = Layout.from_json(json.loads(json.dumps(layout.to_json())))
    assert again == layout
    assert again.columns == ["x", "y"]
    for damaged in ({}, [], {**layout.to_json(), "names": "xy"}, {**layout.to_json(), "raw": [1]}):
        with pytest.raises(ValueError, match="a layout"):
            Layout.from_json(damaged)


def test_values_that_json_lacks_are_numbers_in_json_lines(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"a":1.5,"b":NaN}\n{"a":Infinity,"b":2}\n{"a":-Infinity,"b":1e999}\n')
    table, notes, _ = read_with_notes(path)
    assert table.rows() == [(1.5, None), (float("inf"), 2.0), (float("-inf"), float("inf"))]
    assert notes == ()


@pytest.mark.parametrize(
    ("names", "row"),
    [
        (("name", "grade"), "Smith, Ann{}"),
        (("preis", "art"), "EUR 12,5{}"),
        (("wert", "x"), "\u22121\u202f234,5{}"),
        (("Umsatz, netto", "art"), "12,5{}"),
    ],
)
def test_commas_in_every_row_do_not_hide_the_semicolons(tmp_path, names, row):
    path = tmp_path / "t.csv"
    lines = [f"{row.format(i % 7)};{'ab'[i % 2]}" for i in range(60)]
    path.write_text("\n".join([";".join(names), *lines]) + "\n", encoding="utf-8")
    found = read_with_notes(path)
    assert found.table.columns == list(names)
    assert found.table.height == 60
    assert found.table[names[1]].to_list() == ["ab"[i % 2] for i in range(60)]
    assert not [note for note in found.notes if note.column == ""]


@pytest.mark.parametrize("names", ["a;b;", ";a;b"])
def test_names_that_come_again_are_left_out_beside_a_column_without_a_name(
    tmp_path, monkeypatch, names
):
    path = tmp_path / "t.csv"
    values = names.replace("a", "{}").replace("b", "x")
    rows = [values.format(n) for n in range(9)]
    if names.startswith(";"):
        rows = [f"{n}{row}" for n, row in enumerate(rows)]
    path.write_text("\n".join([names, *rows, names, *rows]) + "\n")
    found = read_with_notes(path)
    assert found.table.rows() == [(n, "x") for n in range(9)] * 2
    assert any("repeated names" in note.reason for note in found.notes)
    monkeypatch.setattr(batches, "_PIECE", 32)
    assert sum(piece.height for piece in scan_batches(path)) == 18
