"""One flat vector: its layout, its views, and where it starts."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import block_diag

from chainrule.network.layers import BatchEnsemble, Dense, Dropout, GroupedDense, Scale
from chainrule.network.parameters import (
    initial_parameters,
    named_views,
    parameter_count,
    placed_blocks,
    views,
    weights_between,
)
from chainrule.network.spec import NetworkSpec

SPEC = NetworkSpec(3, (Dense(4, "tanh"), Dense(2, "identity")), "mse", dtype="float64")


def test_blocks_follow_each_other_layer_by_layer_weights_before_biases():
    placed = [(block.name, block.slice) for block in placed_blocks(SPEC)]
    assert placed == [
        ("W[1]", slice(0, 12)),
        ("b[1]", slice(12, 16)),
        ("W[2]", slice(16, 24)),
        ("b[2]", slice(24, 26)),
    ]
    assert parameter_count(SPEC) == 26


def test_row_j_of_the_weights_holds_the_weights_of_unit_j():
    (W1, b1), (W2, b2) = views(SPEC, np.arange(26.0))
    np.testing.assert_array_equal(W1, np.arange(12.0).reshape(4, 3))
    np.testing.assert_array_equal(b1, [[12.0], [13.0], [14.0], [15.0]])
    np.testing.assert_array_equal(W2, [[16.0, 17.0, 18.0, 19.0], [20.0, 21.0, 22.0, 23.0]])
    np.testing.assert_array_equal(b2, [[24.0], [25.0]])


def test_views_share_the_memory_of_the_vector():
    vector = np.zeros(26)
    for layer in views(SPEC, vector):
        for block in layer:
            assert np.shares_memory(block, vector)
            block[...] = 1.0
    assert (vector == 1.0).all()


@given(seed=st.integers(0, 2**70))
def test_a_seed_decides_the_initial_parameters(seed):
    np.testing.assert_array_equal(initial_parameters(SPEC, seed), initial_parameters(SPEC, seed))


def test_seeds_differ():
    assert (initial_parameters(SPEC, 0)[:12] != initial_parameters(SPEC, 1)[:12]).all()


@pytest.mark.parametrize("init", ["glorot_uniform", "he_normal"])
def test_float32_starts_at_the_rounded_point_of_float64(init):
    spec = replace(SPEC, init=init)
    in_float64 = initial_parameters(spec, 5)
    in_float32 = initial_parameters(replace(spec, dtype="float32"), 5)
    assert in_float32.dtype == np.float32
    np.testing.assert_array_equal(in_float32, in_float64.astype(np.float32))


def test_biases_start_at_zero():
    for _, b in views(SPEC, initial_parameters(SPEC, 0)):
        assert not b.any()


def test_a_layer_s_weights_do_not_depend_on_the_layers_around_it():
    other = replace(SPEC, layers=(Dense(4, "tanh"), Dense(7, "tanh"), Dense(2, "identity")))
    first, same = (views(spec, initial_parameters(spec, 3))[0][0] for spec in (SPEC, other))
    np.testing.assert_array_equal(first, same)


def test_layers_of_one_shape_start_differently():
    spec = NetworkSpec(4, (Dense(4, "tanh"), Dense(4, "tanh")), "mse", dtype="float64")
    (W1, _), (W2, _) = views(spec, initial_parameters(spec, 0))
    assert (W1 != W2).all()


# Big enough that the standard deviation is known to 1 %: it errs by about 1/√(2·120000) = 0.2 %.
N_IN, N_OUT = 400, 300


@pytest.mark.parametrize(
    ("init", "deviation", "limit"),
    [
        ("glorot_uniform", math.sqrt(2 / (N_IN + N_OUT)), math.sqrt(6 / (N_IN + N_OUT))),
        ("glorot_normal", math.sqrt(2 / (N_IN + N_OUT)), None),
        ("he_uniform", math.sqrt(2 / N_IN), math.sqrt(6 / N_IN)),
        ("he_normal", math.sqrt(2 / N_IN), None),
        ("lecun_uniform", math.sqrt(1 / N_IN), math.sqrt(3 / N_IN)),
        ("lecun_normal", math.sqrt(1 / N_IN), None),
        ("nielsen", math.sqrt(1 / N_IN), None),
        ("zeros", 0.0, 0.0),
    ],
)
def test_initial_weights_spread_as_their_source_says(init, deviation, limit):
    spec = NetworkSpec(N_IN, (Dense(N_OUT, "identity"),), "mse", init, "float64")
    W = views(spec, initial_parameters(spec, 0))[0][0]
    assert W.std() == pytest.approx(deviation, rel=0.01)
    assert abs(W.mean()) <= 5 * deviation / math.sqrt(W.size)
    largest = np.abs(W).max()
    if limit is None:
        assert largest > 3.5 * deviation
    else:
        assert 0.999 * limit <= largest <= limit


def test_weights_between_units_are_0_where_groups_do_not_see_each_other():
    layers = (Scale(), GroupedDense(6, 2), Dropout(0.1), GroupedDense(3, 3), Dense(2, "identity"))
    spec = NetworkSpec(4, layers, "mse", dtype="float64")
    theta = initial_parameters(spec, 0)
    W, V, U = named_views(spec, theta, "W")
    first, second, last = weights_between(spec, theta)
    np.testing.assert_array_equal(first, block_diag(W[:3], W[3:]))
    np.testing.assert_array_equal(second, block_diag(*V))
    np.testing.assert_array_equal(last, U)
    some = weights_between(spec, theta, [[3, 0], [0, 5], [1], [1, 0]])
    np.testing.assert_array_equal(some[0], [[0, W[0, 0]], [W[5, 1], 0]])
    np.testing.assert_array_equal(some[1], [[0, 0]])
    np.testing.assert_array_equal(some[2], U[[1, 0]][:, [1]])


def test_weights_between_units_of_members_are_products_with_their_factors():
    layers = (BatchEnsemble(4, 2, shared_input=True), BatchEnsemble(6, 2), Dense(2, "identity"))
    spec = NetworkSpec(3, layers, "mse", dtype="float64")
    theta = np.random.default_rng(0).standard_normal(parameter_count(spec))
    (W, r, s, _), (V, q, p, _), (U, _) = views(spec, theta)
    first, second, last = weights_between(spec, theta)
    np.testing.assert_allclose(first[:2], s[:2] * W * r[:3].T, rtol=1e-15)
    np.testing.assert_allclose(first[2:], s[2:] * W * r[3:].T, rtol=1e-15)
    members = block_diag(p[:3] * V * q[:2].T, p[3:] * V * q[2:].T)
    np.testing.assert_allclose(second, members, rtol=1e-15)
    np.testing.assert_array_equal(last, U)
    some = weights_between(spec, theta, [[2], [1, 3], [4], [0]])
    np.testing.assert_array_equal(some[0], first[[1, 3]][:, [2]])
    np.testing.assert_array_equal(some[1], second[[4]][:, [1, 3]])
    plain = weights_between(spec, theta, parameters_only=True)
    np.testing.assert_array_equal(plain[0], np.concatenate([W, W]))
    np.testing.assert_array_equal(plain[1], block_diag(V, V))


def test_auto_starts_a_relu_network_by_he_and_its_output_by_glorot():
    spec = NetworkSpec(N_IN, (Dense(N_OUT, "relu"), Dense(N_IN, "softmax")), "cross_entropy")
    (hidden, _), (output, _) = views(spec, initial_parameters(spec, 0))
    assert hidden.std() == pytest.approx(math.sqrt(2 / N_IN), rel=0.01)
    assert output.std() == pytest.approx(math.sqrt(2 / (N_IN + N_OUT)), rel=0.01)


def test_the_initial_parameters_of_a_seed_stay_what_they_are():
    # Numbers that users' results rest on: a change here changes every trained model.
    spec = NetworkSpec(2, (Dense(2, "relu"), Dense(1, "identity")), "mse", dtype="float64")
    np.testing.assert_allclose(initial_parameters(spec, 0), PINNED, rtol=1e-15)


PINNED = [
    -0.2059740286292238,
    -0.12884495093462758,
    -0.28978987549091256,
    -1.271943284573895,
    0.0,
    0.0,
    0.2719931655901321,
    -0.4948293476122617,
    0.0,
]
