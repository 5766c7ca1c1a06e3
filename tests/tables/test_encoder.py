import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidArgumentError, InvalidModelFileError, InvalidTableError
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.kinds import KINDS

# Every kind of column, with values that are missing.
TABLE = pl.DataFrame(
    {
        "length": [1.0, 2.0, None, 6.0],
        "old": [True, None, False, True],
        "kind": ["b", "a", "b", None],
        "when": ["2024-01-31", "2024-02-01", "2025-03-05", None],
        "width": [1, 2, 4, 8],
    }
)
ENCODER = TableEncoder().fit(TABLE)

# Of few digits, so that the standard deviation is never mere rounding.
VALUES = st.integers(-(10**6), 10**6).map(lambda value: value / 100)
COLUMNS = st.integers(2, 30).flatmap(
    lambda rows: st.lists(
        st.lists(VALUES, min_size=rows, max_size=rows, unique=True), min_size=1, max_size=5
    )
)


def as_frame(columns):
    return pl.DataFrame({f"c{index}": column for index, column in enumerate(columns)})


def test_each_column_is_of_the_kind_of_its_values():
    kinds = {column.name: column.kind for column in ENCODER.columns_}
    assert kinds == {
        "length": "numeric",
        "old": "boolean",
        "kind": "category",
        "when": "date",
        "width": "numeric",
    }
    assert set(kinds.values()) == set(KINDS)


def test_the_inputs_are_named_and_as_many_as_the_names():
    names = ENCODER.get_feature_names_out()
    assert list(names[:7]) == [
        *("length", "length=(missing)", "old", "old=(missing)"),
        *("kind=a", "kind=b", "kind=(missing)"),
    ]
    assert len(names) == ENCODER.n_inputs == ENCODER.transform(TABLE).shape[1]
    assert list(ENCODER.feature_names_in_) == TABLE.columns
    assert ENCODER.n_features_in_ == 5


@given(columns=COLUMNS)
def test_training_columns_get_mean_0_and_standard_deviation_1(columns):
    table = as_frame(columns)
    inputs = TableEncoder().fit(table).transform(table).astype(np.float64)
    for column, values in zip(inputs.T, columns, strict=False):
        largest, spread = np.abs(values).max(), np.std(values)
        # A sum of n terms errs by n roundings of the largest, which dividing by std scales; the
        # result is rounded to float32.
        tolerance = 4 * len(values) * np.finfo(np.float64).eps * max(1.0, largest / spread)
        tolerance += np.finfo(np.float32).eps * np.abs(column).max()
        assert abs(column.mean()) <= tolerance
        assert abs(column.std() - 1) <= tolerance


@given(order=st.permutations(range(5)), rows=st.permutations(range(4)))
def test_the_order_of_columns_and_further_columns_change_nothing(order, rows):
    names = [TABLE.columns[place] for place in order]
    shuffled = TABLE.select(*names, further=pl.lit("text"))[list(rows)]
    expected = ENCODER.transform(TABLE)[list(rows)]
    assert np.array_equal(ENCODER.transform(shuffled), expected)


@given(order=st.permutations(range(5)))
def test_columns_are_understood_alike_in_any_order(order):
    names = [TABLE.columns[place] for place in order]
    again = TableEncoder().fit(TABLE.select(names))
    assert sorted(again.columns_, key=lambda column: column.name) == sorted(
        ENCODER.columns_, key=lambda column: column.name
    )


def test_a_missing_column_is_named():
    with pytest.raises(InvalidTableError, match="no column 'length', which the model needs"):
        ENCODER.transform(TABLE.drop("length"))


def test_a_column_that_was_left_out_is_not_needed():
    encoder = TableEncoder().fit(TABLE.with_columns(same=pl.lit(1)))
    assert np.array_equal(encoder.transform(TABLE), ENCODER.transform(TABLE))


def test_an_error_in_a_later_block_of_rows_names_the_row_of_the_table():
    rows = (1 << 20) + 10
    table = pl.DataFrame({"a": pl.int_range(rows, eager=True).cast(pl.Float64)})
    encoder = TableEncoder().fit(table.head(100))
    broken = table.with_columns(a=pl.when(pl.col("a") == rows - 1).then(np.inf).otherwise("a"))
    with pytest.raises(InvalidTableError, match=f"'a' holds inf in row {rows}, which"):
        encoder.transform(broken)


def test_blocks_of_rows_are_encoded_as_the_whole():
    rows = np.arange((1 << 20) // 3 + 7)
    table = pl.DataFrame({"a": rows * 1.0, "b": np.array(["x", "y", "z"])[rows % 3]})
    inputs = TableEncoder().fit(table).transform(table)
    assert np.array_equal(inputs[:, 1:].argmax(axis=1), rows % 3)
    assert (np.diff(inputs[:, 0]) >= 0).all()


def test_it_is_not_fitted_before_fit():
    with pytest.raises(InvalidArgumentError, match="not fitted yet; call fit first"):
        TableEncoder().transform(TABLE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scaling": "minmax"}, "scaling: expected one of standard, robust, none; got 'minmax'"),
        ({"max_categories": 0}, "max_categories: expected a whole number of at least 1; got 0"),
        ({"min_frequency": 0.5}, "min_frequency: expected a whole number"),
        ({"embed_above": True}, "embed_above: expected a whole number"),
        ({"categorical": "kind"}, "categorical: expected names of columns in a list"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        TableEncoder(**options).fit(TABLE)


def test_a_named_category_must_be_there():
    with pytest.raises(InvalidTableError, match=r"no column 'wdth', .*did you mean 'width'"):
        TableEncoder(categorical=["wdth"]).fit(TABLE)


def test_what_is_written_to_a_file_reads_back_the_same():
    again = TableEncoder.from_file(*ENCODER.to_file())
    assert again.columns_ == ENCODER.columns_
    assert again.dropped_ == ENCODER.dropped_
    assert list(again.feature_names_in_) == list(ENCODER.feature_names_in_)
    assert again.get_params() == ENCODER.get_params()
    assert np.array_equal(again.transform(TABLE), ENCODER.transform(TABLE))


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=10)


@given(
    names=st.lists(NAMES, min_size=2, max_size=4, unique=True),
    categories=st.lists(NAMES, min_size=2, max_size=4, unique=True),
    numbers=st.lists(st.floats(-1e30, 1e30), min_size=2, max_size=4, unique=True),
)
def test_names_categories_and_numbers_survive_a_file(names, categories, numbers):
    rows = min(len(categories), len(numbers))
    columns = [categories[:rows], numbers[:rows], range(rows), [True, None] * rows]
    table = pl.DataFrame(
        {name: list(column)[:rows] for name, column in zip(names, columns, strict=False)}
    )
    encoder = TableEncoder().fit(table)
    again = TableEncoder.from_file(*encoder.to_file())
    assert again.columns_ == encoder.columns_
    assert again.dropped_ == encoder.dropped_


def damaged(change):
    metadata, arrays = ENCODER.to_file()
    header = json.loads(metadata["encoder"])
    change(header)
    return {"encoder": json.dumps(header)}, arrays


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.pop("columns"),
        lambda header: header.pop("settings"),
        lambda header: header.update(columns=[]),
        lambda header: header.update(columns={}),
        lambda header: header.update(columns=[3]),
        lambda header: header.update(names="length"),
        lambda header: header.update(dropped=[["a", "b"]]),
        lambda header: header["columns"].pop(),
        lambda header: header["columns"].append(header["columns"][0]),
        lambda header: header["columns"][0].update(kind="text"),
        lambda header: header["columns"][0].update(kind=[]),
        lambda header: header["columns"][0].update(name=1),
        lambda header: header["columns"][0].update(flag=1),
        lambda header: header["columns"][0].update(more=1),
        lambda header: header["columns"][0].pop("flag"),
        lambda header: header["columns"][1].update(name="length"),
        lambda header: header["columns"][2].update(categories=["a", "a"]),
        lambda header: header["columns"][2].update(categories=[], other=False, missing=False),
        lambda header: header["columns"][2].update(categories="ab"),
        lambda header: header["columns"][2].update(categories=[None]),
        lambda header: header["columns"][3].update(parts=["minute"]),
        lambda header: header["columns"][3].update(parts=["month", "year"]),
        lambda header: header["columns"][3].update(parts=["year", "year"]),
        lambda header: header["columns"][3].update(parts=[]),
        lambda header: header["columns"][3].update(format="%s" * 100),
        lambda header: header["settings"].update(scaling="minmax"),
        lambda header: header["settings"].update(max_categories=0),
        lambda header: header["settings"].update(further=0),
        lambda header: header["settings"].update(categorical="kind"),
    ],
)
def test_a_damaged_header_is_refused(change):
    with pytest.raises(InvalidModelFileError, match="table encoder cannot be used"):
        TableEncoder.from_file(*damaged(change))


def test_half_of_a_character_is_no_name():
    metadata, arrays = ENCODER.to_file()
    name = ENCODER.columns_[0].name
    metadata = {"encoder": metadata["encoder"].replace(f'"{name}"', r'"\ud800"')}
    with pytest.raises(InvalidModelFileError, match="surrogates"):
        TableEncoder.from_file(metadata, arrays)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100_000, '"x"'])
def test_a_header_that_is_none_is_refused(text):
    with pytest.raises(InvalidModelFileError, match="table encoder cannot be used"):
        TableEncoder.from_file({"encoder": text}, ENCODER.to_file()[1])


@pytest.mark.parametrize(
    "change",
    [
        lambda numbers: numbers[:-1],
        lambda numbers: np.append(numbers, 1.0),
        lambda numbers: numbers.astype(np.float32),
        lambda numbers: numbers[:, np.newaxis],
        lambda numbers: np.where(numbers == numbers[0], np.nan, numbers),
        lambda numbers: -np.abs(numbers),
    ],
)
def test_damaged_arrays_are_refused(change):
    metadata, arrays = ENCODER.to_file()
    numbers = change(arrays["encoder.numbers"])
    with pytest.raises(InvalidModelFileError, match="table encoder cannot be used"):
        TableEncoder.from_file(metadata, {"encoder.numbers": numbers})
    with pytest.raises(InvalidModelFileError, match=r"encoder\.numbers"):
        TableEncoder.from_file(metadata, {})
