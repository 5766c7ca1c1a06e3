"""P3 and the record of penalties: a batch's own l1 and l2, on every engine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.engines import ENGINES, engine_named
from chainrule.engines.base import Batches, Examples, Penalties, Problem, StepRecords, UpdateRule
from chainrule.engines.optimizers import SGD, Adam, AdamW
from chainrule.equations.penalties import shared_strength
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from tests.numerics import epsilon
from tests.strategies_networks import problem_of

SPEC = NetworkSpec(3, (Dense(5, "tanh"), Dense(2, "identity")), "mse", dtype="float64")
SHARED = Penalties(l1=0.5, l2=2.0, shared=True)


def trained(engine, problem, penalties, optimizer, batch_size):
    theta = problem.theta.copy()
    m = len(problem.examples.X)
    steps = -(-m // batch_size)
    records = StepRecords(np.empty(steps), np.empty(steps), np.empty(steps))
    engine.train(
        Problem(problem.spec, theta, problem.examples, penalties),
        UpdateRule(optimizer),
        optimizer.new_state(theta),
        Batches(np.arange(m, dtype=np.int32)[None], batch_size, optimizer.learning_rates(1, steps)),
        records,
    )
    return theta, records


@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_with_shared_penalties_is_that_with_p3s_strengths(engine, weighted):
    examples = problem_of(SPEC, 7, weighted=weighted).examples
    theta = problem_of(SPEC, 7).theta
    weights = np.ones(7) if examples.weights is None else examples.weights
    own = Penalties(*(shared_strength(s, float(weights.sum())) for s in (SHARED.l1, SHARED.l2)))
    gradients = np.empty_like(theta), np.empty_like(theta)
    losses = [
        engine.loss_and_gradient(Problem(SPEC, theta, examples, penalties), gradient)
        for penalties, gradient in zip((SHARED, own), gradients, strict=True)
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=4 * epsilon("float64"))
    np.testing.assert_allclose(*gradients, rtol=0, atol=16 * epsilon("float64"))
    assert engine.loss(Problem(SPEC, theta, examples, SHARED)) == pytest.approx(
        losses[0], rel=1e-14
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_a_step_divides_the_penalties_by_its_own_batchs_weights(engine, weighted):
    problem = problem_of(SPEC, 7, weighted=weighted)
    theta, records = trained(engine, problem, SHARED, SGD(0.1), 4)
    expected = problem.theta.copy()
    for step, rows in enumerate((np.arange(4), np.arange(4, 7))):
        batch, gradient = problem.examples.take(rows), np.empty_like(expected)
        J = engine.loss_and_gradient(Problem(SPEC, expected, batch, SHARED), gradient)
        assert records.cost[step] + records.penalty[step] == pytest.approx(J, rel=1e-13)
        expected -= 0.1 * gradient
    np.testing.assert_allclose(theta, expected, rtol=0, atol=64 * epsilon("float64"))


def test_a_batch_without_weight_faces_no_shared_penalty(engine):
    problem = problem_of(SPEC, 4)
    weights = np.array([0.0, 0.0, 1.0, 1.0])
    problem = problem._replace(weights=weights)
    alone = problem._replace(X=problem.X[2:], Y=problem.Y[2:], weights=weights[2:])
    both, records = trained(engine, problem, SHARED, SGD(0.1), 2)
    last, _ = trained(engine, alone, SHARED, SGD(0.1), 2)
    np.testing.assert_array_equal(both, last)
    assert records.penalty[0] == 0


@settings(max_examples=10)
@given(units=st.sampled_from((1, 3, 8, 17)), batch=st.sampled_from((1, 4, 10)))
def test_every_engine_records_the_same_penalties_and_plain_epsilon_steps(engine, units, batch):
    spec = NetworkSpec(9, (Dense(units, "tanh"), Dense(1, "identity")), "mse", dtype="float64")
    problem = problem_of(spec, 10, weighted=True)
    optimizer = Adam(0.01, epsilon=1e-3, plain_epsilon=True)
    theta, records = trained(engine, problem, SHARED, optimizer, batch)
    expected, reference = trained(engine_named("reference"), problem, SHARED, optimizer, batch)
    np.testing.assert_allclose(theta, expected, rtol=0, atol=1e-11)
    np.testing.assert_allclose(records.penalty, reference.penalty, rtol=1e-10)


def test_penalties_that_are_not_shared_are_the_same_for_every_batch():
    penalties = Penalties(0.1, 0.2)
    assert penalties.over(17.0) is penalties
    assert Penalties(0.1, 0.2, shared=True).over(4.0) == Penalties(0.025, 0.05)


def test_examples_know_their_weight():
    X = np.zeros((3, 1))
    assert Examples(X, X).weight == 3.0
    assert Examples(X, X, np.array([0.5, 0.0, 2.0])).weight == 2.5


def test_clipped_steps_share_and_record_their_penalties_on_every_engine_alike():
    penalties = Penalties(1e-2, 1e-1, shared=True)
    spec = NetworkSpec(3, (Dense(5, "tanh"), Dense(2, "softmax")), "cross_entropy", dtype="float64")
    problem = problem_of(spec, 10, weighted=True, penalties=penalties)
    results = []
    for name in ENGINES:
        theta, optimizer = problem.theta.copy(), AdamW(0.01)
        records = StepRecords(np.empty(3), np.empty(3), np.empty(3))
        ENGINES[name](None).train(
            Problem(spec, theta, problem.examples, penalties),
            UpdateRule(optimizer, 0.05),
            optimizer.new_state(theta),
            Batches(np.arange(10, dtype=np.int32)[None], 4, np.full(3, 0.01)),
            records,
        )
        results.append([theta, *records])
    for result in results[1:]:
        for one, other in zip(result, results[0], strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
    W = np.concatenate([problem.theta[:15], problem.theta[20:30]])
    weight = problem.weights[:4].sum()
    expected = (0.05 * (W**2).sum() + 0.01 * np.abs(W).sum()) / weight
    assert results[0][3][0] == pytest.approx(expected, rel=1e-12)
