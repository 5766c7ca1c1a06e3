"""Finished runs and models: what the playground shows of them."""

import asyncio
import shutil

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.playground.models import sessions_of_model
from chainrule.playground.replay import read_history, replay, replay_of_run
from chainrule.playground.session.base import Client


class Looking:
    """A page without a server: what a session pushes to it, and its answers."""

    def __init__(self, sessions):
        self.sessions, self.messages = sessions, []
        self.client = Client(push=self.messages.append)
        self.session = sessions.connect("a" * 32, self.client)

    def ask(self, kind, **fields):
        return self.session.request(self.client, {"type": kind, **fields})

    def last(self, kind):
        return [message for message in self.messages if message["type"] == kind][-1]

    async def _until(self, true):
        async with asyncio.timeout(30):
            while not true():
                await asyncio.sleep(0.01)

    def until(self, true):
        asyncio.run(self._until(true))

    def to_the_end(self):
        self.session.wait_until_ready()
        self.ask("speed", epochs_per_second=None)
        self.ask("run")
        self.until(lambda: self.messages and bool(self.last("status")["stopped"]))
        self.until(lambda: bool(self.last("description")["notes"]))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 2))
    path = tmp_path_factory.mktemp("table") / "shapes.csv"
    pl.DataFrame(
        {"length": X[:, 0], "width": X[:, 1], "kind": np.where(X.sum(1) > 0, "large", "small")}
    ).write_csv(path)
    return path


@pytest.fixture(scope="module")
def folder(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    cr.train(table, target="kind", epochs=9, verbose=False).save(folder, report=False)
    return folder


@pytest.fixture
def looking():
    opened = []

    def look(sessions):
        opened.append(sessions)
        return Looking(sessions)

    yield look
    for sessions in opened:
        sessions.close()


def weights_of(network):
    return [(W.tolist(), b.tolist()) for W, b in zip(network.weights, network.biases, strict=True)]


def test_a_run_is_trained_again_and_found_to_have_the_same_bits(folder, looking):
    page = looking(replay(folder))
    page.to_the_end()
    assert page.session.hello()["mode"] == "replay"
    assert page.last("description")["notes"] == [
        "The replayed network is identical to the saved model, to the bit."
    ]
    history = page.ask("history")
    recorded = pl.read_csv(folder / "history.csv")
    assert history["epochs"] == recorded["epoch"].to_list()
    assert history["train"] == recorded["loss"].to_list()
    assert history["test"] == recorded["validation_loss"].to_list()


def test_a_replay_can_be_paused_and_travelled_but_not_changed(folder, looking):
    page = looking(replay(folder))
    page.to_the_end()
    page.ask("travel", epoch=3)
    assert page.ask("weights")["epoch"] == 3
    for kind in ("configure", "set", "edit"):
        with pytest.raises(
            cr.InvalidArgumentError, match=f"^{kind}: this is the replay of a finished run"
        ):
            page.ask(kind, state={}, learning_rate=0.1, name="W")


def test_a_run_of_this_process_is_trained_again_though_its_table_was_in_memory(table, looking):
    run = cr.train(pl.read_csv(table), target="kind", epochs=4, verbose=False)
    page = looking(replay_of_run(run))
    page.to_the_end()
    assert "identical to the saved model" in page.last("description")["notes"][0]


def test_a_run_whose_table_has_changed_is_not_shown_as_if_it_had_not(table, tmp_path, looking):
    own = tmp_path / "own.csv"
    shutil.copy(table, own)
    cr.train(own, target="kind", epochs=4, verbose=False).save(tmp_path / "run", report=False)
    text = own.read_text().replace("large", "medium", 40).replace("small", "large", 40)
    own.write_text(text.replace("medium", "small"))
    page = looking(replay(tmp_path / "run"))
    page.to_the_end()
    (note,) = page.last("description")["notes"]
    assert "a different network" in note
    assert "own.csv has changed since then" in note
    assert str(tmp_path) not in note


def test_a_run_whose_table_is_gone_shows_its_curves_and_its_network(table, tmp_path, looking):
    own = tmp_path / "own.csv"
    shutil.copy(table, own)
    run = cr.train(own, target="kind", epochs=4, verbose=False)
    run.save(tmp_path / "run", report=False)
    own.unlink()
    page = looking(replay(tmp_path / "run"))
    (note,) = page.last("description")["notes"]
    assert note.startswith(
        "This is the final network of the run. Its training cannot be replayed: "
    )
    assert "own.csv" in note
    assert str(tmp_path) not in note
    assert page.ask("history")["train"] == run.history["loss"]
    shown = [(one["W"], one["b"]) for one in page.ask("weights")["layers"]]
    assert shown == weights_of(run.model.network)


def test_a_network_without_names_is_shown(looking):
    net = cr.Network(
        [3, cr.Dense(4, "tanh"), cr.Dense(1, "sigmoid")], "binary_cross_entropy", seed=0
    )
    page = looking(sessions_of_model(net))
    description = page.last("description")
    assert [one["name"] for one in description["inputs"]] == ["x1", "x2", "x3"]
    assert description["points"]["x"] == []
    assert [(one["W"], one["b"]) for one in page.ask("weights")["layers"]] == weights_of(net)
    assert page.session.frame(page.client) is not None


def test_an_estimator_is_shown_with_its_columns_or_without(table, looking):
    frame = pl.read_csv(table)
    X = frame.select("length", "width")
    on_table = cr.NetworkClassifier(max_iter=3, random_state=0).fit(X, frame["kind"])
    page = looking(sessions_of_model(on_table))
    columns = [one["column"] for one in page.last("description")["inputs"]]
    assert list(dict.fromkeys(columns)) == ["length", "width"]
    on_arrays = cr.NetworkClassifier(max_iter=3, random_state=0).fit(X.to_numpy(), frame["kind"])
    page = looking(sessions_of_model(on_arrays))
    columns = [one["column"] for one in page.last("description")["inputs"]]
    assert list(dict.fromkeys(columns)) == ["x1", "x2"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "a,b\n1,2\n",
        "epoch,loss\n1,0.5\n",
        "epoch,loss,penalty\nx,y,z\n",
        '"',
        "\x00",
        "epoch\n" * 3,
    ],
)
def test_what_is_no_history_has_no_epochs(tmp_path, content):
    path = tmp_path / "history.csv"
    path.write_text(content)
    assert read_history(path) == []
    assert read_history(tmp_path / "none.csv") == []
    path.write_bytes(b"\xff\xfe")
    assert read_history(path) == []


def test_a_history_is_read_as_it_was_written(tmp_path):
    random = np.random.default_rng(0)
    X = random.normal(size=(50, 2))
    net = cr.Network([2, cr.Dense(1, "sigmoid")], "binary_cross_entropy", seed=0)
    history = net.fit(
        X, X[:, :1] > 0, epochs=3, metrics=["accuracy"], validation_split=0.2, callbacks=[]
    )
    history.to_csv(tmp_path / "history.csv")
    read = read_history(tmp_path / "history.csv")
    assert [event.row() for event in read] == [event.row() for event in history.epochs]
