"""Optimizers: their settings, and 200 steps against recurrences written out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.engines.base import Batches, Examples, Problem, StepRecords, UpdateRule
from chainrule.engines.optimizer import OptimizerState
from chainrule.engines.optimizers import (
    OPTIMIZERS,
    SGD,
    Adam,
    AdamW,
    HeavyBall,
    Lion,
    Momentum,
    Nesterov,
    RMSprop,
    optimizer_named,
)
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from tests.equations import recurrences
from tests.equations.test_optimizers import OTHER
from tests.numerics import assert_within, epsilon
from tests.strategies_networks import problem_of

# A line through three points: J = (1/3) Σ ½ (w x + b − y)², whose gradient fits in one line.
_X = np.array([0.5, -1.0, 2.0])
_Y = np.array([1.0, 3.0, -2.0])
_START = [0.3, -0.2]
_STEPS = 200


def _gradient(w, b):
    errors = [w * x + b - y for x, y in zip(_X, _Y, strict=True)]
    return sum(e * x for e, x in zip(errors, _X, strict=True)) / 3, sum(errors) / 3


def _recurrences():
    """Yield each optimizer, its settings as they are by default and otherwise, and its recurrence.

    Rates are small, so that no parameter comes to a minimum in 200 steps.
    """
    for kind in OPTIMIZERS.values():
        default = kind()
        rate = 0.2 * default.learning_rate
        other = {name: OTHER[name] for name in default.hyperparameters}
        flags = default.settings.keys() - other.keys()
        for optimizer in (
            kind(rate),
            kind(rate, **other),
            *(kind(rate, **{f: True}) for f in flags),
        ):
            name = optimizer.update_equation.__name__.removesuffix("_update")
            yield optimizer, getattr(recurrences, name)


RECURRENCES = list(_recurrences())
IDS = [f"{optimizer!r}" for optimizer, _ in RECURRENCES]


def _stepped(optimizer, step, W, dW, memory, t, decays):
    settings = optimizer.hyperparameters
    if "weight_decay" in settings:
        settings["decaying"] = decays
    return step(W, dW, memory, t, optimizer.learning_rate, **settings)


@pytest.mark.parametrize(("optimizer", "step"), RECURRENCES, ids=IDS)
def test_200_steps_follow_the_recurrence_written_by_hand(engine, optimizer, step):
    spec = NetworkSpec(1, (Dense(1, "identity"),), "mse", dtype="float64")
    theta = np.array(_START)
    engine.train(
        Problem(spec, theta, Examples(_X[:, None], _Y[:, None])),
        UpdateRule(optimizer),
        optimizer.new_state(theta),
        Batches(
            np.tile(np.arange(3, dtype=np.int32), (_STEPS, 1)),
            3,
            optimizer.learning_rates(1, _STEPS),
        ),
        StepRecords(np.empty(_STEPS), np.empty(_STEPS)),
    )

    expected, memories = list(_START), [(), ()]
    for t in range(1, _STEPS + 1):
        gradient = _gradient(*expected)
        for i in range(2):
            expected[i], memories[i] = _stepped(
                optimizer, step, expected[i], gradient[i], memories[i], t,
                decays=float(i == 0),  # the bias does not
            )  # fmt: skip
    # Not yet at the minimum, where O2 and O3 divide rounding errors by each other.
    assert math.hypot(*_gradient(*expected)) > 1e-3
    np.testing.assert_allclose(theta, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("optimizer", "step"), RECURRENCES, ids=IDS)
@settings(max_examples=15)
@given(
    n_in=st.sampled_from((1, 2, 7, 8, 9, 15, 16, 17, 33)),
    units=st.sampled_from((1, 3, 8)),
    dtype=st.sampled_from(("float32", "float64")),
    t=st.sampled_from((0, 1, 1000)),
)
def test_a_step_from_any_state_follows_the_recurrence_at_every_size(
    engine, optimizer, step, n_in, units, dtype, t
):
    spec = NetworkSpec(n_in, (Dense(units, "identity"),), "mse", dtype=dtype)
    problem = problem_of(spec, m=3).rounded(dtype)
    random = np.random.default_rng(t)
    # S of the size that goes with V: some average of squared gradients, not below V².
    slots = random.uniform(0.5, 1.5, (optimizer.slots, problem.theta.size)).astype(dtype)
    theta, state = problem.theta.copy(), OptimizerState(slots.copy(), t)
    gradient = np.empty_like(theta)
    engine.loss_and_gradient(Problem(spec, theta, problem.examples), gradient)
    engine.train(
        Problem(spec, theta, problem.examples),
        UpdateRule(optimizer),
        state,
        Batches(np.arange(3, dtype=np.int32)[None], 3, optimizer.learning_rates(t + 1, 1)),
        StepRecords(np.empty(1), np.empty(1)),
    )

    old, g, memory = (np.asarray(a, np.float64) for a in (problem.theta, gradient, slots))
    weights = np.arange(len(old)) < n_in * units
    expected, new_memory = _stepped(optimizer, step, old, g, tuple(memory), t + 1, weights)
    # Ten operations, and a gradient that differs by its own rounding where a batch is summed in
    # another order: a sum of three products, and of n_in before it, of terms of order 10.
    eps = epsilon(dtype)
    g_error = (n_in + 6) * eps * (10 + np.abs(g))
    assert_within(theta, expected, 10 * eps * (1 + np.abs(old)) + g_error)
    for slot, value in zip(state.slots, new_memory, strict=False):
        assert_within(slot, value, 10 * eps * (1 + np.abs(value)) + g_error * (1 + np.abs(g)))
    assert state.t == t + 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(-0.1), r"^learning_rate: expected a finite number ≥ 0.*got -0\.1$"),
        (lambda: SGD(math.inf), r"^learning_rate: .*got inf$"),
        (lambda: SGD(math.nan), r"^learning_rate: .*got nan$"),
        (lambda: SGD("0.1"), r"^learning_rate: .*got '0\.1'$"),
        (lambda: SGD(None), r"^learning_rate: .*got None$"),
        (lambda: SGD(True), r"^learning_rate: .*got True$"),
        (lambda: SGD([0.1]), r"^learning_rate: .*got \[0\.1\]$"),
        (lambda: Momentum(0.1, beta=1.0), r"^beta: expected a number in \[0, 1\); got 1\.0$"),
        (lambda: HeavyBall(0.1, beta=-0.1), r"^beta: .*got -0\.1$"),
        (lambda: Nesterov(0.1, beta=math.nan), r"^beta: .*got nan$"),
        (lambda: RMSprop(0.1, beta="0.9"), r"^beta: .*got '0\.9'$"),
        (lambda: Adam(0.1, beta_1=1), r"^beta_1: .*got 1$"),
        (lambda: Adam(0.1, beta_2=1.5), r"^beta_2: .*got 1\.5$"),
        (lambda: Adam(0.1, plain_epsilon=1), r"^plain_epsilon: expected True or False; got 1$"),
        (lambda: Adam(0.1, epsilon=0), r"^epsilon: expected a finite number > 0; got 0$"),
        (lambda: RMSprop(0.1, epsilon=-1e-8), r"^epsilon: .*got -1e-08$"),
        (lambda: Adam(0.1, epsilon=math.inf), r"^epsilon: .*got inf$"),
        (lambda: AdamW(weight_decay=-1), r"^weight_decay: expected a finite number ≥ 0; got -1$"),
        (lambda: Lion(weight_decay=math.inf), r"^weight_decay: .*got inf$"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(make, message):
    with pytest.raises(InvalidArgumentError, match=message):
        make()


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_goes_by_its_name_with_default_settings(name):
    assert optimizer_named(name) == OPTIMIZERS[name]()
    assert optimizer_named(name).name == name


@pytest.mark.parametrize("other", ["adamax", "", None, Adam, 0.1, ["adam"]])
def test_what_is_no_optimizer_is_refused_with_the_names_that_exist(other):
    with pytest.raises(
        InvalidArgumentError, match=r"^optimizer: expected one of sgd, .*adam, .*, or"
    ):
        optimizer_named(other)


def test_an_instance_is_its_own_optimizer():
    optimizer = Adam(0.5)
    assert optimizer_named(optimizer) is optimizer


def test_optimizers_with_equal_settings_are_equal_and_frozen():
    assert Adam(0.1, beta_1=0.8) == Adam(0.1, beta_1=0.8) != Adam(0.1)
    with pytest.raises(AttributeError):
        Adam(0.1).learning_rate = 0.2


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_state_starts_in_the_dtype_of_the_parameters(name):
    optimizer = OPTIMIZERS[name]()
    theta = np.ones(5, np.float32)
    state = optimizer.new_state(theta)
    assert state.t == 0
    assert state.slots.shape == (optimizer.slots, 5)
    assert state.slots.dtype == np.float32
    for slot, name in zip(state.slots, optimizer.equations.vectors, strict=True):
        np.testing.assert_array_equal(slot, theta if name in ("Z", "X") else 0 * theta)


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"sgd"}))
def test_settings_given_as_numpy_numbers_keep_the_arithmetic_in_float32(name):
    plain = OPTIMIZERS[name]()
    as_numpy = {key: np.float64(value) for key, value in plain.hyperparameters.items()}
    from_numpy = OPTIMIZERS[name](**as_numpy)
    theta, gradient = np.ones(3, np.float32), np.full(3, 0.3, np.float32)
    results = []
    for optimizer in (plain, from_numpy):
        state = optimizer.equation_state(optimizer.new_state(theta))
        results.append(optimizer.update(theta, gradient, state, 0.1)[0])
    assert results[1].dtype == np.float32
    np.testing.assert_array_equal(results[0], results[1])


def test_a_constant_learning_rate_is_the_same_at_every_step():
    np.testing.assert_array_equal(SGD(0.25).learning_rates(7, 3), [0.25, 0.25, 0.25])


def test_a_schedule_is_asked_for_each_step_once_from_the_first():
    asked = []

    def schedule(t):
        asked.append(t)
        return 1 / t

    np.testing.assert_array_equal(SGD(schedule).learning_rates(4, 3), [1 / 4, 1 / 5, 1 / 6])
    assert asked == [4, 5, 6]


@pytest.mark.parametrize("rate", [-1.0, math.nan, math.inf, "0.1", None, (0.1,)])
def test_a_schedule_that_returns_no_rate_is_refused(rate):
    with pytest.raises(InvalidArgumentError, match=r"^learning_rate: expected .*function"):
        SGD(lambda t: rate).learning_rates(1, 1)


def test_a_schedule_may_return_numpy_and_whole_numbers():
    np.testing.assert_array_equal(SGD(lambda t: np.float32(0.5)).learning_rates(1, 1), [0.5])
    np.testing.assert_array_equal(SGD(lambda t: 1).learning_rates(1, 1), [1.0])
