"""Split precision: float32 products as sums of products of bfloat16 numbers."""

import numpy as np
import pytest

from chainrule.engines import extension
from chainrule.engines.base import Penalties, Problem
from chainrule.engines.native import NativeEngine
from chainrule.engines.optimizers import Adam
from chainrule.engines.orders import epoch_orders
from chainrule.engines.reference import ReferenceEngine
from chainrule.network.layers import BatchNorm, Dense, Dropout
from chainrule.network.spec import NetworkSpec
from tests.engines.instruction_sets import computing_with
from tests.engines.test_layer_kinds import examples, parameters
from tests.engines.test_native import train
from tests.oracles_networks import blocks
from tests.strategies_networks import problem_of

native = extension.native

# What has such products; the last emulates the tiles of AMX on any machine.
SETS = ["amx_bf16", "amx_bf16_emulated"]


@pytest.fixture(params=SETS)
def split_set(request):
    with computing_with(request.param, "split"):
        yield request.param


def split():
    return NativeEngine(precision="split")


def gradient_of(engine, problem):
    gradient = np.full_like(problem.parameters, np.nan)
    loss = engine.loss_and_gradient(problem, gradient)
    return loss, gradient


def outputs_of(engine, problem):
    out = np.full(problem.Y.shape, np.nan, np.float32)
    engine.forward(problem.spec, problem.theta, problem.X, out)
    return out


def with_parameters(problem, layer, W=None, b=None):
    """Set all numbers of one layer's arrays."""
    for array, value in zip(blocks(problem.spec, problem.theta)[layer], (W, b), strict=True):
        if value is not None:
            array[:] = value


def forward_products(engine, K):
    """Return what an engine makes of F1 with chains of K terms, and the exact products."""
    spec = NetworkSpec(K, (Dense(256, "identity"),), "mse")
    problem = problem_of(spec, 144, seed=K).rounded("float32")
    with_parameters(problem, 0, b=0.0)
    ((W, _),) = blocks(spec, problem.theta)
    return outputs_of(engine, problem), problem.X.astype(np.float64) @ W.astype(np.float64).T


def error_products(engine, K):
    """Return the same of BP2: with inputs of one 1 each, the gradient of W[1] is δ[1]."""
    spec = NetworkSpec(256, (Dense(256, "identity"), Dense(K, "identity")), "mse")
    problem = problem_of(spec, 256, seed=K).rounded("float32")
    problem.X[:] = np.eye(256)
    with_parameters(problem, 0, W=0.0, b=0.0)
    with_parameters(problem, 1, b=0.0)  # A[2] is 0, and δ[2] is −Y / 256 without rounding
    _, gradient = gradient_of(engine, problem)
    W = blocks(spec, problem.theta)[1][0].astype(np.float64)
    return blocks(spec, gradient)[0][0].T, -problem.Y.astype(np.float64) / 256 @ W


def gradient_products(engine, K):
    """Return the same of BP4, whose chains have a term for each example; here, K are not 0."""
    spec = NetworkSpec(256, (Dense(256, "identity"),), "mse")
    m = max(K, 128)
    problem = problem_of(spec, m, seed=K).rounded("float32")
    problem.Y[K:] = 0.0
    with_parameters(problem, 0, W=0.0, b=0.0)
    _, gradient = gradient_of(engine, problem)
    exact = -problem.Y.astype(np.float64).T / m @ problem.X.astype(np.float64)
    return blocks(spec, gradient)[0][0], exact


@pytest.mark.parametrize(
    ("products", "K"),
    [(gradient_products, 64), (gradient_products, 1024), (gradient_products, 4096)]
    + [(of, K) for of in (forward_products, error_products) for K in (256, 1024, 4096)],
)
def test_products_err_less_than_a_chain_of_float32(split_set, products, K):
    if split_set == "amx_bf16_emulated" and K == 4096 and products is not gradient_products:
        pytest.skip("too long")

    def error(engine):
        actual, exact = products(engine, K)
        return np.sqrt(np.mean((actual - exact) ** 2) / np.mean(exact**2))

    assert 1e-9 < error(split()) < 0.75 * error(NativeEngine())


# Both sides of a tile's, a block's, a panel's and a part's length.
SIZES = [(256, 256, 128), (257, 300, 193), (300, 259, 161), (400, 290, 150), (1100, 260, 129),
         (2500, 256, 200)]  # fmt: skip


@pytest.mark.parametrize(("n_in", "n_out", "m"), SIZES)
def test_predictions_losses_and_gradients_are_as_near_as_float32_s(split_set, n_in, n_out, m):
    spec = NetworkSpec(n_in, (Dense(n_out, "tanh"), Dense(3, "softmax")), "cross_entropy")
    problem = problem_of(spec, m, weighted=True).rounded("float32")
    exact = ReferenceEngine()
    exact_loss, exact_gradient = gradient_of(exact, problem.rounded("float64"))
    exact_outputs = np.full(problem.Y.shape, np.nan)
    exact.forward(spec, problem.theta.astype(np.float64), problem.X.astype(np.float64),
                  exact_outputs)  # fmt: skip
    loss, gradient = gradient_of(split(), problem)
    assert loss == pytest.approx(exact_loss, rel=2e-6)
    assert split().loss(problem) == pytest.approx(exact_loss, rel=2e-6)
    np.testing.assert_allclose(outputs_of(split(), problem), exact_outputs, rtol=2e-5, atol=1e-7)
    assert np.linalg.norm(gradient - exact_gradient) < 2e-6 * np.linalg.norm(exact_gradient)


DEEP = NetworkSpec(
    300, (Dense(301, "relu"), Dense(290, "identity"), Dense(256, "selu"), Dense(280, "relu"),
          Dense(10, "softmax")),
    "cross_entropy",
)  # fmt: skip
KINDS = NetworkSpec(
    256,
    (Dense(260, "identity"), BatchNorm("relu"), Dense(300, "softmax"), Dropout(0.3),
     Dense(256, "leaky_relu"), Dense(30, "relu"), Dense(3, "softmax")),
    "cross_entropy",
)  # fmt: skip


@pytest.mark.parametrize("spec", [DEEP, KINDS], ids=["deep", "kinds"])
def test_all_kinds_of_layer_agree_with_the_reference(split_set, spec):
    data, theta = examples(spec, 333, weighted=True), parameters(spec)
    problem = Problem(spec, theta, data)
    double = [None if array is None else array.astype(np.float64) for array in data]
    exact_loss, exact = gradient_of(
        ReferenceEngine(), Problem(spec, theta.astype(np.float64), type(data)(*double))
    )
    loss, gradient = gradient_of(split(), problem)
    _, full = gradient_of(NativeEngine(), problem)
    assert loss == pytest.approx(exact_loss, rel=2e-6)
    assert np.linalg.norm(gradient - exact) < 2e-6 * np.linalg.norm(exact)
    assert not np.array_equal(gradient, full)


@pytest.mark.parametrize("m", [129, 512])
def test_emulated_tiles_give_the_bits_of_the_real_ones(m):
    # One layer, and not its biases: the order of other sums depends on the vectors' length.
    spec = NetworkSpec(300, (Dense(290, "identity"),), "mse")
    problem = problem_of(spec, m).rounded("float32")
    results = []
    for name in SETS:
        with computing_with(name, "split"):
            gradient = gradient_of(split(), problem)[1]
            results.append((outputs_of(split(), problem), blocks(spec, gradient)[0][0]))
    for real, emulated in zip(*results, strict=True):
        np.testing.assert_array_equal(real, emulated)


@pytest.mark.parametrize("batch_size", [128, 384, 700])
@pytest.mark.parametrize(
    ("penalties", "clip"), [(Penalties(), float("inf")), (Penalties(1e-3, 1e-2), 0.1)]
)
def test_any_number_of_threads_gives_the_same_bits(split_set, batch_size, penalties, clip):
    if split_set == "amx_bf16_emulated" and batch_size != 128:
        pytest.skip("too long")
    m = 200 if split_set == "amx_bf16_emulated" else 700
    problem = problem_of(DEEP, m, weighted=True, penalties=penalties).rounded("float32")
    order = epoch_orders(3, range(1, 3), m, shuffle=True)
    results = []
    for threads in (1, 2, 3, 5):
        engine = NativeEngine(threads, precision="split")
        theta, state, records = train(engine, problem, Adam(1e-3), order, batch_size, clip)
        arrays = (theta, state.slots, records.cost, gradient_of(engine, problem)[1],
                  outputs_of(engine, problem))  # fmt: skip
        results.append([array.tobytes() for array in arrays])
    assert results[1:] == results[:1] * 3


@pytest.mark.parametrize("sizes", [(255, 256), (256, 255), (1000, 40)])
def test_layers_narrower_than_256_are_float32(split_set, sizes):
    n_in, n_out = sizes
    spec = NetworkSpec(n_in, (Dense(n_out, "relu"), Dense(3, "softmax")), "cross_entropy")
    problem = problem_of(spec, 200).rounded("float32")
    np.testing.assert_array_equal(
        gradient_of(split(), problem)[1], gradient_of(NativeEngine(), problem)[1]
    )
    np.testing.assert_array_equal(outputs_of(split(), problem), outputs_of(NativeEngine(), problem))


@pytest.mark.parametrize("m", [1, 64, 127])
def test_batches_too_short_to_pay_are_float32(split_set, m):
    problem = problem_of(DEEP, m).rounded("float32")
    np.testing.assert_array_equal(
        gradient_of(split(), problem)[1], gradient_of(NativeEngine(), problem)[1]
    )
    np.testing.assert_array_equal(outputs_of(split(), problem), outputs_of(NativeEngine(), problem))


@pytest.mark.parametrize("size", [np.finfo(np.float32).max, 3.395e38, 1e38, -3.4e38])
def test_the_largest_numbers_are_multiplied_as_others_are(split_set, size):
    spec = NetworkSpec(256, (Dense(256, "identity"),), "mse")
    problem = problem_of(spec, 128).rounded("float32")
    problem.X[:] = np.eye(256, dtype=np.float32)[:128]
    with_parameters(problem, 0, W=size, b=0.0)
    np.testing.assert_array_equal(outputs_of(split(), problem), np.float32(size))
    # As the other factor, in a chain whose other terms are 0.
    problem.X[:] = np.float32(size) * np.eye(256, dtype=np.float32)[:128]
    with_parameters(problem, 0, W=-0.5)
    np.testing.assert_array_equal(outputs_of(split(), problem), np.float32(size) * -0.5)


def test_numbers_near_the_smallest_lose_at_most_what_is_smaller_than_it(split_set):
    spec = NetworkSpec(256, (Dense(256, "identity"),), "mse")
    problem = problem_of(spec, 128).rounded("float32")
    problem.X[:] = np.eye(256, dtype=np.float32)[:128]
    smallest = np.finfo(np.float32).smallest_normal
    random = np.random.default_rng(0)
    W = random.standard_normal((256, 256)).astype(np.float32) * 2.0 ** random.integers(
        -126, -90, (256, 1)
    )
    with_parameters(problem, 0, W=W, b=0.0)
    error = np.abs(outputs_of(split(), problem).astype(np.float64) - W.T[:128].astype(np.float64))
    assert np.all(error <= 2 * smallest)
    assert np.all(error[np.abs(W.T[:128]) > 2.0**-100] == 0)


def test_what_is_not_finite_stays_so(split_set):
    spec = NetworkSpec(256, (Dense(256, "relu"), Dense(256, "identity")), "mse")
    problem = problem_of(spec, 200).rounded("float32")
    for W, _ in blocks(spec, problem.theta):
        W[5] = 1e30
    loss, gradient = gradient_of(split(), problem)
    assert not np.isfinite(loss)
    assert not np.all(np.isfinite(gradient))
    outputs = outputs_of(split(), problem)
    assert not np.all(np.isfinite(outputs[:, 5]))
