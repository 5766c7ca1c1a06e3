"""HD1 to HD3: heads side by side are their own networks' outputs, costs and errors."""

import numpy as np
import pytest

from chainrule.equations import costs, heads
from chainrule.equations import fused_pairs as fused
from chainrule.equations.activations.softmax import softmax
from chainrule.equations.backpropagation import softmax_error
from chainrule.equations.heads import HeadPart

# Two heads: a class among three, and a value; worked by hand.
Z = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.5, -2.0]])
Y = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [1.5, -1.0]])
WEIGHTS = (1.0, 0.5)


def parts(*functions, weights=WEIGHTS):
    return [HeadPart(n, f, w) for n, f, w in zip((3, 1), functions, weights, strict=True)]


def test_hd1_each_head_has_its_own_activation():
    A = heads.heads_activation(Z, parts(softmax, lambda z: z))
    np.testing.assert_allclose(A[:3], 1 / 3)
    np.testing.assert_array_equal(A[3], Z[3])


def test_hd1_derivative_takes_each_head_through_its_own_activation():
    grad_A = np.arange(8.0).reshape(4, 2)
    A = heads.heads_activation(Z, parts(softmax, lambda z: z))
    delta = heads.heads_activation_derivative(
        grad_A, Z, A, parts(lambda g, z, a: softmax_error(g, A=a), lambda g, z, a: 2 * g)
    )
    # Softmax's Jacobian at a = ⅓: (g − mean g)/3.
    np.testing.assert_allclose(delta[:3], (grad_A[:3] - grad_A[:3].mean(axis=0)) / 3)
    np.testing.assert_array_equal(delta[3], 2 * grad_A[3])


def test_hd2_cost_is_the_weighted_sum_of_the_heads_own():
    A = heads.heads_activation(Z, parts(softmax, lambda z: z))
    C = heads.heads_cost(A, Y, parts(costs.cross_entropy, costs.mean_squared_error))
    np.testing.assert_allclose(C, np.log(3) + 0.5 * np.array([0.5, 0.5]))
    from_Z = heads.heads_cost(
        Z, Y, parts(fused.softmax_cross_entropy, fused.identity_mean_squared_error)
    )
    np.testing.assert_allclose(from_Z, C)


@pytest.mark.parametrize("row", range(4))
def test_hd2_gradient_is_the_slope_of_the_cost(row):
    A = heads.heads_activation(Z, parts(softmax, lambda z: z))
    both = parts(costs.cross_entropy, costs.mean_squared_error)
    h = 1e-6
    up, down = A.copy(), A.copy()
    up[row] += h
    down[row] -= h
    slope = (heads.heads_cost(up, Y, both) - heads.heads_cost(down, Y, both)) / (2 * h)
    gradient = heads.heads_cost_gradient(
        A, Y, parts(costs.cross_entropy_gradient, costs.mean_squared_error_gradient)
    )
    np.testing.assert_allclose(gradient[row], slope, rtol=1e-8, atol=1e-8)


def test_hd3_error_equals_the_chain_rule():
    A = heads.heads_activation(Z, parts(softmax, lambda z: z))
    error = heads.heads_error(
        A,
        Y,
        parts(fused.softmax_cross_entropy_error, fused.identity_mean_squared_error_error),
    )
    grad_A = heads.heads_cost_gradient(
        A, Y, parts(costs.cross_entropy_gradient, costs.mean_squared_error_gradient)
    )
    long_way = heads.heads_activation_derivative(
        grad_A, Z, A, parts(lambda g, z, a: softmax_error(g, A=a), lambda g, z, a: g)
    )
    np.testing.assert_allclose(error, long_way, atol=1e-15)
