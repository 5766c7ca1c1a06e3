import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidModelFileError, InvalidTableError
from chainrule.tables.target import TargetEncoder

KINDS = pl.Series("kind", ["b", "a", "b", "a"])
PRICES = pl.Series("price", [10.0, 20.0, 30.0, 60.0])
CLASSES = TargetEncoder.fit(KINDS)
VALUES = TargetEncoder.fit(PRICES, "regression")

# Of few digits, so that the standard deviation is never mere rounding.
NUMBERS = st.integers(-(10**6), 10**6).map(lambda value: value / 100)


def test_an_unknown_class_is_named_with_its_row():
    with pytest.raises(InvalidTableError, match=r"'z' in row 3, .* classes \(a, b\)"):
        CLASSES.encode(pl.Series("kind", ["a", "b", "z", "z"]))


def test_the_largest_output_decides_the_class():
    outputs = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert CLASSES.decode(outputs).to_list() == ["a", "b"]


@given(values=st.lists(NUMBERS, min_size=2, max_size=30))
def test_values_come_back_in_their_own_units(values):
    column = pl.Series("y", values)
    if len(set(values)) == 1:
        return
    target = TargetEncoder.fit(column, "regression")
    again = target.decode(target.encode(column)[:, np.newaxis]).to_numpy()
    # Four roundings, each of at most the largest intermediate value.
    tolerance = 4 * np.finfo(np.float64).eps * 2 * np.abs(values).max()
    assert np.abs(again - values).max() <= tolerance


@pytest.mark.parametrize(
    ("values", "elsewhere"),
    [
        ([1, 2, 1, 2], [2.0, 1.0]),
        ([1.0, 2.0, 1.0, 2.0], [2, 1]),
        (["1", "x", "1", "x"], ["x", "1"]),
        ([False, True, True, False], [1, 0]),
    ],
)
def test_classes_are_recognised_in_another_table_of_another_type(values, elsewhere):
    target = TargetEncoder.fit(pl.Series("y", values), "classification")
    assert target.encode(pl.Series("y", elsewhere)).tolist() == [1, 0]


def test_text_classes_that_read_as_numbers_are_recognised():
    target = TargetEncoder.fit(pl.Series("y", ["1", "x", "1", "x"]))
    assert target.encode(pl.Series("y", [1, 1])).tolist() == [0, 0]


def test_classes_beyond_the_rows_at_hand_can_be_named():
    assert TargetEncoder.fit(KINDS, classes=("a", "b", "c")).n_outputs == 3


def test_values_need_numbers_that_vary():
    with pytest.raises(InvalidTableError, match=r"'kind' holds text .* target of numbers"):
        TargetEncoder.fit(KINDS, "regression")
    with pytest.raises(InvalidTableError, match=r"'price' is 3\.0 in all 4 rows; .* nothing"):
        TargetEncoder.fit(pl.Series("price", [3.0] * 4), "regression")


@pytest.mark.parametrize("task", [None, "classification", "regression"])
def test_a_target_without_values_is_refused(task):
    with pytest.raises(InvalidTableError, match="the target 'y' has no value in any row"):
        TargetEncoder.fit(pl.Series("y", [None, None]), task)


@pytest.mark.parametrize("target", [CLASSES, VALUES], ids=["classes", "values"])
def test_what_is_written_to_a_file_reads_back_the_same(target):
    assert TargetEncoder.from_file(*target.to_file()) == target


@given(name=st.text(min_size=1, max_size=10))
def test_names_and_classes_of_any_characters_survive_a_file(name):
    target = TargetEncoder.fit(pl.Series(name, ["a", f"b{name}"]), classes=("a", f"b{name}"))
    assert TargetEncoder.from_file(*target.to_file()) == target


@pytest.mark.parametrize(
    "damage",
    [
        {"task": "ranking"},
        {"task": None},
        {"name": 3},
        {"classes": ["a"]},
        {"classes": ["a", "a"]},
        {"classes": ["a", 1]},
        {"classes": [0, True]},
        {"classes": [["a"], ["b"]]},
        {"classes": [None, "a"]},
        {"classes": [1.0, float("nan")]},
        {"classes": [1, 10**60]},
        {"classes": 3},
        {"classes": ["a", "\ud800"]},
        {"name": "\udfff"},
        {"task": "regression"},
        {"more": 1},
    ],
)
def test_a_damaged_header_is_refused(damage):
    metadata, arrays = CLASSES.to_file()
    header = json.loads(metadata["target"]) | damage
    with pytest.raises(InvalidModelFileError, match="target encoder cannot be used"):
        TargetEncoder.from_file({"target": json.dumps(header)}, arrays)


@pytest.mark.parametrize(
    "numbers",
    [
        np.zeros(3),
        np.zeros(2, np.float32),
        np.array([0.0, np.nan]),
        np.array([np.inf, 1.0]),
        np.array([0.0, 0.0]),
        np.array([0.0, -1.0]),
        np.zeros((2, 1)),
    ],
)
def test_damaged_numbers_are_refused(numbers):
    with pytest.raises(InvalidModelFileError, match="target encoder cannot be used"):
        TargetEncoder.from_file(VALUES.to_file()[0], {"target.numbers": numbers})


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100_000, '"x"'])
def test_a_header_that_is_none_is_refused(text):
    with pytest.raises(InvalidModelFileError, match="target encoder cannot be used"):
        TargetEncoder.from_file({"target": text}, CLASSES.to_file()[1])


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["<0.5"] * 3 + [f"{n}.25" for n in range(40)], "3 values that are not (such as '<0.5')"),
        ([f"{n}:07" for n in range(40)], "lengths of time as seconds"),
        ([f"k{n}" for n in range(40)], "is it the right column"),
    ],
)
def test_a_target_that_is_no_classes_is_told_what_it_holds(texts, told):
    with pytest.raises(InvalidTableError, match="too many to be classes") as error:
        TargetEncoder.fit(pl.Series("t", texts))
    assert told in str(error.value)
