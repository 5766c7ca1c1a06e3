import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidTableError
from chainrule.tables.kinds import NumericColumn

COLUMN = NumericColumn("a", fill=3.0, center=2.0, scale=4.0, flag=True)
UNFLAGGED = NumericColumn("a", fill=3.0, center=2.0, scale=4.0, flag=False)


def encoded(column, values):
    series = values if isinstance(values, pl.Series) else pl.Series(column.name, values)
    out = np.full((len(series), column.width), 7, np.float32)
    column.encode(series, out)
    return out


def test_values_are_centred_and_scaled_and_missing_ones_filled_in_and_flagged():
    assert encoded(COLUMN, [2.0, None, 10.0]).tolist() == [[0, 0], [0.25, 1], [2, 0]]
    assert COLUMN.feature_names() == ("a", "a=(missing)")


def test_a_value_that_is_missing_without_a_flag_is_filled_in():
    assert encoded(UNFLAGGED, [2.0, None, float("nan")]).tolist() == [[0], [0.25], [0.25]]
    assert UNFLAGGED.feature_names() == ("a",)


@pytest.mark.parametrize(
    "values",
    [
        [2, None, 10],
        ["2", "", " 10.0 "],
        ["2e0", None, "10"],
        pl.Series("a", ["2", None, "10"], dtype=pl.Categorical),
        pl.Series("a", [2, None, 10], dtype=pl.UInt8),
        pl.Series("a", [2, None, 10], dtype=pl.Float32),
        pl.Series("a", [2, None, 10]).cast(pl.Decimal(10, 2)),
        pl.Series("a", [2_000_000, None, 10_000_000]).cast(pl.Duration("us")),
        [2.0, float("nan"), 10.0],
    ],
)
def test_numbers_are_understood_in_every_type(values):
    assert encoded(COLUMN, values).tolist() == [[0, 0], [0.25, 1], [2, 0]]


def test_true_and_false_are_1_and_0():
    assert encoded(UNFLAGGED, [True, False]).tolist() == [[-0.25], [-0.5]]


def test_a_column_without_values_is_filled_in():
    assert encoded(COLUMN, pl.Series("a", [None, None])).tolist() == [[0.25, 1], [0.25, 1]]


def test_a_scale_of_0_gives_0_whatever_the_column_holds():
    constant = NumericColumn("a", fill=5.0, center=5.0, scale=0.0, flag=True)
    assert encoded(constant, [5.0, 1e300, None]).tolist() == [[0, 0], [0, 0], [0, 1]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, float("inf")], "column 'a' holds inf in row 2, which is not a finite number"),
        ([1e300], "column 'a' in row 1 holds 1e[+]300, too far from the values that the model"),
        (["1", "x", "y"], "holds 2 values that cannot be read .'x', 'y'; the first in row 2."),
        (["x" * 500], "column 'a' holds 'x{39}…' in row 1"),
        ([[1]], "column 'a' holds values of type List"),
        (pl.Series("a", [1]).cast(pl.Date), "column 'a' holds values of type Date"),
    ],
)
def test_what_is_no_number_is_named_with_its_row(values, message):
    with pytest.raises(InvalidTableError, match=message):
        encoded(COLUMN, values)


@given(
    values=st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=30),
    center=st.floats(-1e6, 1e6),
    scale=st.floats(1e-3, 1e6),
)
def test_the_inputs_are_those_of_the_formula_rounded_once(values, center, scale):
    column = NumericColumn("a", fill=1.5, center=center, scale=scale, flag=True)
    inputs = encoded(column, pl.Series("a", values, dtype=pl.Float64))
    for value, (number, flag) in zip(values, inputs, strict=True):
        assert flag == (value is None)
        present = 1.5 if value is None else value
        assert number == np.float32((present - center) / scale)
