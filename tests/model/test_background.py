import numpy as np
import pytest

import chainrule as cr
from chainrule.model.background import Background


def network(n=3, **options):
    layers = [n, cr.Dense(6, "relu"), cr.Dense(2, "softmax")]
    return cr.Network(layers, cost="cross_entropy", seed=0, **options)


def rows(m, n=3):
    return np.random.default_rng(m).normal(size=(m, n)).astype(np.float32)


@pytest.mark.parametrize("m", [1, 9, 19, 20, 45, 700, 2000])
def test_every_point_is_the_mean_of_at_least_ten_rows_if_there_are_as_many(m):
    X = rows(m)
    found = Background.summary(network(), X)
    assert found.counts.sum() == m
    assert found.counts.min() >= min(10, m)
    assert len(found.counts) <= 64
    assert (len(found.counts) == 1) == (m < 20)
    # The groups divide the rows: the mean of their means is that of the rows.
    mean = (found.weights[:, None] * found.inputs).sum(axis=0)
    np.testing.assert_allclose(mean, X.mean(axis=0), atol=1e-5)


def test_no_training_row_is_stored():
    X = rows(500)
    found = Background.summary(network(), X)
    distances = np.abs(found.inputs[:, None, :] - X[None]).max(axis=2)
    assert distances.min() > 1e-3


def test_equal_rows_form_one_group():
    found = Background.summary(network(), np.ones((50, 3), np.float32))
    assert found.counts.tolist() == [50]


def test_the_mean_output_over_the_groups_is_close_to_that_over_the_rows():
    net, X = network(), rows(3000)
    net.fit(X, (X[:, 0] * X[:, 1] > 0).astype(int), epochs=30)
    found = Background.summary(net, X)
    over_rows = net.predict(X)[:, 1]
    over_groups = found.weights @ net.predict(found.inputs)[:, 1]
    of_mean_row = net.predict(X.mean(axis=0, keepdims=True))[0, 1]
    off = abs(over_groups - over_rows.mean())
    assert off < 0.1 * over_rows.std()
    assert off < abs(of_mean_row - over_rows.mean())


def test_at_most_8192_rows_are_looked_at_and_wide_tables_keep_fewer_points():
    assert Background.summary(network(), rows(9000)).counts.sum() == 8192
    wide = rows(1000, 5000)
    found = Background.summary(network(5000), wide)
    assert found.inputs.size <= 1 << 17
    assert len(found.counts) == 26


def test_codes_of_categories_are_looked_up_before_rows_are_averaged():
    layers = [cr.CategoryEmbedding([(0, 3, 2)]), cr.Dense(1, "identity")]
    net = cr.Network([2, *layers], cost="mse", seed=0)
    X = np.array([[0, 1.0], [1, 2.0], [2, 3.0]] * 4, np.float32)
    found = Background.summary(net, X)
    embedded = np.hstack([net.embeddings[0].mean(axis=0), [2.0]])
    assert found.inputs.shape == (1, 3)
    np.testing.assert_allclose(np.sort(found.inputs[0]), np.sort(embedded), rtol=1e-5)


def test_a_background_survives_a_file_to_the_bit():
    found = Background.summary(network(), rows(300))
    again = Background.from_file(found.to_file(), {}, 3)
    assert np.array_equal(again.inputs, found.inputs)
    assert np.array_equal(again.counts, found.counts)


def test_a_file_without_a_background_has_none():
    assert Background.from_file({}, {}, 3) is None
