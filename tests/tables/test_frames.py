import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.tables.frames import as_frame

TABLE = pl.DataFrame(
    {
        "whole": [1, 2, 3],
        "number": [1.5, None, 2.5],
        "text": ["a", None, "b"],
        "truth": [True, False, True],
        "when": pl.Series(["2024-01-31", "2024-02-01", None]).str.to_datetime("%Y-%m-%d"),
    }
)


def pandas_table(**changes):
    return pd.DataFrame(
        {
            "whole": [1, 2, 3],
            "number": [1.5, np.nan, 2.5],
            "text": ["a", None, "b"],
            "truth": [True, False, True],
            "when": pd.to_datetime(["2024-01-31", "2024-02-01", None]),
            **changes,
        },
        index=[7, 8, 9],
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"text": pd.Categorical(["a", None, "b"])},
        {"text": np.array(["a", None, "b"], object)},
        {"whole": pd.array([1, 2, 3], "Int64")},
        {"number": pd.array([1.5, None, 2.5], "Float64")},
        {"truth": pd.array([True, False, True], "boolean")},
        {"number": np.array([1.5, None, 2.5], object)},
    ],
)
def test_a_pandas_table_is_the_same_table(changes):
    table = pandas_table()
    for name, values in changes.items():
        table[name] = values
    frame = as_frame(table)
    assert frame.columns == TABLE.columns
    assert frame["whole"].to_list() == [1, 2, 3]
    assert frame["number"].fill_nan(None).to_list() == [1.5, None, 2.5]
    assert frame["text"].to_list() == ["a", None, "b"]
    assert frame["truth"].to_list() == [True, False, True]
    assert frame["when"].to_list() == TABLE["when"].to_list()


def test_a_pandas_table_needs_no_arrow(monkeypatch):
    table = pandas_table(mixed=np.array(["x", 1, None], object))
    import builtins

    real = builtins.__import__

    def without(name, *arguments, **options):
        if name.partition(".")[0] == "pyarrow":
            raise ModuleNotFoundError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    frame = as_frame(table)
    assert frame["mixed"].to_list() == ["x", "1", None]
    assert frame["text"].to_list() == ["a", None, "b"]


def test_an_arrow_table_is_the_same_table():
    table = pa.table({"a": [1, None], "b": ["x", "y"]})
    assert as_frame(table).equals(pl.DataFrame({"a": [1, None], "b": ["x", "y"]}))


def test_a_lazy_table_is_collected_and_one_in_memory_is_taken_as_it_is():
    assert as_frame(TABLE.lazy()).equals(TABLE)
    assert as_frame(TABLE) is TABLE


@pytest.mark.parametrize(
    ("array", "rows"),
    [
        (np.array([[1.0, 2.0], [3.0, 4.0]]), [(1.0, 2.0), (3.0, 4.0)]),
        (np.array([[1, 2], [3, 4]]), [(1, 2), (3, 4)]),
        (np.array([["a", 1], [None, 2]], object), [("a", 1), (None, 2)]),
        (np.array([["a", "b"]]), [("a", "b")]),
        ([["a", 1.5], ["b", 2.5]], [("a", "1.5"), ("b", "2.5")]),
    ],
)
def test_the_columns_of_an_array_are_numbered(array, rows):
    frame = as_frame(array)
    assert frame.columns == ["x0", "x1"]
    assert frame.rows() == rows


def test_two_columns_of_one_name_are_refused():
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    arrow = pa.table([[1], [2]], names=["a", "a"])
    for table in (twice, arrow):
        with pytest.raises(InvalidTableError, match="two columns are named 'a'"):
            as_frame(table)


@pytest.mark.parametrize(
    ("table", "got"),
    [
        ({"a": [1]}, "got dict"),
        (3, "got int"),
        (np.zeros(3), "got one with 1 dimension$"),
        (np.zeros((1, 2, 3)), "3 dimensions"),
        ([], "got list"),
    ],
)
def test_what_is_no_table_is_refused(table, got):
    with pytest.raises(InvalidArgumentError, match=got):
        as_frame(table)


def test_a_table_without_rows_is_refused():
    with pytest.raises(InvalidTableError, match="at least one row"):
        as_frame(TABLE.head(0))


def test_categories_of_pandas_are_categories_as_those_of_arrow_are():
    frame = as_frame(pd.DataFrame({"k": pd.Categorical(["1,5", "2,5", None])}))
    assert frame["k"].dtype == pl.Categorical
    assert frame["k"].to_list() == ["1,5", "2,5", None]
