"""What a session keeps is bounded, however long a training goes on."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chainrule.engines.optimizer import OptimizerState
from chainrule.playground.session.history import MOST_POINTS, Curves
from chainrule.playground.session.kept import KeptSnapshots
from chainrule.playground.session.snapshot import Snapshot
from chainrule.training.events import EpochEnded

from .pages import page_of


def event(epoch):
    return EpochEnded(epoch, 1 / epoch, 0.0, 0.1, 1.0, 0.0, validation_loss=2 / epoch)


def snapshot(epoch, size=10):
    vector = np.full(size, float(epoch))
    return Snapshot(
        plan=None, epoch=epoch, step=epoch, parameters=vector, optimizer=None,
        memory=OptimizerState(np.zeros((2, size))), penalties=None, noise_key=0, rows=None,
        learning_rate=None, ended=None, test=None,
    )  # fmt: skip


@given(epochs=st.integers(1, 5_000))
def test_curves_have_at_most_a_thousand_points_and_the_last_epoch(epochs):
    curves = Curves()
    for epoch in range(1, epochs + 1):
        curves.append(event(epoch))
    found = curves.to_json(lambda epoch: None)
    assert found["epochs"][-1] == epochs
    assert len(found["epochs"]) <= MOST_POINTS
    assert found["epochs"] == sorted(set(found["epochs"]))
    steps = set(np.diff(found["epochs"][:-1]).tolist())
    assert len(steps) <= 1  # evenly spaced, but for the last one
    assert found["test"] == [2 / epoch for epoch in found["epochs"]]


@given(epochs=st.integers(1, 1_000), size=st.integers(1, 3_000))
def test_kept_snapshots_stay_within_their_room_and_evenly_spaced(epochs, size):
    room = 1 << 20
    kept = KeptSnapshots(room)
    for epoch in range(epochs + 1):
        if kept.wants(epoch):
            kept.add(snapshot(epoch, size))
    assert len(kept) <= max(4, room // (8 * 3 * size))
    found = [epoch for epoch in range(epochs + 1) if kept.at(epoch) is not None]
    assert found[0] == 0
    assert len(set(np.diff(found).tolist())) <= 1
    assert epochs - found[-1] < max(2, found[1] if len(found) > 1 else epochs + 1)
    for epoch in (0, epochs // 3, epochs):
        nearest = kept.nearest(epoch).epoch
        assert abs(nearest - epoch) == min(abs(one - epoch) for one in found)


def test_a_pinned_snapshot_stays_whatever_is_thinned_out():
    kept = KeptSnapshots(1)
    kept.pin(snapshot(7))
    for epoch in range(100):
        kept.add(snapshot(epoch))
    assert kept.at(7).epoch == 7
    assert len(kept) <= 4


def test_a_path_has_the_parameters_of_kept_epochs_up_to_the_one_shown():
    kept = KeptSnapshots()
    for epoch in range(1_000):
        kept.add(snapshot(epoch))
    vectors, epochs = kept.path(500, most=50)
    assert epochs[0] == 0
    assert epochs[-1] == 500
    assert len(epochs) <= 51
    assert [vector[0] for vector in vectors] == epochs


def test_a_thinned_out_epoch_is_trained_once_more_to_the_bit():
    state = {"data": {"kind": "toy", "name": "xor"}, "settings": {"epochs": 40}}
    with page_of(state) as page:
        page.session._kept._most_bytes = 1  # keeps four snapshots
        page.steps("epoch", 9)
        page.ask("set", learning_rate=0.5)
        page.train_to_the_end()
        assert len(page.session._kept) <= 4
        shown = {}
        for epoch in (3, 9, 10, 37):
            assert page.ask("travel", epoch=epoch) == {"epoch": epoch}
            assert page.status["travel"] == epoch
            shown[epoch] = page.session._ready().parameters.copy()
            assert page.frame()["epoch"] == epoch
            assert page.frame()["flags"] & 2
        page.ask("reset")
        page.session.wait_until_ready()
        page.steps("epoch", 3)
        assert np.array_equal(page.session._ready().parameters, shown[3])
        page.steps("epoch", 6)
        page.ask("set", learning_rate=0.5)
        page.steps("epoch", 1)
        assert np.array_equal(page.session._ready().parameters, shown[10])


def test_where_training_again_takes_long_the_nearest_kept_epoch_is_shown(monkeypatch):
    monkeypatch.setattr("chainrule.playground.session.experiment.SECONDS_OF_RECOMPUTING", 0.0)
    state = {"data": {"kind": "toy", "name": "xor"}, "settings": {"epochs": 40}}
    with page_of(state) as page:
        page.session._kept._most_bytes = 1
        page.train_to_the_end()
        kept = [epoch for epoch in range(41) if page.session._kept.at(epoch)]
        answer = page.ask("travel", epoch=kept[1] + 1)
        assert answer["epoch"] in kept
        assert page.ask("weights")["epoch"] == answer["epoch"]
        assert page.ask("travel", epoch=None) == {"epoch": 40}
        assert page.ask("travel", epoch=10**6) == {"epoch": 40}
