"""The state of the optimizer after fit, from which another fit continues."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.optimizer import OptimizerState
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.errors import InvalidArgumentError, TrainingDivergedError

_random = np.random.default_rng(3)
X = _random.standard_normal((37, 3)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] ** 2 > 0.8).astype(int)


def network(*between):
    layers = [3, cr.Dense(6, "tanh"), *between, cr.Dense(2, "softmax")]
    return cr.Network(layers, cost="cross_entropy", seed=5)


def fitted(net, epochs, **arguments):
    arguments = {"optimizer": "adam", "batch_size": 8} | arguments
    net.fit(X, Y, epochs=epochs, **arguments)
    return net


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_two_trainings_with_one_state_have_the_bits_of_a_single_one(name, ema_decay, engine):
    kind = OPTIMIZERS[name]
    if kind.averages and ema_decay:
        pytest.skip("its average is its own")
    optimizer = kind(0.01) if kind.averages else kind(0.01, ema_decay=ema_decay)
    between = (cr.Dropout(0.3), cr.BatchNorm())
    whole = fitted(network(*between), 7, optimizer=optimizer, engine=engine)
    parts = fitted(network(*between), 3, optimizer=optimizer, engine=engine)
    fitted(parts, 4, optimizer=optimizer, engine=engine, state=parts.optimizer_state)
    np.testing.assert_array_equal(parts.parameters, whole.parameters)
    for found, expected in zip(
        vars(parts.optimizer_state).values(), vars(whole.optimizer_state).values(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    assert parts.epochs_trained == 7


def test_a_schedule_of_steps_goes_on():
    optimizer = cr.SGD(cr.CosineDecay(0.1, steps=30))
    whole = fitted(network(), 6, optimizer=optimizer)
    parts = fitted(network(), 2, optimizer=optimizer)
    fitted(parts, 4, optimizer=optimizer, state=parts.optimizer_state)
    np.testing.assert_array_equal(parts.parameters, whole.parameters)


def test_a_continued_training_that_was_interrupted_resumes_with_the_same_bits(tmp_path):
    whole = fitted(network(cr.Dropout(0.3)), 7)
    parts = fitted(network(cr.Dropout(0.3)), 3)

    class InterruptError(Exception):
        pass

    def interrupt(event):
        if isinstance(event, cr.events.EpochEnded) and event.epoch == 5:
            raise InterruptError

    arguments = {"checkpoint": tmp_path / "checkpoint", "every": 1}
    with pytest.raises(InterruptError):
        fitted(parts, 4, state=parts.optimizer_state, callbacks=[interrupt], **arguments)
    resumed = fitted(network(cr.Dropout(0.3)), 4, resume=True, **arguments)
    np.testing.assert_array_equal(resumed.parameters, whole.parameters)
    assert resumed.optimizer_state.t == whole.optimizer_state.t
    further = fitted(whole, 2, state=whole.optimizer_state).parameters
    fitted(resumed, 2, state=resumed.optimizer_state)
    np.testing.assert_array_equal(resumed.parameters, further)


def test_the_state_that_was_given_does_not_change():
    net = fitted(network(), 2)
    state = net.optimizer_state
    before = state.copy()
    fitted(net, 2, state=state)
    assert state.t == before.t == 10
    np.testing.assert_array_equal(state.slots, before.slots)
    assert net.optimizer_state.t == 20


def test_without_a_state_the_optimizer_starts_anew():
    net = fitted(fitted(network(), 2), 2)
    assert net.optimizer_state.t == 10


def test_a_pickled_network_continues_as_the_network_itself():
    net = fitted(network(cr.Dropout(0.2)), 2, optimizer=cr.Adam(0.01, ema_decay=0.9))
    copy = pickle.loads(pickle.dumps(net))
    for one in (net, copy):
        fitted(one, 2, optimizer=cr.Adam(0.01, ema_decay=0.9), state=one.optimizer_state)
    np.testing.assert_array_equal(copy.parameters, net.parameters)


def test_networks_without_a_fit_have_no_state(tmp_path):
    net = network()
    assert net.optimizer_state is None
    fitted(net, 1).save(tmp_path / "net.safetensors")
    assert cr.load(tmp_path / "net.safetensors").optimizer_state is None


def test_a_training_that_diverged_leaves_no_state():
    net = cr.Network([3, cr.Dense(1, "identity")], cost="mse", seed=0)
    with pytest.raises(TrainingDivergedError), np.errstate(all="ignore"):
        net.fit(X, Y, optimizer=cr.SGD(1e20), epochs=5)
    assert net.optimizer_state is None


def test_early_stopping_that_went_back_leaves_no_state():
    net = fitted(network(), 60, optimizer=cr.Adam(0.3), early_stopping=1, validation_split=0.3)
    assert net.history.best_epoch < net.epochs_trained
    assert net.optimizer_state is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda state: {"V": 1}, r"^state: expected an OptimizerState, such as .*; got \{"),
        (lambda state: replace(state, t=-1), r"^state: expected t, .*; got -1"),
        (lambda state: replace(state, slots=state.slots[:1]), r"^state: expected slots of shape"),
        (lambda state: replace(state, slots=None), r"^state: expected slots of shape .*; got None"),
        (
            lambda state: replace(state, slots=state.slots.astype("float64")),
            r"^state: expected slots .* and dtype float32.*; got .* and float64",
        ),
        (
            lambda state: replace(state, theta=np.zeros(7, np.float32)),
            r"^state: expected a state whose average",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_refused(changed, said):
    net = fitted(network(), 1)
    before = net.parameters.copy()
    with pytest.raises(InvalidArgumentError, match=said):
        fitted(net, 1, state=changed(net.optimizer_state))
    np.testing.assert_array_equal(net.parameters, before)
    assert isinstance(net.optimizer_state, OptimizerState)


def test_a_state_of_another_average_is_refused():
    optimizer = cr.Adam(0.01, ema_decay=0.9)
    net = fitted(network(), 1, optimizer=optimizer)
    net.parameters[0] += 1
    with pytest.raises(InvalidArgumentError, match=r"^state: expected a state whose average"):
        fitted(net, 1, optimizer=optimizer, state=net.optimizer_state)
