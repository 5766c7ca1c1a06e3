"""Sessions that only show: a training on arrays, a model with and without a table."""

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.playground.session.base import ReadOnlyError
from chainrule.playground.session.drawn import Drawn, dense_arrays
from chainrule.playground.session.opening import model_viewer, sessions_for_play
from chainrule.playground.session.planes import plane_of
from chainrule.playground.session.snapshot import Snapshot
from chainrule.playground.session.subject import Subject
from chainrule.playground.session.viewer import Viewer
from chainrule.training.events import EpochEnded

from .pages import Page

random = np.random.default_rng(2)
X = random.normal(size=(90, 4)).astype(np.float32)


def table():
    kinds = ["a" if one > 0 else "b" for one in X[:, 0] + X[:, 1]]
    towns = [f"town {i % 3}" for i in range(len(X))]
    return pl.DataFrame({"size": X[:, 0], "age": X[:, 1], "town": towns, "kind": kinds})


@pytest.fixture(scope="module")
def model():
    return cr.train(table(), "kind", epochs=5, layers=[5], verbose=False).model


class Watch:
    """Feeds a viewer from a fit, as `Live` does."""

    def __init__(self, names=None):
        self.names, self.viewer, self.training = names, None, None

    def training_begins(self, training):
        self.training = training
        self.viewer = Viewer(Subject.of_plan(training.plan, self.names), "live")
        self.show(None)

    def __call__(self, event):
        if isinstance(event, EpochEnded):
            self.viewer.epoch(event)
            self.show(event)

    def show(self, event):
        plan, state = self.training.plan, self.training.state
        self.viewer.show(
            Snapshot(
                plan=plan, epoch=state.epochs, step=state.memory.t, optimizer=state.optimizer,
                parameters=state.parameters.copy(), memory=state.memory.copy(),
                penalties=state.penalties, noise_key=state.noise_key, rows=None,
                learning_rate=0.1, ended=event, test=plan.validation,
            )
        )  # fmt: skip


def test_weights_of_groups_are_drawn_where_units_see_each_other():
    layers = (cr.Dense(12), cr.GroupedDense(6, 3), cr.GroupedDense(20, 2), cr.Dense(1, "identity"))
    net = cr.Network([4, *layers], "mse", seed=0)
    drawn = Drawn(net.spec)
    arrays = dense_arrays(net.spec, net.parameters)
    assert [np.shape(layer["W"]) for layer in arrays] == [(12, 4), (6, 12), (20, 6), (1, 20)]
    assert [np.count_nonzero(layer["W"]) for layer in arrays] == [48, 24, 60, 20]
    for (name, layer, row, column), place in zip(drawn.values, drawn.places, strict=True):
        found = arrays[layer - 1][name][row]
        assert net.parameters[place] == (found[column] if name == "W" else found)
    # Of the second layer, six units with four weights each; those of the third group see units
    # 8 to 11, which are not drawn.
    seen = [value[2:] for value in drawn.values if value[:2] == ("W", 2)]
    assert seen == [(row, row // 2 * 4 + k) for row in range(4) for k in range(4)]
    described = [(layer["kind"], layer["layer"], layer["drawn"]) for layer in drawn.to_json()]
    assert described == [("dense", i + 1, list(range(n))) for i, n in enumerate((8, 6, 8, 1))]
    sizes = [place.stop - place.start for place in drawn.weights]
    assert sizes == [W.size for W in net.weights]


def test_members_are_drawn_with_the_shared_weights_that_a_page_changes():
    members = (cr.BatchEnsemble(6, 3, shared_input=True), cr.BatchEnsemble(12, 3))
    net = cr.Network([4, *members, cr.Dense(1, "identity")], "mse", seed=0)
    drawn = Drawn(net.spec)
    arrays = dense_arrays(net.spec, net.parameters)
    assert [np.shape(layer["W"]) for layer in arrays] == [(6, 4), (12, 6), (1, 12)]
    for (name, layer, row, column), place in zip(drawn.values, drawn.places, strict=True):
        found = arrays[layer - 1][name][row]
        assert net.parameters[place] == (found[column] if name == "W" else found)
    assert [place.stop - place.start for place in drawn.weights] == [2 * 4, 4 * 2, 12]


@pytest.mark.parametrize(
    ("output", "cost", "Y", "channels"),
    [
        (cr.Dense(1, "identity"), "mse", X[:, 0] * 2, 1),
        (cr.Dense(1, "sigmoid"), "binary_cross_entropy", (X[:, 0] > 0).astype(float), 1),
        (cr.Dense(3, "softmax"), "cross_entropy", np.arange(90) % 3, 2),
        (cr.Dense(2, "identity"), "absolute_error", X[:, :2], 1),
    ],
)
def test_a_training_on_arrays_is_shown(output, cost, Y, channels):
    watch = Watch(["one", "two", "three", "four"])
    net = cr.Network([4, cr.Dense(3, "tanh"), cr.Dropout(0.1), output], cost=cost, seed=0)
    net.fit(X, Y, epochs=3, validation_split=0.2, callbacks=[watch])
    page = Page(watch.viewer)
    description = page.description
    assert [one["name"] for one in description["inputs"]] == ["one", "two", "three", "four"]
    assert description["output"]["channels"] == channels
    assert description["rows"] == [72, 18]
    frame = page.frame()
    assert frame["epoch"] == 3
    assert frame["values"].tolist()[:4] == pytest.approx(net.weights[0][0].tolist())
    page.ask("view", plane={"kind": "pair", "x": "three", "y": "one"})
    assert page.description["plane"]["columns"] == ["three", "one"]
    size = page.frame()["sizes"][0]
    assert page.frame()["output"].shape == (channels, size, size)
    assert page.ask("history")["epochs"] == [1, 2, 3]
    assert page.ask("travel", epoch=1) == {"epoch": 1}
    assert page.ask("point", index=80)["part"] == "test"
    for kind in ("measures", "inspect"):
        page.ask(kind, example=None)
    watch.viewer.ended("finished")
    assert page.status["stopped"] == "finished"
    for kind in ("configure", "run", "pause", "reset", "step", "speed", "set", "edit"):
        with pytest.raises(ReadOnlyError):
            page.ask(kind)
    watch.viewer.close()


def test_a_model_is_shown_with_the_rows_of_a_table(model):
    viewer = model_viewer(model, table(), ("a note",))
    page = Page(viewer)
    description = page.description
    assert description["rows"] == [0, 90]
    assert description["notes"] == ["a note"]
    assert description["state"] is None
    assert page.frame()["metrics"].tolist() == [
        pytest.approx(model.evaluate(table())["accuracy"], rel=1e-6)
    ]
    predicted = model.predict(table())
    for index in (0, 40, 89):
        point = page.ask("point", index=index)
        assert point["prediction"] == predicted["prediction"][index]
        assert point["row"]["town"] == f"town {index % 3}"
    assert page.ask("measures")["rows"] == 90
    assert page.ask("weights")["layers"][0]["W"] == model.network.weights[0].tolist()
    assert viewer.hello()["read_only"]
    with pytest.raises(InvalidArgumentError, match="code: is not available for"):
        page.ask("code")


def test_a_model_is_shown_without_a_table(model):
    page = Page(model_viewer(model))
    assert page.description["points"]["x"] == []
    assert page.description["metrics"] == []
    frame = page.frame()
    assert np.isnan(frame["test"])
    assert len(frame["metrics"]) == 0
    page.ask("view", plane={"kind": "pair", "x": "age", "y": "size"})
    size = page.frame()["sizes"][0]
    assert page.frame()["output"].shape == (1, size, size)
    with pytest.raises(InvalidArgumentError, match="index: expected a row"):
        page.ask("point", index=0)


def test_a_viewer_without_a_network_says_so():
    viewer = Viewer()
    page = Page(viewer)
    assert viewer.frame(page.client) is None
    for kind in ("weights", "view", "measures", "point"):
        with pytest.raises(InvalidArgumentError, match="there is no network yet"):
            page.ask(kind)


def test_a_note_for_the_columns_that_a_pair_leaves_out(model):
    plane = plane_of(Subject.of_model(model, table()), ("size", "age"))
    assert plane.note.startswith("Other columns are fixed: numbers at their mean, categories")
    with pytest.raises(InvalidArgumentError, match="got 'town'"):
        plane_of(Subject.of_model(model, table()), ("size", "town"))


def test_a_network_with_one_input_has_a_plane_too():
    net = cr.Network([1, cr.Dense(1, "identity")], cost="mse", seed=0)
    watch = Watch()
    net.fit(X[:, :1], X[:, 0], epochs=1, callbacks=[watch])
    page = Page(watch.viewer)
    plane = page.description["plane"]
    assert plane["kind"] == "pca"
    assert plane["y"]["lo"] < plane["y"]["hi"]
    image = page.frame()["output"][0]
    assert (image == image[0]).all()  # nothing changes along y


def test_the_playground_begins_with_a_table_or_a_state(tmp_path):
    sessions = sessions_for_play(table(), "kind", {"settings": {"layers": [3]}})
    try:
        session = sessions.get("0" * 32)
        session.wait_until_ready(60)
        page = Page(session)
        assert page.description["classes"] == ["a", "b"]
        assert page.description["state"]["settings"]["layers"] == [3]
        assert [one["name"] for one in session.hello()["tables"]] == ["table.parquet"]
        other = sessions.get("1" * 32)
        assert other is not session
    finally:
        sessions.close()
    with pytest.raises(InvalidArgumentError, match=r"target: expected a column of table\.parquet"):
        sessions_for_play(table(), "knid")
    with pytest.raises(InvalidArgumentError, match="target: expected a table"):
        sessions_for_play(target="kind")
    with pytest.raises(InvalidArgumentError, match="did you mean 'spiral'"):
        sessions_for_play(state={"data": {"kind": "toy", "name": "sprial"}})


def test_an_uploaded_table_can_be_trained(tmp_path):
    path = tmp_path / "t.csv"
    table().write_csv(path)
    sessions = sessions_for_play()
    try:
        session = sessions.get("0" * 32)
        found = session.upload("mine.csv", path)
        assert found["suggested_target"] == "kind"
        page = Page(session)
        assert page.ask("table", table=found["table"]) == found
        assert [one["name"] for one in page.ask("tables")] == ["mine.csv"]
        data = {"kind": "table", "table": found["table"], "target": "kind"}
        page.ask("configure", state={"data": data})
        session.wait_until_ready(60)
        page.steps("epoch", 1)
        assert page.description["target"] == "kind"
        other = Page(sessions.get("1" * 32))
        assert other.ask("tables") == []  # another page does not see it
    finally:
        sessions.close()
