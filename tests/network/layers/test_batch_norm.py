"""The declaration of batch normalisation."""

import math

import numpy as np
import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import LAYER_KINDS, BatchNorm, Block, Dense, Layer
from chainrule.network.parameters import (
    group_indicator,
    initial_parameters,
    named_views,
    placed_blocks,
)
from chainrule.network.spec import NetworkSpec

SPEC = NetworkSpec(3, (Dense(4), BatchNorm("relu"), Dense(2, "softmax")), "cross_entropy")


def test_batch_normalisation_is_a_layer_of_its_kind():
    assert isinstance(BatchNorm(), Layer)
    assert LAYER_KINDS["batch_norm"] is BatchNorm


@pytest.mark.parametrize("layer", [BatchNorm(), BatchNorm("elu(alpha=0.5)", 0.99, 1e-3)])
def test_its_representation_makes_the_layer_again(layer):
    assert eval(repr(layer)) == layer


@pytest.mark.parametrize("momentum", [1, -0.1, math.nan, "0.9", True])
def test_a_momentum_outside_0_to_1_is_refused(momentum):
    with pytest.raises(InvalidArgumentError, match=r"^momentum: expected a number in \[0, 1\)"):
        BatchNorm(momentum=momentum)


@pytest.mark.parametrize("epsilon", [0, -1e-5, math.nan, math.inf, "small", True])
def test_an_epsilon_that_is_not_above_0_is_refused(epsilon):
    with pytest.raises(InvalidArgumentError, match=r"^epsilon: expected a finite number > 0; got"):
        BatchNorm(epsilon=epsilon)


def test_an_unknown_activation_is_refused():
    with pytest.raises(InvalidArgumentError, match=r"^activation: "):
        BatchNorm("sine")


def test_its_blocks_are_scale_and_shift_then_running_statistics():
    assert BatchNorm().blocks(4, "auto") == (
        Block("γ", (4, 1), "scale", 1.0),
        Block("β", (4, 1), "scale", "zeros"),
        Block("μ", (4, 1), "statistics", "zeros"),
        Block("v", (4, 1), "statistics", 1.0),
    )


def test_its_parameters_begin_at_mean_0_and_variance_1():
    theta = initial_parameters(SPEC, seed=0)
    for name, value in (("γ", 1.0), ("β", 0.0), ("μ", 0.0), ("v", 1.0)):
        np.testing.assert_array_equal(named_views(SPEC, theta, name), [np.full((4, 1), value)])
    assert [W.shape for W in named_views(SPEC, theta, "W")] == [(4, 3), (2, 4)]


def test_neither_scale_nor_statistics_are_weights():
    weights = group_indicator(SPEC, "weights")
    for placed in placed_blocks(SPEC):
        assert (weights[placed.slice] == (placed.block.name == "W")).all()


def test_a_specification_with_batch_normalisation_is_written_and_read_again():
    assert NetworkSpec.from_json(SPEC.to_json()) == SPEC


def test_a_network_that_ends_in_batch_normalisation_is_refused():
    with pytest.raises(InvalidArgumentError, match=r"^layers: the last one .* Dense layer; got Ba"):
        NetworkSpec(3, (Dense(2), BatchNorm("softmax")), "cross_entropy")
