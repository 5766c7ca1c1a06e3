"""The shares of activations in bins."""

import numpy as np

import chainrule as cr
from chainrule.training.recording.measurements import counted, groups


def test_values_are_counted_and_ends_take_what_is_beyond():
    values = np.array([-9.0, 0.1, 0.2, 0.6, 9.0, np.nan, np.inf])
    assert counted(values, 0.0, 1.0, 2).tolist() == [3 / 5, 2 / 5]
    assert counted(np.array([np.nan]), 0.0, 1.0, 2).tolist() == [0, 0]


def test_layers_without_weights_belong_to_the_layer_that_they_follow():
    layers = [4, cr.Dropout(0.1), cr.Dense(3, "relu"), cr.BatchNorm(), cr.Dense(1, "identity")]
    spec = cr.Network(layers, "mse", seed=0).spec
    assert groups(spec) == [(1, 2), (3, 3)]
