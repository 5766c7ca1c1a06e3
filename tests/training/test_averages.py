"""Networks that are evaluated at an average of the parameters that the steps move."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import engine_named
from chainrule.engines.base import Problem
from chainrule.training import loop
from chainrule.training.events import EpochEnded
from chainrule.training.examples import as_examples
from chainrule.training.plan import Plan
from chainrule.training.saved_training import Saved
from chainrule.training.state import State
from tests.equations import recurrences
from tests.numerics import assert_within, epsilon

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

_random = np.random.default_rng(0)
X = _random.normal(size=(60, 3))
CLASSES = (X @ [1.0, -2.0, 0.5] > 0).astype(int)
NOISY = X @ [1.0, -2.0, 0.5] + _random.normal(size=60)

AVERAGED = {
    "schedule-free": cr.ScheduleFreeAdamW(0.05),
    "warmed up": cr.ScheduleFreeAdamW(cr.Warmup(0.05, steps=20), weight_decay=0.1),
    "EMA of Adam": cr.Adam(0.05, ema_decay=0.9),
    "EMA of SGD": cr.SGD(cr.CosineDecay(0.5), ema_decay=0.98),
    "EMA of Lion": cr.Lion(0.01, ema_decay=0.5),
}
averaged = pytest.mark.parametrize("optimizer", AVERAGED.values(), ids=AVERAGED)


def network(*hidden, dtype="float64", seed=0):
    hidden = hidden or (cr.Dense(8, "tanh"),)
    return cr.Network(
        [3, *hidden, cr.Dense(2, "softmax")], cost="cross_entropy", seed=seed, dtype=dtype
    )


def normalised(**changes):
    return network(cr.Dense(8, "identity"), cr.BatchNorm("relu"), **changes)


def steps_of(net, optimizer, steps, **settings):
    """Return the parameters after every step of a training: an epoch is a step."""
    path = []
    net.fit(
        X, CLASSES, optimizer=optimizer, epochs=steps, batch_size=len(X),
        callbacks=[lambda event: path.append(net.parameters.copy())
                   if isinstance(event, EpochEnded) else None],
        **settings,
    )  # fmt: skip
    return path


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("build", [network, normalised])
def test_ema_is_the_corrected_average_of_what_the_same_steps_go_through(engine_name, dtype, build):
    settings = {"engine": engine_name, "l2": 0.01, "max_grad_norm": 0.1}
    plain = steps_of(build(dtype=dtype), cr.Adam(0.05), 30, **settings)
    published = steps_of(build(dtype=dtype), cr.Adam(0.05, ema_decay=0.8), 30, **settings)
    V = np.zeros(plain[0].size)
    for t, (W, seen) in enumerate(zip(plain, published, strict=True), start=1):
        V = 0.8 * V + 0.2 * W.astype(np.float64)
        # Each step rounds an average of numbers below 10, and the next remembers 0.8 of it.
        assert_within(seen, V / (1 - 0.8**t), 5 * 10 * 4 * epsilon(dtype))


def test_schedule_free_is_published_at_x_with_gradients_taken_at_y(engine_name):
    net = network()
    W, memory = net.parameters.copy(), ()
    published = steps_of(net, cr.ScheduleFreeAdamW(0.05), 25, engine=engine_name)
    scratch = network()
    for t, seen in enumerate(published, start=1):
        scratch.parameters = W
        _, gradient = scratch.loss_and_gradient(X, CLASSES)
        W, memory = recurrences.schedule_free_adamw(W, gradient, memory, t, 0.05)
        assert_within(seen, memory[1], 1e-10)


@averaged
def test_everyone_sees_the_parameters_that_are_evaluated(optimizer, engine_name, tmp_path):
    net, losses = network(), []

    def consume(event):
        if isinstance(event, EpochEnded):
            losses.append(net.loss(X[:20], CLASSES[:20]))

    history = net.fit(
        X[20:], CLASSES[20:], optimizer=optimizer, epochs=8, engine=engine_name,
        validation_data=(X[:20], CLASSES[:20]), metrics=["accuracy"], callbacks=[consume],
    )  # fmt: skip
    np.testing.assert_allclose(history["validation_loss"], losses, rtol=1e-12)
    assert history["accuracy"][-1] == np.mean(net.predict(X[20:]).argmax(1) == CLASSES[20:])
    net.save(tmp_path / "net")
    np.testing.assert_array_equal(cr.load(tmp_path / "net").parameters, net.parameters)


@averaged
def test_early_stopping_keeps_the_averages_of_the_best_epoch(optimizer):
    net, seen = network(), {}

    def consume(event):
        if isinstance(event, EpochEnded):
            seen[event.epoch] = net.parameters.copy()

    rng = np.random.default_rng(1)
    history = net.fit(
        X, rng.integers(0, 2, 60), optimizer=optimizer, epochs=60, batch_size=8,
        validation_split=0.3, early_stopping=3, callbacks=[consume],
    )  # fmt: skip
    assert history.best_epoch < len(history)
    np.testing.assert_array_equal(net.parameters, seen[history.best_epoch])


@averaged
@pytest.mark.parametrize("build", [network, normalised])
@pytest.mark.parametrize("every", [1, 7])
def test_an_interrupted_training_resumes_to_the_same_bits(
    optimizer, build, every, engine_name, tmp_path
):
    def trained(**more):
        net = build()
        history = net.fit(
            X, CLASSES, optimizer=optimizer, epochs=6, batch_size=9, l2=0.01,
            engine=engine_name, validation_data=(X[:9], CLASSES[:9]), **more,
        )  # fmt: skip
        return net, history

    whole, history = trained()
    where = {"checkpoint": tmp_path / "c", "every": every, "resume": True}
    left = 3

    def interrupt(event):
        nonlocal left
        left -= type(event).__name__ == "Checkpointed"
        if left == 0:
            left = -1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        trained(callbacks=[interrupt], **where)
    parts, resumed = trained(**where)
    np.testing.assert_array_equal(parts.parameters, whole.parameters)
    for column in set(history) - {"seconds"}:
        assert resumed[column] == history[column]


@averaged
def test_any_number_of_threads_gives_the_same_bits(optimizer):
    results = []
    for threads in (1, 2, 3):
        net = cr.Network(
            [3, cr.Dense(70, "identity"), cr.BatchNorm("relu"), cr.Scale(0.1), cr.Dropout(0.2),
             cr.Dense(2, "softmax")],
            cost="cross_entropy", seed=0,
        )  # fmt: skip
        net.fit(
            X, CLASSES, optimizer=optimizer, epochs=4, batch_size=17, l1=0.01,
            max_grad_norm=0.5, threads=threads, engine="native",
        )  # fmt: skip
        results.append(net.parameters)
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0])


@averaged
def test_both_engines_take_the_same_steps(optimizer):
    if optimizer == AVERAGED["EMA of Lion"]:
        pytest.skip("a sign turns a rounding into a step")
    results = []
    for engine in ("native", "reference"):
        net = cr.Network(
            [3, cr.Dense(9, "identity"), cr.BatchNorm("tanh"), cr.Scale(0.1),
             cr.Dense(2, "softmax")],
            cost="cross_entropy", seed=0, dtype="float64",
        )  # fmt: skip
        net.fit(
            X, CLASSES, optimizer=optimizer, epochs=3, batch_size=20, l2=0.01,
            max_grad_norm=0.5, engine=engine,
        )  # fmt: skip
        results.append(net.parameters)
    assert_within(results[0], results[1], 1e-7)


@averaged
@pytest.mark.parametrize("alpha", [0.0, 0.01])
def test_epochs_that_go_together_end_where_those_alone_do(optimizer, alpha, monkeypatch):
    def fitted():
        settings = {"solver": optimizer.name, "ema_decay": optimizer.ema_decay}
        model = cr.MLPClassifier(
            (9,), alpha=alpha, random_state=0, max_iter=300, tol=0.02, n_iter_no_change=3,
            learning_rate_init=0.01, **settings,
        )  # fmt: skip
        return model.fit(X, CLASSES)

    together = fitted()
    with monkeypatch.context() as patch:
        patch.setattr(loop.Loop, "_most_together", lambda self: 1)
        alone = fitted()
    assert together.n_iter_ == alone.n_iter_
    assert together.loss_curve_ == alone.loss_curve_
    np.testing.assert_array_equal(together.network_.parameters, alone.network_.parameters)


@averaged
def test_penalties_of_an_epoch_are_of_the_parameters_that_are_evaluated(optimizer):
    net, penalties = network(), []

    def consume(event):
        if isinstance(event, EpochEnded):
            penalties.append(net.loss(X, CLASSES, l2=0.1) - net.loss(X, CLASSES))

    for callbacks in ([consume], []):
        net = network()
        history = net.fit(X, CLASSES, optimizer=optimizer, epochs=6, l2=0.1, callbacks=callbacks)
        np.testing.assert_allclose(history["penalty"], penalties, rtol=1e-9)


def test_running_statistics_are_averaged_by_ema_and_those_of_the_steps_when_schedule_free():
    plain = steps_of(normalised(), cr.Adam(0.05), 4)
    ema = steps_of(normalised(), cr.Adam(0.05, ema_decay=0.5), 4)
    statistics = slice(3 * 8 + 8 + 16, 3 * 8 + 8 + 32)
    weights = np.array([0.125, 0.25, 0.5, 1.0])
    expected = weights @ np.array(plain)[:, statistics] / weights.sum()
    assert_within(ema[-1][statistics], expected, 1e-13)

    net = normalised()
    net.fit(X, CLASSES, optimizer=cr.ScheduleFreeAdamW(0.0), epochs=4, batch_size=60)
    still = normalised()
    still.fit(X, CLASSES, optimizer=cr.SGD(0.0), epochs=4, batch_size=60)
    np.testing.assert_array_equal(net.parameters[statistics], still.parameters[statistics])


def test_a_training_that_diverges_keeps_the_average_of_the_epoch_before():
    net, seen = network(), []

    def consume(event):
        if isinstance(event, EpochEnded):
            seen.append(net.parameters.copy())

    with pytest.raises(cr.TrainingDivergedError):
        net.fit(
            X, CLASSES, optimizer=cr.SGD(lambda t: 0.1 if t < 10 else 1e308, ema_decay=0.9),
            l2=1.0, epochs=9, callbacks=[consume],
        )  # fmt: skip
    np.testing.assert_array_equal(net.parameters, seen[-1])
    assert np.isfinite(net.parameters).all()


@pytest.mark.parametrize("settings", [{"solver": "schedule_free_adamw"}, {"ema_decay": 0.9}])
def test_parts_go_on_from_the_parameters_that_the_steps_move(settings):
    def model(**more):
        return cr.MLPRegressor(
            hidden_layer_sizes=(6,), random_state=0, shuffle=False, batch_size=20, max_iter=5,
            n_iter_no_change=99, **settings, **more,
        )  # fmt: skip

    whole = model().fit(X, NOISY)
    parts = model()
    for _ in range(5):
        parts.partial_fit(X, NOISY)
        parts = pickle.loads(pickle.dumps(parts))
    np.testing.assert_array_equal(parts.network_.parameters, whole.network_.parameters)
    # Whoever changes the parameters changes where the next part begins.
    parts.network_.parameters[...] = 0.5
    fresh = model(initial_weights=(parts.coefs_, parts.intercepts_)).partial_fit(X, NOISY)
    parts.partial_fit(X, NOISY)
    assert_within(parts.network_.parameters, fresh.network_.parameters, 1e-12)


def test_an_average_of_an_average_is_refused():
    with pytest.raises(
        cr.InvalidArgumentError,
        match=r"^ema_decay: expected 0, because ScheduleFreeAdamW .*got 0\.9",
    ):
        cr.ScheduleFreeAdamW(ema_decay=0.9)
    with pytest.raises(cr.InvalidArgumentError, match=r"^ema_decay: expected a number in \[0, 1\)"):
        cr.Adam(ema_decay=1.0)


def test_an_optimizer_without_an_average_moves_the_network_s_own_parameters():
    optimizer = cr.Adam()
    state = optimizer.new_state(np.ones(3))
    assert state.theta is None
    assert optimizer.shares(state, np.ones(3)) is None


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"moving": None}, "moving: expected"),
        ({"moving": np.full(50, np.nan)}, "the parameters that its steps update are not finite"),
        ({"average_weight": -1.0}, "average_weight: got -1.0"),
        ({"average_weight": None}, "average_weight: got None"),
    ],
)
def test_a_checkpoint_with_no_such_average_is_refused(broken, message):
    problem = Problem(network().spec, network().parameters, as_examples(network().spec, X, CLASSES))
    plan = Plan(problem, cr.ScheduleFreeAdamW(), engine_named("reference"), 3, 60, 0)
    state = State.of(plan)
    facts = {
        "t": 1, "noise_key": 0, "learning_rate": 0.0025, "memories": {}, "epochs_before": 0,
        "average_weight": 0.5,
    }  # fmt: skip
    arrays = {"parameters": state.parameters, "slots": state.memory.slots, "moving": state.moving}
    for name, value in broken.items():
        (arrays if name in arrays else facts)[name] = value
    arrays = {name: array for name, array in arrays.items() if array is not None}
    saved = Saved(Path("c"), {"training": json.dumps(facts)}, arrays)
    with pytest.raises(cr.InvalidCheckpointError, match=message):
        saved.restore(state, {})
