"""O0 to O9, and O3e."""

import inspect
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.equations import optimizers
from chainrule.equations.text import equation_text
from tests.equations import recurrences, worked_steps
from tests.numerics import as_float64, assert_within, epsilon

# Of the parabola and of Rosenbrock's valley; those of Adam's relatives by default.
RATES = {
    "gradient_descent": (0.1, 1e-3),
    "momentum": (0.1, 1e-3),
    "rmsprop": (0.02, 1e-2),
    "heavy_ball": (0.02, 2e-4),
    "nesterov": (0.02, 2e-4),
    "lion": (0.1, 2e-3),
}

# What changes every default.
OTHER = {"beta": 0.7, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3, "weight_decay": 0.2}


class Case(NamedTuple):
    """An optimizer, its recurrence, and settings that change every default."""

    name: str
    init: Callable
    update: Callable
    recurrence: Callable
    settings: dict[str, float]
    parabola_rate: float
    rosenbrock_rate: float

    @classmethod
    def of(cls, init, update):
        name = update.__name__.removesuffix("_update")
        own = inspect.signature(update).parameters
        settings = {setting: value for setting, value in OTHER.items() if setting in own}
        rates = RATES.get(name, (0.1, 1e-2))
        return cls(name, init, update, getattr(recurrences, name), settings, *rates)

    def next(self, theta, gradient, state, step, learning_rate, **settings):
        """Return θ and the state after the step, counted from 0; α is the same at all steps."""
        if "share" in inspect.signature(self.update).parameters:
            settings["share"] = 1 / (step + 1)
        return self.update(theta, gradient, state, learning_rate, **settings)


CASES = {
    case.name: case
    for kind in OPTIMIZERS.values()
    for update in (kind.equations.update, kind.equations.variant)
    if update is not None
    for case in [Case.of(kind.equations.init, update)]
}
every_optimizer = pytest.mark.parametrize(
    "case",
    CASES.values(),
    ids=[f"{equation_text(case.update).id}-{case.name}" for case in CASES.values()],
)


def _run(case, theta, gradient, steps, learning_rate, **settings):
    """Return θ after every step, the gradient being a function of (step, θ)."""
    state, path = case.init(theta), []
    for step in range(steps):
        slope = gradient(step, theta)
        theta, state = case.next(theta, slope, state, step, learning_rate, **settings)
        path.append(theta)
    return path


@every_optimizer
@pytest.mark.parametrize("defaults", [True, False], ids=["defaults", "other_settings"])
def test_two_hundred_steps_equal_the_scalar_recurrence(array64, case, defaults):
    settings = {} if defaults else case.settings
    start = [0.5, -1.25, 3.0]
    # Three parameters with gradients of different sizes and signs.
    gradients = [
        [math.sin(step), 10 * math.cos(0.1 * step), 1e-3 * (-1.0) ** step] for step in range(200)
    ]
    path = _run(
        case, array64(start), lambda step, _: array64(gradients[step]), 200, 0.05, **settings
    )
    expected = [
        recurrences.path(case.recurrence, W, [g[i] for g in gradients], 0.05, **settings)
        for i, W in enumerate(start)
    ]
    # 200 steps of up to 10 roundings of numbers of at most about 10 would allow 2e−12.
    assert_within(np.stack([as_float64(theta) for theta in path], axis=1), expected, 1e-12)


def _worked_rows(xp, case):
    """Return the states that a case passes on its way through the worked steps."""
    theta = xp.asarray([worked_steps.W_START], dtype=xp.float64)
    state, rows = case.init(theta), []
    for gradient in worked_steps.GRADIENTS:
        delta_W = xp.asarray([gradient], dtype=xp.float64)
        theta, state = case.update(theta, delta_W, state, worked_steps.LEARNING_RATE)
        rows.append({"W": theta, **state._asdict()})
    return rows


@pytest.mark.parametrize(
    ("case", "steps"),
    [
        (CASES["momentum"], worked_steps.MOMENTUM),
        (CASES["rmsprop"], worked_steps.RMSPROP),
        (CASES["adam"], worked_steps.ADAM),
    ],
    ids=["O1-momentum", "O2-rmsprop", "O3-adam"],
)
def test_first_three_steps_are_the_worked_numbers(xp, case, steps):
    for row, worked in zip(_worked_rows(xp, case), steps, strict=True):
        for symbol in row.keys() & worked.keys():
            bound = 0.5 * 10.0**-worked_steps.DECIMALS + 8 * epsilon("float64")
            assert_within(row[symbol], [worked[symbol]], bound)


@every_optimizer
def test_optimizer_minimises_a_parabola(array, case):
    minimum, curvature = array([2.0, -1.0]), array([1.0, 4.0])
    path = _run(
        case,
        array([0.0, 0.0]),
        lambda _, theta: curvature * (theta - minimum),
        300,
        case.parabola_rate,
    )
    # RMSprop and Adam end within a step's length, about α, of the minimum, Lion, which always steps
    # by α, within one and a half; the others closer.
    assert_within(path[-1], as_float64(minimum), 1.5 * case.parabola_rate)


@every_optimizer
def test_optimizer_makes_progress_on_rosenbrock(array, case):
    def cost(theta):
        x, y = as_float64(theta)
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2

    def gradient(_, theta):
        x, y = as_float64(theta)
        return array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])

    start = array([-1.2, 1.0])
    path = _run(case, start, gradient, 500, case.rosenbrock_rate)
    # From 24.2 into the valley, whose floor lies below 5 from here to the minimum at (1, 1).
    assert cost(start) > 24
    assert cost(path[-1]) < 4


@every_optimizer
def test_optimizer_state_starts_at_zero_and_averages_at_the_parameters(array, case):
    state = case.init(array([1.0, -2.0]))
    for name in getattr(state, "_fields", ()):
        begin = [1.0, -2.0] if name in ("Z", "X") else 0.0
        assert np.all(as_float64(getattr(state, name)) == begin)


@every_optimizer
def test_zero_gradient_from_the_start_changes_nothing(array, case):
    theta = array([1.0, -2.0])
    settings = {"weight_decay": 0.0} if "weight_decay" in case.settings else {}
    path = _run(case, theta, lambda _, theta: theta * 0.0, 3, 0.1, **settings)
    np.testing.assert_array_equal(as_float64(path[-1]), [1.0, -2.0])


def test_o0_gradient_descent_of_a_worked_example(array, dtype):
    theta, _ = optimizers.gradient_descent_update(array([1.0]), array([2.0]), (), 0.1)
    assert_within(theta, [0.8], 2 * epsilon(dtype))


def test_o3_adam_counts_its_updates(array):
    theta = array([1.0])
    state = optimizers.adam_init(theta)
    for t in (1, 2, 3):
        theta, state = optimizers.adam_update(theta, array([1.0]), state, 0.1)
        assert state.t == t


def test_o3_adam_first_step_is_the_learning_rate_whatever_the_gradient(array, dtype):
    # V̂ = δW and Ŝ = δW² at t = 1: without both corrections it would be 3.2 α.
    gradient = array([1e-3, 1.0, -1e3])
    theta = array([0.0, 0.0, 0.0])
    theta, _ = optimizers.adam_update(theta, gradient, optimizers.adam_init(theta), 0.1)
    # ε = 1e−8 beside |δW| = 1e−3 counts 1e−5; about 16 roundings.
    assert_within(theta, [-0.1, -0.1, 0.1], 0.1 * (1e-5 + 16 * epsilon(dtype)))


def test_o5_nesterov_equals_the_textbook_form_with_two_points(array64):
    def gradient(theta):
        return 3 * theta - 1

    case = CASES["nesterov"]
    path = _run(case, array64([2.0]), lambda _, theta: gradient(theta), 50, 0.05)
    expected = recurrences.nesterov_two_points(2.0, gradient, 0.05, 0.9, 50)
    # V = 0 at the start, so both begin at the same point.
    assert_within([as_float64(theta)[0] for theta in path], expected, 1e-13)


def test_o4_heavy_ball_is_o1_at_a_learning_rate_times_one_minus_beta(array64):
    gradients = [math.cos(step) for step in range(20)]
    heavy, average = (
        _run(case, array64([1.0]), lambda step, _: array64([gradients[step]]), 20, rate)
        for case, rate in ((CASES["heavy_ball"], 0.01), (CASES["momentum"], 0.1))
    )
    for one, other in zip(heavy, average, strict=True):
        assert_within(one, as_float64(other), 20 * 8 * epsilon("float64"))


def test_o6_adamw_of_a_worked_example(array, dtype):
    # The first step is α sign(δW) but for ε; the decay takes 0.1 · 0.5 · W beside it.
    theta, _ = optimizers.adamw_update(
        array([2.0, 2.0]),
        array([4.0, -4.0]),
        optimizers.adam_init(array([2.0, 2.0])),
        0.1,
        weight_decay=0.5,
    )
    assert_within(theta, [2 - 0.1 - 0.1, 2 + 0.1 - 0.1], 1e-8 + 32 * epsilon(dtype))


def test_o6_decay_is_not_divided_by_the_size_of_the_gradients(array64):
    # P1 in the gradient of O3 moves both weights by about α; O6's decay by α λ W, whatever δW.
    theta, gradient = array64([1.0, 1.0]), array64([1e-3, 1e3])
    state = optimizers.adam_init(theta)
    plain, _ = optimizers.adam_update(theta, gradient, state, 0.1)
    decayed, _ = optimizers.adamw_update(theta, gradient, state, 0.1, weight_decay=0.25)
    assert_within(as_float64(plain) - as_float64(decayed), [0.025, 0.025], 1e-15)


@pytest.mark.parametrize(
    ("init", "update"),
    [
        (optimizers.adam_init, optimizers.adamw_update),
        (optimizers.momentum_init, optimizers.lion_update),
    ],
    ids=["O6-adamw", "O8-lion"],
)
def test_decay_may_differ_from_parameter_to_parameter(array, dtype, init, update):
    theta = array([1.0, 1.0, -4.0])
    zero = array([0.0, 0.0, 0.0])
    new, _ = update(theta, zero, init(theta), 0.5, weight_decay=array([0.25, 0.0, 0.25]))
    assert_within(new, [0.875, 1.0, -3.5], 4 * epsilon(dtype))


def test_o7_nadam_of_a_worked_example(array64):
    # t = 1: V = 0.1 δW, so V̂ = 0.9 · 0.1/(1 − 0.81) δW + δW = (9/19 + 1) δW; √Ŝ = |δW|.
    theta, state = optimizers.nadam_update(
        array64([1.0]), array64([2.0]), optimizers.adam_init(array64([1.0])), 0.19
    )
    assert_within(theta, [1 - 0.28], 1e-8)
    assert state.t == 1


def test_o8_lion_of_a_worked_example(array, dtype):
    # V = −1 and δW = 5: 0.9 · −1 + 0.1 · 5 < 0 steps up; the average that stays is −0.94.
    state = optimizers.MomentumState(array([-1.0, -1.0, 0.0]))
    theta, state = optimizers.lion_update(
        array([1.0, 1.0, 1.0]), array([5.0, 10.0, 0.0]), state, 0.125, weight_decay=0.0
    )
    np.testing.assert_array_equal(as_float64(theta), [1.125, 0.875, 1.0])
    assert_within(state.V, [-0.94, -0.89, 0.0], 4 * epsilon(dtype))


def test_o3e_first_step_equals_scikit_learn(array64):
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    start, gradient = np.array([0.5, -1.0, 2.0]), np.array([1e-7, -1e-3, 4.0])
    theirs_theta = start.copy()
    theirs = AdamOptimizer([theirs_theta], learning_rate_init=0.1, epsilon=1e-4)
    theta = array64(start)
    state = optimizers.adam_init(theta)
    for _ in range(3):
        theirs.update_params([theirs_theta], [gradient])
        theta, state = optimizers.adam_plain_epsilon_update(
            theta, array64(gradient), state, 0.1, epsilon=1e-4
        )
    assert_within(theta, theirs_theta, 3 * 16 * epsilon("float64"))


def test_o9_schedule_free_equals_what_optax_computes(array64):
    # optax 0.2.8 in float64: schedule_free_adamw(0.05, b2=0.95, eps=1e-6, weight_decay=0.2),
    # its parameters, and its schedule_free_eval_params, after 20 steps.
    evaluated = [0.9327954114104259, -0.9569362163820576, 2.268510175383732]
    stepped = [0.9686499879912243, -0.9610270602870239, 2.203283962636889]
    theta = array64([0.5, -1.25, 3.0])
    state = optimizers.schedule_free_init(theta)
    for step in range(20):
        away = as_float64(theta) - np.array([2.0, -1.0, 0.5])
        slope = np.array([1.0, 4.0, 0.25]) * away + 0.3 * np.sin(step + np.arange(3))
        theta, state = optimizers.schedule_free_adamw_update(
            theta, array64(slope), state, 0.05, 1 / (step + 1),
            beta_2=0.95, epsilon=1e-6, weight_decay=0.2,
        )  # fmt: skip
    assert_within(theta, stepped, 1e-13)
    assert_within(state.X, evaluated, 1e-13)
