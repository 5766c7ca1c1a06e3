from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.assessment.profile import histogram, profile

NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40)


@given(NUMBERS)
def test_every_value_is_in_one_bin_whatever_the_values(numbers):
    found = histogram(np.array(numbers))
    assert found.counts.sum() == len(numbers)
    assert len(found.edges) == len(found.counts) + 1
    assert (np.diff(found.edges) > 0).all()


def test_bins_are_numpys():
    values = np.random.default_rng(0).normal(size=1000)
    found = histogram(values)
    counts, edges = np.histogram(values, 24)
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_allclose(found.edges, edges)


def test_few_whole_numbers_have_a_bin_each():
    found = histogram(np.array([1.0, 1, 2, 4]))
    np.testing.assert_array_equal(found.counts, [2, 1, 0, 1])


def test_a_column_of_numbers():
    found = profile(pl.Series("x", [1.0, None, float("nan"), 3.0, 2.0, float("inf")]))
    assert (found.rows, found.missing, found.distinct) == (6, 2, 4)
    assert found.quartiles == (1, 1.5, 2, 2.5, 3)
    assert found.top == ()


def test_equally_frequent_values_come_in_the_order_of_their_text():
    found = profile(pl.Series("x", ["b", "a", "c", "a", None, "c"]))
    assert found.top == (("a", 2), ("c", 2), ("b", 1))
    assert found.histogram is None


def test_dates_have_a_span_and_a_distribution():
    found = profile(pl.Series("x", [date(2020, 1, 1), None, date(2020, 12, 31), date(2020, 1, 2)]))
    assert found.span == ("2020-01-01", "2020-12-31")
    assert found.histogram is not None
    assert found.histogram.counts.sum() == 3
    assert found.top == found.quartiles == ()


def test_numbers_that_only_name_something_are_counted():
    assert profile(pl.Series("x", [7, 7, 9]), as_categories=True).top == (("7", 2), ("9", 1))


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("x", [None, None]),
        pl.Series("x", [None, None], dtype=pl.Float64),
        pl.Series("rows", ["a", "b"]),
        pl.Series("value", [True, None]),
        pl.Series("x", [date(2020, 1, 1), None]),
        pl.Series("x", [[1], [2, 3]]),
        pl.Series("x", [{"a": 1}, {"a": 2}]),
        pl.Series("x", ["a", "b"], dtype=pl.Categorical),
    ],
    ids=str,
)
def test_any_column_has_a_profile(column):
    found = profile(column)
    assert found.rows == 2
    assert found.missing == column.null_count()
