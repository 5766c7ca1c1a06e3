"""Rows meet columns in one view."""

import numpy as np

from chainrule.engines.passes import as_columns, mean_cost


def test_rows_become_columns_without_a_copy():
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    columns = as_columns(rows)
    assert columns.shape == (3, 4)
    assert np.shares_memory(columns, rows)
    np.testing.assert_array_equal(columns[:, 2], rows[2])


def test_columns_of_c_ordered_rows_are_f_ordered():
    assert as_columns(np.zeros((4, 3))).flags.f_contiguous


def test_columns_become_the_same_rows_again():
    rows = np.arange(12.0).reshape(4, 3)
    back = as_columns(as_columns(rows))
    assert np.shares_memory(back, rows)
    np.testing.assert_array_equal(back, rows)


def test_mean_cost_of_examples_without_weight_is_zero():
    assert mean_cost(np.array([3.0, 4.0]), np.zeros(2)) == 0.0


def test_mean_cost_weighs_the_examples():
    assert mean_cost(np.array([3.0, 5.0]), np.array([3.0, 1.0])) == 3.5
