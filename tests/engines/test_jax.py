"""The jax engine: tests of every engine that cover its code, and what it alone promises.

A test takes about a second to compile, so those that are imported here are a few of each module.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
from itertools import pairwise

import jax
import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import engine_for, engine_named, jax_compiler
from chainrule.engines import jax_programs as programs
from chainrule.engines.base import Batches, Examples, Penalties, Problem, StepRecords, UpdateRule
from chainrule.engines.data_parallel import over_ranks
from chainrule.engines.jax import JaxEngine
from chainrule.engines.jax_pieces import MOST_STEPS, pieces_of
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import Dense, GroupedDense
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec
from tests.communication.thread_ranks import on_ranks
from tests.engines.test_forward import (
    test_counts_as_targets_of_a_saturated_output_cost_a_finite_gradient_without_a_warning,
    test_forward_writes_its_output_and_nothing_else,
)
from tests.engines.test_layer_kinds import (
    ALL,
    DROPS,
    NORMAL,
    examples,
    network,
    parameters,
    test_a_batch_without_weight_leaves_running_statistics_alone,
    test_penalties_and_decay_leave_embeddings_alone,
    test_running_statistics_follow_the_batches,
    train,
)
from tests.engines.test_optimizers import (
    test_200_steps_follow_the_recurrence_written_by_hand,
)
from tests.engines.test_train import (
    test_a_batch_without_weight_moves_momentum_only_by_its_past,
    test_a_short_last_batch_is_a_mean_over_its_own_examples,
    test_a_wide_and_a_narrow_batch_of_one_example_train_alike,
    test_an_empty_order_changes_nothing,
    test_an_order_may_name_some_examples_only_and_some_twice,
    test_clipping_keeps_the_steps_of_an_exploding_problem_short,
    test_ctrl_c_leaves_the_parameters_of_a_whole_step,
    test_each_step_takes_its_own_learning_rate,
    test_memory_around_parameters_state_and_records_is_not_written,
    test_training_reads_examples_order_and_rates_without_writing_them,
)
from tests.numerics import assert_within, epsilon

__all__ = [
    "test_200_steps_follow_the_recurrence_written_by_hand",
    "test_a_batch_without_weight_leaves_running_statistics_alone",
    "test_a_batch_without_weight_moves_momentum_only_by_its_past",
    "test_a_short_last_batch_is_a_mean_over_its_own_examples",
    "test_a_wide_and_a_narrow_batch_of_one_example_train_alike",
    "test_an_empty_order_changes_nothing",
    "test_an_order_may_name_some_examples_only_and_some_twice",
    "test_clipping_keeps_the_steps_of_an_exploding_problem_short",
    "test_counts_as_targets_of_a_saturated_output_cost_a_finite_gradient_without_a_warning",
    "test_ctrl_c_leaves_the_parameters_of_a_whole_step",
    "test_each_step_takes_its_own_learning_rate",
    "test_forward_writes_its_output_and_nothing_else",
    "test_memory_around_parameters_state_and_records_is_not_written",
    "test_penalties_and_decay_leave_embeddings_alone",
    "test_running_statistics_follow_the_batches",
    "test_training_reads_examples_order_and_rates_without_writing_them",
]

# Hidden matrices of dense layers, and one of each group.
GROUPS = (Dense(9, "gelu"), Dense(6, "tanh"), GroupedDense(8, 2, "silu"), Dense(3, "softmax"))
SMALL = NetworkSpec(3, (Dense(5, "tanh"), Dense(2, "softmax")), "cross_entropy")


@pytest.fixture(scope="module")
def engine():
    return JaxEngine()


def assert_trains_alike(spec, data, optimizer, batch, tolerance, **given):
    """Compare a training with the reference's: parameters, state and records."""
    results = [
        train(one, spec, data, optimizer, batch, Penalties(1e-3, 1e-2, shared=True), **given)
        for one in (ReferenceEngine(), JaxEngine())
    ]
    (expected, before, recorded), (theta, state, records) = results
    assert_within(theta, expected, tolerance)
    assert_within(state.slots, before.slots, tolerance)
    assert (state.t, state.weight) == (before.t, before.weight)
    for one, other in zip(records, recorded, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance)


def test_a_step_of_every_kind_of_layer_equals_the_references():
    # A training of one step of gradient descent; the derivation of its bound: test_traced_passes.
    spec = network(ALL)
    assert not programs.steps_by_block(spec)
    assert_trains_alike(spec, examples(spec, 11, weighted=True), cr.SGD(0.01), 11, 1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "optimizer",
    [cr.ScheduleFreeAdamW(0.01), cr.Momentum(0.1, ema_decay=0.9)],
    ids=lambda one: one.name,
)
def test_averages_clipping_weights_and_dropout_train_as_on_the_reference(optimizer, dtype):
    spec = network(DROPS, dtype)
    data = examples(spec, 20, weighted=True)
    # Four steps of sums of at most 20 terms; Adam's division by √Ŝ, which is at least a hundredth
    # of a gradient here, and the training itself stretch a rounding by some hundreds.
    assert_trains_alike(spec, data, optimizer, 5, 4 * 20 * 400 * epsilon(dtype), max_grad_norm=0.1)


@pytest.mark.parametrize(
    ("layers", "optimizer"),
    [
        (NORMAL, cr.Momentum(0.1, ema_decay=0.9)),
        (DROPS, cr.AdamW(0.01, weight_decay=0.5)),
        (GROUPS, cr.Muon(0.01, weight_decay=0.5)),
    ],
    ids=["statistics", "decay", "matrices"],
)
def test_blocks_updated_one_by_one_train_as_on_the_reference(monkeypatch, layers, optimizer):
    monkeypatch.setattr(programs, "_MOST_IN_ONE_PART", 0)
    spec = network(layers)
    assert programs.steps_by_block(spec)
    # As above, with two steps; a third of the rows is the last batch.
    tolerance = 2 * 20 * 400 * epsilon("float64")
    data = examples(spec, 9, seed=1)
    assert_trains_alike(spec, data, optimizer, 6, tolerance, max_grad_norm=0.1)


def test_class_indices_train_as_their_rows():
    spec = network(NORMAL)
    data = examples(spec, 12)
    classes = data._replace(Y=data.Y.argmax(axis=1).astype(np.int32))
    rows, indices = (train(JaxEngine(), spec, one, cr.Adam(0.01), 6)[0] for one in (data, classes))
    np.testing.assert_array_equal(rows, indices)


def calls(engine, theta, state, order, size, divisions):
    """Train on the SMALL network in calls that end at these steps."""
    random = np.random.default_rng(0)
    X, Y = random.standard_normal((11, 3)), np.eye(2)[random.integers(0, 2, 11)]
    data = Examples(X, Y).astype("float32")
    cost = []
    for start, stop in pairwise(divisions):
        rows = order[:, start * size : stop * size] if len(order) == 1 else order[start:stop]
        steps = len(rows) * -(-rows.shape[1] // size)
        records = StepRecords(np.empty(steps), np.empty(steps))
        rates = cr.Adam(0.01).learning_rates(state.t + 1, steps)
        engine.train(
            Problem(SMALL, theta, data),
            UpdateRule(cr.Adam(0.01)),
            state,
            Batches(np.ascontiguousarray(rows), size, rates),
            records,
        )
        cost += records.cost.tolist()
    return theta, cost


@pytest.mark.parametrize(
    ("epochs", "divisions"), [(1, [0, 1, 2, 3]), (1, [0, 2, 3]), (4, [0, 1, 4]), (4, [0, 3, 4])]
)
def test_steps_in_several_calls_give_the_same_bits(engine, epochs, divisions):
    order = np.tile(np.arange(11, dtype=np.int32), (epochs, 1))
    results = []
    for ends in ([0, divisions[-1]], divisions):
        theta = parameters(SMALL)
        results.append(calls(engine, theta, cr.Adam().new_state(theta), order, 4, ends))
    np.testing.assert_array_equal(*(theta for theta, _ in results))
    assert results[0][1] == results[1][1]


@pytest.mark.parametrize(
    ("epochs", "rows", "size"), [(3, 11, 4), (3, 12, 4), (1, 10**6, 7), (70_000, 1, 1), (2, 5, 9)]
)
def test_pieces_of_an_order_are_its_batches_and_fit_into_a_program(epochs, rows, size):
    order = np.arange(epochs * rows, dtype=np.int32).reshape(epochs, rows)
    pieces = list(pieces_of(Batches(order, size, np.empty(0)), rows))
    batches = [
        batch
        for piece in pieces
        for epoch in piece.order
        for batch in np.split(epoch, range(piece.size, len(epoch), piece.size))
    ]
    assert len(batches) == epochs * -(-rows // size)
    np.testing.assert_array_equal(np.concatenate(batches), order.ravel())
    assert {len(batch) for batch in batches} <= {min(size, rows), rows % size}
    for piece in pieces:
        assert piece.steps <= piece.capacity <= MOST_STEPS
        assert piece.order.size <= piece.capacity * piece.size


def test_another_number_of_steps_or_other_hyperparameters_compile_nothing(engine, caplog):
    order = np.arange(8, dtype=np.int32)[None]

    def fit(epochs, optimizer, l2):
        theta = parameters(SMALL)
        data = examples(SMALL, 8)._replace(X=np.zeros((8, 3), np.float32))
        engine.train(
            Problem(SMALL, theta, data, Penalties(l2=l2)),
            UpdateRule(optimizer, 1 / l2),
            optimizer.new_state(theta),
            Batches(np.repeat(order, epochs, axis=0), 4, np.full(2 * epochs, 0.1)),
            StepRecords(np.empty(2 * epochs), np.empty(2 * epochs)),
        )

    fit(1, cr.AdamW(0.1), 0.1)
    with caplog.at_level(logging.INFO, "chainrule.jax"):
        fit(3, cr.AdamW(0.2, beta_1=0.5, weight_decay=0.3), 0.2)
        assert not caplog.records
        fit(1, cr.SGD(0.2), 0.2)
    assert "compiled in" in caplog.text


def test_settings_of_jax_are_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv(jax_compiler.FOLDER, str(tmp_path))
    jax_compiler.cache_folder.cache_clear()
    before = dict(jax.config.values)
    problem = Problem(SMALL, parameters(SMALL), examples(SMALL, 17))
    with jax.enable_x64(False):
        JaxEngine().loss_and_gradient(problem, np.empty_like(problem.parameters))
        assert not jax.config.jax_enable_x64
        assert jax.numpy.ones(1).dtype == np.float32
    assert dict(jax.config.values) == before
    jax_compiler.cache_folder.cache_clear()


def test_a_network_trained_by_float64_is_of_float64_whatever_the_users_default():
    spec = network(DROPS, "float64")
    theta, data = parameters(spec), examples(spec, 5)
    with jax.enable_x64(False):
        loss = JaxEngine().loss(Problem(spec, theta, data))
    expected = ReferenceEngine().loss(Problem(spec, theta, data))
    assert_within(loss, expected, 100 * epsilon("float64"))


X = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
Y = (X[:, :1] * X[:, 1:2] + X[:, 2:]).astype(np.float32)


def fitted(engine="jax", epochs=4, **given):
    layers = [3, cr.Dense(6, "tanh"), cr.Dropout(0.2), cr.Dense(1, "identity")]
    net = cr.Network(layers, cost="mse", seed=0)
    net.history = net.fit(X, Y, epochs=epochs, batch_size=10, engine=engine, **given)
    return net


def test_a_fit_agrees_with_that_of_the_reference_and_twice_has_the_same_bits():
    ours, again, reference = fitted(), fitted(), fitted("reference")
    np.testing.assert_array_equal(ours.parameters, again.parameters)
    assert ours.history["loss"] == again.history["loss"]
    assert ours.history.events[0].engine == "jax"
    # 16 steps, whose sums have at most 10 terms of order 1.
    assert_within(ours.parameters, reference.parameters, 16 * 20 * 10 * epsilon("float32"))
    outputs = ours.predict(X, engine="jax")
    np.testing.assert_allclose(outputs, ours.predict(X, engine="reference"), atol=1e-5)


def test_a_resumed_fit_equals_an_uninterrupted_one(tmp_path):
    def interrupt(event):
        if getattr(event, "epoch", 0) == 2 and type(event).__name__ == "EpochEnded":
            signal.raise_signal(signal.SIGINT)

    path = tmp_path / "training.ckpt"
    with pytest.raises(KeyboardInterrupt):
        fitted(checkpoint=path, callbacks=[interrupt])
    resumed = fitted(checkpoint=path, resume=True)
    whole = fitted()
    np.testing.assert_array_equal(resumed.parameters, whole.parameters)
    assert resumed.history["loss"] == whole.history["loss"]


def test_examples_that_are_held_are_copied_to_the_device_once(engine, monkeypatch):
    data = examples(SMALL, 6)
    with engine.holding(data):
        held = engine._on_device(data, None)
        assert held.X is engine._on_device(data, None).X
        assert engine._on_device(data._replace(X=data.X.copy()), None).X is not held.X
    assert engine._on_device(data, None).X is not held.X


def test_a_cost_that_jax_can_trace_trains_and_another_is_refused_in_words():
    own = cr.CustomCost(lambda A, Y: ((A - Y) ** 4).sum(axis=1), lambda A, Y: 4 * (A - Y) ** 3)
    blind = cr.CustomCost(
        lambda A, Y: np.square(np.asarray(A) - Y).sum(axis=1), lambda A, Y: 2 * (A - Y), "blind"
    )
    nets = [
        cr.Network([3, cr.Dense(1, "identity")], cost=cost, seed=0, dtype="float64")
        for cost in (own, own, blind)
    ]
    for net, name in zip(nets, ("jax", "reference"), strict=False):
        net.fit(X, Y, epochs=2, engine=name)
    assert_within(nets[0].parameters, nets[1].parameters, 1e-12)
    message = r'^engine: the jax engine cannot run blind, .*cannot trace.*engine="reference"$'
    with pytest.raises(InvalidArgumentError, match=message):
        nets[2].fit(X, Y, engine="jax")


def test_without_jax_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['jax'] = None\n"
        "import importlib.util as util\n"
        "import chainrule as cr\n"
        "net = cr.Network([1, cr.Dense(1, 'identity')], cost='mse')\n"
        "net.fit([[1.0]], [2.0], epochs=1)\n"
        "try: net.fit([[1.0]], [2.0], engine='jax')\n"
        "except cr.InvalidArgumentError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "engine: jax needs the package jax; install it with pip install 'chainrule[jax]'\n"
    )


def test_auto_is_never_jax():
    assert engine_named("auto").name != "jax"
    assert engine_for(SMALL, "auto").name != "jax"


def test_the_programs_of_a_process_are_kept_for_the_next(tmp_path):
    tmp_path.chmod(0o700)
    code = (
        "import chainrule as cr\n"
        "from chainrule.engines import jax_compiler\n"
        "jax_compiler._LEAST_SECONDS = 0.0\n"  # a fast machine compiles it in less than the limit
        "net = cr.Network([2, cr.Dense(30, 'gelu'), cr.Dense(1, 'identity')], cost='mse', seed=0)\n"
        "net.fit([[1.0, 2.0]], [2.0], epochs=1, engine='jax')\n"
        "import jax; print(jax.config.jax_compilation_cache_dir, net.parameters.tobytes().hex())"
    )
    environment = {**os.environ, "CHAINRULE_JAX_CACHE": str(tmp_path)}
    outputs = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        outputs.append((done.stdout, sorted(tmp_path.rglob("*-cache"))))
    assert outputs[0] == outputs[1]
    assert outputs[0][0].startswith("None ")
    assert outputs[0][1]


def test_surroundings_name_the_device_and_the_version():
    surroundings = JaxEngine().surroundings
    assert surroundings["precision"] == "full"
    assert jax.__version__ in surroundings["instruction set"]


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="tells what a CPU has not")
def test_a_cpu_has_no_bfloat16_products_and_training_says_so():
    with pytest.warns(RuntimeWarning, match=r"XLA multiplies float32 numbers on a CPU"):
        fitted(precision="mixed", epochs=1)


@pytest.mark.parametrize("precision", ["mixed", "split"])
def test_programs_of_other_products_train_as_the_reference_within_their_rounding(precision):
    # `with_precision` offers them only where they are products of bfloat16. XLA compiles them on a
    # CPU too, and may round there or not: both are within the bound.
    spec, rate = network(DROPS, "float32"), 0.01
    data, theta = examples(spec, 20), parameters(spec)
    expected, _, (costs, *_) = train(ReferenceEngine(), spec, data, cr.SGD(rate), 20)
    found, _, (mixed_costs, *_) = train(
        JaxEngine(precision=precision), spec, data, cr.SGD(rate), 20
    )
    # A gradient passes through at most four products, whose two factors err by 2⁻⁹ each if they are
    # rounded. Its terms are δ·A: |δ| is at most 2 at the outputs, and below them that times a
    # column of |W| and GELU's slope; |A| is at most what a layer's sums can be. Kept units are
    # multiplied by 1/0.8 and 2.
    W = [array for layer in views(spec, theta) for array in layer]
    largest = np.abs(data.X).max() / 0.8
    sums = (np.abs(W[0]).sum(axis=1) * largest + np.abs(W[1][:, 0])).max()
    delta = 2 * 2 * 1.2 * np.abs(W[2]).sum(axis=0).max()
    magnitude = max(2 * 2 * sums, delta * max(largest, 1))
    assert_within(found, expected, rate * 4 * 2 * 2.0**-9 * magnitude)
    # C changes by at most 2·|ΔZ|, and Z has come through two products.
    of_Z = 2 * 2 * 2.0**-9 * 2 * sums * np.abs(W[2]).sum(axis=1).max()
    assert_within(mixed_costs, costs, 2 * of_Z)


@pytest.mark.skipif(jax.default_backend() == "cpu", reason="JAX has no GPU or TPU here")
@pytest.mark.parametrize("precision", ["mixed", "split"])
def test_products_of_bfloat16_train_near_full_ones_on_a_device(precision):
    full, other = fitted(), fitted(precision=precision)
    # A factor of bfloat16 errs by 2⁻⁹, of which one of 16 steps of rate 0.001 changes little.
    assert_within(other.parameters, full.parameters, 16 * 0.001)


def test_several_threads_train_at_the_same_time_as_one_after_the_other():
    alone, nets = fitted(), [None] * 3

    def work(index):
        nets[index] = fitted()

    threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for net in nets:
        np.testing.assert_array_equal(net.parameters, alone.parameters)


def test_it_says_why_it_has_no_ranks():
    spec = NetworkSpec(2, (Dense(1, "identity"),), "mse")

    def refused(communicator):
        over_ranks(engine_named("jax"), spec, communicator)

    results, _ = on_ranks(2, refused)
    assert "communicator: the engine jax has no ranks" in str(results[0])
