"""Training steps of every engine: batches, order, records, state."""

import signal
import threading
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.engines.base import Batches, Examples, Penalties, Problem, StepRecords, UpdateRule
from chainrule.engines.optimizer import OptimizerState
from chainrule.engines.optimizers import OPTIMIZERS, SGD, Adam, AdamW, Momentum
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from tests.numerics import assert_within, epsilon
from tests.strategies_networks import problem_of

SPEC = NetworkSpec(3, (Dense(5, "tanh"), Dense(2, "softmax")), "cross_entropy")


@dataclass
class Result:
    theta: np.ndarray
    state: OptimizerState
    cost: np.ndarray
    norm: np.ndarray

    def numbers(self):
        return self.theta, self.state.slots, np.array(self.state.t), self.cost, self.norm


def train(engine, problem, rule, order, batch_size, pieces=None):
    """Train from the problem's parameters, in pieces of so many steps (all at once by default)."""
    theta, order = problem.parameters.copy(), np.asarray(order, np.int32)
    if not isinstance(rule, UpdateRule):
        rule = UpdateRule(rule)
    optimizer = rule.optimizer
    state = optimizer.new_state(theta)
    steps = -(-len(order) // batch_size)
    records = StepRecords(np.full(steps, np.nan), np.full(steps, np.nan))
    rates = optimizer.learning_rates(1, steps)
    start = 0
    for piece in pieces or [steps]:
        taken = slice(start, start + piece)
        engine.train(
            Problem(problem.spec, theta, problem.examples, problem.penalties),
            rule,
            state,
            Batches(
                order[None, taken.start * batch_size : taken.stop * batch_size],
                batch_size,
                rates[taken],
            ),
            StepRecords(records.cost[taken], records.gradient_norm[taken]),
        )
        start = taken.stop
    return Result(theta, state, *records[:2])


def assert_same_bits(a: Result, b: Result):
    for x, y in zip(a.numbers(), b.numbers(), strict=True):
        np.testing.assert_array_equal(x, y)


@settings(max_examples=30)
@given(
    m=st.integers(1, 40),
    batch_size=st.sampled_from((1, 2, 3, 8, 17, 64)),
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    dtype=st.sampled_from(("float32", "float64")),
    weighted=st.booleans(),
    data=st.data(),
)
def test_steps_in_pieces_give_the_same_bits(
    engine, m, batch_size, optimizer, dtype, weighted, data
):
    problem = problem_of(SPEC, m, weighted=weighted, penalties=Penalties(1e-3, 1e-2))
    problem = problem.rounded(dtype)
    order = np.random.default_rng(m).permutation(m)
    steps = -(-m // batch_size)
    pieces, left = [], steps
    while left:
        pieces.append(data.draw(st.integers(1, left)))
        left -= pieces[-1]
    once = train(engine, problem, OPTIMIZERS[optimizer](), order, batch_size)
    again = train(engine, problem, OPTIMIZERS[optimizer](), order, batch_size, pieces)
    assert_same_bits(once, again)
    assert once.state.t == steps


@settings(max_examples=20)
@given(m=st.integers(1, 20), batch_size=st.sampled_from((1, 3, 8, 64)))
def test_an_order_of_examples_equals_the_examples_in_that_order(engine, m, batch_size):
    problem = problem_of(SPEC, m, weighted=True).rounded("float32")
    order = np.random.default_rng(m).permutation(m)
    weights = problem.weights[order]
    sorted_first = problem._replace(X=problem.X[order], Y=problem.Y[order], weights=weights)
    assert_same_bits(
        train(engine, problem, Adam(), order, batch_size),
        train(engine, sorted_first, Adam(), np.arange(m), batch_size),
    )


def test_an_order_may_name_some_examples_only_and_some_twice(engine):
    problem = problem_of(SPEC, 9).rounded("float32")
    order = np.array([8, 2, 2, 5, 0])
    chosen = problem._replace(X=problem.X[order], Y=problem.Y[order])
    assert_same_bits(
        train(engine, problem, Adam(), order, 2),
        train(engine, chosen, Adam(), np.arange(5), 2),
    )


@settings(max_examples=25)
@given(
    m=st.integers(1, 20),
    batch_size=st.sampled_from((1, 2, 7, 8, 64)),
    penalties=st.booleans(),
    weighted=st.booleans(),
)
def test_each_step_descends_the_gradient_of_its_own_batch(
    engine, m, batch_size, penalties, weighted
):
    penalties = Penalties(1e-2, 1e-1) if penalties else Penalties()
    problem = problem_of(SPEC, m, weighted=weighted, penalties=penalties).rounded("float64")
    result = train(engine, problem, SGD(0.05), np.arange(m), batch_size)

    theta = problem.theta.copy()
    gradient = np.empty_like(theta)
    for step, start in enumerate(range(0, m, batch_size)):
        rows = np.arange(start, min(m, start + batch_size))
        batch = problem.examples.take(rows)
        J = engine.loss(Problem(problem.spec, theta, batch))
        engine.loss_and_gradient(Problem(problem.spec, theta, batch, penalties), gradient)
        assert_within(result.cost[step], J, 200 * epsilon("float64") * abs(J))
        norm = np.linalg.norm(gradient)
        assert_within(result.norm[step], norm, 200 * epsilon("float64") * norm)
        theta -= 0.05 * gradient
    # A step's rounding is that of sums of at most m + 5 terms of order 1; with |J″| ≤ 2 here, a
    # step stretches what came before by 1.1 at most, and 1.1²⁰ < 7.
    assert_within(result.theta, theta, 7 * m * (m + 5) * epsilon("float64"))


def test_a_short_last_batch_is_a_mean_over_its_own_examples(engine):
    problem = problem_of(SPEC, 5).rounded("float64")
    result = train(engine, problem, SGD(0.0), np.arange(5), 4)
    last = engine.loss(Problem(problem.spec, problem.theta, problem.examples.take(np.array([4]))))
    assert_within(result.cost[1], last, 20 * epsilon("float64") * last)


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_a_learning_rate_of_zero_moves_nothing(engine, name):
    problem = problem_of(SPEC, 10).rounded("float32")
    result = train(engine, problem, OPTIMIZERS[name](learning_rate=0.0), np.arange(10), 3)
    np.testing.assert_array_equal(result.theta, problem.theta)
    assert result.state.t == 4


def test_each_step_takes_its_own_learning_rate(engine):
    problem = problem_of(SPEC, 6).rounded("float64")
    result = train(engine, problem, SGD(lambda t: 0.5 if t == 2 else 0.0), np.arange(6), 2)
    gradient = np.empty_like(problem.theta)
    second = problem.examples.take(np.array([2, 3]))
    engine.loss_and_gradient(Problem(problem.spec, problem.theta, second), gradient)
    expected = problem.theta - 0.5 * gradient
    assert_within(result.theta, expected, 100 * epsilon("float64") * (1 + np.abs(expected)))


def test_a_batch_without_weight_moves_momentum_only_by_its_past(engine):
    problem = problem_of(SPEC, 4).rounded("float64")
    weights = np.array([1.0, 1.0, 0.0, 0.0])
    problem = problem._replace(weights=weights)
    result = train(engine, problem, Momentum(0.1, beta=0.5), np.arange(4), 2)
    assert result.cost[1] == result.norm[1] == 0.0
    first = train(engine, problem, Momentum(0.1, beta=0.5), np.arange(2), 2)
    expected = first.theta - 0.1 * 0.5 * first.state.slots[0]
    assert_within(result.theta, expected, 4 * epsilon("float64") * (1 + np.abs(expected)))


def test_training_reads_examples_order_and_rates_without_writing_them(engine):
    problem = problem_of(SPEC, 10, weighted=True).rounded("float32")
    order, rates = np.arange(10, dtype=np.int32), np.full(4, 0.01)
    for array in (problem.X, problem.Y, problem.weights, order, rates):
        array.flags.writeable = False
    optimizer = Adam()
    theta = problem.theta.copy()
    records = StepRecords(np.empty(4), np.empty(4))
    engine.train(
        Problem(problem.spec, theta, problem.examples),
        UpdateRule(optimizer),
        optimizer.new_state(theta),
        Batches(order[None], 3, rates),
        records,
    )
    assert (theta != problem.theta).any()


def test_memory_around_parameters_state_and_records_is_not_written(engine):
    problem = problem_of(SPEC, 10).rounded("float32")
    optimizer = Adam()
    theta = np.full(problem.theta.size + 16, 7.0, np.float32)
    theta[8:-8] = problem.theta
    slots = np.full((4, problem.theta.size), 7.0, np.float32)
    slots[1:3] = 0.0
    cost, norm = np.full(6, 7.0), np.full(6, 7.0)
    engine.train(
        Problem(problem.spec, theta[8:-8], problem.examples),
        UpdateRule(optimizer),
        OptimizerState(slots[1:3]),
        Batches(np.arange(10, dtype=np.int32)[None], 3, np.full(4, 0.01)),
        StepRecords(cost[1:5], norm[1:5]),
    )
    guards = (theta[:8], theta[-8:], slots[0], slots[3], cost[[0, 5]], norm[[0, 5]])
    assert all((guard == 7.0).all() for guard in guards)
    assert (slots[1:3] != 7.0).all()
    assert (cost[1:5] != 7.0).all()


def test_an_empty_order_changes_nothing(engine):
    problem = problem_of(SPEC, 4).rounded("float32")
    result = train(engine, problem, Adam(), np.arange(0), 2)
    np.testing.assert_array_equal(result.theta, problem.theta)
    assert result.state.t == 0
    assert not result.state.slots.any()


@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals need the main thread"
)
def test_ctrl_c_leaves_the_parameters_of_a_whole_step(engine):
    spec = NetworkSpec(20, (Dense(50, "tanh"), Dense(1, "identity")), "mse")
    problem = problem_of(spec, 64).rounded("float32")
    theta, optimizer = problem.theta.copy(), SGD(1e-3)
    state = optimizer.new_state(theta)
    steps = 10**6
    order = np.tile(np.arange(64, dtype=np.int32), steps // 8)
    records = StepRecords(np.empty(steps), np.empty(steps))
    main = threading.get_ident()
    alarm = threading.Timer(0.05, lambda: signal.pthread_kill(main, signal.SIGINT))
    alarm.start()
    with pytest.raises(KeyboardInterrupt):
        engine.train(
            Problem(spec, theta, problem.examples),
            UpdateRule(optimizer),
            state,
            Batches(order[None], 8, np.full(steps, 1e-3)),
            records,
        )
    alarm.join()

    replayed = problem.theta.copy()
    replayed_state = optimizer.new_state(replayed)
    for step in range(state.t + 1):
        if np.array_equal(replayed, theta):
            return
        engine.train(
            Problem(spec, replayed, problem.examples),
            UpdateRule(optimizer),
            replayed_state,
            Batches(order[None, 8 * step : 8 * step + 8], 8, np.full(1, 1e-3)),
            StepRecords(np.empty(1), np.empty(1)),
        )
    np.testing.assert_array_equal(replayed, theta)


def test_a_wide_and_a_narrow_batch_of_one_example_train_alike(engine):
    spec = NetworkSpec(1, (Dense(1, "identity"),), "mse", dtype="float64")
    examples = Examples(np.array([[3.0]]), np.array([[5.0]]))
    problem = Problem(spec, np.array([2.0, 1.0]), examples)
    # a = 2·3 + 1 = 7, δ = 2, δW = 6, δb = 2.
    for batch_size in (1, 100):
        result = train(engine, problem, SGD(0.25), np.arange(1), batch_size)
        np.testing.assert_array_equal(result.theta, [0.5, 0.5])
        np.testing.assert_array_equal(result.cost, [2.0])
        np.testing.assert_allclose(result.norm, np.sqrt([40.0]), rtol=1e-15)


def test_examples_of_one_engine_call_can_be_taken_by_rows():
    examples = Examples(np.arange(6.0).reshape(3, 2), np.arange(3.0)[:, None], np.arange(3.0))
    taken = examples.take(np.array([2, 0]))
    np.testing.assert_array_equal(taken.X, [[4.0, 5.0], [0.0, 1.0]])
    np.testing.assert_array_equal(taken.Y, [[2.0], [0.0]])
    np.testing.assert_array_equal(taken.weights, [2.0, 0.0])


@pytest.mark.parametrize("optimizer", [SGD(0.5), Adam(0.01), AdamW(0.01), Momentum(0.1)], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_clipped_step_takes_the_gradient_at_the_largest_norm_allowed(engine, optimizer, dtype):
    penalties = Penalties(1e-3, 1e-2)
    problem = problem_of(SPEC, 10, weighted=True, penalties=penalties).rounded(dtype)
    result = train(engine, problem, UpdateRule(optimizer, 0.05), np.arange(10), 4)

    theta, state = problem.theta.copy(), optimizer.new_state(problem.theta)
    gradient = np.empty_like(theta)
    weights = np.concatenate([np.ones(15), np.zeros(5), np.ones(10), np.zeros(2)]).astype(dtype)
    for step, rows in enumerate((np.arange(4), np.arange(4, 8), np.arange(8, 10))):
        batch = problem.examples.take(rows)
        engine.loss_and_gradient(Problem(problem.spec, theta, batch, penalties), gradient)
        norm = np.linalg.norm(gradient.astype(np.float64))
        assert norm > 0.05
        # Reported are the cost without penalties and the norm before clipping.
        cost = engine.loss(Problem(problem.spec, theta, batch))
        assert_within(result.cost[step], cost, 40 * epsilon(dtype))
        assert_within(result.norm[step], norm, 400 * epsilon(dtype))
        theta, new_state = optimizer.update(
            theta,
            gradient * gradient.dtype.type(0.05 / norm),
            optimizer.equation_state(state),
            float(optimizer.learning_rates(1, 1)[0]),
            weights,
        )
        for slot, value in zip(state.slots, new_state, strict=False):
            slot[...] = value
        state.t += 1
    # Three steps of a rate of at most ½ from gradients that differ by some roundings; Adam
    # divides them by their own size.
    assert_within(result.theta, theta, 4000 * epsilon(dtype))
    assert result.state.t == 3


def test_a_bound_that_no_gradient_reaches_changes_nothing_but_roundings(engine):
    free, bounded = (
        train(
            engine,
            problem_of(SPEC, 10).rounded("float64"),
            rule,
            np.arange(10),
            4,
        )
        for rule in (UpdateRule(SGD(0.1)), UpdateRule(SGD(0.1), max_grad_norm=1e6))
    )
    # Three steps of sums of at most 10 terms of order 1.
    assert_within(bounded.theta, free.theta, 100 * epsilon("float64"))
    assert_within(bounded.norm, free.norm, 100 * epsilon("float64"))


def test_clipping_keeps_the_steps_of_an_exploding_problem_short(engine):
    spec = NetworkSpec(1, (Dense(1, "identity"),), "mse", dtype="float64")
    examples = Examples(np.array([[1e6]]), np.array([[0.0]]))
    problem = Problem(spec, np.array([1e6, 0.0]), examples)
    result = train(engine, problem, UpdateRule(SGD(0.5), 1.0), np.arange(1), 1)
    # δW = 1e18, δb = 1e12: nearly all of the step is W's.
    np.testing.assert_allclose(result.theta, [1e6 - 0.5, -0.5e-6], rtol=1e-9)
    assert result.norm[0] == pytest.approx(1e18)
