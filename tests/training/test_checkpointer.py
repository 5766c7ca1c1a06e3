"""What a checkpointer writes, when, and what it refuses to believe."""

import json

import numpy as np
import pytest

from chainrule.engines.base import Batches, Penalties
from chainrule.engines.optimizers import SGD, Adam
from chainrule.errors import InvalidCheckpointError, TrainingDivergedError
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from chainrule.training import loop
from chainrule.training.checkpointer import Checkpointer
from chainrule.training.events import Checkpointed, EpochEnded, StepsEnded, Stopped
from tests.training.trainings import training


class Memory:
    """A store that keeps copies of everything that it was given."""

    path = "memory"

    def __init__(self):
        self.saved = []

    def save(self, metadata, arrays):
        self.saved.append((dict(metadata), {name: array.copy() for name, array in arrays.items()}))

    def close(self):
        pass


class Content:
    def __init__(self, metadata, arrays):
        self.metadata, self.arrays = metadata, arrays


def prepared(engine, every=4, found=None, **changes):
    """Return a training with a checkpointer, and its store."""
    store = Memory()
    run = training(engine, **{"optimizer": Adam(0.01), "m": 30, **changes})
    run.checkpointer = Checkpointer(store, every, None if found is None else Content(*found))
    run.checkpointer.attach(run.plan, run.state)
    return run, store


def rows(events):
    return [{**e.row(), "seconds": 0} for e in events if isinstance(e, EpochEnded)]


def finished(engine, **changes):
    run = training(engine, **{"optimizer": Adam(0.01), "m": 30, **changes})
    return rows(run.events()), run.parameters.tobytes()


def test_checkpoints_come_at_multiples_of_the_steps_inside_epochs_and_among_them(engine):
    run, store = prepared(engine, every=3, watched=False)  # eight steps an epoch, three epochs
    events = [e for e in run.events() if isinstance(e, Checkpointed)]
    assert [event.step for event in events] == [3, 6, 9, 12, 15, 18, 21, 24]
    places = [json.loads(metadata["training"]) for metadata, _ in store.saved]
    assert [(p["epochs"], p["steps"], p["t"]) for p in places] == [
        (0, 3, 3), (0, 6, 6), (1, 1, 9), (1, 4, 12), (1, 7, 15), (2, 2, 18), (2, 5, 21), (3, 0, 24),
    ]  # fmt: skip


@pytest.mark.parametrize("weighted", [False, True])
def test_every_checkpoint_leads_to_the_same_end(engine, weighted):
    changes = {"weighted": weighted, "penalties": Penalties(l1=1e-3, l2=0.01)}
    history, parameters = finished(engine, **changes)
    run, store = prepared(engine, every=1, **changes)
    assert rows(run.events()) == history
    assert len(store.saved) == 24
    for found in store.saved:
        again, _ = prepared(engine, found=found, **changes)
        later = rows(again.events())
        behind = rows(again.state.start.behind)
        assert behind + later == history
        assert again.parameters.tobytes() == parameters


class Interrupted:
    """An engine that Ctrl-C hits after some steps of its n-th call."""

    def __init__(self, engine, call, steps):
        self.engine, self.call, self.steps = engine, call, steps
        self.name = engine.name

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def train(self, problem, rule, state, batches, records):
        self.call -= 1
        if self.call != 0:
            self.engine.train(problem, rule, state, batches, records)
            return
        order, batch, rates, key, *_ = batches
        per_epoch = -(-order.shape[1] // batch)
        whole, rest = divmod(min(self.steps, rates.size), per_epoch)
        pieces = [(order[:whole], slice(0, whole * per_epoch))]
        if rest:
            part = slice(whole * per_epoch, whole * per_epoch + rest)
            pieces.append((order[whole : whole + 1, : rest * batch], part))
        for rows_, part in pieces:
            if rows_.size:
                self.engine.train(
                    problem,
                    rule,
                    state,
                    Batches(np.ascontiguousarray(rows_), batch, rates[part], key),
                    records.part(part),
                )
        raise KeyboardInterrupt


@pytest.mark.parametrize("steps", [0, 1, 3, 8, 11])
@pytest.mark.parametrize(
    ("watched", "seconds", "call"), [(True, 1e-12, 3), (True, 1e9, 3), (False, 1e9, 1)]
)
def test_ctrl_c_in_the_engine_writes_a_checkpoint_first(
    engine, steps, watched, seconds, call, monkeypatch
):
    monkeypatch.setattr(loop, "_SECONDS_A_CALL", seconds)
    history, parameters = finished(engine)
    run, store = prepared(Interrupted(engine, call, steps), every=1000, watched=watched)
    events = []
    with pytest.raises(KeyboardInterrupt):
        events.extend(run.events())
    assert len(store.saved) == 1
    again, _ = prepared(engine, found=store.saved[0])
    assert rows(again.state.start.behind) + rows(again.events()) == history
    assert again.parameters.tobytes() == parameters


def test_parameters_that_are_not_finite_are_not_written(engine):
    # The third step of eight goes too far, the fourth says so.
    spec = NetworkSpec(3, (Dense(2, "identity"),), "mse")
    too_far = SGD(lambda t: 1e300 if t == 3 else 1e-3)
    run, store = prepared(engine, every=1, optimizer=too_far, spec=spec)
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError):
        list(run.events())
    assert len(store.saved) == 2
    assert all(np.isfinite(arrays["parameters"]).all() for _, arrays in store.saved)


def test_without_a_checkpointer_ctrl_c_ends_at_once(engine):
    run = training(Interrupted(engine, 1, 1), m=30)
    with pytest.raises(KeyboardInterrupt):
        list(run.events())


def test_a_second_ctrl_c_ends_at_once(engine):
    run, _ = prepared(engine)
    assert run.checkpointer.stop(KeyboardInterrupt())
    assert not run.checkpointer.stop(KeyboardInterrupt())


def test_the_last_checkpoint_says_that_training_is_at_its_end(engine):
    run, store = prepared(engine, every=1000)
    history = rows(run.events())
    run.checkpointer.finish(Stopped(3, "finished"))
    again, _ = prepared(engine, found=store.saved[-1])
    events = list(again.events())
    assert events[-1] == Stopped(3, "finished")
    assert not any(isinstance(event, EpochEnded | StepsEnded) for event in events)
    assert rows(again.state.start.behind) == history


# A checkpoint whose checksum is right and whose content is not.


def a_checkpoint(engine):
    run, store = prepared(engine, every=3)
    list(run.events())
    return store.saved[3]  # one epoch and four steps


def changed(metadata, **facts):
    return {"training": json.dumps(json.loads(metadata["training"]) | facts)}


FACTS = {
    "epochs below 0": {"epochs": -1},
    "epochs that its history has not": {"epochs": 2},
    "steps of more than an epoch": {"steps": 8},
    "steps that are no number": {"steps": "4"},
    "no steps where there are some": {"steps": 5},
    "a count beyond everything": {"t": 2**70},
    "true as a number": {"t": True},
    "no key": {"noise_key": None},
    "a rate that is none": {"learning_rate": -1.0},
    "no rate": {"learning_rate": None},
    "more updates than can be counted on": {"t": 2**62},
    "more epochs before than can be counted on": {"epochs_before": 2**62},
    "a time that runs back": {"seconds": -1.0},
    "a time that is none": {"seconds": float("nan")},
    "a time that no float holds": {"seconds": 10**400},
    "an end inside an epoch": {"stopped": "finished"},
    "columns that are none": {"columns": 3},
    "columns that are missing": {"columns": ["loss"]},
    "columns twice": {"columns": ["loss"] * 6},
    "memories of somebody": {"memories": {"a callback": {}}},
    "memories that are none": {"memories": []},
    "no fingerprint": {"fingerprint": None},
}


@pytest.mark.parametrize("facts", FACTS.values(), ids=FACTS)
def test_facts_that_cannot_be_are_not_believed(engine, facts):
    metadata, arrays = a_checkpoint(engine)
    with pytest.raises(InvalidCheckpointError, match=r"^memory: cannot be the checkpoint"):
        prepared(engine, found=(changed(metadata, **facts), arrays))


ARRAYS = {
    "parameters": [None, np.zeros(3), np.zeros(32, np.float32), np.full(32, np.nan)],
    "slots": [None, np.zeros((1, 32)), np.zeros((2, 32), np.float32)],
    "history": [None, np.zeros((2, 6)), np.zeros((1, 5)), np.zeros(1)],
    "epoch.cost": [None, np.zeros(3), np.zeros(4, np.float32)],
    "epoch.parameters": [None, np.zeros(31)],
    "epoch.order": [
        np.zeros(30, np.int32),
        np.full(30, 10**9, np.int32),
        np.arange(30, dtype=np.int64),
        np.arange(29, dtype=np.int32),
    ],
}


@pytest.mark.parametrize(
    ("name", "array"),
    [(name, array) for name, arrays in ARRAYS.items() for array in arrays],  # type: ignore[attr-defined]
)
def test_arrays_that_cannot_be_are_not_believed(engine, name, array):
    metadata, arrays = a_checkpoint(engine)
    arrays = {n: a for n, a in {**arrays, name: array}.items() if a is not None}
    with pytest.raises(InvalidCheckpointError, match=r"^memory: cannot be the checkpoint"):
        prepared(engine, found=(metadata, arrays))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000], ids=lambda t: t[:4])
def test_a_text_that_says_nothing_is_not_believed(engine, text):
    _, arrays = a_checkpoint(engine)
    with pytest.raises(InvalidCheckpointError, match="its entry 'training'"):
        prepared(engine, found=({"training": text}, arrays))


def test_nothing_is_changed_by_a_checkpoint_that_is_refused(engine):
    metadata, arrays = a_checkpoint(engine)
    run = training(engine, optimizer=Adam(0.01), m=30)
    before = run.parameters.copy()
    content = Content(changed(metadata, memories={"x": {}}), arrays)
    with pytest.raises(InvalidCheckpointError):
        Checkpointer(Memory(), 4, content).attach(run.plan, run.state)
    np.testing.assert_array_equal(run.parameters, before)
    assert run.state.start.behind is None
