"""Mixed precision: products in bfloat16, everything else in float32."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import extension
from chainrule.engines.base import Penalties, Problem
from chainrule.engines.native import NativeEngine
from chainrule.engines.optimizers import Adam
from chainrule.engines.orders import epoch_orders
from chainrule.engines.reference import ReferenceEngine
from chainrule.network.layers import BatchNorm, CategoryEmbedding, Dense, Dropout, Scale
from chainrule.network.parameters import placed_blocks
from chainrule.network.spec import NetworkSpec
from tests.engines.instruction_sets import computing_with
from tests.engines.test_layer_kinds import examples, parameters
from tests.engines.test_native import train
from tests.oracles_networks import blocks
from tests.strategies_networks import problem_of

native = extension.native

# What has products in bfloat16; the last emulates the tiles of AMX on any machine.
SETS = ["avx512_bf16", "amx_bf16", "amx_bf16_emulated"]


@pytest.fixture(params=SETS)
def mixed_set(request):
    with computing_with(request.param, "mixed"):
        yield request.param


def bfloat16(array):
    """Round float32 numbers to the nearest bfloat16, ties to even, by their bits."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return rounded.astype(np.uint32).view(np.float32).astype(np.float64)


def gradient_of(engine, problem):
    gradient = np.full_like(problem.theta, np.nan)
    loss = engine.loss_and_gradient(problem, gradient)
    return loss, gradient


# Both sides of a row's, a tile's, a block's, a panel's and a part's length, and one example over.
SIZES = [
    (24, 64, 2001), (25, 65, 1900), (49, 33, 1025), (64, 48, 385), (65, 129, 200), (300, 301, 33),
    (257, 256, 64), (1100, 70, 70), (1030, 96, 129), (2500, 50, 300),
    (300, 10, 400), (1000, 2, 600), (701, 1, 1500),
]  # fmt: skip


@pytest.mark.parametrize(("n_in", "n_out", "m"), SIZES)
def test_one_layer_multiplies_what_is_rounded_and_adds_in_float32(mixed_set, n_in, n_out, m):
    if mixed_set == "avx512_bf16" and (n_in * n_out < 1 << 16 or m < 64):
        pytest.skip("pairs do not pay in so small a layer")
    spec = NetworkSpec(n_in, (Dense(n_out, "identity"),), "mse")
    problem = problem_of(spec, m, seed=n_in).rounded("float32")
    loss, gradient = gradient_of(NativeEngine(precision="mixed"), problem)
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
    70, (Dense(301, "relu"), Dense(259, "tanh"), Dense(40, "selu"), Dense(10, "softmax")),
    "cross_entropy",
)  # fmt: skip


@pytest.mark.parametrize("m", [64, 65, 80, 111, 500, 700])
def test_a_deep_network_s_gradient_is_near_that_of_float32_and_not_it(mixed_set, m):
    problem = problem_of(DEEP, m, weighted=True).rounded("float32")
    _, exact = gradient_of(ReferenceEngine(), problem)
    _, mixed = gradient_of(NativeEngine(precision="mixed"), problem)
    _, full = gradient_of(NativeEngine(), problem)
    # Each product rounds both factors to within 2⁻⁹; ten products lie between X and a gradient.
    difference = np.linalg.norm(mixed - exact) / np.linalg.norm(exact)
    assert 1e-4 < difference < 10 * 2 * 2.0**-9
    assert np.linalg.norm(full - exact) / np.linalg.norm(exact) < 1e-5


# Its first layers' sums are cut into parts, and their panels go through together.
WIDE = NetworkSpec(
    40, (Dense(1100, "relu"), Dense(1060, "tanh"), Dense(36, "softmax")), "cross_entropy"
)


@pytest.mark.parametrize("spec", [DEEP, WIDE], ids=["deep", "wide"])
@pytest.mark.parametrize(
    ("penalties", "clip"), [(Penalties(), float("inf")), (Penalties(1e-3, 1e-2), 0.1)]
)
@pytest.mark.parametrize("batch_size", [7, 64, 384, 1000])
def test_any_number_of_threads_gives_the_same_bits_in_mixed_precision(
    mixed_set, spec, batch_size, penalties, clip
):
    if spec is WIDE and (batch_size == 7 or mixed_set == "amx_bf16_emulated"):
        pytest.skip("too long")
    problem = problem_of(spec, 1000, weighted=True, penalties=penalties).rounded("float32")
    order = epoch_orders(3, range(1, 3), 1000, shuffle=True)
    results = []
    for threads in (1, 2, 3, 5):
        engine = NativeEngine(threads, precision="mixed")
        theta, state, records = train(engine, problem, Adam(1e-3), order, batch_size, clip)
        arrays = (theta, state.slots, records.cost, gradient_of(engine, problem)[1])
        results.append([array.tobytes() for array in arrays])
    assert results[1:] == results[:1] * 3


@pytest.mark.parametrize("batch_size", [1, 31, 50])
def test_where_bfloat16_gains_nothing_mixed_precision_is_float32(mixed_set, batch_size):
    problem = problem_of(DEEP, 50).rounded("float32")
    order = epoch_orders(3, range(1, 3), 50, shuffle=True)
    results = []
    for precision in ("full", "mixed"):
        theta, _, _ = train(
            NativeEngine(precision=precision), problem, Adam(1e-3), order, batch_size
        )
        results.append(theta)
    same = np.array_equal(*results)
    assert same == (batch_size < 32 or mixed_set == "avx512_bf16")


KINDS = NetworkSpec(
    40,
    (
        CategoryEmbedding([(1, 4, 4), (3, 2, 1)]), Dense(128, "identity"), BatchNorm("relu"),
        Scale(), Dense(96, "gelu"), Dropout(0.3), Dense(64, "softmax"), Dense(70, "leaky_relu"),
        Dense(33, "relu"), Dense(3, "softmax"),
    ),
    "cross_entropy",
)  # fmt: skip


def tiled_weights(spec, vector):
    """Return each W that is wide enough for tiles.

    Sums over examples of lanes, as of b, have another order for each length of a vector.
    """
    found = [p for p in placed_blocks(spec) if p.block.name == "W" and p.block.shape[0] >= 32]
    return [vector[p.slice] for p in found]


def test_all_kinds_of_layer_agree_with_float32_as_far_as_bfloat16_goes(mixed_set):
    if mixed_set == "avx512_bf16":
        pytest.skip("pairs do not pay in so small a network")
    data, theta = examples(KINDS, 700, weighted=True), parameters(KINDS)
    results = []
    for engine in (ReferenceEngine(), NativeEngine(precision="mixed")):
        gradient = np.full_like(theta, np.nan)
        loss = engine.loss_and_gradient(Problem(KINDS, theta, data), gradient)
        results.append((loss, gradient))
    (exact_loss, exact), (loss, mixed) = results
    assert loss == pytest.approx(exact_loss, rel=0.05)
    assert 1e-4 < np.linalg.norm(mixed - exact) / np.linalg.norm(exact) < 20 * 2 * 2.0**-9


@pytest.mark.parametrize("spec", [DEEP, KINDS], ids=["deep", "kinds"])
@pytest.mark.parametrize("m", [65, 512, 2001])
def test_emulated_tiles_give_the_bits_of_the_real_ones(spec, m):
    data, theta = examples(spec, m, weighted=True), parameters(spec)
    gradients = []
    for name in ("amx_bf16", "amx_bf16_emulated"):
        gradient = np.full_like(theta, np.nan)
        with computing_with(name, "mixed"):
            NativeEngine(precision="mixed").loss_and_gradient(Problem(spec, theta, data), gradient)
        gradients.append(tiled_weights(spec, gradient))
    assert len(gradients[0]) >= 3
    for real, emulated in zip(*gradients, strict=True):
        np.testing.assert_array_equal(real, emulated)


def test_what_overflows_in_float32_overflows_in_mixed_precision(mixed_set):
    spec = NetworkSpec(300, (Dense(256, "relu"), Dense(64, "identity")), "mse")
    problem = problem_of(spec, 100).rounded("float32")
    for W, _ in blocks(spec, problem.theta):
        W[5] = 1e30
    for precision in ("full", "mixed"):
        loss, gradient = gradient_of(NativeEngine(precision=precision), problem)
        assert not np.isfinite(loss)
        assert not np.all(np.isfinite(gradient))


def test_subnormal_numbers_are_zero(mixed_set):
    spec = NetworkSpec(300, (Dense(256, "tanh"), Dense(64, "identity")), "mse")
    gradients = []
    for small in (0.0, 1e-39):
        problem = problem_of(spec, 100).rounded("float32")
        blocks(spec, problem.theta)[0][0][:] = small
        gradients.append(gradient_of(NativeEngine(precision="mixed"), problem)[1])
    np.testing.assert_array_equal(*gradients)


def test_training_in_mixed_precision_learns_as_well_as_in_float32(mixed_set):
    random = np.random.default_rng(0)
    X = random.standard_normal((2000, 20)).astype(np.float32)
    y = (np.tanh(X) @ random.standard_normal((20, 3))).argmax(axis=1)
    losses = {}
    for precision in ("full", "mixed"):
        net = cr.Network(
            [20, cr.Dense(256), cr.Dense(256), cr.Dense(3, "softmax")], cost="cross_entropy", seed=0
        )
        before = net.loss(X, y)
        net.fit(X, y, epochs=20, batch_size=64, precision=precision)
        losses[precision] = net.loss(X, y)
        assert losses[precision] < 0.2 * before
    assert losses["mixed"] != losses["full"]
    assert abs(losses["mixed"] - losses["full"]) < 0.1 * losses["full"]
