"""Compiled layers that are not dense against the reference, on every instruction set."""

import signal
import threading
from functools import cache

import numpy as np
import pytest

from chainrule.engines import extension
from chainrule.engines.base import Batches, Examples, Penalties, Problem, StepRecords, UpdateRule
from chainrule.engines.native import NativeEngine
from chainrule.engines.optimizers import SGD, Adam, HeavyBall, RMSprop
from chainrule.engines.reference import ReferenceEngine
from chainrule.network.layers import (
    BatchEnsemble,
    BatchNorm,
    CategoryEmbedding,
    Dense,
    Dropout,
    GroupedDense,
    PeriodicEmbedding,
)
from chainrule.network.parameters import parameter_count, placed_blocks, views
from chainrule.network.random import dropout_factors, noise_key, step_noise
from chainrule.network.spec import NetworkSpec
from tests import plans
from tests.engines.instruction_sets import computing_with
from tests.engines.test_layer_kinds import (
    DROPS,
    KEY,
    every_network,
    examples,
    network,
    parameters,
    train,
)
from tests.engines.test_native import instruction_set
from tests.numerics import epsilon

__all__ = ["instruction_set"]

pytestmark = pytest.mark.skipif(extension.native is None, reason="there is no compiled core")


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 1 / 3, 0.999])
@pytest.mark.parametrize("m", [1, 8, 64, 256])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_factors_are_exactly_those_of_the_reference(instruction_set, rate, m, dtype):
    # Outputs are 0; example i has the target 1 at output i alone. So ∂J/∂W[i, j] = −M[j, i]/m,
    # and a step of rate m (a power of two) from W = 0 leaves M.
    n, key = 5, noise_key(3)
    spec = NetworkSpec(n, (Dropout(0.0), Dropout(rate), Dense(m, "identity")), "mse", dtype=dtype)
    theta = np.zeros(m * (n + 1), dtype)
    data = Examples(np.ones((m, n), dtype), np.eye(m, dtype=dtype))
    after, _, _ = train(NativeEngine(), spec, data, SGD(float(m)), m, theta=theta, key=key)
    M = dropout_factors(step_noise(key, 1), 2, np.arange(n), np.arange(m), rate)
    np.testing.assert_array_equal(after[: m * n].reshape(m, n), M.T.astype(dtype))


# One instruction set after the other is compared with the same numbers of the reference, whose
# steps take a hundred times as long.


@cache
def trained_by_the_reference(layers, batch, optimizer):
    return trained_by(ReferenceEngine(), layers, batch, optimizer)


def trained_by(engine, layers, batch, optimizer):
    spec = network(layers, n=13)
    data, theta = examples(spec, 130, weighted=True), parameters(spec)
    return train(engine, spec, data, optimizer, batch, Penalties(1e-3, 1e-2), theta=theta)


@every_network
@pytest.mark.parametrize("batch", [3, 7, 16, 33, 64, 130])
@pytest.mark.parametrize(
    "optimizer", [SGD(0.1), HeavyBall(0.05), RMSprop(0.01, epsilon=1e-6)], ids=repr
)
def test_training_with_other_kinds_agrees_with_the_reference(
    instruction_set, layers, batch, optimizer
):
    theta, state, records = trained_by_the_reference(layers, batch, optimizer)
    theta_n, state_n, records_n = trained_by(NativeEngine(), layers, batch, optimizer)
    # Below batch normalisation ∂C/∂b is 0 but for the rounding of a sum of `batch` terms of order
    # 1/√(v + 1e-5), which are at most 316: batch · 316 · 2⁻⁵². RMSprop divides that by its own ε,
    # 1e-6, and multiplies it by 0.01 in each of 130/batch steps: 9e-8 in all. Everything else is
    # rounding through at most 44 steps.
    loose = isinstance(optimizer, RMSprop)
    np.testing.assert_allclose(theta_n, theta, rtol=0, atol=1e-7 if loose else 1e-9)
    np.testing.assert_allclose(state_n.slots, state.slots, rtol=0, atol=1e-9)
    for one, other in zip(records_n, records, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)


def test_adam_with_dropout_agrees_with_the_reference(instruction_set):
    spec = network(DROPS, n=13)
    data = examples(spec, 100, weighted=True)
    results = [
        train(engine, spec, data, Adam(0.01), 7, Penalties(1e-3, 1e-2))
        for engine in (ReferenceEngine(), NativeEngine())
    ]
    np.testing.assert_allclose(results[1][0], results[0][0], rtol=0, atol=1e-9)


@every_network
@pytest.mark.parametrize("m", [1, 9, 100])
def test_losses_gradients_and_outputs_of_other_kinds_agree_with_the_reference(
    instruction_set, layers, m
):
    spec = network(layers, n=5)
    data, theta = examples(spec, m, weighted=True), parameters(spec)
    results = []
    for engine in (ReferenceEngine(), NativeEngine()):
        outputs, gradient = np.empty((m, 3)), np.empty_like(theta)
        engine.forward(spec, theta, data.X, outputs)
        loss = engine.loss_and_gradient(Problem(spec, theta, data, Penalties(1e-3, 1e-2)), gradient)
        alone = engine.loss(Problem(spec, theta, data, Penalties(1e-3, 1e-2)))
        results.append((outputs, gradient, np.array([loss, alone])))
    for actual, expected in zip(*reversed(results), strict=True):
        # Sums of some hundred terms of order 1.
        np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


WIDE = (
    Dropout(0.1), Dense(130, "identity"), BatchNorm("relu"), Dropout(0.5),
    Dense(150, "silu"), BatchNorm(), Dense(10, "softmax"),
)  # fmt: skip

# Tables of one group and of several, the first one's last group short.
TABLES = (
    CategoryEmbedding([(169, 3000, 16), (0, 2, 1), (64, 30, 7), (3, 40000, 3)]),
    Dense(130, "relu"), Dropout(0.5), Dense(10, "softmax"),
)  # fmt: skip
NORMAL_TABLES = (*TABLES[:1], BatchNorm(), *TABLES[1:])
# Groups of five units, the last one short, and a group of one.
PERIODIC_WIDE = (
    PeriodicEmbedding(), Dense(130, "relu"),
    PeriodicEmbedding([100, 3], frequencies=100, size=9), Dense(10, "softmax"),
)  # fmt: skip
# Groups of parameters that are parts of a layer's groups, beside dense layers of each precision.
GROUPED_WIDE = (
    GroupedDense(200, 2, "relu"), Dense(150, "relu"), GroupedDense(300, 3, "silu"),
    GroupedDense(90, 30, "relu"), Dense(96, "identity"), Dense(10, "softmax"),
)  # fmt: skip
# Groups of rows of shared weights, of one chunk of inputs and of several, and members of one unit.
SHARED_WIDE = (
    BatchEnsemble(600, 4, "relu", shared_input=True), BatchEnsemble(300, 4, "silu"),
    BatchEnsemble(90, 30, "relu"), Dense(96, "identity"),
    BatchEnsemble(200, 2, "tanh", shared_input=True), Dense(10, "softmax"),
)  # fmt: skip
many = pytest.mark.parametrize(
    "layers",
    [WIDE, TABLES, NORMAL_TABLES, PERIODIC_WIDE, GROUPED_WIDE, SHARED_WIDE],
    ids=["wide", "tables", "normalized tables", "periodic", "groups", "shared weights"],
)


@many
@pytest.mark.parametrize("batch", [64, 384])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("clip", [float("inf"), 0.01])
def test_other_kinds_give_the_same_bits_for_any_number_of_threads(
    instruction_set, layers, batch, dtype, clip
):
    spec = network(layers, dtype, n=170)
    data = examples(spec, 1000, weighted=True)
    results = []
    for threads in (1, 2, 3, 5):
        theta, state, records = train(
            NativeEngine(threads), spec, data, Adam(1e-3), batch, max_grad_norm=clip
        )
        gradient = np.empty_like(theta)
        NativeEngine(threads).loss_and_gradient(Problem(spec, theta, data), gradient)
        results.append([a.tobytes() for a in (theta, state.slots, gradient, *records)])
    assert results[1:] == results[:1] * 3


# Groups deep enough for products in parts, and so large that BP2 reads a copy of W.
GROUPED_DEEP = (
    GroupedDense(1600, 2, "silu"), GroupedDense(330, 2, "relu"), GroupedDense(1600, 2, "tanh"),
    GroupedDense(40, 2, "identity"), Dense(3, "softmax"),
)  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [8, 150])
def test_deep_groups_have_the_gradient_of_a_block_diagonal_dense_layer(
    instruction_set, dtype, batch
):
    spec = network(GROUPED_DEEP, dtype, n=10)
    dense = network(tuple(Dense(one.units, one.activation) for one in GROUPED_DEEP), dtype, n=10)
    theta, data = parameters(spec), examples(spec, batch)
    of_zeros = np.zeros(parameter_count(dense), dtype)
    places = []  # of each parameter in those of the dense network
    at = 0
    for (W, b), (V, c) in zip(views(spec, theta), views(dense, of_zeros), strict=True):
        groups, units = V.shape[1] // W.shape[1], W.shape[1]
        starts = np.repeat(np.arange(groups) * units, len(W) // groups)
        rows = np.arange(len(W))[:, None] * V.shape[1] + starts[:, None]
        places += [at + (rows + np.arange(units)).ravel(), at + V.size + np.arange(b.size)]
        at += V.size + c.size
    places = np.concatenate(places)
    of_zeros[places] = theta
    gradient, whole = np.empty_like(theta), np.empty_like(of_zeros)
    NativeEngine(2).loss_and_gradient(Problem(spec, theta, data), gradient)
    NativeEngine(2).loss_and_gradient(Problem(dense, of_zeros, data), whole)
    # Sums of up to 1600 products, of which the dense network has zeros more, in five layers.
    bound = 5 * 1600 * np.finfo(dtype).eps * np.abs(whole).max()
    np.testing.assert_allclose(gradient, whole[places], rtol=0, atol=bound)
    alone = np.empty_like(theta)
    NativeEngine(1).loss_and_gradient(Problem(spec, theta, data), alone)
    np.testing.assert_array_equal(alone, gradient)
    # The copy of W follows the steps: they are those that begin with a new copy.
    order = np.tile(np.arange(batch, dtype=np.int32), 2)
    both, _, _ = train(NativeEngine(), spec, data, SGD(0.1), batch, theta=theta, order=order)
    for _ in range(2):
        theta, _, _ = train(NativeEngine(), spec, data, SGD(0.1), batch, theta=theta)
    np.testing.assert_array_equal(both, theta)


# W so deep that its products go in parts, and so large that BP2 reads a copy of it.
SHARED_DEEP = (
    BatchEnsemble(1600, 2, "silu", shared_input=True), BatchEnsemble(600, 2, "relu"),
    BatchEnsemble(1800, 2, "tanh"), BatchEnsemble(40, 2, "identity"), Dense(3, "softmax"),
)  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [8, 150])
def test_deep_shared_weights_have_the_gradient_of_the_equations(instruction_set, dtype, batch):
    spec = network(SHARED_DEEP, dtype, n=10)
    theta, data = parameters(spec), examples(spec, batch)
    # A layer of 900 units of parameters near 1 would saturate the next one.
    for placed in placed_blocks(spec):
        if placed.block.group == "scale":
            theta[placed.slice] *= np.random.default_rng(1).choice(
                [-1, 1], theta[placed.slice].size
            )
    gradient, expected, alone = (np.empty_like(theta) for _ in range(3))
    NativeEngine(3).loss_and_gradient(Problem(spec, theta, data), gradient)
    ReferenceEngine().loss_and_gradient(Problem(spec, theta, data), expected)
    for placed in placed_blocks(spec):
        one, other = gradient[placed.slice], expected[placed.slice]
        # Sums of up to 900 products through five layers.
        assert np.linalg.norm(one - other) <= 1000 * epsilon(dtype) * np.linalg.norm(other)
    NativeEngine(1).loss_and_gradient(Problem(spec, theta, data), alone)
    np.testing.assert_array_equal(alone, gradient)
    # The copy of W follows the steps: they are those that begin with a new copy.
    order = np.tile(np.arange(batch, dtype=np.int32), 2)
    both, _, _ = train(NativeEngine(), spec, data, SGD(0.1), batch, theta=theta, order=order)
    for _ in range(2):
        theta, _, _ = train(NativeEngine(), spec, data, SGD(0.1), batch, theta=theta)
    np.testing.assert_array_equal(both, theta)


@every_network
def test_float32_steps_of_other_kinds_stay_near_those_of_float64(instruction_set, layers):
    results = []
    for dtype in ("float32", "float64"):
        spec = network(layers, dtype)
        data = examples(network(layers, "float32"), 64, weighted=True).astype(dtype)
        theta = parameters(network(layers, "float32")).astype(dtype)
        results.append(train(NativeEngine(), spec, data, SGD(0.1), 64, theta=theta)[0])
    # One step of sums of 64 terms, through some six layers and their 1/√(v + ε).
    np.testing.assert_allclose(results[0], results[1], rtol=0, atol=1e-4)


@pytest.fixture(params=["amx_bf16", "amx_bf16_emulated"])
def bfloat16(request):
    """Instruction sets with products in bfloat16, where this CPU has them."""
    with computing_with(request.param, "mixed"):
        yield


@many
@pytest.mark.parametrize("threads", [1, 3])
def test_mixed_precision_drops_normalizes_and_looks_up_the_same(bfloat16, layers, threads):
    spec = network(layers, "float32", n=170)
    data = examples(spec, 384)
    full, mixed, alone = (
        train(engine, spec, data, SGD(0.01), 384)[0]
        for engine in (
            NativeEngine(),
            NativeEngine(threads, precision="mixed"),
            NativeEngine(1, precision="mixed"),
        )
    )
    np.testing.assert_array_equal(mixed, alone)
    moved = full - parameters(spec)
    # bfloat16 keeps 8 bits; a unit that was dropped in one and not in the other would be all off.
    assert np.linalg.norm(mixed - full) < 0.03 * np.linalg.norm(moved)
    assert (mixed != full).any()


# Layers in which bfloat16 products pay, in tiles or in pairs, around groups, which are in float32.
AROUND_GROUPS = (
    Dense(400, "relu"), GroupedDense(400, 4, "relu"), Dense(300, "relu"), Dense(256, "silu"),
    GroupedDense(32, 2, "identity"), Dense(10, "softmax"),
)  # fmt: skip


@pytest.mark.parametrize("name", ["amx_bf16", "amx_bf16_emulated", "avx512_bf16"])
def test_dense_layers_around_groups_multiply_in_mixed_precision(name):
    with computing_with(name, "mixed"):
        spec = network(AROUND_GROUPS, "float32", n=170)
        data, theta = examples(spec, 256), parameters(spec)
        full, mixed, alone = (
            train(engine, spec, data, SGD(0.1), 128, theta=theta)[0]
            for engine in (
                NativeEngine(),
                NativeEngine(3, precision="mixed"),
                NativeEngine(1, precision="mixed"),
            )
        )
    np.testing.assert_array_equal(mixed, alone)
    # Factors of 8 bits; a layer that took another's errors would be all off.
    assert 0 < np.linalg.norm(mixed - full) < 0.03 * np.linalg.norm(full - theta)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (plans.layer("densee", 3, 3), "no such kind of layer: densee"),
        (plans.dropout(3, rate=1.0), "a rate"),
        (plans.dropout(3, n_out=4), "keeps its units"),
        (plans.dropout(3)._replace(activation=("tanh", {})), "dropout has no activation"),
        (plans.layer("scale", 3, 4), "a scale keeps its units"),
        (plans.layer("scale", 3, 3), "a scale has s"),
        (plans.layer("scale", 3, 3, activation="tanh"), "a scale has no activation"),
        (plans.norm(3, n_out=4), "keeps its units"),
        (plans.norm(3, momentum=1.0), "a momentum"),
        (plans.norm(3, epsilon=0.0), "epsilon is positive"),
        (plans.layer("batch_norm", 3, 3, {"momentum": [0.9]}), "has a setting epsilon"),
        (plans.layer("dropout", 3, 3, {"rate": [0.5, 0.5]}), "a setting is one number"),
        (plans.layer("dropout", 3, 3, {"rate": []}), "a setting is one number"),
        (plans.layer("dropout", 3, 3, {"rate": [0.5], "r": [1.0]}), "that it has not"),
        (plans.layer("dense", 3, 3), "has W and b"),
        (plans.layer("dense", 3, 3, blocks=[(3, 3, "biases"), (3, 1, "biases")]), "has W and b"),
        (plans.layer("dense", 3, 3, blocks=[(3, 0, "weights"), (3, 1, "biases")]), "rows and col"),
        (plans.layer("dense", 3, 3, activation="reluu"), "no such activation: reluu"),
        (plans.layer("dense", 3, 3, activation="leaky_relu"), "has a setting slope"),
        (plans.layer("grouped_dense", 4, 6), "has W and b"),
        (plans.grouped(4, 6, 3), "has W and b"),
        (plans.grouped(4, 6, 8), "has W and b"),
        (plans.grouped(4, 6, 2, group="biases"), "has W and b"),
        (plans.grouped(4, 5, 2), "equally many units"),
        (plans.layer("batch_ensemble", 4, 6), "has W, r, s and b"),
        (plans.batch_ensemble(4, 7, 2, 2), "has W, r, s and b"),
        (plans.batch_ensemble(4, 6, 2, 2, 3), "has W, r, s and b"),
        (plans.batch_ensemble(4, 6, 2, 2, group="weights"), "has W, r, s and b"),
        (plans.batch_ensemble(5, 6, 2, 2), "equally many units"),
        (plans.embedding(3, []), "a table for each"),
        (plans.layer("category_embedding", 3, 3, {"columns": [0.0]}), "a table for each"),
        (plans.embedding(3, [(3, 5, 2)]), "a table has"),
        (plans.embedding(3, [(-1, 5, 2)]), "a table has"),
        (plans.embedding(3, [(0.5, 5, 2)]), "a table has"),
        (plans.embedding(3, [(float("nan"), 5, 2)]), "a table has"),
        (plans.embedding(3, [(0, 0, 2)]), "rows and columns"),
        (plans.embedding(3, [(0, 2**24 + 1, 2)]), "a table has"),
        (plans.embedding(3, [(0, 5, 0)], n_out=2), "rows and columns"),
        (plans.embedding(3, [(0, 5, 2), (0, 5, 2)]), "one table"),
        (plans.embedding(3, [(0, 5, 2)], n_out=3), "replace their columns"),
        (plans.embedding(3, [(0, 5, 2)], activation="sigmoid"), "first layer"),
        (plans.layer("periodic_embedding", 3, 3, {"columns": []}), "has w, c, V and d"),
        (plans.periodic(3, [0.0, 3.0]), "units of the layer below"),
        (plans.periodic(3, [-1.0]), "units of the layer below"),
        (plans.periodic(3, [0.5]), "units of the layer below"),
        (plans.periodic(3, [float("nan")]), "units of the layer below"),
        (plans.periodic(3, [1.0, 0.0]), "in their order"),
        (plans.periodic(3, [1.0, 1.0]), "in their order"),
        (plans.periodic(3, [0.0])._replace(settings={"columns": []}), "a row of parameters"),
        (plans.periodic(3, [], n_out=9), "follow the units"),
        (plans.periodic(3, [], groups="biases"), "has w, c, V and d"),
        (plans.periodic(3, [], activation="tanh"), "no activation"),
        (plans.bins(3, [0.0, 3.0]), "a unit below and a width"),
        (plans.bins(3, [-1.0]), "a unit below and a width"),
        (plans.bins(3, [0.5]), "a unit below and a width"),
        (plans.bins(3, [float("nan")]), "a unit below and a width"),
        (plans.bins(3, [0.0], width=[0.0]), "a unit below and a width"),
        (plans.bins(3, [0.0], width=[float("nan")]), "a unit below and a width"),
        (plans.bins(3, [0.0], lower=[0.0, 1.0]), "units beside those below"),
        (plans.bins(3, [0.0], width=[1.0, 1.0]), "units beside those below"),
        (plans.bins(3, [0.0], n_out=3), "units beside those below"),
        (plans.bins(3, [0.0], blocks=[(3, 1, "scale")]), "units beside those below"),
        (plans.bins(3, [0.0], activation="tanh"), "bins have no activation"),
    ],
    ids=str,
)
def test_a_plan_refuses_layers_that_cannot_be(layer, message):
    with pytest.raises(ValueError, match=message):
        plans.network(layer, plans.dense(layer.n_out, 2))


def test_a_plan_refuses_places_that_cannot_be():
    with pytest.raises(ValueError, match="embeddings are the first layer"):
        plans.network(plans.dense(3, 3), plans.embedding(3, [(0, 5, 2)]), plans.dense(4, 2))
    with pytest.raises(ValueError, match="ends in a dense layer"):
        plans.network(plans.dense(3, 3), plans.dropout(3))
    with pytest.raises(ValueError, match="one after the other"):
        plans.network(plans.dense(3, 2), first=1)


@pytest.mark.parametrize("wrong", [-1.0, 5.0, 0.5, np.nan, np.inf, -np.inf, 2.0**40])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_core_reads_no_row_that_its_table_has_not(wrong, dtype):
    spec = network((CategoryEmbedding([(1, 5, 2)]), Dense(3, "softmax")), dtype, n=2)
    theta, data, engine = parameters(spec), examples(spec, 9), NativeEngine()
    data.X[7, 1] = wrong
    for run in (
        lambda: engine.forward(spec, theta, data.X, np.empty((9, 3), dtype)),
        lambda: engine.loss(Problem(spec, theta, data)),
        lambda: engine.loss_and_gradient(Problem(spec, theta, data), np.empty_like(theta)),
        lambda: train(engine, spec, data, Adam(), 4, theta=theta),
    ):
        with pytest.raises(ValueError, match="code outside its table"):
            run()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("clip", [float("inf"), 1e-3], ids=["free", "clipped"])
def test_ctrl_c_between_the_segments_of_a_step_leaves_a_whole_step(threads, clip):
    spec = network(WIDE, "float32", n=170)
    data, optimizer = examples(spec, 4000), Adam(1e-3)
    rule, steps = UpdateRule(optimizer, clip), 10_000
    theta = parameters(spec)
    state = optimizer.new_state(theta)
    order = np.tile(np.arange(4000, dtype=np.int32), (steps, 1))
    records = StepRecords(np.empty(steps), np.empty(steps))
    main = threading.get_ident()
    alarm = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
    alarm.start()
    with pytest.raises(KeyboardInterrupt):
        NativeEngine(threads).train(
            Problem(spec, theta, data),
            rule,
            state,
            Batches(order, 4000, np.full(steps, 1e-3), KEY),
            records,
        )
    alarm.join()
    assert 0 <= state.t < steps
    replayed = parameters(spec)
    if state.t:
        NativeEngine().train(
            Problem(spec, replayed, data),
            rule,
            optimizer.new_state(replayed),
            Batches(order[: state.t], 4000, np.full(state.t, 1e-3), KEY),
            StepRecords(np.empty(state.t), np.empty(state.t)),
        )
    np.testing.assert_array_equal(theta, replayed)
