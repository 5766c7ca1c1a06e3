import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidModelFileError, InvalidTableError
from chainrule.tables.encoder import TableEncoder

TABLE = pl.DataFrame(
    {
        "length": [1.0, 2.0, 3.0, 6.0],
        "kind": ["b", "a", "b", "a"],
        "old": [True, False, False, True],
        "price": [10.0, 20.0, 30.0, 60.0],
    }
)
CLASSIFIER = TableEncoder.fit(TABLE.drop("price"), "kind")
REGRESSOR = TableEncoder.fit(TABLE.drop("kind"), "price")

# Of few digits, so that the standard deviation is never mere rounding.
VALUES = st.integers(-(10**6), 10**6).map(lambda value: value / 100)
COLUMNS = st.integers(2, 30).flatmap(
    lambda rows: st.lists(st.lists(VALUES, min_size=rows, max_size=rows), min_size=1, max_size=5)
)


def as_frame(columns):
    return pl.DataFrame({f"c{index}": column for index, column in enumerate(columns)})


@given(columns=COLUMNS)
def test_training_columns_get_mean_0_and_standard_deviation_1(columns):
    table = as_frame(columns)
    target = pl.Series("y", np.arange(table.height) * 1.0)
    encoder = TableEncoder.fit(table.with_columns(target), "y")
    inputs = encoder.transform(table)
    for column, values in zip(inputs.T, columns, strict=True):
        if len(set(values)) == 1:
            assert not column.any()
            continue
        # A sum of n terms errs by n roundings of the largest; dividing by std scales that.
        largest, spread = np.abs(values).max(), np.std(values)
        tolerance = 4 * len(values) * np.finfo(np.float64).eps * max(1.0, largest / spread)
        assert abs(column.mean()) <= tolerance
        assert abs(column.std() - 1) <= tolerance


def test_a_column_that_did_not_vary_is_given_as_0_whatever_it_holds_later():
    table = pl.DataFrame({"c": [0.1] * 10, "y": np.arange(10.0)})
    encoder = TableEncoder.fit(table, "y")
    assert encoder.transform(pl.DataFrame({"c": [0.1, 1e6]})).tolist() == [[0.0], [0.0]]


def test_statistics_neither_overflow_nor_vanish():
    huge = pl.DataFrame({"c": [1e300, 3e300], "d": [1e-300, 3e-300], "y": [0.0, 2.5]})
    encoder = TableEncoder.fit(huge, "y")
    # Four roundings: the scaled values, their mean, its difference and the quotient.
    tolerance = 4 * np.finfo(np.float64).eps
    assert np.abs(encoder.transform(huge) - [[-1.0, -1.0], [1.0, 1.0]]).max() <= tolerance


def test_a_value_absurdly_far_from_training_is_named():
    far = TABLE.with_columns(length=pl.Series([1.0, 1e60, 2.0, 3.0]))
    with pytest.raises(InvalidTableError, match="'length' in row 2 is too far"):
        CLASSIFIER.transform(far)


def test_column_order_and_further_columns_do_not_matter():
    shuffled = TABLE.select("price", "old", "kind", "length", more=pl.lit("text"))
    assert np.array_equal(CLASSIFIER.transform(shuffled), CLASSIFIER.transform(TABLE))
    assert np.array_equal(CLASSIFIER.encode_target(shuffled), [1, 0, 1, 0])


def test_the_target_is_not_needed_to_predict():
    assert CLASSIFIER.transform(TABLE.drop("kind")).shape == (4, 2)
    with pytest.raises(InvalidTableError, match="no column 'kind', the target"):
        CLASSIFIER.encode_target(TABLE.drop("kind"))


def test_a_missing_column_is_named():
    with pytest.raises(InvalidTableError, match="no column 'length', which the model needs"):
        CLASSIFIER.transform(TABLE.drop("length"))


def test_an_unknown_class_is_named_with_its_row():
    other = TABLE.with_columns(kind=pl.Series(["a", "b", "z", "z"]))
    with pytest.raises(InvalidTableError, match=r"'z' in row 3, .* classes \(a, b\)"):
        CLASSIFIER.encode_target(other)


def test_the_largest_output_decides_the_class():
    outputs = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert CLASSIFIER.decode(outputs).to_list() == ["a", "b"]


@given(columns=COLUMNS)
def test_a_regression_target_comes_back_in_its_own_units(columns):
    target = np.array(columns[0])
    if len(set(columns[0])) == 1:
        return
    table = pl.DataFrame({"x": np.arange(len(target)), "y": target})
    encoder = TableEncoder.fit(table, "y", task="regression")
    again = encoder.decode(encoder.encode_target(table)[:, np.newaxis]).to_numpy()
    # Four roundings, each of at most the largest intermediate value.
    assert np.abs(again - target).max() <= 4 * np.finfo(np.float64).eps * 2 * np.abs(target).max()


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
    encoder = TableEncoder.fit(
        pl.DataFrame({"x": [1, 2, 3, 4], "y": values}), "y", task="classification"
    )
    assert encoder.encode_target(pl.DataFrame({"y": elsewhere})).tolist() == [1, 0]


def test_text_classes_that_read_as_numbers_are_recognised():
    encoder = TableEncoder.fit(pl.DataFrame({"x": [1, 2, 3, 4], "y": ["1", "x", "1", "x"]}), "y")
    assert encoder.encode_target(pl.DataFrame({"y": [1, 1]})).tolist() == [0, 0]


def test_classes_beyond_the_rows_at_hand_can_be_named():
    encoder = TableEncoder.fit(TABLE.drop("price"), "kind", classes=("a", "b", "c"))
    assert encoder.n_outputs == 3


@pytest.mark.parametrize(
    ("table", "target", "message"),
    [
        (TABLE, "weight", "no column 'weight' to use as the target"),
        (TABLE.select("kind"), "kind", "no column beside the target"),
        (TABLE, "price", r"column 'kind' holds text"),
        (TABLE.with_columns(kind=pl.lit("a")).drop("price"), "kind", "one class"),
    ],
)
def test_a_table_that_cannot_be_learned_from_is_refused(table, target, message):
    with pytest.raises(InvalidTableError, match=message):
        TableEncoder.fit(table, target)


def test_a_regression_needs_a_target_of_varying_numbers():
    with pytest.raises(InvalidTableError, match=r"'kind' holds text .* target of numbers"):
        TableEncoder.fit(TABLE, "kind", task="regression")
    constant = TABLE.drop("kind").with_columns(price=pl.lit(3.0))
    with pytest.raises(InvalidTableError, match=r"'price' is 3\.0 in all 4 rows; .* nothing"):
        TableEncoder.fit(constant, "price", task="regression")


@pytest.mark.parametrize("encoder", [CLASSIFIER, REGRESSOR], ids=["classes", "values"])
def test_what_is_written_to_a_file_reads_back_the_same(encoder):
    metadata, arrays = encoder.to_file()
    again = TableEncoder.from_file(metadata, arrays)
    for name in ("task", "target", "features", "classes", "target_mean", "target_std"):
        assert getattr(again, name) == getattr(encoder, name)
    assert np.array_equal(again.transform(TABLE), encoder.transform(TABLE))


@given(name=st.text(min_size=1, max_size=10))
def test_names_and_classes_of_any_characters_survive_a_file(name):
    name = name.replace("\ud800", "")
    table = pl.DataFrame({f"x{name}": [1, 2], f"y{name}": [f"b{name}", "a"]})
    encoder = TableEncoder.fit(table, f"y{name}", classes=("a", f"b{name}"))
    again = TableEncoder.from_file(*encoder.to_file())
    assert (again.features, again.target, again.classes) == (
        encoder.features,
        encoder.target,
        encoder.classes,
    )


@pytest.mark.parametrize(
    "damage",
    [
        {"task": "ranking"},
        {"task": None},
        {"features": []},
        {"features": ["length", "length"]},
        {"features": ["length", "kind"]},
        {"features": ["length"]},
        {"features": [1, 2]},
        {"features": 3},
        {"target": 3},
        {"classes": ["a"]},
        {"classes": ["a", "a"]},
        {"classes": ["a", 1]},
        {"classes": [0, True]},
        {"classes": [["a"], ["b"]]},
        {"classes": [None, "a"]},
        {"classes": [1.0, float("nan")]},
        {"classes": [1, 10**60]},
        {"target_mean": "x"},
        {"target_std": float("nan")},
        {"task": "regression", "classes": [], "target_std": 0.0},
        {"task": "regression"},
    ],
)
def test_a_damaged_header_is_refused(damage):
    metadata, arrays = CLASSIFIER.to_file()
    header = json.loads(metadata["encoder"]) | damage
    with pytest.raises(InvalidModelFileError, match="table encoder cannot be used"):
        TableEncoder.from_file({"encoder": json.dumps(header)}, arrays)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100_000, '"x"'])
def test_a_header_that_is_none_is_refused(text):
    with pytest.raises(InvalidModelFileError, match="table encoder cannot be used"):
        TableEncoder.from_file({"encoder": text}, CLASSIFIER.to_file()[1])


@pytest.mark.parametrize(
    "damage",
    [
        {"encoder.mean": np.zeros(3)},
        {"encoder.mean": np.zeros(2, np.float32)},
        {"encoder.std": np.array([1.0, -1.0])},
        {"encoder.std": np.array([1.0, np.inf])},
        {"encoder.std": np.zeros((2, 1))},
    ],
)
def test_damaged_arrays_are_refused(damage):
    metadata, arrays = CLASSIFIER.to_file()
    with pytest.raises(InvalidModelFileError, match="table encoder cannot be used"):
        TableEncoder.from_file(metadata, arrays | damage)


def test_missing_arrays_are_refused():
    with pytest.raises(InvalidModelFileError, match=r"encoder\.mean"):
        TableEncoder.from_file(CLASSIFIER.to_file()[0], {})
