"""F1 and F2."""

import math

import numpy as np
from hypothesis import given

from chainrule.equations.activations.tanh import tanh
from chainrule.equations.forward import activation, pre_activation
from tests.numerics import as_float64, assert_within, epsilon
from tests.strategies import layers


def test_f1_pre_activation_of_a_worked_example(array):
    W = array([[1.0, 2.0, 3.0], [0.0, -1.0, 4.0]])
    A_prev = array([[1.0, 0.0], [2.0, -1.0], [0.5, 2.0]])
    b = array([[10.0], [-10.0]])
    Z = pre_activation(W, A_prev, b)
    np.testing.assert_array_equal(as_float64(Z), [[16.5, 14.0], [-10.0, -1.0]])


@given(layer=layers())
def test_f1_pre_activation_errs_by_the_rounding_of_its_sum_at_most(array, dtype, layer):
    W, A_prev, b = array(layer.W), array(layer.A_prev), array(layer.b)
    w, a, bias = as_float64(W), as_float64(A_prev), as_float64(b)
    expected = [
        [
            math.fsum([*(w[j, k] * a[k, i] for k in range(w.shape[1])), bias[j, 0]])
            for i in range(a.shape[1])
        ]
        for j in range(w.shape[0])
    ]
    # n products and n additions, in any order: |error| ≤ (n + 1) ε (|W|·|A| + |b|).
    terms = np.abs(w) @ np.abs(a) + np.abs(bias)
    assert_within(pre_activation(W, A_prev, b), expected, (w.shape[1] + 1) * epsilon(dtype) * terms)


def test_f1_every_column_gets_the_biases(array):
    Z = pre_activation(array(np.zeros((2, 3))), array(np.ones((3, 4))), array([[5.0], [-7.0]]))
    np.testing.assert_array_equal(as_float64(Z), [[5.0] * 4, [-7.0] * 4])


def test_f2_activation_is_sigma_of_every_element(array, dtype):
    Z = array([[0.0, 0.5], [-0.25, 2.0]])
    # One library call; they err by up to 4 units in the last place.
    expected = [[0.0, math.tanh(0.5)], [math.tanh(-0.25), math.tanh(2.0)]]
    assert_within(activation(tanh, Z), expected, 4 * epsilon(dtype))
