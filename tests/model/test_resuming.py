"""A training that was interrupted and resumed is the one that never was."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines import ENGINES
from chainrule.training import loop
from chainrule.training.events import Checkpointed, EpochEnded, Resumed, Stopped, TrainingStarted
from tests.crash.cases import CASES, CLASSES, X, network, rows

pytestmark = pytest.mark.filterwarnings(
    # The cases are short on purpose.
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)


class InterruptionError(Exception):
    """Not one of the package's: a program that ends for reasons of its own."""


def interrupting(after):
    """Return a callback that ends the training after so many checkpoints."""
    left = after

    def consume(event):
        nonlocal left
        left -= isinstance(event, Checkpointed)
        if left == 0:
            raise InterruptionError

    return consume


def resumed(case, path, every, after, **keywords):
    """Train a case with interruptions after so many checkpoints each, then to its end."""
    for checkpoints in after:
        try:
            return case(
                checkpoint=path,
                every=every,
                resume=True,
                callbacks=[interrupting(checkpoints)],
                **keywords,
            )
        except InterruptionError:
            pass
    return case(checkpoint=path, every=every, resume=True, **keywords)


@pytest.mark.parametrize("name", sorted(CASES))
@settings(max_examples=4)
@given(
    every=st.integers(1, 60),
    after=st.lists(st.integers(1, 4), max_size=4),
    threads=st.integers(1, 3),
    seconds=st.sampled_from([1e-9, 1e-5, 1e-3, 1.0]),
)
def test_resuming_after_an_interruption_is_the_identity(
    name, tmp_path_factory, every, after, threads, seconds
):
    whole = CASES[name]()
    path = tmp_path_factory.mktemp("run") / "ckpt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_SECONDS_A_CALL", seconds)
        again = resumed(CASES[name], path, every, after, threads=threads)
    assert again == whole


@pytest.mark.parametrize("name", ["adam", "adaptive", "NetworkMixed"])
def test_resuming_on_the_reference_engine_is_the_identity(name, tmp_path):
    case = CASES[name]
    whole = case(engine="reference")
    assert resumed(case, tmp_path / "ckpt", 11, [1, 2, 3], engine="reference") == whole


def test_a_finished_training_is_at_its_end_at_once(tmp_path):
    case = CASES["adam"]
    whole = case(checkpoint=tmp_path / "ckpt")
    events = []
    assert case(checkpoint=tmp_path / "ckpt", resume=True, callbacks=[events.append]) == whole
    assert [type(event) for event in events] == [TrainingStarted, Resumed, Stopped]
    assert events[1].step == 180
    assert len(events[1].epochs) == 12


def test_a_training_that_a_callback_stopped_stays_stopped(tmp_path):
    def after_five(event):
        return isinstance(event, EpochEnded) and event.epoch == 5

    case = CASES["sgd"]
    stopped = case(checkpoint=tmp_path / "ckpt", callbacks=[after_five])
    assert stopped.more == {"stopped": "callback", "epochs": 5}
    assert case(checkpoint=tmp_path / "ckpt", resume=True) == stopped


def test_more_epochs_go_on_where_fewer_ended(tmp_path):
    short, long = (network(cr.Adam(), epochs=epochs) for epochs in (4, 9))
    short(checkpoint=tmp_path / "ckpt")
    assert long(checkpoint=tmp_path / "ckpt", resume=True) == long()
    with pytest.raises(cr.InvalidArgumentError, match=r"epochs: expected at least the 9 .*; got 4"):
        short(checkpoint=tmp_path / "ckpt", resume=True)


def test_without_a_checkpoint_resuming_begins_at_the_beginning(tmp_path):
    assert CASES["sgd"](checkpoint=tmp_path / "new" / "ckpt", resume=True) == CASES["sgd"]()


def net(seed=0):
    return cr.Network([5, cr.Dense(4, "tanh"), cr.Dense(2, "softmax")], "cross_entropy", seed=seed)


def test_a_checkpoint_that_is_there_is_not_overwritten_by_accident(tmp_path):
    net().fit(X, CLASSES, epochs=1, checkpoint=tmp_path / "ckpt")
    before = (tmp_path / "ckpt").read_bytes()
    with pytest.raises(cr.InvalidArgumentError, match=r"ckpt exists already; resume=True"):
        net().fit(X, CLASSES, epochs=1, checkpoint=tmp_path / "ckpt")
    assert (tmp_path / "ckpt").read_bytes() == before


OTHER = X.copy()
OTHER[100, 2] += 1e-3


def fitted(path, network_, inputs=X, **changes):
    return network_.fit(
        inputs, CLASSES, epochs=2, checkpoint=path, resume=True, batch_size=32, **changes
    )


RELU = cr.Network([5, cr.Dense(4, "relu"), cr.Dense(2, "softmax")], "cross_entropy", seed=0)

DIFFERENCES = {
    "network": lambda path: fitted(path, RELU),
    "optimizer": lambda path: fitted(path, net(), optimizer=cr.Adam(0.1)),
    "batch_size": lambda path: net().fit(
        X, CLASSES, epochs=2, checkpoint=path, resume=True, batch_size=31
    ),
    "seed": lambda path: fitted(path, net(1)),
    "shuffle": lambda path: fitted(path, net(), shuffle=False),
    "penalties and clipping": lambda path: fitted(path, net(), l2=0.1),
    "training data": lambda path: fitted(path, net(), OTHER),
    "validation data": lambda path: fitted(path, net(), validation_data=(X, CLASSES)),
    "metrics": lambda path: fitted(path, net(), metrics=["accuracy"]),
}


@pytest.mark.parametrize("what", DIFFERENCES)
def test_resuming_another_training_names_the_difference(what, tmp_path):
    path = tmp_path / "ckpt"
    fitted(path, net())
    before = path.read_bytes()
    message = rf"belongs to another training \({what}: .* there, .* here"
    with pytest.raises(cr.InvalidArgumentError, match=message):
        DIFFERENCES[what](path)
    assert path.read_bytes() == before


def test_a_drawn_seed_is_taken_from_the_checkpoint(tmp_path):
    path = tmp_path / "ckpt"
    first = net(None)
    with pytest.raises(InterruptionError):
        first.fit(X, CLASSES, checkpoint=path, every=20, callbacks=[interrupting(2)])
    second = net(None)
    assert second.seed != first.seed
    history = second.fit(X, CLASSES, checkpoint=path, resume=True)
    assert second.seed == first.seed
    repeated = net(first.seed)
    assert rows(repeated.fit(X, CLASSES).epochs) == rows(history.epochs)
    np.testing.assert_array_equal(repeated.parameters, second.parameters)


def test_a_network_that_had_been_trained_before_goes_on_counting(tmp_path):
    whole, parts = net(), net()
    for network_ in (whole, parts):
        network_.fit(X, CLASSES, epochs=3)
    whole.fit(X, CLASSES, epochs=4)
    with pytest.raises(InterruptionError):
        parts.fit(
            X, CLASSES, epochs=4, checkpoint=tmp_path / "ckpt", every=9,
            callbacks=[interrupting(2)],
        )  # fmt: skip
    fresh = net()
    history = fresh.fit(X, CLASSES, epochs=4, checkpoint=tmp_path / "ckpt", resume=True)
    assert history["epoch"] == [4, 5, 6, 7]
    assert fresh.epochs_trained == 7
    np.testing.assert_array_equal(fresh.parameters, whole.parameters)


class Patience:
    """A callback with a memory: stops where the loss has not improved twice, by its own count."""

    def __init__(self):
        self.best, self.worse, self.seen = np.inf, 0, np.zeros(0)

    def __call__(self, event):
        if not isinstance(event, EpochEnded):
            return False
        self.seen = np.append(self.seen, event.loss)
        self.worse = 0 if event.loss < self.best - 0.01 else self.worse + 1
        self.best = min(self.best, event.loss)
        return self.worse == 3

    def remember(self):
        return {"best": self.best, "worse": self.worse, "seen": self.seen}

    def recall(self, memory):
        self.best, self.worse, self.seen = memory["best"], memory["worse"], memory["seen"]


def test_a_callback_with_a_memory_takes_part(tmp_path):
    whole, again = Patience(), Patience()
    case = network(cr.Adam(0.01), epochs=100)
    expected = case(callbacks=[whole])
    assert expected.more["stopped"] == "callback"
    with pytest.raises(InterruptionError):
        case(checkpoint=tmp_path / "ckpt", every=40, callbacks=[again, interrupting(3)])
    third = Patience()
    assert case(checkpoint=tmp_path / "ckpt", resume=True, callbacks=[third]) == expected
    np.testing.assert_array_equal(third.seen, whole.seen)
    with pytest.raises(cr.InvalidCheckpointError, match=r"states of callback 0 \(Patience\)"):
        case(checkpoint=tmp_path / "ckpt", resume=True)


def test_a_log_of_a_resumed_training_is_whole(tmp_path):
    case = network(cr.Adam(), epochs=6)
    case(callbacks=[cr.CSVLog(tmp_path / "whole.csv")])
    log = cr.CSVLog(tmp_path / "log.csv")
    with pytest.raises(InterruptionError):
        case(checkpoint=tmp_path / "ckpt", every=40, callbacks=[log, interrupting(1)])
    case(checkpoint=tmp_path / "ckpt", resume=True, callbacks=[cr.CSVLog(tmp_path / "log.csv")])
    one, other = (
        [line.rpartition(",")[0] for line in (tmp_path / name).read_text().splitlines()]
        for name in ("whole.csv", "log.csv")
    )
    assert one == other
    assert len(one) == 7


def test_a_damaged_checkpoint_gives_way_to_the_one_before_it(tmp_path):
    path = tmp_path / "ckpt"
    case = CASES["adam"]
    with pytest.raises(InterruptionError):
        case(checkpoint=path, every=50, callbacks=[interrupting(3)])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    events = []
    with pytest.warns(RuntimeWarning, match=r"ckpt: is damaged.*resuming from.*ckpt\.previous"):
        again = case(checkpoint=path, resume=True, callbacks=[events.append])
    assert next(e for e in events if isinstance(e, Resumed)).step == 100
    assert again == case()


def test_a_checkpoint_from_another_instruction_set_is_taken_with_a_warning(tmp_path):
    path = tmp_path / "ckpt"
    case = network(cr.Adam(), epochs=3)
    with pytest.raises(InterruptionError):
        case(checkpoint=path, every=20, callbacks=[interrupting(1)], engine="reference")
    if "native" not in ENGINES:
        pytest.skip("takes two engines")
    with pytest.warns(RuntimeWarning, match=r"engine: reference there, native here.*last bits"):
        again = case(checkpoint=path, resume=True)
    assert again.more["epochs"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"resume": True}, "resume: expected False without checkpoint=; got True"),
        ({"resume": "yes"}, "resume: expected True or False; got 'yes'"),
        ({"checkpoint": 7}, "checkpoint: expected the path of a file such as 'run/ckpt'; got 7"),
        ({"checkpoint": ""}, "checkpoint: expected the path of a file such as 'run/ckpt'; got ''"),
        ({"checkpoint": "a", "every": "soon"}, "every: expected a number of steps, or a time"),
        ({"checkpoint": "a", "every": 0}, "every: expected a whole number of at least 1; got 0"),
        ({"checkpoint": "a", "every": "0s"}, "every: expected a number of steps, or a time"),
        ({"checkpoint": "a", "every": 1.5}, "every: expected a whole number of at least 1"),
    ],
)
def test_arguments_that_cannot_be_used_are_named(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(cr.InvalidArgumentError) as raised:
        net().fit(X, CLASSES, **arguments)
    assert message in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_is_an_error_that_names_it(tmp_path):
    with pytest.raises(cr.CheckpointWriteError, match=r"cannot be written: Is a directory"):
        net().fit(X, CLASSES, checkpoint=tmp_path)


def test_a_training_leaves_the_checkpoint_to_the_next_one_however_it_ends(tmp_path):
    path = tmp_path / "ckpt"

    def failing(event):
        raise InterruptionError

    for _ in range(2):
        with pytest.raises(InterruptionError):
            net().fit(X, CLASSES, checkpoint=path, callbacks=[failing])
    assert list(tmp_path.iterdir()) == []


def test_a_second_training_of_the_same_process_is_refused(tmp_path):
    path = tmp_path / "ckpt"
    errors = []

    def another(event):
        if isinstance(event, TrainingStarted):
            with pytest.raises(cr.CheckpointInUseError) as raised:
                net().fit(X, CLASSES, checkpoint=path, resume=True)
            errors.append(str(raised.value))

    net().fit(X, CLASSES, epochs=1, checkpoint=path, callbacks=[another])
    assert len(errors) == 1
    assert "ckpt is in use by another training" in errors[0]


def test_a_user_s_cost_is_resumed_too(tmp_path):
    cost = cr.CustomCost(
        lambda outputs, targets: ((outputs - targets) ** 2).sum(axis=1) / 2,
        lambda outputs, targets: outputs - targets,
    )

    def train(**keywords):
        own = cr.Network([5, cr.Dense(3, "tanh"), cr.Dense(1, "identity")], cost, seed=0)
        own.fit(X, X[:, 0], epochs=4, **keywords)
        return own.parameters.tobytes()

    with pytest.raises(InterruptionError):
        train(checkpoint=tmp_path / "ckpt", every=9, callbacks=[interrupting(2)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert train(checkpoint=tmp_path / "ckpt", resume=True) == train()
