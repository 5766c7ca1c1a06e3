"""The map of a film shows what the network predicts at its points."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.pictures.animation.film import grid_of
from chainrule.training.recording.filming import film_of


def film(net, X, y, **options):
    recorder = cr.Recorder()
    net.fit(X, y, epochs=2, callbacks=[recorder])
    return film_of(recorder, recorder.epochs, **options)


def test_the_map_of_two_inputs_is_what_the_network_predicts_on_the_grid():
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 2))
    net = cr.Network([2, cr.Dense(5, "tanh"), cr.Dense(3, "softmax")], "cross_entropy", seed=0)
    found = film(net, X, random.integers(0, 3, 40))
    outputs = found.scene(2).outputs
    across, up = grid_of(found.plane, len(outputs))
    for row, column in ((0, 0), (5, 70), (95, 95)):
        point = np.array([[across[column], up[row]]], np.float32)
        assert np.array_equal(outputs[row, column], net.predict(point)[0])
    assert found.plane.classes == ("0", "1", "2")
    np.testing.assert_allclose(found.plane.points, X, rtol=1e-6)


def test_a_single_probability_has_two_classes():
    X = np.random.default_rng(0).normal(size=(40, 2))
    net = cr.Network([2, cr.Dense(1, "sigmoid")], "binary_cross_entropy", seed=0)
    found = film(net, X, X[:, 0] > 0, class_names=["left", "right"])
    assert found.plane.classes == ("left", "right")
    np.testing.assert_allclose(found.scene(0).outputs.sum(axis=2), 1, rtol=1e-6)
    assert np.array_equal(found.plane.targets, X[:, 0] > 0)


def test_more_inputs_are_projected_onto_their_principal_components():
    decomposition = pytest.importorskip("sklearn.decomposition")
    random = np.random.default_rng(0)
    X = random.normal(size=(80, 5)) * [3, 1, 2, 0.5, 0.1]
    net = cr.Network([5, cr.Dense(1, "identity")], "mse", seed=0)
    found = film(net, X, X[:, 0])
    pca = decomposition.PCA(2).fit(X)
    expected = pca.transform(X)
    signs = np.sign((found.plane.points * expected).sum(axis=0))
    np.testing.assert_allclose(found.plane.points, expected * signs, atol=1e-4)
    share = pca.explained_variance_ratio_[0]
    assert found.plane.labels[0] == f"principal component 1 ({share:.0%} of the variance)"
    # A linear network's map is a plane: its mean is the prediction at the centre.
    outputs = found.scene(0).outputs
    assert outputs.shape == (96, 96)


def test_codes_of_categories_are_no_directions_of_the_plane():
    random = np.random.default_rng(0)
    X = np.column_stack([random.integers(0, 3, 60), random.normal(size=60), random.normal(size=60)])
    X[:40, 0] = 2
    layers = [3, cr.CategoryEmbedding([(0, 3, 2)]), cr.Dense(1, "identity")]
    net = cr.Network(layers, "mse", seed=0)
    found = film(net, X, X[:, 1], feature_names=["kind", "a", "b"])
    assert found.plane.labels == ("a", "b")
    across, up = grid_of(found.plane, 96)
    point = np.array([[2, across[3], up[90]]], np.float32)
    assert found.scene(2).outputs[90, 3] == net.predict(point)[0, 0]


def test_codes_alone_have_no_plane_and_one_input_has_a_line():
    codes = np.arange(30)[:, None] % 3
    layers = [1, cr.CategoryEmbedding([(0, 3, 2)]), cr.Dense(1, "identity")]
    assert film(cr.Network(layers, "mse", seed=0), codes, codes[:, 0]).plane is None
    x = np.linspace(0, 1, 30)[:, None]
    net = cr.Network([1, cr.Dense(1, "identity")], "mse", seed=0)
    found = film(net, x, x[:, 0])
    assert found.plane.is_line
    across, _ = grid_of(found.plane, 96)
    predicted = net.predict(across[:, None].astype(np.float32))[:, 0]
    assert np.array_equal(found.scene(2).outputs, predicted)


def test_no_more_than_five_hundred_examples_of_a_part_are_drawn():
    X = np.random.default_rng(0).normal(size=(3000, 2))
    recorder = cr.Recorder()
    net = cr.Network([2, cr.Dense(1, "identity")], "mse", seed=0)
    net.fit(X, X[:, 0], epochs=1, validation_split=0.5, callbacks=[recorder])
    plane = film_of(recorder, [1]).plane
    assert len(plane.points) == 1000
    assert plane.held_out.sum() == 500
