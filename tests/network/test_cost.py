"""Costs as text and as functions: parsing, the one spelling, errors."""

import pickle

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.network.activation import activation_of
from chainrule.network.cost import CustomCost, cost_of
from chainrule.network.layers import Dense
from chainrule.network.registry.costs import COSTS
from chainrule.network.spec import NetworkSpec


@pytest.mark.parametrize("name", sorted(COSTS))
def test_every_cost_goes_by_its_name_with_default_parameters(name):
    cost = cost_of(name)
    assert (cost.name, str(cost)) == (name, name)
    defaults = {key: parameter.default for key, parameter in COSTS[name].parameters.items()}
    assert cost.parameters == defaults


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (" huber ( delta = 15e-1 ) ", "huber(delta=1.5)"),
        ("huber(delta=1)", "huber"),
        ("quantile(quantile=0.90)", "quantile(quantile=0.9)"),
        ("focal(gamma=2)", "focal"),
        ("focal(gamma=0)", "focal(gamma=0.0)"),
    ],
)
def test_a_cost_has_one_spelling(text, canonical):
    assert str(cost_of(text)) == canonical
    spec = NetworkSpec(2, (Dense(2, "softmax"),), text)
    assert spec.cost == canonical
    assert spec.cost_name == canonical.partition("(")[0]
    assert NetworkSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "hubert",
            r'^cost: expected one of mse, .*perhaps .*"huber\(delta=0\.5\)"; got \'hubert\'',
        ),
        ("mse(delta=1)", r"^cost: mse takes no parameters; got 'delta=1'$"),
        ("huber(gamma=1)", r"^cost: huber takes delta=<number>; got 'gamma=1'$"),
        ("huber(delta=0)", r"^cost: huber's delta must be > 0; got 0$"),
        ("huber(delta=inf)", r"^cost: huber's delta must be a finite number; got 'inf'$"),
        ("quantile(quantile=1)", r"^cost: quantile's quantile must be between 0 and 1; got 1$"),
        ("quantile(quantile=-0.1)", r"^cost: quantile's quantile .*got -0\.1$"),
        ("focal(gamma=-1)", r"^cost: focal's gamma must be ≥ 0; got -1$"),
        ("binary_focal(gamma=-1)", r"^cost: binary_focal's gamma must be ≥ 0; got -1$"),
    ],
)
def test_a_cost_that_cannot_be_is_refused_by_name(text, message):
    with pytest.raises(InvalidArgumentError, match=message):
        NetworkSpec(2, (Dense(2, "softmax"),), text)


@pytest.mark.parametrize("cost", ["focal", "binary_focal(gamma=1.0)"])
def test_focal_costs_need_probabilities(cost):
    with pytest.raises(InvalidArgumentError, match=r"^cost: .*needs outputs between 0 and 1"):
        NetworkSpec(2, (Dense(2, "identity"),), cost)


def test_focal_cost_of_a_single_output_names_its_binary_twin():
    with pytest.raises(InvalidArgumentError, match=r"^cost: focal needs at least.* binary_focal$"):
        NetworkSpec(2, (Dense(1, "sigmoid"),), "focal")


@pytest.mark.parametrize(
    ("cost", "Y", "message"),
    [
        ("binary_focal", [[2.0]], r"^Y: the cost binary_focal expects targets in \[0, 1\]"),
        ("focal(gamma=1.0)", [[-1.0, 1.0]], r"^Y: the cost focal\(gamma=1\.0\) expects .*≥ 0"),
    ],
)
def test_targets_outside_a_focal_cost_are_refused(cost, Y, message):
    net = cr.Network([1, Dense(len(Y[0]), "sigmoid")], cost=cost, seed=0)
    with pytest.raises(InvalidArgumentError, match=message):
        net.loss([[0.0]], Y)


def test_parameters_reach_the_equations():
    C = cost_of("huber(delta=2.0)").equations.function(np.array([[5.0]]), np.array([[0.0]]))
    np.testing.assert_array_equal(C, [8.0])
    assert cost_of("focal(gamma=3.0)").fused_with(activation_of("softmax")) is not None
    assert cost_of("huber").fused_with(activation_of("identity")) is None


def test_a_specification_with_a_parameter_can_be_pickled_after_use():
    spec = NetworkSpec(2, (Dense(2, "softmax"),), "focal(gamma=3)")
    assert spec.fused_pair is not None
    assert pickle.loads(pickle.dumps(spec)) == spec


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CustomCost("mse", abs), r"^cost: expected a function of \(outputs, targets\)"),
        (lambda: CustomCost(abs, None), r"^gradient: expected a function .*got None$"),
        (lambda: CustomCost(abs, abs, ""), r"^name: expected a text; got ''$"),
    ],
)
def test_a_custom_cost_without_its_parts_is_refused(make, message):
    with pytest.raises(InvalidArgumentError, match=message):
        make()
