"""The gradient check: what passes, what does not."""

from dataclasses import replace

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.base import Examples, Penalties, Problem
from chainrule.engines.reference import ReferenceEngine
from chainrule.inspection.gradient_check import check_gradients
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from tests.strategies_networks import ACTIVATIONS, OUTPUT_PAIRS, problem_of

SPEC = NetworkSpec(3, (Dense(20, "tanh"), Dense(2, "softmax")), "cross_entropy")


def check(spec, engine, m=8, **arguments):
    problem = problem_of(spec, m).rounded(spec.dtype)
    penalties = arguments.pop("penalties", Penalties())
    minimised = Problem(spec, problem.theta, problem.examples, penalties)
    return check_gradients(minimised, engine, **arguments)


class Broken(ReferenceEngine):
    """An engine whose gradient is changed by a function."""

    name = "broken"

    def __init__(self, change):
        self.change = change

    def loss_and_gradient(self, problem, gradient):
        loss = super().loss_and_gradient(problem, gradient)
        self.change(gradient)
        return loss


def scaled(entries, factor):
    def change(gradient):
        gradient[entries] *= factor

    return Broken(change)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_hidden_activation_passes(engine, activation):
    result = check(replace(SPEC, layers=(Dense(5, activation), Dense(2, "softmax"))), engine)
    assert result.passed, str(result)


@pytest.mark.parametrize("pair", OUTPUT_PAIRS, ids=" and ".join)
@pytest.mark.parametrize("fused", [True, False])
def test_every_output_and_cost_passes(engine, pair, fused):
    activation, cost = pair
    layers = (Dense(4, "tanh"), Dense(2, activation))
    result = check(replace(SPEC, layers=layers, cost=cost, fused=fused), engine)
    assert result.passed, str(result)


def test_weights_of_examples_and_penalties_are_part_of_it(engine_name):
    net = cr.Network([3, cr.Dense(4, "relu"), cr.Dense(1, "identity")], cost="mse", seed=0)
    random = np.random.default_rng(0)
    X, Y = random.standard_normal((9, 3)), random.standard_normal(9)
    result = net.check_gradients(
        X, Y, sample_weight=np.arange(9), l1=0.1, l2=0.2, engine=engine_name
    )
    assert result.passed, str(result)


def test_every_block_is_compared_by_its_name(engine):
    result = check(SPEC, engine)
    assert [(b.name, b.shape, b.checked, b.left_out) for b in result.blocks] == [
        ("W[1]", (20, 3), 60, 0),
        ("b[1]", (20, 1), 20, 0),
        ("W[2]", (2, 20), 40, 0),
        ("b[2]", (2, 1), 2, 0),
    ]
    assert bool(result)


def test_large_blocks_are_compared_in_part(engine):
    result = check(SPEC, engine, entries_per_block=10)
    assert [block.checked for block in result.blocks] == [10, 10, 10, 2]


def test_its_table_names_engine_blocks_and_verdicts(engine):
    lines = str(check(SPEC, engine)).splitlines()
    assert engine.name in lines[0]
    assert [line.split()[0] for line in lines[2:]] == ["W[1]", "b[1]", "W[2]", "b[2]"]
    assert all(line.endswith(" ok") for line in lines[2:])


@pytest.mark.parametrize(
    ("block", "entries"),
    [("W[1]", slice(0, 60)), ("b[1]", slice(60, 80)), ("W[2]", slice(80, 120)), ("b[2]", 121)],
)
@pytest.mark.parametrize("factor", [0.0, -1.0, 1.001, np.nan, np.inf])
def test_a_wrong_gradient_is_found_in_the_block_where_it_is(block, entries, factor):
    result = check(SPEC, scaled(entries, factor))
    assert not result
    assert [b.name for b in result.blocks if not b.passed] == [block]
    assert [line.split()[0] for line in str(result).splitlines() if line.endswith("WRONG")] == [
        block
    ]


def test_one_wrong_entry_among_those_not_compared_is_found_by_the_random_direction():
    spec = replace(SPEC, layers=(Dense(100, "tanh"), Dense(2, "softmax")))
    assert not check(spec, scaled(137, -1.0), entries_per_block=5)


def test_float32_networks_are_checked_in_float64(engine):
    assert check(replace(SPEC, dtype="float32"), engine).blocks[0].largest_error < 1e-9


def test_checking_changes_nothing(engine):
    problem = problem_of(SPEC).rounded("float32")
    for array in (problem.theta, problem.X, problem.Y):
        array.flags.writeable = False
    assert check_gradients(Problem(SPEC, problem.theta, problem.examples), engine)


def kinked(engine):
    """ReLUs at z = 0 exactly, where J has a kink in every bias of layer 1."""
    spec = NetworkSpec(2, (Dense(3, "relu"), Dense(1, "identity")), "mse", dtype="float64")
    theta = np.linspace(-1, 1, 13)
    theta[6:9] = 0.0
    examples = Examples(np.zeros((1, 2)), np.ones((1, 1)))
    return check_gradients(Problem(spec, theta, examples), engine)


def test_entries_at_a_kink_are_left_out_and_counted(engine):
    result = kinked(engine)
    biases = result.blocks[1]
    assert (biases.name, biases.checked, biases.left_out) == ("b[1]", 0, 3)


def test_a_block_of_which_nothing_could_be_compared_is_not_said_to_be_ok(engine):
    line = str(kinked(engine)).splitlines()[3]
    assert line.startswith("b[1]")
    assert not line.endswith(" ok")


@pytest.mark.parametrize("size", [1e3, 1e5, 1e7])
def test_a_right_gradient_passes_whatever_the_size_of_the_targets(engine, size):
    # Prices, populations: J is of order size², and so is the rounding error of its differences.
    spec = NetworkSpec(3, (Dense(8, "tanh"), Dense(1, "identity")), "mse")
    problem = problem_of(spec, 10)
    problem = problem._replace(Y=size * (2 + problem.Y)).rounded("float32")
    result = check_gradients(Problem(spec, problem.theta, problem.examples), engine)
    assert result.passed, str(result)


@pytest.mark.parametrize("size", [1e-3, 1e2])
def test_a_right_gradient_passes_whatever_the_size_of_the_inputs(engine, size):
    spec = NetworkSpec(3, (Dense(8, "tanh"), Dense(1, "identity")), "mse")
    problem = problem_of(spec, 10)
    problem = problem._replace(X=size * problem.X).rounded("float32")
    result = check_gradients(Problem(spec, problem.theta, problem.examples), engine)
    assert result.passed, str(result)


def test_a_session_shows_what_print_shows():
    net = cr.Network([2, cr.Dense(2, "softmax")], cost="cross_entropy", seed=0)
    X, y = np.eye(2), np.array([0, 1])
    for shown in (net.check_gradients(X, y), net.trace(X, y)):
        assert repr(shown) == str(shown)
