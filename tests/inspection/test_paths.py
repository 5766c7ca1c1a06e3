import numpy as np
import pytest

import chainrule as cr
from chainrule.inspection import paths
from chainrule.inspection.paths import path_integrals
from tests.inspection.networks import network, output_of

ACTIVATIONS = ("tanh", "silu", "relu", "leaky_relu(slope=0.3)", "elu", "hard_swish")


def ends(seed=1, n=4, k=5):
    random = np.random.default_rng(seed)
    return random.normal(size=(n, 1)) * 3, random.normal(size=(n, k)) * 3


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("output", ["softmax", "identity", "relu"])
def test_the_shares_of_each_path_add_up_to_the_difference_of_its_ends(activation, output):
    f = output_of(network(activation, output), [0.0, 0.0, 1.0])
    X, references = ends()
    R = path_integrals(f, X, references)
    missing = f.values(X) - f.values(references) - R.sum(axis=0)
    # Each of some 20 pieces may miss 1e-8 of the difference.
    assert np.abs(missing).max() <= 20e-8 * np.abs(f.values(X) - f.values(references)).max()


@pytest.mark.parametrize("activation", ["tanh", "relu", "hard_swish"])
def test_the_integral_of_each_input_is_that_of_a_fine_midpoint_rule(activation):
    f = output_of(network(activation), [1.0, 0.0, -1.0])
    X, references = ends(seed=2, k=2)
    R = path_integrals(f, X, references)
    points = 200_000
    t = (np.arange(points) + 0.5) / points
    for path in range(2):
        start = references[:, [path]]
        gradient = f.gradient(start + t * (X - start))
        expected = (X - start).ravel() * gradient.mean(axis=1)
        # Each of at most 12 kinks spoils one point.
        allowed = 12 / points * np.abs((X - start) * gradient).max()
        np.testing.assert_allclose(R[:, path], expected, atol=allowed)


def test_paths_of_a_piecewise_linear_network_are_exact_to_rounding():
    net = cr.Network(
        [3, cr.Dense(40, "relu"), cr.Dense(20, "relu"), cr.Dense(1, "identity")],
        cost="mse",
        seed=0,
        dtype="float64",
    )
    f = output_of(net, [1.0])
    X, references = ends(n=3, k=20)
    R = path_integrals(f, X, references)
    missing = f.values(X) - f.values(references) - R.sum(axis=0)
    scale = np.abs(R).sum(axis=0).max()
    # Sums of 40 and 20 products, at each of some 50 pieces.
    assert np.abs(missing).max() <= 60 * 50 * np.finfo(np.float64).eps * scale


def test_paths_are_cut_at_the_edges_of_bins(monkeypatch):
    bins = cr.PiecewiseLinearEmbedding([(0, (-2.0, -0.5, 1.0, 2.0)), (2, (-1.0, 0.0, 3.0))])
    layers = [3, bins, cr.Dense(8, "relu"), cr.Dense(1, "identity")]
    f = output_of(cr.Network(layers, cost="mse", seed=0, dtype="float64"), [1.0])
    X, references = ends(n=3, k=20)
    monkeypatch.setattr(paths, "_MOST_HALVINGS", 0)
    R = path_integrals(f, X, references)
    missing = f.values(X) - f.values(references) - R.sum(axis=0)
    # Sums of 8 products at each of some 40 pieces, whose bins have widths from 1 on.
    assert np.abs(missing).max() <= 60 * 40 * np.finfo(np.float64).eps * np.abs(R).max()


def test_a_parametric_activation_after_other_kinks_is_followed():
    layers = [4, cr.Dense(8, "relu"), cr.Dense(8, "identity"), cr.ParametricActivation("relu")]
    net = cr.Network([*layers, cr.Dense(1, "identity")], cost="mse", seed=1, dtype="float64")
    f = output_of(net, [1.0])
    X, references = ends()
    R = path_integrals(f, X, references)
    np.testing.assert_allclose(R.sum(axis=0), f.values(X) - f.values(references), atol=1e-10)


def test_paths_in_several_blocks_have_the_integrals_of_one_block(monkeypatch):
    f = output_of(network("relu"), [1.0, 0.0, 0.0])
    X, references = ends(k=7)
    whole = path_integrals(f, X, references)
    monkeypatch.setattr(paths, "_BLOCK", 1)
    # Each of some 20 pieces may miss 1e-8 of the largest difference, which is below 1.
    np.testing.assert_allclose(path_integrals(f, X, references), whole, atol=20e-8)


def test_a_network_too_large_for_all_kinks_is_integrated_on_even_pieces(monkeypatch):
    f = output_of(network("relu"), [1.0, 0.0, 0.0])
    X, references = ends()
    monkeypatch.setattr(paths, "_MOST_WORK", 1)
    R = path_integrals(f, X, references)
    missing = f.values(X) - f.values(references) - R.sum(axis=0)
    # Each kink spoils one of 16 pieces.
    assert np.abs(missing).max() <= 0.1 * np.abs(f.values(X) - f.values(references)).max()


def test_a_path_of_no_length_has_no_shares():
    f = output_of(network("relu"), [1.0, 0.0, 0.0])
    X = np.ones((4, 1))
    assert (path_integrals(f, X, np.hstack([X, X])) == 0).all()
