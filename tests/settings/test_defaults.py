"""Defaults that depend on the number of examples."""

import numpy as np

import chainrule as cr
from chainrule.settings.defaults import default_bins


def test_many_rows_have_finer_bins():
    assert [default_bins(rows) for rows in (0, 9_999, 10_000, 10**7)] == [8, 8, 16, 16]


def test_auto_are_the_bins_of_that_many_training_rows():
    X = np.random.default_rng(0).standard_normal((12_000, 1))
    for rows, bins in ((600, 8), (12_000, 16)):
        model = cr.NetworkRegressor(hidden_layer_sizes=(), max_iter=1, early_stopping=False)
        layers = model.fit(X[:rows], X[:rows, 0]).network_.spec.layers
        assert layers[0].bins == (bins,)
