"""Patterns that name several files."""

import pytest

from chainrule.errors import InvalidTableError
from chainrule.tables.patterns import files_named, is_pattern, naming_file


def test_a_pattern_is_told_from_a_file_of_that_name(tmp_path):
    assert is_pattern("data/*.parquet")
    assert not is_pattern("data/part.parquet")
    odd = tmp_path / "part[1].parquet"
    odd.touch()
    assert not is_pattern(odd)
    assert files_named(odd) == [odd]


def test_files_come_in_the_order_of_their_names_and_each_once(tmp_path):
    for name in ("b.csv", "a.csv", "c.parquet"):
        (tmp_path / name).touch()
    a, b, c = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.parquet"
    assert files_named(str(tmp_path / "*")) == [a, b, c]
    assert files_named([c, str(tmp_path / "*.csv"), str(a)]) == [c, a, b]


@pytest.mark.parametrize(("pattern", "fault"), [("*.csv", "no file matches it"), ("a", "no such")])
def test_what_names_no_file_is_refused(tmp_path, pattern, fault):
    with pytest.raises(InvalidTableError, match=fault):
        files_named(tmp_path / pattern)


def test_no_pattern_at_all_is_refused():
    with pytest.raises(InvalidTableError, match="at least one"):
        files_named([])


def test_an_error_names_its_file_once():
    with pytest.raises(InvalidTableError, match=r"^a\.csv: row 1$"), naming_file("a.csv"):
        raise InvalidTableError("row 1")
    with pytest.raises(InvalidTableError, match=r"^a\.csv: row 1$"), naming_file("a.csv"):
        raise InvalidTableError("a.csv: row 1")
    with pytest.raises(ValueError, match=r"^row 1$"), naming_file("a.csv"):
        raise ValueError("row 1")
