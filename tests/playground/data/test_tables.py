import polars as pl
import pytest

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.playground.data.tables import MOST_TABLES, OwnTable, OwnTables, suggested_target


@pytest.fixture
def tables():
    found = OwnTables()
    yield found
    found.close()


def csv(tmp_path, text, name="houses.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


HOUSES = "town,size,built,price\n" + "".join(
    f"{'ab'[i % 2]},{i if i % 5 else ''},2020-01-{i % 28 + 1:02},{3 * i + 5}\n" for i in range(60)
)


def test_a_table_is_described_column_by_column(tables, tmp_path):
    own = tables.add(csv(tmp_path, HOUSES), "houses.csv")
    assert own.summary() == {"table": own.identity, "name": "houses.csv", "rows": 60}
    kinds = {column["name"]: column["kind"] for column in own.columns}
    assert kinds == {
        "town": "category", "size": "number", "built": "date or time", "price": "number",
    }  # fmt: skip
    by_name = {column["name"]: column for column in own.columns}
    assert by_name["town"]["about"] == "2 values: a, b"
    assert by_name["size"]["missing"] == 12
    assert by_name["price"]["about"] == "5 to 182"
    assert own.description()["suggested_target"] == "price"


@pytest.mark.parametrize("write", ["write_parquet", "write_ipc"])
def test_tables_of_other_formats_are_read_too(tables, tmp_path, write):
    path = tmp_path / "x"
    getattr(pl.DataFrame({"a": range(30), "kind": ["u", "v", "w"] * 10}), write)(path)
    assert tables.add(path, "x.bin").suggested_target == "kind"


@pytest.mark.parametrize(
    ("columns", "target"),
    [
        ({"a": [1, 2], "b": [3, 4]}, "b"),
        ({"Class": ["u", "v"], "b": [3, 4]}, "Class"),
        ({"b": [3, 4], "note": [f"text {i}" for i in range(2)], "day": [None, None]}, "note"),
        ({"b": [3, 4], "constant": ["x", "x"]}, "b"),
    ],
)
def test_the_target_is_guessed_by_its_name_or_its_place(columns, target):
    assert suggested_target(pl.DataFrame(columns)) == target


def test_what_is_no_table_is_refused_by_its_own_name(tables, tmp_path):
    for text in ("", "a\n1\n2\n", "a,b\n1\n2,3,4\n"):
        with pytest.raises(InvalidTableError) as error:
            tables.add(csv(tmp_path, text), "/home/me/houses.csv")
        assert "houses.csv" in str(error.value)
        assert str(tmp_path) not in str(error.value)
        assert "/home/me" not in str(error.value)


def test_the_copy_stays_when_the_uploaded_file_is_gone(tables, tmp_path):
    path = csv(tmp_path, HOUSES)
    own = tables.add(path, "houses.csv")
    path.unlink()
    assert tables.get(own.identity).path.read_text(encoding="utf-8") == HOUSES


def test_only_the_newest_uploads_are_kept_and_all_are_deleted_at_the_end(tables, tmp_path):
    start = OwnTable.read(csv(tmp_path, HOUSES, "start.csv"), "start.csv")
    tables = OwnTables(start)
    added = [
        tables.add(csv(tmp_path, HOUSES + "a,1,2020-01-01,1\n" * more), f"{more}.csv")
        for more in range(1, MOST_TABLES + 3)
    ]
    kept = [start, *added[-MOST_TABLES:]]
    assert [one.identity for one in tables.all()] == [one.identity for one in kept]
    with pytest.raises(InvalidArgumentError, match="does not have this table"):
        tables.get(added[0].identity)
    paths = [one.path for one in added]
    tables.close()
    assert not any(path.exists() for path in paths)
    assert start.path.exists()


def test_the_same_file_again_is_the_same_table(tables, tmp_path):
    first = tables.add(csv(tmp_path, HOUSES), "houses.csv")
    again = tables.add(csv(tmp_path, HOUSES), "renamed.csv")
    assert first.identity == again.identity
    assert len(tables.all()) == 1


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\tables\\x.csv", "x.csv"), ("..", "table"),
     ("a\x00b\u202e.csv", "ab.csv"), ("x" * 500, "x" * 100)],
)  # fmt: skip
def test_names_of_uploads_lose_folders_and_invisible_letters(tables, tmp_path, name, kept):
    assert tables.add(csv(tmp_path, HOUSES), name).name == kept
