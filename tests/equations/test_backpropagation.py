"""BP1 to BP4, each alone, and all together against automatic differentiation."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

from chainrule.equations import costs
from chainrule.equations.activations.gelu import gelu, gelu_derivative
from chainrule.equations.activations.sigmoid import sigmoid, sigmoid_derivative
from chainrule.equations.activations.softmax import softmax
from chainrule.equations.activations.tanh import tanh, tanh_derivative
from chainrule.equations.backpropagation import (
    bias_gradient,
    hidden_error,
    output_error,
    softmax_error,
    softmax_jacobian,
    weight_gradient,
)
from chainrule.equations.forward import activation, pre_activation
from tests.numerics import as_float64, assert_within, epsilon
from tests.strategies import layers, n_by_m, n_by_m_logits_and_targets


def test_bp1_output_error_of_a_worked_example(array):
    grad_A, Z = array([[2.0, -1.0]]), array([[3.0, 5.0]])
    delta = output_error(grad_A, Z, lambda Z: Z * Z)
    np.testing.assert_array_equal(as_float64(delta), [[18.0, -25.0]])


def test_bp1s_jacobian_of_a_worked_example(array):
    J = softmax_jacobian(array([0.25, 0.75]))
    np.testing.assert_array_equal(as_float64(J), [[0.1875, -0.1875], [-0.1875, 0.1875]])


@pytest.mark.parametrize("z", [[0.3], [1.0, -2.0], [0.0, 2.0, -1.0, 0.5, 3.0]])
def test_bp1s_jacobian_equals_central_differences_of_softmax(array64, z):
    z = np.array(z)
    h = epsilon("float64") ** (1 / 3)
    # Column i of Z ± h·1 is z with its element i moved.
    above, below = (
        as_float64(softmax(array64(z[:, None] + s * h * np.eye(z.size)))) for s in (1, -1)
    )
    a = as_float64(softmax(array64(z[:, None])))[:, 0]
    # Softmax's third derivatives are below 1; its values, at most 1, err by n + 8 roundings.
    bound = h**2 / 6 + (z.size + 8) * epsilon("float64") / h
    assert_within(softmax_jacobian(array64(a)), (above - below) / (2 * h), bound)


@given(drawn=n_by_m_logits_and_targets())
def test_bp1s_softmax_error_equals_the_product_with_the_explicit_jacobian(array, dtype, drawn):
    Z, grad_A = drawn
    A, grad_A = softmax(array(Z)), array(grad_A)
    a, g = as_float64(A), as_float64(grad_A)
    columns = [as_float64(softmax_jacobian(A[:, i])).T @ g[:, i] for i in range(a.shape[1])]
    # Both are sums of n terms aᵢ aⱼ gⱼ with 3 more operations each.
    bound = 2 * (a.shape[0] + 3) * epsilon(dtype) * a * (np.abs(g) + np.sum(a * np.abs(g), axis=0))
    assert_within(softmax_error(grad_A, A), np.stack(columns, axis=1), bound)


@given(drawn=n_by_m(count=2))
def test_bp1s_softmax_error_sums_to_zero_in_each_column(array, dtype, drawn):
    # Adding a constant to Z changes nothing, so no error may point that way.
    Z, grad_A = drawn
    A = softmax(array(Z))
    delta = as_float64(softmax_error(array(grad_A), A))
    n, m = delta.shape
    # A's columns sum to 1 within (n + 2) ε.
    bound = 4 * (n + 2) * epsilon(dtype) * np.abs(grad_A).max(axis=0)
    assert_within(delta.sum(axis=0), np.zeros(m), bound)


def test_bp2_hidden_error_of_a_worked_example(array):
    W_next, delta_next = array([[1.0, 2.0], [3.0, 4.0], [0.0, -1.0]]), array([[1.0], [-1.0], [2.0]])
    # W_nextᵀ · delta_next = (1 − 3, 2 − 4 − 2), times σ′ = (10, 20).
    through = partial(output_error, Z=array([[1.0], [2.0]]), derivative=lambda Z: 10 * Z)
    delta = hidden_error(W_next, delta_next, through)
    np.testing.assert_array_equal(as_float64(delta), [[-20.0], [-80.0]])


def test_bp2_hidden_softmax_takes_the_jacobian(array, dtype):
    W_next, delta_next = array([[1.0, 2.0], [3.0, 4.0], [0.0, -1.0]]), array([[1.0], [-1.0], [2.0]])
    a = np.array([0.25, 0.75])
    delta = hidden_error(W_next, delta_next, partial(softmax_error, A=array(a[:, None])))
    expected = (np.diag(a) - np.outer(a, a)) @ np.array([-2.0, -4.0])
    assert_within(delta, expected[:, None], 16 * epsilon(dtype))


def test_bp3_bias_gradient_is_the_mean_over_examples(array):
    db = bias_gradient(array([[1.0, 2.0, 6.0], [0.0, -3.0, 0.0]]))
    np.testing.assert_array_equal(as_float64(db), [[3.0], [-1.0]])


@given(layer=layers())
def test_bp4_weight_gradient_is_the_mean_of_outer_products(array, dtype, layer):
    delta, A_prev = array(layer.delta), array(layer.A_prev)
    d, a = as_float64(delta), as_float64(A_prev)
    m = d.shape[1]
    expected = np.mean([np.outer(d[:, i], a[:, i]) for i in range(m)], axis=0)
    # m products, m − 1 additions, one division.
    bound = (m + 2) * epsilon(dtype) * (np.abs(d) @ np.abs(a).T) / m
    assert_within(weight_gradient(delta, A_prev), expected, bound)


def test_bp4_batch_gradient_divides_by_the_examples_not_by_the_units(array):
    # Four times the same example has the gradient of one; there are three units.
    delta, A_prev = np.array([[1.0], [2.0], [3.0]]), np.array([[5.0], [7.0]])
    one = weight_gradient(array(delta), array(A_prev))
    four = weight_gradient(array(np.tile(delta, 4)), array(np.tile(A_prev, 4)))
    np.testing.assert_array_equal(as_float64(one), delta @ A_prev.T)
    np.testing.assert_array_equal(as_float64(four), delta @ A_prev.T)


# Two layers, 3 features, 4 and 2 units, 5 examples: well-scaled numbers.
_GENERATOR = np.random.default_rng(0)
W1, b1 = _GENERATOR.normal(size=(4, 3)), _GENERATOR.normal(size=(4, 1))
W2, b2 = _GENERATOR.normal(size=(2, 4)), _GENERATOR.normal(size=(2, 1))
X, Y = _GENERATOR.normal(size=(3, 5)), _GENERATOR.uniform(size=(2, 5))


def _elementwise(sigma, derivative):
    """Return an activation and its passage from ∂C/∂A to δ."""
    return sigma, lambda Z, A: partial(output_error, Z=Z, derivative=derivative)


SOFTMAX = (softmax, lambda Z, A: partial(softmax_error, A=A))
TANH, SIGMOID = _elementwise(tanh, tanh_derivative), _elementwise(sigmoid, sigmoid_derivative)
GELU = _elementwise(gelu, gelu_derivative)

PLAIN_SOFTMAX = partial(jax.nn.softmax, axis=0)
PLAIN_GELU = partial(jax.nn.gelu, approximate=False)
PLAIN_COSTS = {
    costs.mean_squared_error_gradient: lambda A: jnp.sum((A - Y) ** 2) / 2,
    costs.binary_cross_entropy_gradient: lambda A: (
        -jnp.sum(Y * jnp.log(A) + (1 - Y) * jnp.log(1 - A))
    ),
    costs.cross_entropy_gradient: lambda A: -jnp.sum(Y * jnp.log(A)),
}


@cache
def _automatic_gradients(hidden, output, gradient):
    """Differentiate a plain two-layer network with respect to W1, b1, W2, b2, in float64."""

    def batch_cost(parameters):
        W1, b1, W2, b2 = parameters
        A2 = output(W2 @ hidden(W1 @ X + b1) + b2)
        return PLAIN_COSTS[gradient](A2) / X.shape[1]

    return jax.jit(jax.grad(batch_cost))((W1, b1, W2, b2))


@pytest.mark.parametrize(
    ("hidden", "output", "gradient", "plain_hidden", "plain_output"),
    [
        (TANH, SIGMOID, costs.binary_cross_entropy_gradient, jnp.tanh, jax.nn.sigmoid),
        (GELU, SOFTMAX, costs.cross_entropy_gradient, PLAIN_GELU, PLAIN_SOFTMAX),
        (SOFTMAX, TANH, costs.mean_squared_error_gradient, PLAIN_SOFTMAX, jnp.tanh),
        (SOFTMAX, SOFTMAX, costs.binary_cross_entropy_gradient, PLAIN_SOFTMAX, PLAIN_SOFTMAX),
    ],
    ids=[
        "BP1-BP2-BP3-BP4-tanh-sigmoid-C2",
        "BP1s-BP2-BP3-BP4-gelu-softmax-C3",
        "BP1-BP2-BP3-BP4-softmax-tanh-C1",
        "BP1s-BP2-BP3-BP4-softmax-softmax-C2",
    ],
)
def test_gradients_of_two_layers_equal_automatic_differentiation(
    array, dtype, hidden, output, gradient, plain_hidden, plain_output
):
    A0 = array(X)
    Z1 = pre_activation(array(W1), A0, array(b1))
    A1 = activation(hidden[0], Z1)
    Z2 = pre_activation(array(W2), A1, array(b2))
    A2 = activation(output[0], Z2)
    delta2 = output[1](Z2, A2)(gradient(A2, array(Y)))
    delta1 = hidden_error(array(W2), delta2, hidden[1](Z1, A1))
    actual = (
        weight_gradient(delta1, A0),
        bias_gradient(delta1),
        weight_gradient(delta2, A1),
        bias_gradient(delta2),
    )
    expected = _automatic_gradients(plain_hidden, plain_output, gradient)
    # The sums on the way have 3 + 1, 4 + 1, 2 and 5 terms, with four function calls of up to
    # 8 operations; every factor is at most about 4, and 1/(1 − a) once.
    for result, oracle in zip(actual, expected, strict=True):
        assert_within(result, oracle, 4 * (16 + 4 * 8) * epsilon(dtype))
