"""Ranks share each batch, and all make the update of one process with the whole batch.

Where numbers are integers and batch sizes powers of two, every sum and product below is exact in
float64, so that one process and any number of ranks must agree to the bit. What is not exact (an
optimizer's roots) is then computed from the same gradient.
"""

from dataclasses import replace

import numpy as np
import pytest

from chainrule.engines import engine_named
from chainrule.engines.base import Batches, Examples, Penalties, Problem, StepRecords, UpdateRule
from chainrule.engines.data_parallel import over_ranks
from chainrule.engines.optimizers import OPTIMIZERS, SGD
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import BatchNorm, CategoryEmbedding, Dense, Dropout
from chainrule.network.parameters import parameter_count
from chainrule.network.spec import NetworkSpec
from tests.communication.thread_ranks import Aborted, on_ranks, trained_on_ranks
from tests.engine_names import ULPS
from tests.error_bounds import error_bounds
from tests.strategies_networks import problem_of

EXACT = NetworkSpec(3, (Dense(4, "relu"), Dense(2, "identity")), "mse", dtype="float64")
SHARED = Penalties(l1=0.25, l2=0.5, shared=True)


def integers(spec, m, weights=None):
    random = np.random.default_rng(m)
    X = random.integers(-2, 3, (m, spec.n_features)).astype(np.float64)
    Y = random.integers(-2, 3, (m, spec.n_outputs)).astype(np.float64)
    theta = random.integers(-1, 2, parameter_count(spec)).astype(np.float64)
    return Problem(spec, theta, Examples(X, Y, weights), Penalties(l1=0.25, l2=0.5))


def steps(engine, problem, rule, batch_size, most=None, total=None):
    """Train an epoch in the order of the rows; return parameters, state and records.

    `total`: how many examples all ranks have, if those of the problem are a rank's own.
    """
    m = len(problem.examples.X)
    order = np.arange(m if most is None else most * batch_size, dtype=np.int32)[None]
    count = -(-(total or order.size) // batch_size)
    theta = problem.parameters.copy()
    state = rule.optimizer.new_state(theta)
    records = StepRecords(*(np.full(count, np.nan) for _ in range(3)))
    rates = rule.optimizer.learning_rates(1, count)
    own = Problem(problem.spec, theta, problem.examples, problem.penalties)
    batches = Batches(order, batch_size, rates, noise_key=7, total=total)
    engine.train(own, rule, state, batches, records)
    return theta, state.slots, *records


def on_both(engine, size, problem, rule, batch_size, most=None):
    """Return the results of one process and of each rank."""
    ranks = trained_on_ranks(
        size,
        lambda communicator: steps(
            over_ranks(engine, problem.spec, communicator), problem, rule, batch_size, most
        ),
    )
    return steps(engine, problem, rule, batch_size, most), ranks


def assert_same_bits(one, ranks):
    for rank in ranks:
        for expected, actual in zip(one, rank, strict=True):
            np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_any_number_of_ranks_takes_the_steps_of_one_process(engine, size):
    # Three ranks cannot share a batch evenly, and the last batch is smaller.
    if size == 3 and engine.name == "reference":
        pytest.skip("it divides the sum of three examples by three, which is not exact")
    one, ranks = on_both(engine, size, integers(EXACT, 20), UpdateRule(SGD(0.5)), 8)
    assert one[2].size == 3
    assert_same_bits(one, ranks)


def test_ranks_without_an_example_make_the_update_too(engine):
    one, ranks = on_both(engine, 3, integers(EXACT, 2), UpdateRule(SGD(0.5)), 8)
    assert_same_bits(one, ranks)


LAYERS = {
    "dense": (Dense(4, "relu"), Dense(2, "identity")),
    "dropout": (Dense(4, "relu"), Dropout(0.5), Dense(2, "identity")),
}


def of_rank(problem, rank, size, batch_size):
    """Return a problem with the examples of a rank's shares of the batches, and their order."""
    m, rows = len(problem.examples.X), []
    for start in range(0, m, batch_size):
        count = min(batch_size, m - start)
        rows += range(start + count * rank // size, start + count * (rank + 1) // size)
    # Where there are none, the engine is given others, and an order of none.
    own = problem.examples.take(np.array(rows or [0]))
    return replace(problem, examples=own), len(rows)


@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize(
    ("size", "m", "batch_size"),
    # The last batch has 4 rows of two ranks, 2 rows of four ranks, and 1 row; there is a single
    # batch, which three ranks share unevenly, or in which the first has none.
    [(2, 20, 8), (4, 18, 8), (4, 17, 8), (3, 16, 16), (3, 2, 8)],
)
def test_ranks_that_have_their_own_examples_only_take_the_steps_of_ranks_that_have_all(
    engine, layers, size, m, batch_size
):
    spec = NetworkSpec(3, LAYERS[layers], "mse", dtype="float64")
    problem, rule = integers(spec, m), UpdateRule(SGD(0.5))

    def run(communicator):
        own, rows = of_rank(problem, communicator.rank, size, batch_size)
        most = None if rows else 0
        return steps(over_ranks(engine, spec, communicator), own, rule, batch_size, most, m)

    _, shared = on_both(engine, size, problem, rule, batch_size)
    assert_same_bits(shared[0], trained_on_ranks(size, run))


@pytest.mark.parametrize(
    ("order", "batch_size", "total"),
    [(9, 8, 20), (11, 8, 20), (0, 8, 20), (10, 8, -20), (10, 8, 2**40)],
)
def test_an_order_that_is_no_share_of_the_batches_is_refused(order, batch_size, total):
    problem = integers(EXACT, 20)

    def run(communicator):
        own = over_ranks(engine_named("native"), EXACT, communicator)
        rows = np.arange(order, dtype=np.int32)[None]
        rates, records = np.full(3, 0.5), StepRecords(np.empty(3), np.empty(3))
        state = SGD(0.5).new_state(problem.parameters)
        batches = Batches(rows, batch_size, rates, total=total)
        with pytest.raises(InvalidArgumentError, match=r"rank's shares|of all ranks"):
            own.train(problem, UpdateRule(SGD(0.5)), state, batches, records)

    trained_on_ranks(2, run)


def test_the_mean_over_ranks_is_weighted_by_the_whole_batch(engine):
    # Batches of the weights 1 + 1 + 2 + 0, of nothing at all, and of 0 + 0 + 0 + 4.
    weights = np.array([1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 4], np.float64)
    problem = integers(EXACT, 12, weights)
    problem = Problem(problem.spec, problem.parameters, problem.examples, SHARED)
    one, ranks = on_both(engine, 2, problem, UpdateRule(SGD(0.5)), 4)
    assert_same_bits(one, ranks)


def test_ranks_drop_the_units_that_one_process_drops(engine):
    layers = (Dense(4, "relu"), Dropout(0.5), Dense(2, "identity"))
    spec = NetworkSpec(3, layers, "mse", dtype="float64")
    one, ranks = on_both(engine, 2, integers(spec, 16), UpdateRule(SGD(0.5)), 8)
    assert_same_bits(one, ranks)
    kept = steps(engine, integers(EXACT, 16), UpdateRule(SGD(0.5)), 8)
    assert not np.array_equal(one[2], kept[2]), "nothing was dropped"


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_every_optimizer_clips_and_updates_alike_on_all_ranks(engine, optimizer):
    rule = UpdateRule(OPTIMIZERS[optimizer](0.5), max_grad_norm=0.125)
    one, ranks = on_both(engine, 2, integers(EXACT, 16), rule, 16)
    assert_same_bits(one, ranks)


def test_tables_of_embeddings_are_summed(engine):
    layers = (CategoryEmbedding(((0, 4, 2),)), Dense(2, "identity"))
    spec = NetworkSpec(3, layers, "mse", dtype="float64")
    problem = integers(spec, 16)
    problem.examples.X[:, 0] = np.arange(16) % 4
    one, ranks = on_both(engine, 2, problem, UpdateRule(SGD(0.5)), 8)
    assert_same_bits(one, ranks)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [2, 4])
def test_gradients_that_are_rounded_stay_within_the_bound_of_any_order_of_addition(
    engine, size, dtype
):
    spec = NetworkSpec(5, (Dense(7, "tanh"), Dense(3, "softmax")), "cross_entropy")
    given = problem_of(spec, 37, weighted=True, penalties=Penalties(1e-3, 1e-2)).rounded(dtype)
    examples = Examples(given.X, given.Y, given.weights)
    problem = Problem(given.spec, given.theta, examples, given.penalties)
    one, ranks = on_both(engine, size, problem, UpdateRule(SGD(1.0)), 37)
    for rank in ranks[1:]:
        assert rank[0].tobytes() == ranks[0][0].tobytes()
    # A step of rate 1 subtracts the gradient. Both gradients are within their bound of the exact
    # one; the ranks' shares of the mean, 2 roundings more of each term, are within another; and
    # each difference is rounded.
    eps = np.finfo(dtype).eps
    bound = 3 * error_bounds(given, ULPS[engine.name]).gradient + 2 * eps * np.abs(given.theta)
    assert np.all(np.abs(ranks[0][0].astype(float) - one[0]) <= bound)


def test_wide_batches_go_through_several_threads_and_parts_on_each_rank():
    spec = NetworkSpec(64, (Dense(256, "relu"), Dense(8, "identity")), "mse", dtype="float64")
    problem = integers(spec, 4096)
    rule = UpdateRule(SGD(2.0**-30))  # small steps keep all numbers within 53 bits
    two = engine_named("native", 2)
    one = steps(engine_named("native", 1), problem, rule, 2048)
    ranks = trained_on_ranks(
        2, lambda communicator: steps(over_ranks(two, spec, communicator), problem, rule, 2048)
    )
    np.testing.assert_array_equal(one[2][0], ranks[0][2][0])
    for rank in ranks:
        np.testing.assert_array_equal(rank[0], ranks[0][0])


def test_an_exception_in_the_sum_ends_the_run_after_the_last_complete_step(engine):
    problem = integers(EXACT, 32)

    def broken(communicator):
        before = communicator.allreduce

        def allreduce(array):
            if communicator.calls == 2:
                raise OSError("the network is gone")
            before(array)

        communicator.allreduce = allreduce
        own = over_ranks(engine, EXACT, communicator)
        theta = problem.parameters.copy()
        state = SGD(0.5).new_state(theta)
        order = np.arange(32, dtype=np.int32)[None]
        with pytest.raises(OSError, match="the network is gone"):
            own.train(
                Problem(EXACT, theta, problem.examples, problem.penalties),
                UpdateRule(SGD(0.5)),
                state,
                Batches(order, 8, np.full(4, 0.5), noise_key=7),
                StepRecords(np.empty(4), np.empty(4)),
            )
        return theta, state.t

    after_two = steps(engine, problem, UpdateRule(SGD(0.5)), 8, most=2)[0]
    for theta, t in trained_on_ranks(2, broken):
        np.testing.assert_array_equal(theta, after_two)
        assert t == 2


def test_batch_normalization_is_refused_with_the_reason():
    spec = NetworkSpec(3, (Dense(4), BatchNorm("relu"), Dense(2, "identity")), "mse")

    def refused(communicator):
        over_ranks(engine_named("auto"), spec, communicator)

    results, _ = on_ranks(2, refused)
    assert all(isinstance(result, InvalidArgumentError) for result in results)
    assert "communicator: batch normalization needs the statistics" in str(results[0])


def test_a_rank_that_is_gone_ends_the_steps_of_the_others(engine):
    problem = integers(EXACT, 16)

    def run(communicator):
        if communicator.rank == 1:
            communicator.abort("killed")
        return steps(over_ranks(engine, EXACT, communicator), problem, UpdateRule(SGD(0.5)), 8)

    results, reasons = on_ranks(2, run)
    assert all(isinstance(result, Aborted) for result in results)
    assert reasons == [(1, "killed")]
