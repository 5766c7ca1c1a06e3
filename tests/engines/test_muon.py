"""Muon: which matrices it orthogonalises, and the compiled twin of O10 and O11."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import extension
from chainrule.engines.base import Batches, Examples, Problem, StepRecords, UpdateRule
from chainrule.engines.native import NativeEngine
from chainrule.engines.reference import ReferenceEngine
from chainrule.network.parameters import hidden_matrices, initial_parameters, views
from chainrule.network.spec import NetworkSpec
from tests.equations import recurrences
from tests.numerics import assert_within, epsilon

native = extension.native
needs_core = pytest.mark.skipif(native is None, reason="there is no compiled core")


def spec_of(*layers, n_in=5, dtype="float64"):
    return NetworkSpec(n_in, (*layers, cr.Dense(2, "softmax")), "cross_entropy", dtype=dtype)


DEEP = spec_of(cr.Dense(6, "tanh"), cr.Dense(9, "relu"), cr.Dense(4, "tanh"))
LAYERS = {
    "taller and wider": DEEP,
    "groups and members": spec_of(
        cr.Dense(8, "tanh"),
        cr.GroupedDense(12, 4, "tanh"),
        cr.BatchNorm("tanh"),
        cr.BatchEnsemble(10, 2, "tanh"),
        cr.Dense(6, "relu", learning_rate_factor=0.5),
    ),
    "embeddings": spec_of(
        cr.PeriodicEmbedding(frequencies=3), cr.Dense(7), cr.Dropout(0.2), cr.Dense(5)
    ),
}


def steps(engine, spec, optimizer=None, count=4, batch=13, penalties=None, **rule):
    """Return parameters, state vectors and gradient norms after some steps on drawn examples."""
    random = np.random.default_rng(7)
    X = random.standard_normal((count * batch, spec.sizes[0])).astype(spec.dtype)
    Y = (X[:, 0] > X[:, 1]).astype(np.int32)
    theta = initial_parameters(spec, 3)
    optimizer = cr.Muon(0.02, weight_decay=0.1) if optimizer is None else optimizer
    state = optimizer.new_state(theta)
    norms = np.empty(count)
    settings = () if penalties is None else (penalties,)
    engine.train(
        Problem(spec, theta, Examples(X, Y), *settings),
        UpdateRule(optimizer, **rule),
        state,
        Batches(
            np.arange(len(X), dtype=np.int32)[None], batch, optimizer.learning_rates(1, count), 5
        ),
        StepRecords(np.empty(count), norms),
    )
    return theta, state.slots, norms


@pytest.mark.parametrize(
    ("layers", "shapes"),
    [
        ((), []),
        ((cr.Dense(6),), []),
        ((cr.Dense(6), cr.Dense(9), cr.Dense(4)), [(1, 9, 6), (1, 4, 9)]),
        ((cr.Dense(8), cr.GroupedDense(12, 4)), [(4, 3, 2)]),
        ((cr.Dense(8), cr.BatchEnsemble(10, 2)), [(1, 5, 4)]),
        ((cr.BatchEnsemble(8, 2, shared_input=True), cr.BatchEnsemble(10, 2)), [(1, 5, 4)]),
        (
            (cr.PeriodicEmbedding(frequencies=3), cr.Dense(6), cr.Dropout(0.5), cr.Dense(4)),
            [(1, 4, 6)],
        ),
    ],
)
def test_hidden_matrices_lie_between_the_first_layer_with_weights_and_the_last(layers, shapes):
    spec = spec_of(*layers)
    found = hidden_matrices(spec)
    assert [place.shape for place in found] == shapes
    vector = np.arange(len(initial_parameters(spec, 0)))
    weights = [
        W.ravel()
        for layer, W in zip(spec.layers, _weights(spec, vector), strict=True)
        if W is not None
    ]
    for place, expected in zip(found, weights[1:], strict=False):
        np.testing.assert_array_equal(vector[place.part], expected)


def _weights(spec, vector):
    layers = zip(spec.layers, views(spec, vector), strict=True)
    return [theta[0] if layer.has_weights else None for layer, theta in layers]


@pytest.mark.parametrize("name", LAYERS)
def test_steps_follow_the_recurrence_with_singular_values(engine, name):
    spec = LAYERS[name]
    factor = 0.5 if "groups" in name else 1.0  # of the last hidden layer's W
    places = [
        (place.start + i * place.rows * place.columns, place.rows, place.columns)
        for place in hidden_matrices(spec)
        for i in range(place.groups)
    ]
    optimizer = cr.Muon(0.02, weight_decay=0.1, beta=0.8)
    before, slots, _ = steps(engine, spec, optimizer, count=2)
    after, new_slots, _ = steps(engine, spec, optimizer, count=3)
    # The third step's look-ahead follows from V before and after it.
    for i, (at, rows, columns) in enumerate(places):
        here = slice(at, at + rows * columns)
        V, new_V = slots[0, here], new_slots[0, here]
        g = ((new_V - 0.8 * V) / 0.2).reshape(rows, columns)
        alpha = 0.02 * (factor if i == len(places) - 1 else 1.0)
        W, _ = recurrences.muon(
            before[here].reshape(rows, columns), g, (V.reshape(rows, columns), 0.0), 3, alpha,
            beta=0.8, weight_decay=0.1, hidden=True,
        )  # fmt: skip
        # Small singular values grow 485-fold, and with them the roundings of g.
        assert_within(after[here].reshape(rows, columns), W, 1e-10)
        assert not new_slots[1, here].any()


@needs_core
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("clipped", [False, True], ids=["", "clipped"])
def test_compiled_steps_equal_the_reference(name, dtype, clipped):
    spec = NetworkSpec(5, LAYERS[name].layers, "cross_entropy", dtype=dtype)
    rule = {"max_grad_norm": 0.05} if clipped else {}
    theta, slots, norms = steps(NativeEngine(1), spec, **rule)
    expected, expected_slots, expected_norms = steps(ReferenceEngine(), spec, **rule)
    # Four steps; the 485-fold growth of what is small beside ‖G‖, whose roundings are those of a
    # gradient of 13 examples; steps of 0.02 · 0.2 · √12 at most.
    bound = 4 * 485 * 64 * epsilon(dtype) * 0.02
    assert_within(theta, expected, bound + 64 * epsilon(dtype))
    assert_within(slots, expected_slots, 100 * bound)
    assert_within(norms, expected_norms, 100 * bound)


WIDE = {
    "one": (96, 96, 96),
    "two": (80, 80, 80, 80),
    "wide, tall and small": (70, 130, 96, 17, 100),
}


@needs_core
@pytest.mark.parametrize("sizes", WIDE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_number_of_threads_gives_the_same_bits(sizes, dtype):
    spec = spec_of(*(cr.Dense(n, "tanh") for n in WIDE[sizes]), dtype=dtype)
    optimizer = cr.Muon(0.01, ema_decay=0.5)
    runs = [steps(NativeEngine(n), spec, optimizer, batch=70) for n in (1, 2, 3, 5)]
    for run in runs[1:]:
        for one, other in zip(run, runs[0], strict=True):
            assert one.tobytes() == other.tobytes()


@pytest.fixture(params=native.cpu_info()["instruction_sets"] if native else [])
def instruction_set(request):
    before = native.instruction_set()
    native.use_instruction_set(request.param)
    yield request.param
    native.use_instruction_set(before)


@needs_core
@pytest.mark.parametrize("shape", [(96, 96), (70, 130), (130, 70)])
def test_every_instruction_set_orthogonalises_within_its_precision(instruction_set, shape):
    rows, columns = shape
    spec = spec_of(cr.Dense(columns, "tanh"), cr.Dense(rows, "tanh"), dtype="float32")
    (place,) = hidden_matrices(spec)
    optimizer = cr.Muon(1.0, weight_decay=0.0)
    theta, slots, _ = steps(NativeEngine(1), spec, optimizer, count=1)
    V = slots[0, place.part].reshape(shape).astype(np.float64)
    left, values, right = np.linalg.svd(V, full_matrices=False)
    expected = (left * recurrences.newton_schulz(values / np.linalg.norm(values))) @ right
    moved = (initial_parameters(spec, 3) - theta)[place.part].reshape(shape)
    error = np.linalg.norm(moved / (0.2 * max(shape) ** 0.5) - expected) / np.linalg.norm(expected)
    # bfloat16 has 8 bits, and five steps of three products add up their roundings.
    assert error < (0.05 if instruction_set == "avx512_bf16" else 1e-3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_gradient_of_zero_leaves_parameters_and_state(engine, dtype):
    spec = spec_of(cr.Dense(6, "tanh"), cr.Dense(70, "tanh"), cr.Dense(70, "tanh"), dtype=dtype)
    theta = initial_parameters(spec, 3)
    before = theta.copy()
    optimizer = cr.Muon(0.1, weight_decay=0.0)
    state = optimizer.new_state(theta)
    X = np.ones((3, 5), dtype)
    engine.train(
        Problem(spec, theta, Examples(X, np.zeros(3, np.int32), np.zeros(3, dtype))),
        UpdateRule(optimizer),
        state,
        Batches(np.arange(3, dtype=np.int32)[None], 3, optimizer.learning_rates(1, 1)),
        StepRecords(np.empty(1), np.empty(1)),
    )
    np.testing.assert_array_equal(theta, before)
    assert not state.slots.any()


def test_with_one_hidden_layer_it_is_adamw(engine):
    spec = spec_of(cr.Dense(8, "tanh"), dtype="float32")
    theta, slots, _ = steps(engine, spec, cr.Muon(0.01))
    expected, expected_slots, _ = steps(engine, spec, cr.AdamW(0.01, beta_2=0.95))
    np.testing.assert_array_equal(theta, expected)
    np.testing.assert_array_equal(slots, expected_slots)


def test_steps_taken_in_two_calls_are_those_of_one(engine):
    X = np.random.default_rng(0).standard_normal((40, 5))
    y = (X[:, 0] > 0).astype(int)

    def trained(*epochs):
        net = cr.Network(
            [5, cr.Dense(6), cr.Dense(6), cr.Dense(2, "softmax")], "cross_entropy", seed=1
        )
        state = None
        for count in epochs:
            net.fit(
                X, y, optimizer="muon", epochs=count, batch_size=8, shuffle=False,
                engine=engine.name, state=state,
            )  # fmt: skip
            state = net.optimizer_state
        return net.parameters

    np.testing.assert_array_equal(trained(2, 3), trained(5))


def test_a_training_resumed_from_its_checkpoint_has_the_bits_of_one_without_a_stop(
    engine, tmp_path
):
    X = np.random.default_rng(0).standard_normal((40, 5))
    y = (X[:, 0] > 0).astype(int)
    given = {"optimizer": cr.Muon(0.02, ema_decay=0.5), "batch_size": 8, "engine": engine.name}

    def network():
        layers = [5, cr.Dense(6), cr.Dense(7), cr.Dense(2, "softmax")]
        return cr.Network(layers, "cross_entropy", seed=1)

    class StopError(Exception):
        pass

    def stops(event):
        if getattr(event, "epoch", 0) == 3:
            raise StopError

    whole, resumed = network(), network()
    whole.fit(X, y, epochs=6, **given)
    path = tmp_path / "run.checkpoint"
    with pytest.raises(StopError):
        network().fit(X, y, epochs=6, checkpoint=path, callbacks=[stops], **given)
    resumed.fit(X, y, epochs=6, checkpoint=path, resume=True, **given)
    np.testing.assert_array_equal(resumed.parameters, whole.parameters)
