"""`Live`: a page that is attached to a running training."""

import asyncio
import copy
import importlib.util
import itertools
import json
import pickle
import threading
import warnings

import numpy as np
import polars as pl
import pytest
import websockets

import chainrule as cr
from chainrule.playground.session.base import Client
from tests.playground.server.pages import A, ask, receive


def examples(m=200):
    random = np.random.default_rng(0)
    X = random.normal(size=(m, 2)).astype("float32")
    return X, (X[:, 0] * X[:, 1] > 0).astype("int32")


def network():
    return cr.Network([2, cr.Dense(4, "tanh"), cr.Dense(2, "softmax")], "cross_entropy", seed=1)


def socket_of(live, session=A):
    return websockets.connect(f"{live.url}ws?session={session}".replace("http", "ws"))


class Page(threading.Thread):
    """A page that looks at a training from its beginning to its end."""

    def __init__(self, live):
        super().__init__()
        self.live = live
        self.messages = []
        self.frames = 0
        self.connected = threading.Event()
        self.start()
        assert self.connected.wait(20)

    def run(self):
        asyncio.run(self._look())

    async def _look(self):
        async with socket_of(self.live) as page:
            try:
                while True:
                    message = await page.recv()
                    if isinstance(message, bytes):
                        self.frames += 1
                    else:
                        self.messages.append(json.loads(message))
                        self.connected.set()
            except websockets.ConnectionClosed:
                pass

    def of(self, kind):
        return [message for message in self.messages if message["type"] == kind]


@pytest.fixture
def live():
    with cr.Live(port=0) as one:
        yield one


def test_the_page_sees_the_training_and_its_end(live):
    page = Page(live)
    network().fit(*examples(), epochs=400, batch_size=20, callbacks=[live])
    live.stop()
    page.join()
    assert page.of("hello")[0]["mode"] == "live"
    assert page.of("hello")[0]["read_only"]
    assert [one["name"] for one in page.of("description")[-1]["inputs"]] == ["x1", "x2"]
    assert page.of("status")[-1]["stopped"]
    assert not page.of("status")[-1]["running"]
    assert page.frames >= 1


def test_a_watched_network_has_the_bits_of_an_unwatched_one(live):
    page = Page(live)
    alone, watched = network(), network()
    history = alone.fit(*examples(), epochs=300, batch_size=20)
    seen = watched.fit(*examples(), epochs=300, batch_size=20, callbacks=[live])
    live.stop()
    page.join()
    assert np.array_equal(alone.parameters, watched.parameters)
    assert history["loss"] == seen["loss"]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_watched_estimator_has_the_bits_of_an_unwatched_one(live, solver):
    page = Page(live)
    settings = {"hidden_layer_sizes": (4,), "solver": solver, "max_iter": 200, "tol": 1e-3}
    alone = cr.MLPClassifier(**settings, random_state=0).fit(*examples())
    watched = cr.MLPClassifier(**settings, random_state=0, callbacks=[live]).fit(*examples())
    live.stop()
    page.join()
    assert np.array_equal(alone.network_.parameters, watched.network_.parameters)


def test_a_watched_run_has_the_bits_of_an_unwatched_one_and_the_names_of_its_table(live):
    X, y = examples()
    table = pl.DataFrame({"length": X[:, 0], "width": X[:, 1], "kind": np.array(["a", "b"])[y]})
    settings = {"target": "kind", "epochs": 20, "verbose": False}
    page = Page(live)
    alone = cr.train(table, **settings)
    watched = cr.train(table, **settings, callbacks=[live])
    live.stop()
    page.join()
    assert np.array_equal(alone.model.network.parameters, watched.model.network.parameters)
    description = page.of("description")[-1]
    columns = [one["column"] for one in description["inputs"]]
    assert list(dict.fromkeys(columns)) == ["length", "width"]
    assert description["classes"] == ["a", "b"]


def test_the_weights_that_the_page_shows_are_the_network_s_to_the_bit(live):
    net = network()
    net.fit(*examples(), epochs=10, batch_size=20, callbacks=[live])

    async def page():
        async with socket_of(live) as one:
            return (await ask(one, "weights"))["value"]

    shown = asyncio.run(page())
    assert shown["epoch"] == 10
    for layer, W, b in zip(shown["layers"], net.weights, net.biases, strict=True):
        assert np.array_equal(np.array(layer["W"], "float32"), W)
        assert np.array_equal(np.array(layer["b"], "float32"), b)


def test_the_page_can_change_nothing(live):
    network().fit(*examples(), epochs=3, callbacks=[live])

    async def page():
        async with socket_of(live) as one:
            kinds = ("configure", "run", "pause", "reset", "step", "set", "edit")
            return [await ask(one, kind, number) for number, kind in enumerate(kinds)]

    assert all(answer["type"] == "error" for answer in asyncio.run(page()))


def test_the_page_moves_on_to_the_next_training(live):
    page = Page(live)
    network().fit(*examples(), epochs=5, callbacks=[live])
    wider = cr.Network([2, cr.Dense(7, "relu"), cr.Dense(2, "softmax")], "cross_entropy", seed=0)
    wider.fit(*examples(), epochs=5, callbacks=[live])

    async def another():
        async with socket_of(live) as one:
            return await receive(one, "description")

    found = asyncio.run(another())
    live.stop()
    page.join()
    assert found["layers"][0]["units"] == 7
    assert [one["layers"][0]["units"] for one in page.of("description")][-1] == 7


def test_each_training_is_said_to_run_and_then_to_have_ended(live):
    told = []
    live._viewer.connect(Client(push=told.append))
    for _ in range(2):
        network().fit(*examples(), epochs=5, callbacks=[live])
    running = [one["running"] for one in told if one["type"] == "status" and one["epochs"] == 5]
    changes = [running[0], *(b for a, b in itertools.pairwise(running) if a != b)]
    assert changes == [True, False, True, False]


def test_a_training_goes_on_after_the_page_was_stopped():
    live = cr.Live(port=0)

    def stop_at_ten(event):
        if isinstance(event, cr.events.EpochEnded) and event.epoch == 10:
            live.stop()

    alone, watched = network(), network()
    alone.fit(*examples(), epochs=50)
    watched.fit(*examples(), epochs=50, callbacks=[live, stop_at_ten])
    assert not live.is_running
    assert np.array_equal(alone.parameters, watched.parameters)


def test_the_address_is_printed_when_the_first_training_begins(capsys):
    live = cr.Live(port=0)
    assert live.url is None
    network().fit(*examples(), epochs=2, callbacks=[live])
    network().fit(*examples(), epochs=2, callbacks=[live])
    assert capsys.readouterr().out == f"chainrule: watch the training at {live.url}\n"
    live.stop()


def test_a_training_that_fails_is_shown_as_failed(live):
    page = Page(live)

    def fail(event):
        if isinstance(event, cr.events.EpochEnded):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        network().fit(*examples(), epochs=5, callbacks=[live, fail])
    live.stop()
    page.join()
    assert page.of("status")[-1]["stopped"] == "failed"


def test_what_cannot_be_shown_is_a_warning_and_no_end_of_the_training(live, monkeypatch):
    def refuse(*arguments, **options):
        raise ValueError("no picture of this")

    monkeypatch.setattr("chainrule.playground.live._subject", refuse)
    net = network()
    with pytest.warns(UserWarning, match="cannot show this training .ValueError: no picture"):
        net.fit(*examples(), epochs=3, callbacks=[live])
    assert net.epochs_trained == 3


def test_copies_such_as_those_of_clone_have_not_started(live):
    from sklearn.base import clone

    network().fit(*examples(), epochs=2, callbacks=[live])
    for one in (copy.deepcopy(live), pickle.loads(pickle.dumps(live))):
        assert one.url is None
        assert one.port == 0
    estimator = clone(cr.MLPClassifier(callbacks=[live], max_iter=2, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(*examples())
    estimator.callbacks[0].stop()


def test_without_the_extra_the_error_says_what_to_install(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "chainrule.playground.installation.find_spec",
        lambda name: None if name == "uvicorn" else found(name),
    )
    told = r"needs the package uvicorn; install it with pip install 'chainrule\[play\]'"
    with pytest.raises(cr.InvalidArgumentError, match=f"^Live: {told}"):
        cr.Live()
    with pytest.raises(cr.InvalidArgumentError, match=f"^play: {told}"):
        cr.play()


def test_a_resumed_training_shows_the_epochs_before_the_interruption(live, tmp_path):
    def interrupt(event):
        if isinstance(event, cr.events.EpochEnded) and event.epoch == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network().fit(
            *examples(), epochs=10, checkpoint=tmp_path / "c", every=1, callbacks=[interrupt]
        )
    network().fit(*examples(), epochs=10, checkpoint=tmp_path / "c", resume=True, callbacks=[live])

    async def page():
        async with socket_of(live) as one:
            return (await ask(one, "history"))["value"], (await ask(one, "weights"))["value"]

    history, weights = asyncio.run(page())
    assert history["epochs"] == list(range(1, 11))
    assert weights["epoch"] == 10
