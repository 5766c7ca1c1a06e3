"""A network as stages: what they compute, by NumPy, is what the network predicts."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.exports.program import program_of
from chainrule.exports.stages import (
    Activations,
    HeadActivation,
    Scaled,
    activation_names,
    stages_of,
)
from chainrule.network.activation import activation_of
from chainrule.network.layers.operations import Affine, GroupedAffine
from tests.exports.models import every_kind


def test_batch_normalisation_behind_a_sum_is_part_of_the_weights():
    net = cr.Network([1, cr.Dense(1, "identity"), cr.BatchNorm(epsilon=1.0), cr.Dense(1)], "mse")
    # W = 2, b = 1; γ = 3, β = 5, μ = 7, v = 8: (2x + 1 − 7)·3/3 + 5 = 2x − 1
    net.parameters = [2, 1, 3, 5, 7, 8, 1, 0]
    first, *_ = stages_of(net.spec, net.parameters)
    assert isinstance(first, Affine)
    assert (first.W.tolist(), first.b.tolist()) == ([[2.0]], [-1.0])


def test_batch_normalisation_behind_groups_is_part_of_their_weights():
    layers = [cr.GroupedDense(2, 2, "identity"), cr.BatchNorm(epsilon=1.0), cr.Dense(1)]
    net = cr.Network([4, *layers], "mse")
    # The same in the second unit; 1·(x − 0)/1 + 0 in the first one.
    net.parameters = [4, 5, 2, 6, 3, 1, 1, 3, 0, 5, 0, 7, 0, 8, 1, 1, 0]
    first, *_ = stages_of(net.spec, net.parameters)
    assert isinstance(first, GroupedAffine)
    assert first.W.tolist() == [[[4.0, 5.0]], [[2.0, 6.0]]]
    assert first.b.tolist() == [3.0, -1.0]


def test_batch_normalisation_behind_an_activation_is_a_step_of_its_own():
    net = cr.Network([1, cr.Dense(1, "relu"), cr.BatchNorm(epsilon=1.0), cr.Dense(1)], "mse")
    net.parameters = [2, 1, 3, 5, 7, 8, 1, 0]
    _, relu, scaled, *_ = stages_of(net.spec, net.parameters)
    assert relu == Activations((HeadActivation(0, 1, activation_of("relu")),))
    assert isinstance(scaled, Scaled)
    assert (scaled.scale.tolist(), scaled.shift.tolist()) == ([1.0], [-2.0])


def test_dropout_and_the_identity_are_no_steps():
    net = cr.Network(
        [2, cr.Dropout(0.5), cr.Dense(3, "identity"), cr.Dropout(0.1), cr.Dense(1, "identity")],
        "mse",
    )
    assert [type(stage) for stage in stages_of(net.spec, net.parameters)] == [Affine, Affine]


def test_heads_are_parts_with_their_units():
    *_, last = stages_of(every_kind().spec, every_kind().parameters)
    assert isinstance(last, Activations)
    assert [(part.begin, part.end, part.activation.name) for part in last.heads] == [
        (0, 3, "softmax"),
        (3, 4, "exponential"),
        (4, 6, "identity"),
        (6, 7, "leaky_relu"),
    ]
    assert last.heads[3].activation.parameters == {"slope": 0.2}


def test_names_of_activations_are_listed_once():
    net = every_kind()
    assert set(activation_names(stages_of(net.spec, net.parameters))) >= {"gelu", "softmax", "mish"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_stages_have_the_network_s_precision_and_leave_its_parameters_alone(dtype):
    net = every_kind(dtype)
    before = net.parameters.copy()
    for stage in stages_of(net.spec, net.parameters):
        if not isinstance(stage, Activations):
            arrays = [array for array in stage if array.dtype.kind == "f"]  # columns are not
            assert {array.dtype.name for array in arrays} == {dtype}
            for array in arrays:
                array[...] = 0
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (None, "expected a Network, a TableModel or a fitted estimator of chainrule; got NoneType"),
        (cr.NetworkSpec(1, (cr.Dense(1, "identity"),), "mse"), "got NetworkSpec"),
        (cr.MLPClassifier(), "this MLPClassifier is not fitted yet"),
        (
            cr.Network([1, cr.CategoryEmbedding([(0, 3, 2)]), cr.Dense(1, "identity")], cost="mse"),
            "layers: CategoryEmbedding cannot be exported",
        ),
        (cr.NetworkMixed(), "NetworkMixed cannot be exported"),
    ],
)
def test_what_is_no_model_is_refused(model, message):
    with pytest.raises(cr.InvalidArgumentError, match=message):
        program_of(model)


def test_a_classifier_of_one_class_has_nothing_to_export():
    model = cr.MLPClassifier((2,)).fit([[0.0], [1.0]], [1, 1], epochs=1)
    with pytest.raises(cr.InvalidArgumentError, match="a single class"):
        program_of(model)
