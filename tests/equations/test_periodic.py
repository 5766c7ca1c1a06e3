"""PE1 to PE8: the values of periodic embeddings, the errors that come back, and their gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.equations.periodic import (
    frequency_gradient,
    mixing_gradient,
    periodic_error,
    periodic_values,
    phase_error,
    phase_gradient,
    phases,
    shift_gradient,
)
from tests.numerics import assert_within, epsilon

# Two embedded units, three frequencies, two values each, four examples.
RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(-1, 1, (2, 4))
W = RANDOM.uniform(-1, 1, (2, 3))
C = RANDOM.uniform(-3, 3, (2, 3))
V = RANDOM.uniform(-1, 1, (2, 6))
D = RANDOM.uniform(-1, 1, (2, 2))
DELTA_X = RANDOM.uniform(-1, 1, (2, 4))
DELTA_E = RANDOM.uniform(-1, 1, (2, 2, 4))


def summed(x, w, c, V, d):
    """Return Σ δ a over all outputs, written again with loops over units and values."""
    total = (DELTA_X * x).sum()
    for i in range(2):
        for o in range(2):
            e = sum(
                V[i, 3 * o + h] * jnp.cos(2 * jnp.pi * w[i, h] * x[i] + c[i, h]) for h in range(3)
            )
            total = total + (DELTA_E[i, o] * (e + d[i, o])).sum()
    return total


@pytest.fixture(scope="module")
def gradients():
    """∂/∂x, ∂/∂w, ∂/∂c, ∂/∂V and ∂/∂d by automatic differentiation, in float64."""
    with jax.enable_x64(True):
        return [np.asarray(g) for g in jax.grad(summed, range(5))(X, W, C, V, D)]


def back(array):
    """Return ψ and ∂C/∂ψ, computed by the equations."""
    psi = phases(array(X), array(W), array(C))
    return psi, phase_error(array(DELTA_E), psi, array(V))


def test_pe1_phases_of_a_worked_example(array, dtype):
    # A quarter, half and a whole turn, each from a quarter of a turn on.
    psi = phases(array([[0.25, 0.5, 1.0]]), array([[1.0, 2.0]]), array([[np.pi / 2, 0.0]]))
    expected = np.pi * np.array([[[1, 1.5, 2.5], [1, 2, 4]]])
    assert_within(psi, expected, 2 * epsilon(dtype) * expected)


def test_pe2_values_of_a_worked_example(array, dtype):
    psi = array(np.pi * np.array([[[0.0, 1.0], [0.5, 2.0]]]))  # cosines 1, −1 and 0, 1
    e = periodic_values(psi, array([[2.0, 3.0, 4.0, 5.0]]), array([[10.0, 20.0]]))
    assert_within(e, [[[12.0, 11.0], [24.0, 21.0]]], 40 * epsilon(dtype))


def test_pe3_phase_error_of_a_worked_example(array, dtype):
    psi = array(np.pi * np.array([[[0.5, 1.5]]]))  # sines 1 and −1
    error = phase_error(array([[[3.0, 5.0], [1.0, 2.0]]]), psi, array([[2.0, 4.0]]))
    assert_within(error, [[[-10.0, 18.0]]], 40 * epsilon(dtype))


def test_pe4_error_equals_automatic_differentiation(array, dtype, gradients):
    _, delta_psi = back(array)
    found = periodic_error(array(DELTA_X), delta_psi, array(W))
    assert_within(found, gradients[0], _bound(dtype))


def test_pe5_gradient_of_the_frequencies_equals_automatic_differentiation(array, dtype, gradients):
    _, delta_psi = back(array)
    # J is a mean over the four examples; δ is of each.
    assert_within(frequency_gradient(delta_psi, array(X)), gradients[1] / 4, _bound(dtype))


def test_pe6_gradient_of_the_phases_equals_automatic_differentiation(array, dtype, gradients):
    _, delta_psi = back(array)
    assert_within(phase_gradient(delta_psi), gradients[2] / 4, _bound(dtype))


def test_pe7_gradient_of_the_mixing_equals_automatic_differentiation(array, dtype, gradients):
    psi, _ = back(array)
    assert_within(mixing_gradient(array(DELTA_E), psi), gradients[3] / 4, _bound(dtype))


def test_pe8_gradient_of_the_shifts_equals_automatic_differentiation(array, dtype, gradients):
    assert_within(shift_gradient(array(DELTA_E)), gradients[4] / 4, _bound(dtype))


def _bound(dtype):
    # ψ is below 10, so its cosine errs by up to 10 roundings; then sums of at most six products
    # of numbers below 1, times 2π.
    return 2 * np.pi * 6 * (10 + 6) * epsilon(dtype)
