"""The declaration of dropout."""

import math

import numpy as np
import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import LAYER_KINDS, Dense, Dropout, Layer, TrainingStep
from chainrule.network.random import noise_key, step_noise
from chainrule.network.spec import NetworkSpec


def test_dropout_is_a_layer_of_its_kind():
    assert isinstance(Dropout(0.5), Layer)
    assert LAYER_KINDS["dropout"] is Dropout


@pytest.mark.parametrize("rate", [1, 1.0, -0.1, 2, math.nan, "0.5", None, True, [0.5]])
def test_a_rate_outside_0_to_1_is_refused(rate):
    with pytest.raises(InvalidArgumentError, match=r"^rate: expected a number in \[0, 1\); got"):
        Dropout(rate)


@pytest.mark.parametrize("rate", [0, 0.25, np.float32(0.5)])
def test_its_representation_makes_the_layer_again(rate):
    layer = Dropout(rate)
    assert type(layer.rate) is float
    assert eval(repr(layer)) == layer


def test_it_has_as_many_units_as_the_layer_below_and_no_parameters():
    assert Dropout(0.5).output_units(7) == 7
    assert Dropout(0.5).blocks(7, "auto") == ()


def test_a_specification_with_dropout_is_written_and_read_again():
    layers = (Dropout(0.1), Dense(5), Dropout(0.25), Dense(2, "softmax"))
    spec = NetworkSpec(3, layers, "cross_entropy")
    assert spec.sizes == (3, 3, 5, 5, 2)
    assert NetworkSpec.from_json(spec.to_json()) == spec


def test_a_network_that_ends_in_dropout_is_refused():
    with pytest.raises(InvalidArgumentError, match=r"^layers: the last one .* got Dropout\(0\.5\)"):
        NetworkSpec(3, (Dense(2, "softmax"), Dropout(0.5)), "cross_entropy")


def test_the_mean_of_many_training_steps_is_the_prediction():
    A = np.array([[1.0, -2.0], [3.0, 0.5]])
    key, layer = noise_key(0), Dropout(0.4)
    passes = [layer.forward((), A, TrainingStep(step_noise(key, t), 1)).A for t in range(1, 4001)]
    # A factor has the variance p/(1 − p); five standard deviations of the mean of 4000.
    bound = 5 * np.abs(A) * np.sqrt(0.4 / 0.6 / 4000)
    assert (np.abs(np.mean(passes, axis=0) - layer.forward((), A).A) < bound).all()
