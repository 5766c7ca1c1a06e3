"""The element-wise updates that divide by a root: exact cases, errors in float64, and equal bits.

A layer whose weights are 0, one example x and the target −1 make x itself the gradient, with no
rounding; and what θ = 0 becomes is the step itself.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.engines import extension
from chainrule.engines.base import Batches, Examples, Problem, StepRecords, UpdateRule
from chainrule.engines.native import NativeEngine
from chainrule.engines.optimizer import OptimizerState
from chainrule.engines.optimizers import OPTIMIZERS, Adam, RMSprop
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec

native = extension.native
pytestmark = pytest.mark.skipif(native is None, reason="there is no compiled core")

SETS = native.cpu_info()["instruction_sets"] if native else []
FUSED = [name for name in SETS if name != "generic"]  # with fused multiply-adds
# Those with a root in the divisor.
DIVIDING = ["adam", "adamw", "muon", "nadam", "rmsprop", "schedule_free_adamw"]


@pytest.fixture(scope="module", params=SETS)
def instruction_set(request):
    before = native.instruction_set()
    native.use_instruction_set(request.param)
    yield request.param
    native.use_instruction_set(before)


def stepped(optimizer, gradient, slots, t=0):
    """Return the weights, from 0, and the state vectors after a step with this gradient."""
    gradient = np.asarray(gradient)
    n = len(gradient)
    spec = NetworkSpec(n, (Dense(1, "identity"),), "mse", dtype=str(gradient.dtype))
    theta = np.zeros(n + 1, gradient.dtype)
    state = OptimizerState(np.zeros((optimizer.slots, n + 1), gradient.dtype), t)
    state.slots[:, :n] = slots
    NativeEngine(1).train(
        Problem(spec, theta, Examples(gradient[None], np.full((1, 1), -1, gradient.dtype))),
        UpdateRule(optimizer),
        state,
        Batches(np.zeros((1, 1), np.int32), 1, optimizer.learning_rates(t + 1, 1)),
        StepRecords(np.empty(1), np.empty(1)),
    )
    return theta[:n], state.slots[:, :n]


def drawn(seed, n, dtype, slots):
    """Return a gradient and state vectors of every size that squares leave finite and normal."""
    random = np.random.default_rng(seed)
    most = 17 if dtype == "float32" else 150
    sizes = 10.0 ** random.uniform(-most, most, (slots + 1, n))
    numbers = (random.choice([-1.0, 1.0], (slots + 1, n)) * sizes).astype(dtype)
    return numbers[0], np.abs(numbers[1:])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(seed=st.integers(0, 2**32), n=st.integers(1, 70))
def test_a_step_is_within_two_units_in_the_last_place(instruction_set, dtype, seed, n):
    gradient, slots = drawn(seed, n, dtype, 1)
    # A power of two, so that the product with the gradient is exact.
    optimizer = RMSprop(0.125, epsilon=1e-3)
    step, (squares,) = stepped(optimizer, gradient, slots)
    wide = np.longdouble
    exact = (
        -gradient.astype(wide) / 8 / (np.sqrt(squares.astype(wide)) + np.dtype(dtype).type(1e-3))
    )
    # Half a unit each for the root, the sum and the quotient, of numbers that are at most twice as
    # large as their unit says.
    error = np.abs(step - exact) / np.spacing(np.abs(exact).astype(dtype))
    assert error.max() <= 2


@pytest.mark.skipif(len(FUSED) < 2, reason="takes two instruction sets with fused multiply-adds")
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(seed=st.integers(0, 2**32), n=st.integers(1, 70), t=st.sampled_from([0, 7, 1000]))
def test_every_instruction_set_with_fused_multiply_adds_takes_the_same_step(
    name, dtype, seed, n, t
):
    optimizer = OPTIMIZERS[name]()
    gradient, slots = drawn(seed, n, dtype, optimizer.slots)
    before = native.instruction_set()
    steps = []
    for chosen in FUSED:
        native.use_instruction_set(chosen)
        steps.append([array.tobytes() for array in stepped(optimizer, gradient, slots, t)])
    native.use_instruction_set(before)
    assert all(step == steps[0] for step in steps)


@pytest.mark.parametrize("name", DIVIDING)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_parameter_without_gradient_stays(instruction_set, name, dtype):
    optimizer = OPTIMIZERS[name]()
    step, slots = stepped(optimizer, np.zeros(40, dtype), 0)
    assert not step.any()
    assert not slots.any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_squares_take_the_step_of_their_limit(instruction_set, dtype):
    info = np.finfo(dtype)
    rate, epsilon = 0.5, 0.25
    squares = np.array([np.inf, np.nan, info.max, info.tiny, info.tiny / 4, 0], dtype)
    gradient = np.array([1, 1, 1, 0, 0, 0], dtype)
    # beta = 0.5: S is halved, and the gradient of 1 adds a half.
    step, _ = stepped(RMSprop(rate, beta=0.5, epsilon=epsilon), gradient, squares)
    limits = [0, np.nan, rate / np.sqrt(info.max / 2), 0, 0, 0]
    np.testing.assert_allclose(step, -np.array(limits), rtol=4 * info.eps, atol=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_infinite_average_is_no_number_over_infinite_squares(instruction_set, dtype):
    slots = np.full((2, 20), np.inf, dtype)
    step, _ = stepped(Adam(), np.ones(20, dtype), slots)
    assert np.isnan(step).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_tiny_epsilon_leaves_the_sign_of_the_gradient(instruction_set, dtype):
    # √S = |g| √(1 − β), and ε vanishes beside it.
    gradient = np.array([1e-8, -1e-3, 1, -1e3, 1e8], dtype)
    optimizer = RMSprop(1.0, beta=0.75, epsilon=float(np.finfo(dtype).tiny))
    step, _ = stepped(optimizer, gradient, 0)
    np.testing.assert_allclose(step, -2 * np.sign(gradient), rtol=4 * np.finfo(dtype).eps)
