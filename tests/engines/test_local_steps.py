"""Ranks take steps alone and average what these have led to: local SGD."""

import numpy as np
import pytest

from chainrule.engines.base import Batches, Examples, Penalties, Problem, StepRecords, UpdateRule
from chainrule.engines.local_steps import averaging_over_ranks
from chainrule.engines.optimizers import OPTIMIZERS, SGD, Adam
from chainrule.network.layers import Dense, Dropout
from chainrule.network.parameters import parameter_count
from chainrule.network.spec import NetworkSpec
from tests.communication.thread_ranks import trained_on_ranks
from tests.engines.test_data_parallel import of_rank

SPEC = NetworkSpec(3, (Dense(4, "relu"), Dense(2, "identity")), "mse", dtype="float64")
SIZE = 8


def problem_of(spec, m, weights=None):
    """Return a problem of small integers, whose sums and products are exact in float64."""
    random = np.random.default_rng(m)
    X = random.integers(-2, 3, (m, spec.n_features)).astype(spec.dtype)
    Y = random.integers(-2, 3, (m, spec.n_outputs)).astype(spec.dtype)
    theta = random.integers(-1, 2, parameter_count(spec)).astype(spec.dtype)
    return Problem(spec, theta, Examples(X, Y, weights), Penalties(l1=0.25, l2=0.5))


class Training:
    """Parameters, state and records of steps with one engine."""

    def __init__(self, engine, problem, rule):
        self._engine, self._rule = engine, rule
        self.theta = problem.parameters.copy()
        self._problem = Problem(problem.spec, self.theta, problem.examples, problem.penalties)
        self.state = rule.optimizer.new_state(self.theta)
        self.records = [np.empty(0)] * 3

    def steps(self, order, size=SIZE, total=None):
        order = np.atleast_2d(np.asarray(order, np.int32))
        count = len(order) * -(-(total or order.shape[1]) // size)
        rates = self._rule.optimizer.learning_rates(self.state.t + 1, count)
        found = StepRecords(*(np.full(count, np.nan) for _ in range(3)))
        batches = Batches(order, size, rates, noise_key=7, total=total)
        self._engine.train(self._problem, self._rule, self.state, batches, found)
        self.records = [np.append(*both) for both in zip(self.records, found, strict=True)]
        return self

    @property
    def result(self):
        return self.theta, self.state.slots, self.state.t, self.state.weight, *self.records


def on_ranks(engine, ranks, local_steps, problem, rule, *orders):
    """Return the results of ranks that train along some orders, one call for each."""

    def run(communicator):
        own = averaging_over_ranks(engine, problem.spec, communicator, local_steps)
        training = Training(own, problem, rule)
        for order in orders:
            training.steps(order)
        return training.result

    return trained_on_ranks(ranks, run)


def assert_same_bits(expected, *results):
    for result in results:
        for one, other in zip(expected, result, strict=True):
            np.testing.assert_array_equal(other, one)


def test_an_average_after_each_step_of_gradient_descent_is_the_step_of_the_whole_batch(engine):
    problem, rule = problem_of(SPEC, 20), UpdateRule(SGD(0.5))
    one = Training(engine, problem, rule).steps(np.arange(20)).result
    ranks = on_ranks(engine, 2, 1, problem, rule, np.arange(20))
    assert_same_bits(one[:4], *(rank[:4] for rank in ranks))
    np.testing.assert_array_equal(ranks[0][4], one[4])  # J is the mean over ranks


@pytest.mark.parametrize("weighted", [False, True])
def test_ranks_count_by_the_weight_of_their_examples(engine, weighted):
    m = 7  # 2, 2 and 3 examples
    weights = np.array([3, 1, 0, 0, 2, 0, 1], np.float64) if weighted else None
    problem, rule = problem_of(SPEC, m, weights), UpdateRule(SGD(0.5))
    one = Training(engine, problem, rule).steps(np.arange(m)).result
    ranks = on_ranks(engine, 3, 1, problem, rule, np.arange(m))
    assert_same_bits(ranks[0], *ranks[1:])
    # All sums are of integers and exact; what is rounded are the divisions by weights and, of each
    # product with such a quotient, at most 4 units, 2 layers and 7 examples; then shares and sums
    # of three ranks. Each is relative to θ and to what the steps add to it.
    gradient = np.empty_like(problem.parameters)
    largest = 0.0
    for rows in (slice(0, 2), slice(2, 4), slice(4, 7)):
        own = None if weights is None else weights[rows]
        examples = Examples(problem.examples.X[rows], problem.examples.Y[rows], own)
        engine.loss_and_gradient(
            Problem(SPEC, problem.parameters, examples, problem.penalties), gradient
        )
        largest = max(largest, np.abs(gradient).max())
    bound = 2 * (4 + 2 + 7 + 3) * np.finfo(float).eps * (1 + 0.5 * largest)
    np.testing.assert_allclose(ranks[0][0], one[0], rtol=0, atol=bound)
    assert np.abs(one[0] - problem.parameters).max() > 1e6 * bound


def by_hand(engine, problem, rule, m, local_steps):
    """Return what two ranks do, from two trainings on halves of the batches and their means."""
    ranks = [Training(engine, problem, rule) for _ in range(2)]
    steps = m // SIZE
    for first in range(0, steps, local_steps):
        stop = min(first + local_steps, steps)
        order = np.arange(first * SIZE, stop * SIZE).reshape(-1, 2, SIZE // 2)
        for rank, training in enumerate(ranks):
            training.steps(order[:, rank].ravel(), SIZE // 2)
        for name in ("theta", "slots"):
            one, other = (t.theta if name == "theta" else t.state.slots for t in ranks)
            one[...] = other[...] = (one + other) / 2
    one, other = (training.result for training in ranks)
    records = [(a + b) / 2 for a, b in zip(one[4:], other[4:], strict=True)]
    return (*one[:4], *records)


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_parameters_and_every_vector_of_the_state_are_means_of_ranks_alone(engine, optimizer):
    problem = problem_of(SPEC, 40)
    rule = UpdateRule(OPTIMIZERS[optimizer](0.5), max_grad_norm=0.125)
    expected = by_hand(engine, problem, rule, 40, 2)
    assert_same_bits(expected, *on_ranks(engine, 2, 2, problem, rule, np.arange(40)))


def test_an_average_of_the_parameters_is_averaged_too(engine):
    problem, rule = problem_of(SPEC, 40), UpdateRule(Adam(0.5, ema_decay=0.75))
    expected = by_hand(engine, problem, rule, 40, 3)
    assert_same_bits(expected, *on_ranks(engine, 2, 3, problem, rule, np.arange(40)))


def test_the_division_into_calls_and_epochs_changes_no_bit(engine):
    problem, rule = problem_of(SPEC, 28), UpdateRule(Adam(0.1))
    first, second = np.arange(28), np.arange(28)[::-1]
    whole = on_ranks(engine, 2, 3, problem, rule, [first, second])
    # Steps 1 to 4 are the first epoch and 5 to 8 the second; averages come after 3, 4, 6 and 8.
    calls = first[:24], first[24:], second[:16], second[16:]
    parts = on_ranks(engine, 2, 3, problem, rule, *calls)
    assert_same_bits(whole[0], whole[1], *parts)


@pytest.mark.parametrize("m", [2, 17])
def test_ranks_without_an_example_of_a_batch_take_the_average_of_the_others(engine, m):
    # Of two examples, and of a last batch of one, the first of three ranks has none.
    problem, rule = problem_of(SPEC, m), UpdateRule(Adam(0.1))
    ranks = on_ranks(engine, 3, 4, problem, rule, np.arange(m))
    assert_same_bits(ranks[0], *ranks[1:])
    assert ranks[0][2] == -(-m // SIZE)
    assert np.isfinite(ranks[0][4]).all()
    assert not np.array_equal(ranks[0][0], problem.parameters)


def test_a_share_of_a_smaller_last_batch_may_be_the_larger_one(engine):
    # Of 8 examples, the third of five ranks has one, and of 7 it has two.
    problem, rule = problem_of(SPEC, 15), UpdateRule(SGD(1e-300))  # θ stays the same
    one = Training(engine, problem, rule).steps(np.arange(15)).result
    ranks = on_ranks(engine, 5, 2, problem, rule, np.arange(15))
    # Costs are divisions of integers; each rank's is multiplied by its share, and five are added.
    np.testing.assert_allclose(ranks[2][4], one[4], rtol=(3 + 5) * np.finfo(float).eps)


@pytest.mark.parametrize(("ranks", "m"), [(3, 2), (2, 15), (2, 20), (2, 28), (4, 17)])
def test_ranks_that_have_their_own_examples_only_take_the_same_steps(engine, ranks, m):
    problem, rule = problem_of(SPEC, m), UpdateRule(Adam(0.1))
    shared = on_ranks(engine, ranks, 2, problem, rule, np.arange(m))

    def run(communicator):
        own, rows = of_rank(problem, communicator.rank, ranks, SIZE)
        averaging = averaging_over_ranks(engine, SPEC, communicator, 2)
        return Training(averaging, own, rule).steps(np.arange(rows), total=m).result

    assert_same_bits(shared[0], *shared[1:], *trained_on_ranks(ranks, run))


def test_batches_without_any_weight_count_alike_on_all_ranks(engine):
    problem, rule = problem_of(SPEC, 16, np.zeros(16)), UpdateRule(SGD(0.5))
    one = Training(engine, problem, rule).steps(np.arange(16)).result
    ranks = on_ranks(engine, 2, 2, problem, rule, np.arange(16))
    assert_same_bits(one, *ranks)


def test_a_message_travels_once_in_so_many_steps_and_at_the_end(engine):
    def run(communicator):
        own = averaging_over_ranks(engine, SPEC, communicator, 4)
        Training(own, problem_of(SPEC, 80), UpdateRule(SGD(0.5))).steps(np.arange(80))
        return communicator.calls

    assert trained_on_ranks(2, run) == [3, 3]  # after steps 4, 8 and 10


def test_ranks_drop_units_independently_of_each_other(engine):
    layers = (Dense(32, "relu"), Dropout(0.5), Dense(2, "identity"))
    spec = NetworkSpec(3, layers, "mse", dtype="float64")
    given = problem_of(spec, 2)
    for array in given.examples[:2]:
        array[1] = array[0]  # both ranks have the same example

    def run(communicator):
        exchange, messages = communicator.allreduce, []
        communicator.allreduce = lambda array: (messages.append(array.copy()), exchange(array))
        own = averaging_over_ranks(engine, spec, communicator, 2)
        Training(own, given, UpdateRule(SGD(0.5))).steps([0, 1])
        return messages

    ((one,), (other,)) = trained_on_ranks(2, run)
    assert not np.array_equal(one, other)


def test_an_exception_leaves_what_the_last_average_was(engine):
    problem, rule = problem_of(SPEC, 64), UpdateRule(Adam(0.1))

    def broken(communicator):
        before = communicator.allreduce

        def allreduce(array):
            if communicator.calls == 2:
                raise OSError("the network is gone")
            before(array)

        communicator.allreduce = allreduce
        training = Training(averaging_over_ranks(engine, SPEC, communicator, 3), problem, rule)
        with pytest.raises(OSError, match="the network is gone"):
            training.steps(np.arange(64))
        return training.result[:4]

    expected = on_ranks(engine, 2, 3, problem, rule, np.arange(48))[0][:4]
    assert_same_bits(expected, *trained_on_ranks(2, broken))


def test_numbers_that_overflow_on_one_rank_are_not_finite_on_all(engine):
    problem, rule = problem_of(SPEC, 16), UpdateRule(SGD(1e300))
    problem.examples.X[:4], problem.examples.X[8:12] = 0, 0
    problem.examples.Y[:4], problem.examples.Y[8:12] = 0, 0
    ranks = on_ranks(engine, 2, 2, problem, rule, np.arange(16))
    assert_same_bits(ranks[0], ranks[1])
    assert not np.isfinite(ranks[0][0]).all()
