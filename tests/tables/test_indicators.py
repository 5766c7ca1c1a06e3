"""Columns of zeros and ones are inputs as they are: of tables, and of the estimators' arrays."""

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.tables.indicators import indicators


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([0, 1, 1], True),
        ([1.0, 0.0, -0.0], True),
        ([0, 0, 0], False),
        ([1, 1, 1], False),
        ([0, 0.5, 1], False),
        ([0, 1, 2], False),
        ([-1, 0, 1], False),
    ],
)
def test_a_column_of_zeros_and_ones_is_an_indicator(column, expected):
    assert indicators(np.array([column]).transpose()).tolist() == [expected]
    assert indicators(np.empty((0, 1))).tolist() == [False]


@pytest.mark.parametrize("scaling", ["standard", "robust"])
def test_numbers_and_true_and_false_are_encoded_alike(scaling):
    bits = [1, 0, None, 1, 0, 0, 0, 1]
    table = pl.DataFrame({"n": bits, "f": [*map(float, [1, 0, 0, 0, 0, 0, 0, 1])]}).with_columns(
        b=pl.col("n").cast(pl.Boolean)
    )
    inputs = cr.TableEncoder(scaling=scaling).fit_transform(table)
    np.testing.assert_array_equal(inputs[:, :2], inputs[:, 3:])
    np.testing.assert_array_equal(inputs[:, 2], table["f"].to_numpy())


def test_estimators_pass_indicators_of_arrays_on_unchanged():
    random = np.random.default_rng(0)
    X = np.column_stack([random.normal(5, 3, 50), random.random(50) < 0.3])
    scale = cr.NetworkRegressor().fit(X, X[:, 0], epochs=1)._input_scale
    assert (scale.mean[1], scale.deviation[1]) == (0.0, 1.0)
    assert scale.mean[0] == pytest.approx(X[:, 0].mean())


def test_rows_of_weight_0_make_no_column_anything_else():
    X = np.array([[0.0], [1.0], [7.0], [1.0]])
    weights = [1.0, 2.0, 0.0, 1.0]
    scale = cr.NetworkRegressor().fit(X, [1, 2, 3, 4], weights, epochs=1)._input_scale
    assert (scale.mean[0], scale.deviation[0]) == (0.0, 1.0)
