"""Signals that wait for a checkpoint."""

import os
import signal
import threading

import numpy as np
import pytest

import chainrule as cr
from chainrule.training.events import Checkpointed, StepsEnded
from chainrule.training.signals import stop_at_checkpoint, stop_wanted

SIGNALS = [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)]


@pytest.fixture(autouse=True)
def ctrl_c_is_python_s():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def handlers():
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


@pytest.mark.parametrize(("number", "error"), SIGNALS)
def test_a_signal_waits_for_the_end_of_the_block(number, error):
    before, done = handlers(), []

    def block():
        with stop_at_checkpoint():
            os.kill(os.getpid(), number)
            assert isinstance(stop_wanted(), error)
            done.append(True)

    with pytest.raises(error) as raised:
        block()
    assert done
    if error is SystemExit:
        assert raised.value.code == 143
    assert handlers() == before
    assert stop_wanted() is None


def test_after_the_first_signal_the_second_is_the_system_s():
    def block():
        with stop_at_checkpoint():
            os.kill(os.getpid(), signal.SIGINT)
            assert handlers() == [signal.SIG_DFL, signal.SIG_DFL]

    with pytest.raises(KeyboardInterrupt):
        block()


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stop_at_checkpoint():
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop_wanted() is None
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_error_of_the_block_goes_before_the_signal():
    def block():
        with stop_at_checkpoint():
            os.kill(os.getpid(), signal.SIGINT)
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        block()
    assert stop_wanted() is None


def test_other_threads_are_told_that_they_get_no_signals():
    errors = []

    def work():
        with pytest.raises(cr.InvalidArgumentError, match="main thread"), stop_at_checkpoint():
            pass
        errors.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert errors


@pytest.mark.parametrize(("number", "error"), SIGNALS)
def test_a_training_writes_its_checkpoint_and_then_raises(number, error, tmp_path):
    X = np.random.default_rng(0).normal(size=(100, 3))
    y = (X[:, 0] > 0).astype(int)
    events = []

    def send(event):
        events.append(event)
        if isinstance(event, cr.training.events.EpochEnded) and event.epoch == 3:
            os.kill(os.getpid(), number)

    def train(**keywords):
        net = cr.Network([3, cr.Dense(4, "tanh"), cr.Dense(2, "softmax")], "cross_entropy", seed=0)
        net.fit(X, y, epochs=6, batch_size=10, **keywords)
        return net.parameters.tobytes()

    def stopped():
        with stop_at_checkpoint():
            train(checkpoint=tmp_path / "ckpt", callbacks=[send])

    with pytest.raises(error):
        stopped()
    assert isinstance(events[-1], Checkpointed)
    assert events[-1].step == 30
    assert not any(isinstance(event, StepsEnded) and event.epoch == 4 for event in events)
    assert train(checkpoint=tmp_path / "ckpt", resume=True) == train()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="POSIX has it")
def test_a_terminal_that_closes_may_send_its_signal_twice():
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    done = []

    def block():
        with stop_at_checkpoint():
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGHUP)
            done.append(True)

    try:
        with pytest.raises(SystemExit) as raised:
            block()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)
    assert done
    assert raised.value.code == 129
