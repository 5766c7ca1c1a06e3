"""Callbacks, and what is left of a training that ends before its time."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import TrainingDivergedError
from chainrule.training import loop
from chainrule.training.events import EpochEnded, StepsEnded, Stopped, TrainingStarted

_random = np.random.default_rng(0)
X = _random.standard_normal((40, 3))
Y = (X @ [1.0, -2.0, 0.5] > 0).astype(int)


def network():
    return cr.Network(
        [3, cr.Dense(4, "tanh"), cr.Dense(2, "softmax")], cost="cross_entropy", seed=0
    )


@pytest.mark.parametrize("true", [True, np.True_])
def test_a_callback_that_returns_true_stops_after_the_epoch(true):
    seen = []
    net = network()
    history = net.fit(
        X, Y, epochs=10,
        callbacks=[lambda e: isinstance(e, EpochEnded) and e.epoch == 3 and true, seen.append],
    )  # fmt: skip
    assert len(history) == net.epochs_trained == 3
    assert history.stopped == "callback"
    assert [type(e) for e in seen if not isinstance(e, StepsEnded)] == [
        TrainingStarted, *[EpochEnded] * 3, Stopped,
    ]  # fmt: skip
    assert seen[-1] == Stopped(3, "callback")


@pytest.mark.parametrize("other", [None, False, 0, 1, "stop", []])
def test_only_true_stops(other):
    history = network().fit(X, Y, epochs=2, callbacks=[lambda event: other])
    assert len(history) == 2


def test_true_in_the_midst_of_an_epoch_does_not_stop(monkeypatch):
    monkeypatch.setattr(loop, "_SECONDS_A_CALL", 1e-12)
    history = network().fit(X, Y, epochs=2, callbacks=[lambda e: not isinstance(e, EpochEnded)])
    assert len(history) == 2


def test_an_interruption_leaves_a_network_of_whole_steps(monkeypatch, engine_name):
    monkeypatch.setattr(loop, "_SECONDS_A_CALL", 1e-12)

    def interrupt(event):
        if isinstance(event, StepsEnded) and (event.epoch, event.steps) == (2, 3):
            raise KeyboardInterrupt

    arguments = {"optimizer": cr.SGD(0.1), "batch_size": 8, "engine": engine_name}
    net = network()
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y, epochs=5, callbacks=[interrupt], **arguments)
    assert net.epochs_trained == len(net.history) == 1

    replayed, rates = network(), cr.SGD(lambda t: 0.1 if t <= 8 else 0.0)
    replayed.fit(X, Y, epochs=2, **{**arguments, "optimizer": rates})
    np.testing.assert_array_equal(net.parameters, replayed.parameters)
    assert np.isfinite(net.predict(X)).all()
    assert len(net.fit(X, Y, epochs=2, **arguments)) == 2


def test_an_epoch_whose_callback_fails_is_still_counted(engine_name):
    def fail(event):
        if isinstance(event, EpochEnded) and event.epoch == 2:
            raise RuntimeError("mine")

    net = network()
    with pytest.raises(RuntimeError, match=r"^mine$"):
        net.fit(X, Y, epochs=5, callbacks=[fail], engine=engine_name)
    # Both count what the parameters have seen; else the next fit would repeat epoch 2's order.
    assert len(net.history) == 2
    assert net.epochs_trained == 2


def test_divergence_leaves_a_usable_network(engine_name):
    net = cr.Network([3, cr.Dense(4, "relu"), cr.Dense(1, "identity")], cost="mse", seed=0)
    before = net.parameters.copy()
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError, match="learning rate"):
        net.fit(X, Y, optimizer=cr.SGD(1e12), batch_size=4, engine=engine_name)
    np.testing.assert_array_equal(net.parameters, before)
    assert net.epochs_trained == 0
    assert len(net.fit(X, Y, epochs=2, engine=engine_name)) == 2
