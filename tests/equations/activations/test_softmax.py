"""AC12, softmax."""

import math

import numpy as np
import pytest
import scipy.special
from hypothesis import given

from chainrule.equations.activations.softmax import softmax
from tests.numerics import as_float64, assert_within, epsilon
from tests.strategies import n_by_m


def test_ac12_softmax_of_a_worked_example(array, dtype):
    # e^{log k} = k: the column log(1, 2, 5) becomes (1, 2, 5)/8.
    Z = array([[0.0], [math.log(2)], [math.log(5)]])
    # The rounding of Z, of the difference and of exp, sum and quotient: 4 ε and 8 of libraries.
    assert_within(softmax(Z), [[0.125], [0.25], [0.625]], 12 * epsilon(dtype))


@given(Z=n_by_m())
def test_ac12_softmax_equals_scipy(array, dtype, Z):
    Z = array(Z)
    z = as_float64(Z)
    expected = scipy.special.softmax(z, axis=0)
    # The shift errs by ε/2 of z's range, which exp passes on as a relative error; exp, the sum
    # of n terms and the quotient add 4 + n + 1.
    spread = np.max(np.abs(z), initial=0.0)
    bound = (2 * spread + z.shape[0] + 5) * epsilon(dtype) * expected
    assert_within(softmax(Z), expected, 2 * bound)


@given(Z=n_by_m())
def test_ac12_softmax_columns_sum_to_one(array, dtype, Z):
    A = as_float64(softmax(array(Z)))
    assert_within(A.sum(axis=0), np.ones(A.shape[1]), (A.shape[0] + 2) * epsilon(dtype))


def test_ac12_softmax_shifts_each_column_by_its_own_maximum(array):
    # Under one shift for the batch, the column at −1e4 would be 0/0.
    column = np.array([0.0, 1.0, 3.0])
    Z = np.stack([column + 1e4, column - 1e4, column], axis=1)
    A = as_float64(softmax(array(Z)))
    np.testing.assert_array_equal(A[:, 0], A[:, 2])
    np.testing.assert_array_equal(A[:, 1], A[:, 2])


def test_ac12_softmax_of_far_apart_units_is_one_hot(array):
    A = as_float64(softmax(array([[1e4, -1e4], [-1e4, 1e4]])))
    np.testing.assert_array_equal(A, np.eye(2))


def test_ac12_softmax_of_a_single_unit_is_one(array):
    np.testing.assert_array_equal(as_float64(softmax(array([[-3.0, 1e4]]))), [[1.0, 1.0]])


@pytest.mark.parametrize("position", [0, 1])
def test_ac12_softmax_keeps_nan_in_its_own_column(array, position):
    Z = np.zeros((2, 2))
    Z[position, 0] = np.nan
    A = as_float64(softmax(array(Z)))
    assert np.all(np.isnan(A[:, 0]))
    np.testing.assert_array_equal(A[:, 1], [0.5, 0.5])
