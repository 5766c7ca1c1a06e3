"""Training a network as users do."""

import tracemalloc

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.errors import InvalidArgumentError
from chainrule.training.events import EpochEnded

_random = np.random.default_rng(0)
X = _random.standard_normal((40, 3))
Y = (X @ [1.0, -2.0, 0.5] > 0).astype(int)


def network(**changes):
    arguments = {"cost": "cross_entropy", "seed": 0, **changes}
    return cr.Network([3, cr.Dense(4, "tanh"), cr.Dense(2, "softmax")], **arguments)


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_optimizer_learns(name, dtype, engine_name):
    rates = {"rmsprop": 0.01, "adam": 0.03, "adamw": 0.03, "nadam": 0.03, "lion": 0.01}
    net = network(dtype=dtype)
    optimizer = OPTIMIZERS[name](learning_rate=rates.get(name, 0.3))
    history = net.fit(
        X, Y, optimizer=optimizer, epochs=60, batch_size=8, engine=engine_name,
        metrics=["accuracy"],
    )  # fmt: skip
    assert history["loss"][-1] < history["loss"][0] / 3
    assert history["accuracy"][-1] >= 0.95


def test_a_name_means_the_optimizer_with_its_defaults(engine_name):
    named, made = network(), network()
    named.fit(X, Y, optimizer="rmsprop", epochs=2, engine=engine_name)
    made.fit(X, Y, optimizer=cr.RMSprop(), epochs=2, engine=engine_name)
    np.testing.assert_array_equal(named.parameters, made.parameters)


def test_the_same_seed_gives_the_same_bits(engine_name):
    results = []
    for _ in range(2):
        net = network(seed=3)
        history = net.fit(X, Y, epochs=5, batch_size=7, engine=engine_name)
        results.append((net.parameters.tobytes(), history["loss"]))
    assert results[0] == results[1]


def test_another_seed_takes_another_order(engine_name):
    one, other = network(seed=0), network(seed=1)
    other.parameters = one.parameters
    for net in (one, other):
        net.fit(X, Y, epochs=1, batch_size=7, engine=engine_name)
    assert (one.parameters != other.parameters).any()


def test_epochs_in_two_calls_equal_epochs_in_one_for_an_optimizer_without_memory(engine_name):
    once, twice = network(), network()
    once.fit(X, Y, optimizer=cr.SGD(0.1), epochs=5, batch_size=7, engine=engine_name)
    for epochs in (2, 3):
        history = twice.fit(
            X, Y, optimizer=cr.SGD(0.1), epochs=epochs, batch_size=7, engine=engine_name
        )
    np.testing.assert_array_equal(once.parameters, twice.parameters)
    assert history["epoch"] == [3, 4, 5]
    assert once.epochs_trained == twice.epochs_trained == 5


def test_fit_returns_the_history_that_the_network_keeps():
    net = network()
    history = net.fit(X, Y, epochs=3)
    assert net.history is history
    assert len(history) == net.epochs_trained == 3
    assert history.stopped == "finished"


def test_no_epochs_change_nothing():
    net = network()
    before = net.parameters.copy()
    history = net.fit(X, Y, epochs=0)
    assert len(history) == net.epochs_trained == 0
    np.testing.assert_array_equal(net.parameters, before)


def test_weight_2_trains_as_the_example_twice(engine_name):
    weights = np.arange(40) % 2 + 1
    weighted, repeated = network(dtype="float64"), network(dtype="float64")
    rows = np.repeat(np.arange(40), weights)
    arguments = {"optimizer": cr.SGD(0.5), "epochs": 5, "batch_size": 100, "engine": engine_name}
    weighted.fit(X, Y, sample_weight=weights, **arguments)
    repeated.fit(X[rows], Y[rows], **arguments)
    # Five steps, each with the rounding of means over 60 examples.
    atol = 5 * 60 * np.finfo(np.float64).eps
    np.testing.assert_allclose(weighted.parameters, repeated.parameters, rtol=0, atol=atol)
    losses = (weighted.history["loss"], repeated.history["loss"])
    np.testing.assert_allclose(*losses, rtol=0, atol=atol)


def test_examples_of_weight_0_have_no_say(engine_name):
    weights = (np.arange(40) < 20) * 1.0
    wild = X.copy()
    wild[20:] = 1e3
    nets = []
    for inputs in (X, wild):
        nets.append(network())
        nets[-1].fit(inputs, Y, sample_weight=weights, epochs=3, batch_size=8, engine=engine_name)
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)


def test_penalties_shrink_weights_and_leave_biases(engine_name):
    # Targets that are met: the cost has no gradient, so only the penalty acts.
    net = cr.Network([2, cr.Dense(2, "identity")], cost="mse", seed=0, dtype="float64")
    net.biases[0][...] = [3.0, -4.0]
    before = net.weights[0].copy()
    inputs = np.zeros((4, 2))
    net.fit(inputs, [[3.0, -4.0]] * 4, optimizer=cr.SGD(0.5), epochs=1, l2=0.25, engine=engine_name)
    np.testing.assert_allclose(net.weights[0], before * (1 - 0.5 * 0.25), rtol=1e-15)
    np.testing.assert_array_equal(net.biases[0], [3.0, -4.0])
    before = net.weights[0].copy()
    net.fit(inputs, [[3.0, -4.0]] * 4, optimizer=cr.SGD(0.5), epochs=1, l1=0.25, engine=engine_name)
    np.testing.assert_allclose(net.weights[0], before - 0.125 * np.sign(before), rtol=1e-14)
    np.testing.assert_array_equal(net.biases[0], [3.0, -4.0])


def test_a_schedule_sees_the_steps_of_the_whole_fit_and_is_obeyed(engine_name):
    asked = []

    def schedule(t):
        asked.append(t)
        return 0.1 if t <= 6 else 0.0

    net = network()
    ends = []
    net.fit(
        X, Y, optimizer=cr.SGD(schedule), epochs=3, batch_size=10, engine=engine_name,
        callbacks=[lambda e: isinstance(e, EpochEnded) and ends.append(net.parameters.copy())],
    )  # fmt: skip
    assert asked == list(range(1, 13))
    assert (ends[1] != ends[0]).any()
    np.testing.assert_array_equal(ends[1], ends[2])
    assert net.history["learning_rate"] == [0.1, 0.0, 0.0]


def test_a_schedule_that_fails_leaves_the_epochs_before_it(engine_name):
    net = network()
    with pytest.raises(InvalidArgumentError, match=r"^learning_rate: .*got -1 at step 9$"):
        net.fit(
            X, Y, optimizer=cr.SGD(lambda t: 0.1 if t <= 8 else -1), batch_size=10,
            engine=engine_name,
        )  # fmt: skip
    assert net.epochs_trained == len(net.history) == 2
    assert np.isfinite(net.predict(X)).all()


def test_validation_and_metrics_are_those_of_the_network(engine_name):
    net = network(dtype="float64")
    pairs = []

    def compare(event):
        if isinstance(event, EpochEnded):
            pairs.append((event.validation_loss, net.loss(X[:9], Y[:9], engine=engine_name)))
            right = net.predict(X[:9], engine=engine_name).argmax(axis=1) == Y[:9]
            pairs.append((event.validation_metrics["accuracy"], right.mean()))
            right = net.predict(X, engine=engine_name).argmax(axis=1) == Y
            pairs.append((event.metrics["accuracy"], right.mean()))

    net.fit(
        X, Y, epochs=3, metrics=["accuracy"], validation_data=(X[:9], Y[:9]), l2=0.1,
        callbacks=[compare], engine=engine_name,
    )  # fmt: skip
    assert len(pairs) == 9
    assert all(reported == own for reported, own in pairs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": -1}, r"^epochs: expected a whole number of at least 0; got -1$"),
        ({"epochs": 1.5}, r"^epochs: expected a whole number of at least 0; got 1\.5$"),
        ({"epochs": True}, r"^epochs: .*got True$"),
        ({"batch_size": 0}, r"^batch_size: expected a whole number of at least 1; got 0$"),
        ({"batch_size": "8"}, r"^batch_size: .*got '8'$"),
        ({"batch_size": 8.0}, r"^batch_size: .*got 8\.0$"),
        ({"optimizer": "adamax"}, r"^optimizer: expected one of sgd"),
        ({"optimizer": 0.1}, r"^optimizer: .*got 0\.1$"),
        ({"metrics": ["auc"]}, r"^metrics: expected accuracy, .*got 'auc'$"),
        ({"engine": "fast"}, r"^engine: "),
        ({"validation_data": X}, r"^validation_data: expected a pair \(X, Y\); got ndarray$"),
        ({"validation_data": (X,)}, r"^validation_data: expected a pair \(X, Y\); got tuple"),
        ({"validation_data": (X[:, :2], Y)}, r"^validation_data\[0\]: expected shape"),
        ({"validation_data": (X, Y[:3])}, r"^validation_data\[1\]: expected one target for each"),
        ({"sample_weight": [1]}, r"^sample_weight: expected shape \(40,\); got \(1,\)$"),
        ({"callbacks": print}, r"^callbacks: expected a list of functions"),
        ({"callbacks": [3]}, r"^callbacks: expected a list of functions.*got 3$"),
        ({"callbacks": None}, r"^callbacks: expected a list of functions"),
    ],
)
def test_an_argument_that_cannot_be_is_refused_before_anything_happens(arguments, message):
    net = network()
    before = net.parameters.copy()
    with pytest.raises(InvalidArgumentError, match=message):
        net.fit(X, Y, **arguments)
    np.testing.assert_array_equal(net.parameters, before)
    assert net.history is None


def test_whole_numbers_of_numpy_are_whole_numbers():
    assert len(network().fit(X, Y, epochs=np.int64(2), batch_size=np.uint8(8))) == 2


def test_fit_hands_the_engine_the_user_s_own_memory(monkeypatch, engine):
    seen = []

    class Watched:
        name = "watched"
        holding = engine.holding
        agreed = engine.agreed

        def train(self, problem, *others):
            seen.append(problem.examples)
            engine.train(problem, *others)

    monkeypatch.setattr("chainrule.model.network.engine_for", lambda *given: Watched())
    inputs, targets = X.astype(np.float32), np.eye(2, dtype=np.float32)[Y]
    network().fit(inputs, targets, epochs=1)
    assert seen
    assert all(np.shares_memory(examples.X, inputs) for examples in seen)
    assert all(np.shares_memory(examples.Y, targets) for examples in seen)


def test_fit_makes_no_copy_of_a_table_that_fits_already(engine_name):
    inputs = np.zeros((100_000, 20), np.float32)
    targets = np.zeros((100_000, 1), np.float32)
    net = cr.Network([20, cr.Dense(1, "identity")], cost="mse", seed=0)
    tracemalloc.start()
    net.fit(inputs, targets, epochs=1, batch_size=4096, engine=engine_name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # An epoch's order, some batches, and what an epoch's own numbers need.
    assert peak < inputs.nbytes / 2


def test_what_was_handed_in_is_not_changed(engine_name):
    inputs, targets, weights = X.astype(np.float32), np.eye(2, dtype=np.float32)[Y], np.ones(40)
    for array in (inputs, targets, weights):
        array.flags.writeable = False
    network().fit(inputs, targets, sample_weight=weights, epochs=2, engine=engine_name)
