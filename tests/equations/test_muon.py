"""O10 and O11: orthogonalised matrices, and the update of Muon."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.equations import optimizers
from chainrule.equations.optimizers import Matrices, muon_update, orthogonalised
from tests.equations.recurrences import newton_schulz
from tests.numerics import as_float64, assert_within, epsilon


def drawn(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_o10_of_a_diagonal_matrix_is_the_polynomial_of_each_entry(array, dtype):
    # ‖G‖ = 5: 3/5 and 4/5, whose first step is 3.4445 · 0.6 − 4.775 · 0.6³ + 2.0315 · 0.6⁵, and
    # 3.4445 · 0.8 − 4.775 · 0.8³ + 2.0315 · 0.8⁵.
    found = as_float64(orthogonalised(array([[3.0, 0.0], [0.0, -4.0]])))
    # Five steps multiply a relative error by at most the steepest slope of the polynomial above 0.6
    # and below 1.21, |3.4445 − 14.325 x² + 10.1575 x⁴| < 4.3, once each; 8 roundings a step.
    bound = 8 * 4.3**5 * epsilon(dtype) + 1e-8 * 4.3**5
    assert_within(found, np.diag([newton_schulz(0.6), -newton_schulz(0.8)]), bound)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (8, 8), (5, 40), (40, 5), (33, 32)])
def test_o10_keeps_singular_vectors_and_brings_the_values_near_one(array64, shape):
    G = drawn(shape)
    left, values, right = np.linalg.svd(G, full_matrices=False)
    found = as_float64(orthogonalised(array64(G)))
    expected = (left * newton_schulz(values / np.linalg.norm(values))) @ right
    assert_within(
        found, expected, 1e-6
    )  # ε is 1e−8 of the smallest norm here, times the slope, 485
    singular = np.linalg.svd(found, compute_uv=False)
    small = values / np.linalg.norm(values) < 0.002
    assert np.all((singular[~small] > 0.68) & (singular[~small] < 1.21))


@given(rows=st.integers(1, 12), columns=st.integers(1, 12), seed=st.integers(0, 99))
def test_o10_of_a_transpose_is_the_transpose(rows, columns, seed):
    G = drawn((rows, columns), seed)
    np.testing.assert_array_equal(
        orthogonalised(G.T) if rows != columns else orthogonalised(G).T, orthogonalised(G).T
    )


def test_o10_of_matrices_along_an_axis_is_that_of_each(array64):
    G = drawn((3, 4, 6))
    together = as_float64(orthogonalised(array64(G)))
    for one, alone in zip(together, G, strict=True):
        assert_within(one, as_float64(orthogonalised(array64(alone))), 1e-12)


def test_o10_of_zero_is_zero_and_of_tiny_gradients_finite(array, dtype):
    assert not as_float64(orthogonalised(array(np.zeros((3, 4))))).any()
    tiny = as_float64(orthogonalised(array(np.full((3, 4), 1e-30))))
    assert np.isfinite(tiny).all()
    assert np.abs(tiny).max() < 1e-15  # far below ε, a step fades away instead of growing to 1


def test_o10_does_not_depend_on_the_size_of_the_gradient(array64):
    G = drawn((6, 9))
    assert_within(
        orthogonalised(array64(1e6 * G)), as_float64(orthogonalised(array64(G))), 485 * 1e-8
    )


def test_o11_of_a_worked_example(array, dtype):
    # δW = diag(3, −4) from V = 0: the look-ahead is (0.95 · 0.05 + 0.05) δW, whose O is that of δW.
    theta = array([1.0, 0.5, 0.5, 1.0])
    gradient = array([3.0, 0.0, 0.0, -4.0])
    state = optimizers.adam_init(theta)
    new, state = muon_update(theta, gradient, state, 0.1, [Matrices(0, 1, 2, 2)], weight_decay=0.5)
    size = 0.2 * 2**0.5
    first, last = newton_schulz(0.6), newton_schulz(0.8)
    expected = [0.95 - 0.1 * size * first, 0.475, 0.475, 0.95 + 0.1 * size * last]
    assert_within(new, expected, 4.3**5 * (8 * epsilon(dtype) + 1e-7))
    assert_within(state.V, [0.15, 0.0, 0.0, -0.2], 4 * epsilon(dtype))
    assert not as_float64(state.S).any()
    assert state.t == 1


def test_o11_updates_everything_else_as_o6(array64):
    theta, gradient = drawn(11, 1), drawn(11, 2)
    places = [Matrices(1, 2, 1, 2), Matrices(6, 1, 2, 2)]
    inside = np.zeros(11, bool)
    inside[1:5] = inside[6:10] = True
    state = optimizers.adam_init(array64(theta))
    new, _ = muon_update(array64(theta), array64(gradient), state, 0.1, places)
    alone, _ = optimizers.adamw_update(
        array64(theta), array64(gradient), state, 0.1, beta_2=0.95, weight_decay=0.01
    )
    np.testing.assert_array_equal(as_float64(new)[~inside], as_float64(alone)[~inside])
    assert (as_float64(new)[inside] != as_float64(alone)[inside]).all()


def test_o11_without_matrices_is_o6(array):
    theta, gradient = array(drawn(5, 1)), array(drawn(5, 2))
    state = optimizers.adam_init(theta)
    new, _ = muon_update(theta, gradient, state, 0.1)
    expected, _ = optimizers.adamw_update(theta, gradient, state, 0.1, beta_2=0.95)
    np.testing.assert_array_equal(as_float64(new), as_float64(expected))


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (6, 6)])
def test_o11_equals_what_torch_computes_in_float64(shape):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon")
    W = drawn(shape, 1)
    parameter = torch.nn.Parameter(torch.tensor(W))
    theirs = torch.optim.Muon(
        [parameter], lr=0.1, weight_decay=0.2, momentum=0.95, eps=1e-7,
        adjust_lr_fn="match_rms_adamw",
    )  # fmt: skip
    theta = W.ravel()
    state = optimizers.adam_init(theta)
    for step in range(3):
        gradient = drawn(shape, 10 + step)
        parameter.grad = torch.tensor(gradient)
        theirs.step()
        theta, state = muon_update(
            theta, gradient.ravel(), state, 0.1, [Matrices(0, 1, *shape)], weight_decay=0.2
        )
    # torch orthogonalises in bfloat16, of 8 bits: each of three steps of 0.02 √max(shape) is right
    # to a few hundredths.
    bound = 3 * 0.1 * 0.2 * max(shape) ** 0.5 * 0.05
    assert_within(theta.reshape(shape), parameter.detach().numpy(), bound)
