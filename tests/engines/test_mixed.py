"""Mixed precision: products in bfloat16, everything else in float32."""

import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import engine_for, extension
from chainrule.engines.base import Penalties
from chainrule.engines.native import NativeEngine, has_mixed
from chainrule.engines.optimizers import Adam
from chainrule.engines.orders import epoch_orders
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from tests.engines.test_native import train
from tests.oracles_networks import blocks
from tests.strategies_networks import problem_of

needs_bfloat16 = pytest.mark.skipif(
    not has_mixed(), reason="this CPU (or build) has no products in bfloat16"
)


def bfloat16(array):
    """Round float32 numbers to the nearest bfloat16, ties to even, by their bits."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return rounded.astype(np.uint32).view(np.float32).astype(np.float64)


def gradient_of(engine, problem):
    gradient = np.full_like(problem.theta, np.nan)
    loss = engine.loss_and_gradient(problem, gradient)
    return loss, gradient


# One and odd numbers, and both sides of a vector's, a tile's and a part's length.
SIZES = [(1, 1, 1), (3, 5, 7), (31, 17, 33), (64, 6, 64), (65, 13, 129), (1100, 20, 70)]


@needs_bfloat16
@pytest.mark.parametrize(("n_in", "n_out", "m"), SIZES)
def test_one_layer_multiplies_what_is_rounded_and_adds_in_float32(n_in, n_out, m):
    spec = NetworkSpec(n_in, (Dense(n_out, "identity"),), "mse")
    problem = problem_of(spec, m, seed=n_in).rounded("float32")
    loss, gradient = gradient_of(NativeEngine(mixed=True), problem)
    ((W, b),) = blocks(spec, problem.theta)
    X, Y = bfloat16(problem.X), problem.Y.astype(np.float64)
    delta = X @ bfloat16(W).T + b - Y
    size = np.abs(X) @ np.abs(bfloat16(W)).T + np.abs(b) + np.abs(Y)
    eps = np.finfo(np.float32).eps
    # A sum of n_in + 2 terms errs by that many ε of their sizes; the loss is a mean of squares.
    error = (n_in + 3) * eps * size
    assert abs(loss - 0.5 * np.sum(delta**2) / m) <= np.sum(np.abs(delta) * error) / m + m * eps
    actual_W, actual_b = blocks(spec, gradient)[0]
    # δ is rounded once more: where float32 errs across a tie, to the bfloat16 beside it (2⁻⁸).
    rounded = bfloat16(delta / m)
    slack = np.abs(bfloat16((delta - error) / m) - rounded)
    slack = np.maximum(slack, np.abs(bfloat16((delta + error) / m) - rounded))
    bound = slack.T @ np.abs(X) + (m + 2) * eps * np.abs(rounded).T @ np.abs(X)
    assert np.all(np.abs(actual_W - rounded.T @ X) <= bound + 1e-30)
    np.testing.assert_allclose(actual_b, delta.mean(axis=0), rtol=1e-4, atol=1e-4)


DEEP = NetworkSpec(
    70, (Dense(130, "relu"), Dense(51, "tanh"), Dense(40, "selu"), Dense(10, "softmax")),
    "cross_entropy",
)  # fmt: skip


@needs_bfloat16
@pytest.mark.parametrize("m", [1, 7, 16, 20, 33, 50, 500])
def test_a_deep_network_s_gradient_is_near_that_of_float32_and_not_it(m):
    problem = problem_of(DEEP, m, weighted=True).rounded("float32")
    _, exact = gradient_of(ReferenceEngine(), problem)
    _, mixed = gradient_of(NativeEngine(mixed=True), problem)
    _, full = gradient_of(NativeEngine(), problem)
    # Each product rounds both factors to within 2⁻⁹; ten products lie between X and a gradient.
    difference = np.linalg.norm(mixed - exact) / np.linalg.norm(exact)
    assert 1e-4 < difference < 10 * 2 * 2.0**-9
    assert np.linalg.norm(full - exact) / np.linalg.norm(exact) < 1e-5


@needs_bfloat16
@pytest.mark.parametrize(
    ("penalties", "clip"), [(Penalties(), float("inf")), (Penalties(1e-3, 1e-2), 0.1)]
)
@pytest.mark.parametrize("batch_size", [7, 64, 384, 1000])
def test_any_number_of_threads_gives_the_same_bits_in_mixed_precision(batch_size, penalties, clip):
    problem = problem_of(DEEP, 1000, weighted=True, penalties=penalties).rounded("float32")
    order = epoch_orders(3, range(1, 3), 1000, shuffle=True)
    results = []
    for threads in (1, 2, 3, 5):
        engine = NativeEngine(threads, mixed=True)
        theta, state, records = train(engine, problem, Adam(1e-3), order, batch_size, clip)
        arrays = (theta, state.slots, records.cost, gradient_of(engine, problem)[1])
        results.append([array.tobytes() for array in arrays])
    assert results[1:] == results[:1] * 3


@needs_bfloat16
def test_training_in_mixed_precision_learns_as_well_as_in_float32():
    random = np.random.default_rng(0)
    X = random.standard_normal((2000, 20)).astype(np.float32)
    y = (np.tanh(X) @ random.standard_normal((20, 3))).argmax(axis=1)
    losses = {}
    for precision in ("full", "mixed"):
        net = cr.Network([20, cr.Dense(64), cr.Dense(3, "softmax")], cost="cross_entropy", seed=0)
        before = net.loss(X, y)
        net.fit(X, y, epochs=20, precision=precision)
        losses[precision] = net.loss(X, y)
        assert losses[precision] < 0.2 * before
    assert losses["mixed"] != losses["full"]
    assert abs(losses["mixed"] - losses["full"]) < 0.1 * losses["full"]


def test_without_bfloat16_a_warning_says_why_and_training_is_in_float32():
    X, y = np.eye(3), [0, 1, 2]
    results = []
    for precision in ("full", "mixed"):
        net = cr.Network([3, cr.Dense(3, "softmax")], cost="cross_entropy", seed=0)
        if precision == "mixed":
            with pytest.warns(RuntimeWarning, match="precision: there are no bfloat16 products"):
                net.fit(X, y, epochs=2, engine="reference", precision="mixed")
        else:
            net.fit(X, y, epochs=2, engine="reference")
        results.append(net.parameters)
    np.testing.assert_array_equal(*results)


@pytest.mark.skipif(extension.native is None, reason="there is no compiled core")
def test_an_instruction_set_without_bfloat16_falls_back_to_float32_with_a_warning():
    before = extension.native.instruction_set()
    extension.native.use_instruction_set("generic")
    try:
        with pytest.warns(RuntimeWarning, match="no AVX-512-BF16"):
            engine = engine_for(DEEP, "native", precision="mixed")
    finally:
        extension.native.use_instruction_set(before)
    assert not engine.mixed


def test_full_precision_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine_for(DEEP, "auto", precision="full")


def test_mixed_precision_of_float64_is_refused():
    spec = NetworkSpec(2, (Dense(2, "softmax"),), "cross_entropy", dtype="float64")
    with pytest.raises(InvalidArgumentError, match=r"^precision: .* dtype float32; .* float64$"):
        engine_for(spec, "auto", precision="mixed")


@pytest.mark.parametrize("precision", ["half", "", None, 16])
def test_an_unknown_precision_is_refused(precision):
    with pytest.raises(InvalidArgumentError, match=r"^precision: expected full or mixed; got"):
        engine_for(DEEP, "auto", precision=precision)
