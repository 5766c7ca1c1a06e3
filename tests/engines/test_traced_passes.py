"""Whole passes under ``jax.jit``: a library that traces operations follows the equations' lines."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.engines.base import Batches, Examples, Penalties, Problem, StepRecords, UpdateRule
from chainrule.engines.optimizers import SGD
from chainrule.engines.passes import Batch, gradient_pass, penalty
from chainrule.engines.reference import ReferenceEngine
from chainrule.network.layers import LAYER_KINDS, BatchNorm, Dense, TrainingStep
from chainrule.network.parameters import parameter_count, placed_blocks, views
from chainrule.network.random import dropout_factors, step_noise
from chainrule.network.spec import NetworkSpec
from tests.engines.test_layer_kinds import KEY, NETWORKS, examples, parameters
from tests.numerics import epsilon
from tests.strategies_networks import ACTIVATION_NAMES, FUSED_PAIRS, OUTPUT_PAIRS

PENALTIES = Penalties(l1=1e-3, l2=1e-2, shared=True)


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


# Most of the time would go into optimising what runs once.
@partial(jax.jit, static_argnums=0, compiler_options={"xla_backend_optimization_level": 0})
def traced_step(spec, theta, batch, noise, share):
    """Return J, penalties, the gradient and the next parameters of one step of rate 1."""
    blocks = views(spec, theta)
    found = gradient_pass(
        spec, blocks, batch, TrainingStep(noise, weights=batch.weights), PENALTIES, share
    )
    gradient = jnp.zeros_like(theta)
    for placed, value in zip(
        (p for p in placed_blocks(spec) if p.block.has_gradient),
        (value for layer in found.gradients for value in layer),
        strict=True,
    ):
        gradient = gradient.at[placed.slice].set(value.ravel())
    after = theta - gradient
    for place, value in found.statistics:
        after = after.at[place].set(value.ravel())
    return found.J, penalty(spec, blocks, PENALTIES, share), gradient, after


def assert_agrees(spec, theta, data):
    m, targets = len(data.X), data.targets(spec.n_outputs)
    batch = Batch(
        *(None if a is None else jnp.asarray(a) for a in (data.X.T, targets.T, data.weights))
    )
    share = jnp.asarray(PENALTIES.share(data.weight))
    noise = jnp.asarray(np.uint64(step_noise(KEY, 1)))
    J, P, gradient, after = traced_step(spec, jnp.asarray(theta), batch, noise, share)

    expected, optimizer = theta.copy(), SGD(1.0)
    records = StepRecords(np.empty(1), np.empty(1), np.empty(1))
    ReferenceEngine().train(
        Problem(spec, expected, data, PENALTIES),
        UpdateRule(optimizer),
        optimizer.new_state(expected),
        Batches(np.arange(m, dtype=np.int32)[None], m, np.ones(1), KEY),
        records,
    )
    # XLA adds in another order and fuses. Each layer is two sums of at most `terms` numbers and a
    # few roundings more, and its error grows by no more than the layers' own sizes.
    terms = max(*spec.sizes, m) + 20
    size = max(1.0, float(np.abs(theta - expected).max()), float(records.cost[0]))
    tolerance = 2 * len(spec.layers) * terms * epsilon("float64") * size
    assert abs(J - records.cost[0]) <= tolerance
    assert abs(P - records.penalty[0]) <= tolerance
    assert abs(jnp.linalg.norm(gradient) - records.gradient_norm[0]) <= tolerance * np.sqrt(
        theta.size
    )
    np.testing.assert_allclose(after, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_traced_step_of_every_kind_of_layer_equals_the_references(weighted):
    assert {layer.kind for layer in NETWORKS["all kinds"]} == set(LAYER_KINDS)
    spec = NetworkSpec(4, NETWORKS["all kinds"], "cross_entropy", dtype="float64")
    assert_agrees(spec, parameters(spec), examples(spec, 11, weighted=weighted))


def test_a_traced_step_of_every_activation_equals_the_references():
    # Normalised between, so that one after the other is no more than one.
    layers = [layer for name in ACTIVATION_NAMES for layer in (Dense(5, name), BatchNorm())]
    spec = NetworkSpec(4, (*layers, Dense(3, "softmax")), "cross_entropy", dtype="float64")
    assert_agrees(spec, parameters(spec), examples(spec, 9, weighted=True))


@pytest.mark.parametrize("fused", [True, False])
def test_a_traced_step_of_every_cost_and_of_heads_equals_the_references(fused):
    # Each a head of its own; those of a fused network are pairs, or the identity's.
    pairs = [
        (output, cost)
        for output, cost in OUTPUT_PAIRS
        if not fused or output == "identity" or (output, cost) in FUSED_PAIRS
    ]
    output, cost = (
        f"heads({', '.join(f'{name}:2' for name in names)})" for names in zip(*pairs, strict=True)
    )
    spec = NetworkSpec(4, (Dense(2 * len(pairs), output),), cost, dtype="float64", fused=fused)
    assert (spec.fused_pair is not None) == fused
    random = np.random.default_rng(0)
    theta = random.standard_normal(parameter_count(spec))
    data = Examples(random.standard_normal((6, 4)), random.uniform(0, 1, (6, spec.n_outputs)))
    assert_agrees(spec, theta, data)


def test_a_traced_batch_without_weight_leaves_the_penalties_and_the_statistics():
    spec = NetworkSpec(4, NETWORKS["all kinds"], "cross_entropy", dtype="float64")
    data = examples(spec, 6)._replace(weights=np.zeros(6))
    assert_agrees(spec, parameters(spec), data)


def test_the_units_that_are_dropped_are_the_same_in_every_library():
    noise, layer, rate = step_noise(KEY, 7), 3, 0.3
    expected = dropout_factors(noise, layer, np.arange(9), np.arange(70), rate)
    traced = jax.jit(dropout_factors, static_argnums=(1, 4))
    own = traced(jnp.asarray(np.uint64(noise)), layer, jnp.arange(9), jnp.arange(70), rate)
    np.testing.assert_array_equal(own, expected)
    xp = pytest.importorskip("array_api_strict")
    strict = dropout_factors(noise, layer, xp.arange(9), xp.arange(70), rate)
    np.testing.assert_array_equal(np.asarray(strict), expected)
