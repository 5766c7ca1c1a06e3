"""The layers that settings describe: bins of numbers, and rates by the widths of the layers."""

import numpy as np

from chainrule.network.layers import Dense, Dropout
from chainrule.settings.layers import bins_of, width_scaled


def bins(inputs, most=8, embeddings=None, weights=None):
    given = {"numeric_bins": most, "embeddings": embeddings}
    layer = bins_of(given, np.asarray(inputs, np.float64), weights)
    return {} if layer is None else {column: len(edges) - 1 for column, edges in layer.columns}


NUMBERS = np.random.default_rng(0).standard_normal((500, 6))


def test_numbers_have_bins_and_indicators_codes_and_constants_have_none():
    inputs = np.column_stack(
        [NUMBERS[:, 0], NUMBERS[:, 1] > 0, np.arange(500) % 7, np.zeros(500), NUMBERS[:, 2]]
    )
    assert bins(inputs, embeddings=[(2, 7, 3)]) == {0: 8, 3: 8}  # behind the lookup of column 2
    assert bins(inputs, most=0) == bins(inputs, most=1) == {}
    assert bins(inputs[:, [1, 3]]) == {}


def test_many_columns_have_fewer_bins_each_and_at_last_none():
    wide = np.random.default_rng(1).standard_normal((60, 600))
    assert set(bins(wide[:, :128]).values()) == {8}
    assert set(bins(wide[:, :256]).values()) == {4}
    assert len(bins(wide[:, :512])) == 512
    assert bins(wide) == {}


def test_a_weight_of_two_counts_as_two_examples():
    weights = np.random.default_rng(2).integers(0, 3, 500).astype(float)
    repeated = np.repeat(NUMBERS, weights.astype(int), axis=0)
    given = {"numeric_bins": 5, "embeddings": None}
    assert bins_of(given, NUMBERS, weights) == bins_of(given, repeated)


def test_rates_by_width_are_those_of_a_layer_of_128_inputs():
    layers = width_scaled([Dense(64, "relu"), Dropout(0.1), Dense(2, "softmax")], 512)
    assert [layer.learning_rate_factor for layer in (layers[0], layers[2])] == [0.5, 2**0.5]
    assert layers[1] == Dropout(0.1)
