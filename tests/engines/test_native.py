"""The compiled core against the reference, at every size and on every instruction set."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from functools import cache

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chainrule.engines import extension
from chainrule.engines.base import Batches, Examples, Penalties, Problem, StepRecords, UpdateRule
from chainrule.engines.native import NativeEngine
from chainrule.engines.optimizers import OPTIMIZERS, SGD, Adam
from chainrule.engines.orders import epoch_orders
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import Dense
from chainrule.network.random import epoch_order
from chainrule.network.spec import NetworkSpec
from tests import plans
from tests.equations.activations.oracles import CASES
from tests.error_bounds import error_bounds
from tests.few_threads import outcome_without_threads
from tests.numerics import assert_within
from tests.strategies_networks import (
    ACTIVATIONS,
    FUSED_PAIRS,
    OUTPUT_PAIRS,
    for_values,
    least_outputs,
    problem_of,
)

pytestmark = pytest.mark.skipif(extension.native is None, reason="there is no compiled core")

ALL_SETS = ("generic", "avx2", "avx512")


@pytest.fixture(scope="module", params=ALL_SETS)
def instruction_set(request):
    """Each of the kernels' instruction sets in turn, but those that this CPU has not got."""
    if request.param not in extension.native.cpu_info()["instruction_sets"]:
        pytest.skip(f"this CPU has no {request.param}")
    before = extension.native.instruction_set()
    extension.native.use_instruction_set(request.param)
    yield request.param
    extension.native.use_instruction_set(before)


# Ones, odd numbers, and both sides of every vector's and tile's length.
SIZES = st.sampled_from((1, 2, 3, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 33, 63, 64, 65, 100, 129))


@st.composite
def specs(draw):
    activation, cost = draw(st.sampled_from(OUTPUT_PAIRS))
    least = 2 if activation == "softmax" else least_outputs(activation, cost)
    hidden = draw(st.lists(st.tuples(SIZES, st.sampled_from(ACTIVATIONS)), max_size=2))
    layers = (*(Dense(*layer) for layer in hidden), Dense(max(least, draw(SIZES)), activation))
    dtype = draw(st.sampled_from(("float32", "float64")))
    return NetworkSpec(draw(SIZES), layers, cost, dtype=dtype, fused=draw(st.booleans()))


@settings(max_examples=60)
@given(spec=specs(), m=SIZES, weighted=st.booleans(), penalised=st.booleans())
def test_loss_and_gradient_agree_with_the_reference_at_every_size(
    instruction_set, spec, m, weighted, penalised
):
    penalties = Penalties(0.01, 0.1) if penalised else Penalties()
    problem = problem_of(spec, m, seed=m, weighted=weighted, penalties=penalties)
    problem = problem.rounded(spec.dtype)
    bounds = error_bounds(problem, 4)
    assume(bounds.clear_of_kinks)
    results = []
    for engine in (ReferenceEngine(), NativeEngine()):
        gradient = np.full_like(problem.theta, np.nan)
        loss = engine.loss_and_gradient(
            Problem(spec, problem.theta, problem.examples, penalties), gradient
        )
        outputs = np.full((m, spec.n_outputs), np.nan, spec.dtype)
        engine.forward(spec, problem.theta, problem.X, outputs)
        alone = engine.loss(Problem(spec, problem.theta, problem.examples, penalties))
        results.append((loss, gradient, outputs, alone))
    (loss, gradient, outputs, alone), (loss_n, gradient_n, outputs_n, alone_n) = results
    # Each of the two may err by its bound.
    assert_within(loss_n, loss, 2 * bounds.loss)
    assert_within(alone_n, alone, 2 * bounds.loss)
    assert_within(gradient_n, gradient, 2 * bounds.gradient)
    assert_within(outputs_n, outputs, 2 * bounds.outputs)


# Saturated outputs: where a cost is fused, or takes any outputs. The long way from a probability
# that is subnormal is what flushing makes of it, and e^z is no number for most of these z.
FAR = [
    pair
    for pair in OUTPUT_PAIRS
    if (pair in FUSED_PAIRS or for_values(pair[1])) and pair[0] != "exponential"
]


@pytest.mark.parametrize("pair", FAR, ids=" and ".join)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_costs_of_outputs_far_from_their_targets_agree_with_the_reference(
    instruction_set, pair, dtype
):
    # One unit's z runs over both ends of what e^z can be; the other's is 0.
    activation, cost = pair
    spec = NetworkSpec(1, (Dense(2, activation),), cost, dtype=dtype)
    z = np.array([0.0, 1.0, 17.0, 40.0, 88.0, 104.0, 300.0, 709.0, 745.0, 1e4])
    X = np.concatenate([z, -z])[:, None].astype(dtype)
    theta = np.array([1.0, 0.0, 0.0, 0.0], dtype)
    for y in ([0.0, 1.0], [1.0, 0.0], [0.3, 0.6]):
        results = []
        for engine in (ReferenceEngine(), NativeEngine()):
            gradient, values = np.empty_like(theta), []
            for x in X:
                examples = Examples(x[None], np.array([y], dtype))
                loss = engine.loss_and_gradient(Problem(spec, theta, examples), gradient)
                values.append([loss, *gradient[2:]])  # ∂C/∂b is δ
            results.append(np.array(values, np.float64))
        expected, actual = results
        assert np.isfinite(expected).all()
        # C is a sum of two terms, each z or its square to a few roundings; so is δ.
        bound = 40 * np.finfo(dtype).eps * (1 + np.abs(expected).max(axis=1, keepdims=True))
        assert_within(actual, expected, bound)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("m", [1, 9, 20, 40, 50, 70])
def test_wide_layers_agree_with_the_reference_in_batches_of_any_length(instruction_set, m, dtype):
    # Wide enough that W is read from copies in another order and sums go in parts.
    layers = (Dense(1201, "tanh"), Dense(130, "relu"), Dense(4, "softmax"))
    spec = NetworkSpec(905, layers, "cross_entropy", dtype=dtype)
    problem = problem_of(spec, m, seed=m).rounded(dtype)
    gradients = []
    for engine in (ReferenceEngine(), NativeEngine()):
        gradient = np.full_like(problem.theta, np.nan)
        engine.loss_and_gradient(Problem(spec, problem.theta, problem.examples), gradient)
        gradients.append(gradient)
    # Sums of at most 1201 terms whose errors add up at random: some √1201 ε of the largest.
    scale = 100 * np.finfo(dtype).eps * np.abs(gradients[0]).max()
    assert_within(gradients[1], gradients[0], scale)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("n", "hidden", "outputs"), [(1, 1, 1), (2, 100, 3), (7, 37, 1), (13, 50, 4), (30, 100, 10)]
)
@pytest.mark.parametrize("m", [1, 31, 150, 333])
def test_narrow_layers_agree_with_the_reference_in_long_batches(
    instruction_set, n, hidden, outputs, m, dtype
):
    # Narrow enough that sums for W go along the examples, in tiles of every height and width.
    layers = (Dense(hidden, "tanh"), Dense(outputs + 4, "relu"), Dense(outputs, "sigmoid"))
    spec = NetworkSpec(n, layers, "binary_cross_entropy", dtype=dtype)
    problem = problem_of(spec, m, seed=m, weighted=True).rounded(dtype)
    gradients = []
    for engine in (ReferenceEngine(), NativeEngine()):
        gradient = np.full_like(problem.theta, np.nan)
        engine.loss_and_gradient(Problem(spec, problem.theta, problem.examples), gradient)
        gradients.append(gradient)
    scale = 100 * np.finfo(dtype).eps * np.abs(gradients[0]).max()
    assert_within(gradients[1], gradients[0], scale)


@pytest.mark.parametrize(("dtype", "bias"), [("float32", 100.0), ("float64", 750.0)])
def test_an_output_that_no_example_has_is_not_in_the_gradient(instruction_set, dtype, bias):
    # exp(bias) is infinite, exp(w x + bias) of every example is not.
    spec = NetworkSpec(2, (Dense(3, "exponential"), Dense(1)), "mse", dtype=dtype)
    theta = np.array([*[-bias / 2] * 6, *[bias] * 3, 0.1, 0.1, 0.1, 0.0], dtype)
    X = np.array([[1.0, 1.0], [1.01, 1.0], [1.0, 1.01]], dtype)
    examples = Examples(X, np.ones((3, 1), dtype))
    expected, actual = np.empty_like(theta), np.empty_like(theta)
    ReferenceEngine().loss_and_gradient(Problem(spec, theta, examples), expected)
    NativeEngine().loss_and_gradient(Problem(spec, theta, examples), actual)
    # z is a difference of numbers as large as the bias.
    np.testing.assert_allclose(actual, expected, rtol=10 * bias * np.finfo(dtype).eps)


def train(engine, problem, optimizer, order, batch_size, max_grad_norm=float("inf")):
    theta = problem.theta.copy()
    state = optimizer.new_state(theta)
    steps = order.shape[0] * -(-order.shape[1] // batch_size)
    records = StepRecords(np.empty(steps), np.empty(steps), np.empty(steps))
    engine.train(
        Problem(problem.spec, theta, problem.examples, problem.penalties),
        UpdateRule(optimizer, max_grad_norm),
        state,
        Batches(order, batch_size, optimizer.learning_rates(1, steps)),
        records,
    )
    return theta, state, records


def trained_by(engine, name, batch_size):
    spec = NetworkSpec(13, (Dense(17, "gelu"), Dense(3, "softmax")), "cross_entropy")
    problem = problem_of(spec, 100, weighted=True, penalties=Penalties(1e-3, 1e-2))
    problem = problem.rounded("float64")._replace(
        spec=NetworkSpec(13, spec.layers, spec.cost, dtype="float64")
    )
    order = epoch_orders(0, range(1, 4), 100, shuffle=True)
    return train(engine, problem, OPTIMIZERS[name](), order, batch_size)


@cache
def trained_by_the_reference(name, batch_size):
    """Return what every instruction set is compared with."""
    return trained_by(ReferenceEngine(), name, batch_size)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("batch_size", [1, 7, 8, 13, 64, 100])
def test_training_agrees_with_the_reference(instruction_set, name, batch_size):
    expected = trained_by_the_reference(name, batch_size)
    actual = trained_by(NativeEngine(), name, batch_size)
    # In float64 even 300 steps of Adam, which divides by small roots, drift less than 1e-9.
    np.testing.assert_allclose(actual[0], expected[0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(actual[1].slots, expected[1].slots, rtol=0, atol=1e-9)
    np.testing.assert_allclose(actual[2].cost, expected[2].cost, rtol=0, atol=1e-9)
    np.testing.assert_allclose(actual[2].gradient_norm, expected[2].gradient_norm, atol=1e-9)
    np.testing.assert_allclose(actual[2].penalty, expected[2].penalty, atol=1e-9)
    assert actual[1].t == expected[1].t


THREADED = [
    # Few parameters beside activations: gradients of two halves. A short last batch, groups of
    # unequal rows.
    (NetworkSpec(70, (Dense(130, "relu"), Dense(50, "tanh"), Dense(10, "softmax")),
                 "cross_entropy"), 1000, 384),
    # Many parameters: one gradient over all panels.
    (NetworkSpec(300, (Dense(200, "relu"), Dense(2, "softmax")), "cross_entropy"), 700, 128),
    # One batch of one tile, halved for the second thread.
    (NetworkSpec(200, (Dense(150, "silu"), Dense(3, "identity")), "mse"), 640, 64),
    # More examples in a batch than have room at a time: the gradient comes in several parts.
    (NetworkSpec(64, (*[Dense(64, "relu")] * 4, Dense(2, "softmax")), "cross_entropy"),
     20_000, 20_000),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "m", "batch_size"), THREADED, ids=["halves", "panels", "half", "parts"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_number_of_threads_gives_the_same_bits(instruction_set, spec, m, batch_size, dtype):
    problem = problem_of(spec, m, weighted=True).rounded(dtype)
    order = epoch_orders(3, range(1, 3 if m < 2000 else 2), m, shuffle=True)
    results = []
    for threads in (1, 2, 3, 5, None):
        engine = NativeEngine(threads)
        theta, state, records = train(engine, problem, Adam(1e-3), order, batch_size)
        gradient = np.empty_like(theta)
        loss = engine.loss_and_gradient(
            Problem(problem.spec, theta, problem.examples, Penalties(1e-3, 1e-3)), gradient
        )
        outputs = np.empty((m, spec.n_outputs), dtype)
        engine.forward(problem.spec, theta, problem.X, outputs)
        alone = engine.loss(Problem(problem.spec, theta, problem.examples))
        arrays = (theta, state.slots, *records, gradient, outputs, np.array([loss, alone]))
        results.append([array.tobytes() for array in arrays])
    assert results[1:] == results[:1] * 4


def test_an_absurd_number_of_threads_gives_the_same_bits_with_fewer():
    spec, m, batch = THREADED[0]
    problem = problem_of(spec, m).rounded("float32")
    order = epoch_orders(0, range(1, 2), m, shuffle=True)
    one, many = (train(NativeEngine(n), problem, Adam(), order, batch)[0] for n in (1, 10**9))
    np.testing.assert_array_equal(many, one)


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_in_the_midst_of_a_long_step_leaves_the_step_before(threads):
    # One step takes several seconds: it is given up before it changes anything.
    layers = (Dense(1500, "relu"), Dense(1500, "relu"), Dense(1, "identity"))
    spec = NetworkSpec(1000, layers, "mse")
    problem = problem_of(spec, 1).rounded("float32")
    m = 60_000
    problem = problem._replace(X=np.repeat(problem.X, m, axis=0), Y=np.repeat(problem.Y, m, axis=0))
    theta, optimizer = problem.theta.copy(), SGD(1e-3)
    state, records = optimizer.new_state(theta), StepRecords(np.empty(1), np.empty(1))
    main = threading.get_ident()
    alarm = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
    alarm.start()
    with pytest.raises(KeyboardInterrupt):
        NativeEngine(threads).train(
            Problem(spec, theta, problem.examples),
            UpdateRule(optimizer),
            state,
            Batches(np.arange(m, dtype=np.int32)[None], m, np.full(1, 1e-3)),
            records,
        )
    alarm.join()
    np.testing.assert_array_equal(theta, problem.theta)
    assert state.t == 0


@pytest.mark.parametrize("n", [1, 2, 3, 100, 1001])
def test_compiled_orders_are_those_of_the_reference(n):
    orders = epoch_orders(7, range(4, 8), n, shuffle=True)
    for order, epoch in zip(orders, range(4, 8), strict=True):
        np.testing.assert_array_equal(order, epoch_order(7, epoch, n, shuffle=True))


def test_a_child_process_of_a_fork_has_threads_of_its_own():
    code = """
import os, sys
import numpy as np
import chainrule as cr
X = np.random.default_rng(0).standard_normal((512, 100))
def fitted():
    net = cr.Network([100, cr.Dense(200), cr.Dense(2, "softmax")], cost="cross_entropy", seed=0)
    net.fit(X, (X[:, 0] > 0).astype(int), epochs=2, batch_size=256, threads=2)
    return net.parameters.tobytes()
expected = fitted()
child = os.fork()
if child == 0:
    os._exit(0 if fitted() == expected else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or fitted() != expected)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_two_threads_of_python_can_train_at_the_same_time():
    spec, m, batch = THREADED[0]
    problem = problem_of(spec, m).rounded("float32")
    order = epoch_orders(0, range(1, 11), m, shuffle=True)
    expected = train(NativeEngine(2), problem, Adam(), order, batch)[0]
    results = [None, None]

    def work(i):
        results[i] = train(NativeEngine(2), problem, Adam(), order, batch)[0]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_a_system_without_another_thread_gives_the_same_bits():
    before = """
import numpy as np
import chainrule as cr
X = np.random.default_rng(0).standard_normal((2000, 100))
def results(threads):
    net = cr.Network([100, cr.Dense(200), cr.Dense(2, "softmax")], cost="cross_entropy", seed=0)
    net.fit(X, (X[:, 0] > 0).astype(int), epochs=2, batch_size=256, threads=threads)
    return net.parameters.tobytes()
alone = results(1)
outputs = cr.Network([100, cr.Dense(900), cr.Dense(2)], "mse", seed=0).predict
"""
    result = outcome_without_threads(before, "assert results(4) == alone; outputs(X)")
    if result is None:
        pytest.skip("this system has no limit of threads")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("value", [2**31 - 1, -(2**31)])
@pytest.mark.parametrize("changed", ["Y", "order"])
def test_what_another_thread_changes_meanwhile_harms_no_memory(changed, value):
    # In a process of its own, which a write out of bounds would end.
    code = f"""
import threading, time
import numpy as np
from chainrule.engines.native import _plan
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
random, epochs = np.random.default_rng(0), 20_000
X, Y = random.normal(size=(64, 4)).astype(np.float32), random.integers(0, 3, 64).astype(np.int32)
order = np.tile(np.arange(64, dtype=np.int32), (epochs, 1))
costs, norms = np.full(4 * epochs, np.nan), np.empty(4 * epochs)
def change():
    while np.isnan(costs[0]) and threading.main_thread().is_alive():
        time.sleep(0)
    {changed}[...] = {value}
plan = _plan(NetworkSpec(4, (Dense(3, "softmax"),), "cross_entropy"))
other = threading.Thread(target=change, daemon=True)
other.start()
plan.train(np.zeros(15, np.float32), np.empty((0, 15), np.float32), (X, Y, None), order,
           np.full(4 * epochs, 0.01), (costs, norms, None), ("sgd", {{}}, 0),
           (0.0, 0.0, False, 0.0), 16, 0, 1)
other.join()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_errors_that_fade_into_subnormal_numbers_agree_with_the_reference():
    # Six layers of weights near 1e-8: δ shrinks by that factor in each and falls below 1e-38.
    spec = NetworkSpec(9, (*(Dense(9, "selu"),) * 6, Dense(2, "softmax")), "cross_entropy")
    problem = problem_of(spec, 50).rounded("float32")
    problem = problem._replace(theta=problem.theta * np.float32(1e-8))
    gradients = []
    for engine in (ReferenceEngine(), NativeEngine()):
        gradients.append(np.empty_like(problem.theta))
        engine.loss_and_gradient(Problem(spec, problem.theta, problem.examples), gradients[-1])
    assert np.any((gradients[0] != 0) & (np.abs(gradients[0]) < np.finfo(np.float32).tiny))
    # What the core takes for zero is smaller than the smallest normal number, times some terms.
    assert_within(gradients[1], gradients[0], 1e-4 * np.abs(gradients[0]) + 1e3 * 1.2e-38)


def test_subnormal_numbers_are_the_caller_s_again_afterwards():
    problem = problem_of(THREADED[0][0], 10).rounded("float32")
    train(NativeEngine(), problem, Adam(), np.arange(10, dtype=np.int32)[None], 5)
    assert np.float32(1e-38) * np.float32(0.1) > 0


def ulps(actual, exact):
    """Return the errors of float32 or float64 numbers in units of their last place."""
    spacing = np.spacing(np.abs(exact.astype(actual.dtype))).astype(np.longdouble)
    return np.abs(actual.astype(np.longdouble) - exact) / spacing


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", [case for case in CASES if case.oracle.ulps < np.inf], ids=str)
def test_compiled_functions_err_by_few_units_in_the_last_place(instruction_set, case, dtype):
    random = np.random.default_rng(0)
    limit = 80 if dtype == "float32" else 700  # beyond it e^−z underflows
    z = np.concatenate([
        random.uniform(-limit, 20, 1000), random.uniform(-2, 2, 1000),
        random.standard_normal(1000) * 1e-4, [0.0, -0.0, 1e-30, -1e-30] * 2,
    ]).astype(dtype)  # fmt: skip
    value, derivative = z.copy(), np.empty_like(z)
    extension.native.activation((case.name, case.parameters), value, derivative)
    function = case.oracle.value
    with mpmath.workdps(40):
        exact = np.array(
            [
                np.longdouble(mpmath.nstr(function(mpmath.mpf(float(x)), **case.parameters), 25))
                for x in z
            ]
        )
    assert ulps(value, exact).max() <= case.oracle.ulps


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.zeros((4, 2), np.float32)}, "X does not fit"),
        ({"Y": np.zeros((3, 2), np.float32)}, "Y does not fit"),
        ({"Y": np.zeros((4, 1), np.float32)}, "Y does not fit"),
        ({"weights": np.ones(3, np.float32)}, "one weight an example"),
        ({"order": np.array([[0, 4]], np.int32)}, "outside X"),
        ({"order": np.array([[0, -1]], np.int32)}, "outside X"),
        ({"order": np.zeros((1, 0), np.int32)}, "outside X"),
        ({"parameters": np.zeros(7, np.float32)}, "parameters do not fit"),
        ({"slots": np.zeros((1, 8), np.float32)}, "optimizer state"),
        ({"slots": np.zeros((2, 7), np.float32)}, "optimizer state"),
        ({"batch_size": 0}, "batch_size"),
        ({"rates": np.zeros(3)}, "one learning rate"),
        ({"costs": np.zeros(1)}, "one learning rate"),
        ({"optimizer": "sgdd"}, "no such optimizer"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_at_the_boundary(change, message):
    arguments = {
        "parameters": np.zeros(8, np.float32),
        "slots": np.zeros((2, 8), np.float32),
        "optimizer": "adam",
        "X": np.zeros((4, 3), np.float32),
        "Y": np.zeros((4, 2), np.float32),
        "weights": None,
        "order": np.array([[0, 1, 2, 3]], np.int32),
        "batch_size": 2,
        "rates": np.zeros(2),
        "costs": np.zeros(2),
    } | change
    a = arguments
    plan = plans.network(plans.dense(3, 2))
    with pytest.raises(ValueError, match=message):
        plan.train(
            a["parameters"], a["slots"], (a["X"], a["Y"], a["weights"]), a["order"], a["rates"],
            (a["costs"], np.zeros(2), None), (a["optimizer"], plans.ADAM, 0), plans.PLAIN,
            a["batch_size"], 0, 1,
        )  # fmt: skip


@settings(max_examples=200)
@given(data=st.data())
def test_no_shape_type_or_stride_gets_past_the_boundary(data):
    def array(*shape):
        shape = tuple(data.draw(st.sampled_from((n, n, n, n + 1, 0))) for n in shape)
        dtype = data.draw(st.sampled_from(("f4", "f4", "f4", "f8", "i8", "f2", ">f4")))
        result = np.zeros(shape, dtype)
        if data.draw(st.integers(0, 5)) == 0 and result.ndim == 2:
            result = np.asfortranarray(np.repeat(result, 2, axis=1))[:, ::2]
        return result

    plan = plans.network(
        plans.dense(3, 2, "relu"), plans.dense(2, 2), heads=[plans.head(2, "softmax")]
    )
    count = 3 * 2 + 2 + 2 * 2 + 2
    rows = data.draw(st.lists(st.integers(-2, 6), max_size=8))
    order = np.array([rows], "i4")
    # Refused or carried out: nothing else may happen.
    with contextlib.suppress(ValueError, TypeError):
        plan.train(
            array(count), array(2, count), (array(5, 3), array(5, 2), None), order,
            np.zeros(data.draw(st.integers(0, 4))),
            (
                np.zeros(data.draw(st.integers(0, 4))), np.zeros(data.draw(st.integers(0, 4))),
                data.draw(st.none() | st.integers(0, 4).map(np.zeros)),
            ),
            ("adam", plans.ADAM | {"plain_epsilon": float(data.draw(st.booleans()))}, 0),
            (0.0, 0.0, data.draw(st.booleans()), float("inf")),
            data.draw(st.integers(-1, 9)), 0, 1,
        )  # fmt: skip


def test_a_core_that_cannot_be_loaded_is_said_once_with_the_cause():
    code = """
import importlib, warnings
real = importlib.import_module
def broken(name, *rest):
    if name == "chainrule._native":
        raise ImportError("libstdc++ is too old")
    return real(name, *rest)
importlib.import_module = broken
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    from chainrule.engines import engine_named, extension
    import chainrule.model.network
assert engine_named("auto").name == "reference"
assert len(seen) == 1, seen
assert "reference engine" in str(seen[0].message), seen[0].message
assert "libstdc++ is too old" in str(seen[0].message), seen[0].message
"""
    environment = {k: v for k, v in os.environ.items() if k != "CHAINRULE_PURE"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@pytest.mark.parametrize(
    ("name", "works"),
    [
        *(
            (n, True)
            for n in (extension.native.cpu_info()["instruction_sets"] if extension.native else ())
        ),
        ("mmx", False),
    ],
)
def test_an_instruction_set_can_be_forced_from_the_environment(name, works):
    code = "from chainrule.engines import extension; print(extension.native.instruction_set())"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"CHAINRULE_ISA": name},
        capture_output=True,
        text=True,
        check=False,
    )
    if works:
        assert result.stdout.strip() == name
    else:
        assert "CHAINRULE_ISA: instruction set: expected one of generic" in result.stderr


@pytest.mark.parametrize("view", [False, True])
def test_no_array_in_use_can_be_given_other_memory(view):
    spec = NetworkSpec(2, (Dense(3, "softmax"),), "cross_entropy")
    X, Y = np.ones((4, 2), np.float32), np.zeros(4, np.int32)
    examples = Examples(X[:] if view else X, Y)
    engine, theta = NativeEngine(), np.zeros(9, np.float32)
    refused = []

    class Watched:
        """Stands in for the core: what another thread does while it works."""

        def loss(self, *arguments):
            for array in (theta, X, Y):
                with pytest.raises(ValueError, match="cannot resize"):
                    array.resize(10**6, refcheck=False)
                refused.append(array)
            return 0.0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chainrule.engines.native._plan", lambda spec: Watched())
        engine.loss(Problem(spec, theta, examples))
    assert len(refused) == 3


def test_labels_that_were_changed_between_two_calls_are_named():
    spec = NetworkSpec(2, (Dense(3, "softmax"),), "cross_entropy")
    X, Y = np.ones((4, 2), np.float32), np.zeros(4, np.int32)
    theta = np.zeros(9, np.float32)
    Y[1] = 77
    with pytest.raises(InvalidArgumentError, match="while they were in use: Y has no such"):
        NativeEngine().loss(Problem(spec, theta, Examples(X, Y)))
