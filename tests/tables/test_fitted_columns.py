import datetime as dt
import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import RobustScaler, StandardScaler

from chainrule.errors import InvalidTableError
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.kinds import BooleanColumn, CategoryColumn, NumericColumn
from chainrule.tables.notations import Numbers
from chainrule.tables.notes import Note


def fitted(table=None, *, options=None, **columns):
    table = pl.DataFrame(columns if table is None else table)
    return TableEncoder(**(options or {})).fit(table)


def column_of(values, **options):
    (column,) = fitted({"a": values}, options=options).columns_
    return column


def note_of(values, name="a", rest=(0.5, 1.5)):
    """Return the note about a column beside one that is used."""
    values = pl.Series(name, values)
    other = [rest[place % 2] for place in range(len(values))]
    (note,) = fitted({name: values, "other": other}).dropped_
    return note


def test_missing_numbers_become_the_mean_and_are_flagged():
    assert column_of([1.0, None, 3.0]) == NumericColumn("a", 2.0, 2.0, 1.0, flag=True)
    assert column_of([1.0, float("nan"), 3.0]) == NumericColumn("a", 2.0, 2.0, 1.0, flag=True)
    assert column_of([1, 3]) == NumericColumn("a", 2.0, 2.0, 1.0, flag=False)


def test_a_robust_scale_is_that_of_the_quartiles():
    values = [1.0, 2.0, 3.0, 4.0, 1000.0, None]
    assert column_of(values, scaling="robust") == NumericColumn("a", 3.0, 3.0, 2.0, flag=True)


def test_quartiles_that_are_equal_leave_the_standard_deviation():
    column = column_of([0.0] * 9 + [10.0], scaling="robust")
    assert (column.center, column.scale) == (0.0, 3.0)


def test_without_scaling_missing_numbers_become_the_mean():
    column = column_of([1.0, None, 3.0], scaling="none")
    assert column == NumericColumn("a", 2.0, 0.0, 1.0, flag=True)


VALUES = st.lists(st.floats(-1e6, 1e6, width=32), min_size=4, max_size=40, unique=True)


@pytest.mark.parametrize(
    ("scaling", "oracle"), [("standard", StandardScaler), ("robust", RobustScaler)]
)
@given(values=VALUES, missing=st.sets(st.integers(0, 39), max_size=2))
def test_the_scales_are_those_of_scikit_learn(scaling, oracle, values, missing):
    column = np.array([np.nan if row in missing else v for row, v in enumerate(values)])
    scaler = oracle().fit(column.reshape(-1, 1))
    if scaler.scale_[0] < 1e-3 * np.nanmax(np.abs(column)):
        return  # mostly rounding
    ours = TableEncoder(scaling=scaling).fit_transform(pl.DataFrame({"a": column}))[:, 0]
    theirs = np.nan_to_num(scaler.transform(column.reshape(-1, 1))[:, 0])
    # Rounded to float32; the statistics are sums of 40 float64 that differ in their order.
    assert np.allclose(ours, theirs, rtol=2e-7, atol=1e-9)


def test_statistics_neither_overflow_nor_vanish():
    table = pl.DataFrame({"c": [1e300, 3e300], "d": [1e-300, 3e-300]})
    inputs = fitted(table).transform(table)
    assert np.abs(inputs - [[-1, -1], [1, 1]]).max() <= np.finfo(np.float32).eps


STATISTICS = """
import numpy as np
import polars as pl
from chainrule.tables.encoder import TableEncoder

random = np.random.default_rng(3)
values = pl.DataFrame({f"c{i}": random.normal(i, 1 + i, 100_000) for i in range(4)})
values = values.with_columns(values["c1"].set(pl.Series(random.random(100_000) < 0.1), None))
parts = pl.concat([values[:333], values[333:70_000], values[70_000:]], rechunk=False)
fits = {str(TableEncoder(scaling=scaling).fit(table).columns_) for table in [values, parts] * 5}
print(*fits)
"""


@pytest.mark.parametrize("scaling", ["standard", "robust"])
def test_statistics_are_the_same_bits_for_any_number_of_threads(scaling):
    found = set()
    for threads in "1", "2", "5":
        found.add(
            subprocess.run(
                [sys.executable, "-c", f"scaling = {scaling!r}\n{STATISTICS}"],
                env={**os.environ, "POLARS_MAX_THREADS": threads},
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
    assert len(found) == 1
    assert found.pop().count("name='c0'") == 1


def test_true_and_false_with_missing_values():
    assert column_of([True, None, False, True]) == BooleanColumn("a", 2 / 3, flag=True)


def test_text_of_few_values_is_categories():
    column = column_of(["b", "a", "b", None])
    assert column == CategoryColumn("a", ("a", "b"), False, True, False)
    categorical = column_of(pl.Series(["b", "a", "b", None], dtype=pl.Categorical))
    assert categorical == column


def test_rare_categories_join_the_others():
    values = ["a"] * 500 + ["b"] * 400 + ["c"] * 9 + ["d"] * 91
    assert column_of(values) == CategoryColumn("a", ("a", "b", "d"), True, False, False)
    assert column_of(values, min_frequency=1).other is False
    assert column_of(values, max_categories=1).categories == ("a",)


def test_categories_that_the_first_rows_do_not_have_are_counted_too():
    values = [None] * 10_001 + ["x"] * 20 + ["y"] * 30
    assert column_of(values).categories == ("x", "y")
    values = ["a", "b"] * 5001 + ["x"] * 20 + ["y"] * 5
    column = column_of(values)
    assert (column.categories, column.other) == (("a", "b", "x"), True)


def test_a_category_that_is_empty_text_is_missing():
    assert column_of(["a", "", "b", "a"]) == column_of(["a", None, "b", "a"])


def test_many_categories_become_codes_where_embeddings_are_asked_for():
    table = pl.DataFrame({"few": ["a", "b"] * 60, "many": [f"m{row % 30}" for row in range(120)]})
    encoder = TableEncoder(embed_above=10, max_categories=5).fit(table)
    few, many = encoder.columns_
    assert few.embedding is None
    assert many.embedding.codes == 31
    inputs = encoder.transform(pl.DataFrame({"few": ["a", "z"], "many": ["m0", "z"]}))
    assert inputs.tolist() == [[1, 0, 1], [0, 0, 0]]
    assert list(encoder.get_feature_names_out()) == ["few=a", "few=b", "many"]


def test_numbers_that_only_name_something_can_be_categories():
    column = column_of([1, 20, 1, None], categorical=["a"])
    assert column == CategoryColumn("a", ("1", "20"), False, True, False, notation=Numbers())
    names = [f"id{row}" for row in range(50)]
    assert column_of(names, categorical=["a"]).width == 50


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([5, 5, 5], "is 5 in all 3 rows"),
        (["x", "x", "x"], "is x in all 3 rows"),
        ([True, True], "is True in all 2 rows"),
        ([dt.date(2024, 1, 1)] * 2, "is 2024-01-01 in all 2 rows"),
        (["2024-01-01"] * 2, "is 2024-01-01 in all 2 rows"),
        ([None, None], "has no value in any row"),
        (pl.Series([None, None], dtype=pl.Float64), "has no value in any row"),
        ([float("nan")] * 2, "has no value in any row"),
        (["", ""], "has no value in any row"),
        (pl.Series([None, None], dtype=pl.Date), "has no value in any row"),
        (pl.Series([None, None], dtype=pl.Boolean), "has no value in any row"),
        ([f"k{row}" for row in range(40)], "names the rows (40 different values in 40 rows)"),
        ([f"{row // 2}_" if row < 60 else "x" for row in range(100)], None),
    ],
)
def test_columns_that_say_nothing_are_left_out_with_the_reason(values, reason):
    if reason is None:
        assert not fitted(a=values).dropped_
        return
    note = note_of(values)
    assert (note.column, note.reason) == ("a", reason)
    assert str(note) == f"column 'a' {reason}; {note.advice}"


@pytest.mark.parametrize("name", ["id", "ID", "customer_id", "userID", "Unnamed: 0", "row", "Nr"])
def test_whole_numbers_that_number_the_rows_are_left_out_by_their_name(name):
    assert "numbers the rows" in note_of(range(30), name).reason


@pytest.mark.parametrize("name", ["paid", "size", "identity", "grid", "n"])
def test_whole_numbers_that_are_all_different_may_be_measurements(name):
    assert fitted({name: range(30)}).columns_[0].name == name


def test_ids_that_come_again_are_not_left_out():
    assert not fitted({"id": [row // 2 for row in range(40)]}).dropped_


def test_a_constant_that_is_missing_at_times_is_used_for_that():
    column = column_of([5.0, None, 5.0])
    assert column == NumericColumn("a", 5.0, 5.0, 0.0, flag=True)
    assert column_of(["x", None, "x"]).feature_names() == ("a=x", "a=(missing)")


def test_a_copy_of_a_column_is_left_out():
    values = {"a": [1.0, None, 3.0], "b": [1.0, None, 3.0], "c": [1.0, None, 4.0]}
    encoder = fitted(values, options={})
    assert [column.name for column in encoder.columns_] == ["a", "c"]
    assert encoder.dropped_ == (
        Note(
            "b",
            "holds the same values as column 'a'",
            "it is left out; the other one has the same information",
        ),
    )


def test_copies_that_differ_after_the_first_rows_are_none():
    values = list(range(100))
    assert not fitted(a=values, b=[*values[:-1], 7]).dropped_


SENTENCES = [f"the {row}th of many things that somebody wrote about it" for row in range(60)]


def test_free_text_is_refused_with_its_name_and_advice():
    with pytest.raises(
        InvalidTableError,
        match=r"column 'my text' holds free text \(60 different values\), .*--ignore 'my text'",
    ):
        fitted({"my text": SENTENCES, "x": range(60)})
    with pytest.raises(InvalidTableError, match="columns 'a', 'b' hold free text"):
        fitted(a=SENTENCES, b=SENTENCES[::-1])


def test_long_names_that_come_again_are_categories():
    assert column_of([SENTENCES[row % 5] for row in range(60)]).width == 5


@pytest.mark.parametrize("values", [[[1], [2]], [{"a": 1}, {"a": 2}], [b"a", b"b"]])
def test_values_that_no_network_can_be_given_are_refused(values):
    with pytest.raises(InvalidTableError, match=r"column 'a' holds values of type .*--ignore a"):
        fitted(a=values)


def test_an_infinite_number_is_named():
    with pytest.raises(InvalidTableError, match="column 'a' holds -inf in row 2, which is not"):
        fitted(a=[1.0, float("-inf"), 3.0])


def test_a_table_without_any_column_to_use_is_refused():
    with pytest.raises(
        InvalidTableError,
        match="no column to predict from: column 'a' is 1 in all 2 rows; column 'b' has no value",
    ):
        fitted(a=[1, 1], b=[None, None])


def test_ten_thousand_columns_are_encoded():
    table = pl.DataFrame(np.random.default_rng(0).normal(size=(20, 10_000)))
    assert TableEncoder().fit_transform(table).shape == (20, 10_000)
