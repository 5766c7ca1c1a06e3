"""Frames, read by a decoder of their own, against predictions of the trained model."""

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.model.network import Network
from chainrule.playground.data.samples import sample_table
from chainrule.playground.data.tables import OwnTables
from chainrule.playground.session.downloads import model_of

from .pages import decoded, page_of

XOR = {"data": {"kind": "toy", "name": "xor", "noise": 5}, "settings": {"layers": [5, 3]}}


def model_shown(page):
    return model_of(page.session._trained, page.session._ready())


def middles(axis, size):
    width = (axis["hi"] - axis["lo"]) / size
    return axis["lo"] + width * (0.5 + np.arange(size))


def plane_points(page, size):
    plane = page.description["plane"]
    x, y = middles(plane["x"], size), middles(plane["y"], size)[::-1]
    return np.tile(x, size), np.repeat(y, size)


def toy_rows(x, y):
    # Rounded as the toys' tables are.
    x, y = x.round(6), y.round(6)
    columns = {"x1": x, "x2": y, "x1_squared": x * x, "x2_squared": y * y, "x1_times_x2": x * y}
    columns |= {"sin_x1": np.sin(x), "sin_x2": np.sin(y)}
    return pl.DataFrame({name: values.round(6) for name, values in columns.items()})


def test_the_output_map_of_two_classes_is_the_probability_of_the_second_one():
    with page_of({**XOR, "inputs": ["x1", "x1_times_x2", "sin_x2"]}) as page:
        page.steps("epoch", 30)
        frame = page.frame()
        size = frame["sizes"][0]
        predicted = model_shown(page).predict(toy_rows(*plane_points(page, size)))
        expected = predicted["probability_plus"].to_numpy().reshape(size, size) * 255
        # A byte is half a unit away at most.
        assert np.abs(frame["output"][0] - expected).max() <= 0.5 + 1e-3


def test_the_output_map_of_values_goes_over_the_range_of_the_targets():
    with page_of({"data": {"kind": "toy", "name": "multi-gauss"}, "inputs": ["x1", "x2"]}) as page:
        page.steps("epoch", 10)
        frame, output = page.frame(), page.description["output"]
        size = frame["sizes"][0]
        predicted = model_shown(page).predict(toy_rows(*plane_points(page, size)))["prediction"]
        share = (predicted.to_numpy() - output["lo"]) / (output["hi"] - output["lo"])
        expected = np.clip(share, 0, 1).reshape(size, size) * 255
        assert np.abs(frame["output"][0] - expected).max() <= 0.5 + 1e-3


def test_the_output_map_of_many_classes_has_the_class_and_its_probability():
    with page_of({"data": {"kind": "sample", "name": "iris"}}) as page:
        page.ask("view", plane={"kind": "pair", "x": "petal length (cm)", "y": "petal width (cm)"})
        page.steps("epoch", 20)
        frame, session = page.frame(), page.session
        size = frame["sizes"][0]
        x, y = plane_points(page, size)
        means = session._trained.prepared.parts.train.mean()
        rows = pl.DataFrame(
            {
                "sepal length (cm)": np.full(len(x), means["sepal length (cm)"][0]),
                "sepal width (cm)": np.full(len(x), means["sepal width (cm)"][0]),
                "petal length (cm)": x,
                "petal width (cm)": y,
            }
        )
        probabilities = model_shown(page).probabilities(rows)
        best, sure = probabilities.argmax(axis=1), probabilities.max(axis=1) * 255
        top = np.sort(probabilities, axis=1)
        clear = top[:, -1] - top[:, -2] > 1e-4  # rounding may decide the others
        assert (frame["output"][0].ravel() == best)[clear].all()
        assert np.abs(frame["output"][1].ravel() - sure).max() <= 0.5 + 0.01


def test_on_the_plane_of_components_the_map_is_the_prediction_for_moved_inputs():
    with page_of({"data": {"kind": "sample", "name": "wdbc"}}) as page:
        assert page.description["plane"]["kind"] == "pca"
        page.steps("epoch", 3)
        frame, session = page.frame(), page.session
        size = frame["sizes"][0]
        X = session._trained.prepared.training.X.astype(np.float64)
        center = X.mean(axis=0)
        _, _, directions = np.linalg.svd(X - center, full_matrices=False)
        directions = directions[:2] * np.sign(
            np.take_along_axis(directions[:2], np.abs(directions[:2]).argmax(axis=1)[:, None], 1)
        )
        x, y = plane_points(page, size)
        moved = (center + np.column_stack([x, y]) @ directions).astype(np.float32)
        network = model_shown(page).network
        expected = network.predict(moved)[:, 0].reshape(size, size) * 255
        assert np.abs(frame["output"][0] - expected).max() <= 0.5 + 0.05
        points = page.description["points"]
        inside = [
            one for one, part in zip(points["index"], points["part"], strict=True) if not part
        ]
        at = {index: place for place, index in enumerate(points["index"])}
        coordinates = (X[inside] - center) @ directions.T
        shown = np.array([(points["x"][at[i]], points["y"][at[i]]) for i in inside])
        assert np.allclose(shown, coordinates, atol=1e-4, rtol=1e-4)


def hidden_of(model, layers, X):
    """Return the activations of some layer, by a network that ends with it."""
    spec = model.network.spec
    kept = cr.Network([spec.n_features, *spec.layers[:layers]], cost="mse", seed=0)
    kept.parameters[:] = model.network.parameters[: len(kept.parameters)]
    return kept.predict(X.astype(spec.dtype))


def test_unit_maps_and_the_detail_map_are_the_units_activations():
    with page_of(XOR) as page:
        page.ask("view", detail={"layer": 2, "unit": 1})
        page.steps("epoch", 10)
        frame, model = page.frame(), model_shown(page)
        _, size, large = frame["sizes"]
        assert frame["units"].shape == (5 + 3 + 1, size, size)
        X = model.encoder.encode(toy_rows(*plane_points(page, size)))
        expected = np.hstack([hidden_of(model, layers, X) for layers in (1, 2, 3)]).T
        for (low, high), image, unit in zip(frame["ranges"], frame["units"], expected, strict=True):
            assert (low, high) == pytest.approx((unit.min(), unit.max()), rel=1e-5, abs=1e-6)
            shown = low + (high - low) * image.ravel() / 255
            assert np.abs(shown - unit).max() <= (high - low) / 255 * 0.51
        assert frame["detail"] == (2, 1)
        X = model.encoder.encode(toy_rows(*plane_points(page, large)))
        unit, (low, high) = hidden_of(model, 2, X)[:, 1], frame["detail_range"]
        shown = low + (high - low) * frame["detail_map"].ravel() / 255
        assert np.abs(shown - unit).max() <= (high - low) / 255 * 0.51


def test_values_are_the_drawn_weights_in_the_order_of_the_description():
    with page_of(XOR) as page:
        page.steps("epoch", 2)
        frame, weights = page.frame(), page.ask("weights")["layers"]
        drawn = page.description["drawn_values"]
        expected = [
            weights[one["layer"] - 1]["W"][one["row"]][one["column"]]
            if one["name"] == "W"
            else weights[one["layer"] - 1]["b"][one["row"]]
            for one in drawn
        ]
        assert frame["values"].tolist() == expected
        assert len(drawn) == 2 * 5 + 5 + 5 * 3 + 3 + 3 + 1


def test_backward_frames_have_the_gradients_of_the_training_rows():
    with page_of({**XOR, "settings": {"layers": [5, 3], "l2": 2.0}}) as page:
        page.ask("view", signal="backward")
        page.steps("epoch", 3)
        frame, session = page.frame(), page.session
        snapshot, model = session._ready(), model_shown(page)
        X, Y = snapshot.examples.X, snapshot.examples.Y  # 250 rows: no sample is needed
        strength = 2.0 / len(X)
        _, gradient = Network.loss_and_gradient(model.network, X, Y, l2=strength)
        W = views_of(model.network, gradient)
        expected = []
        for one in page.description["drawn_values"]:
            w, b = W[one["layer"] - 1]
            expected.append(w[one["row"], one["column"]] if one["name"] == "W" else b[one["row"]])
        assert np.allclose(frame["gradients"], expected, rtol=1e-4, atol=1e-7)
        norms = [np.linalg.norm(w) for w, _ in W]
        assert np.allclose(frame["weight_norms"], norms, rtol=1e-4)
        # δ of the output unit is p − y, whose size is known from the predictions.
        p = model.network.predict(X)[:, 0]
        assert frame["errors"][-1] == pytest.approx(np.abs(p - Y[:, 0]).mean(), rel=1e-4)


def views_of(network, vector):
    found, at = [], 0
    for n_in, n_out in zip(network.spec.sizes, network.spec.sizes[1:], strict=False):
        W = vector[at : at + n_in * n_out].reshape(n_out, n_in)
        found.append((W, vector[at + n_in * n_out : at + n_in * n_out + n_out]))
        at += n_in * n_out + n_out
    return found


def test_losses_and_metrics_are_those_of_the_history():
    with page_of(XOR) as page:
        page.steps("epoch", 4)
        frame, history = page.frame(), page.ask("history")
        assert history["epochs"] == [1, 2, 3, 4]
        norms = [history["gradient_norm"][f"layer {layer}"][-1] for layer in (1, 2, 3)]
        assert frame["weight_norms"].tolist() == pytest.approx(norms, rel=1e-6)
        assert frame["train"] == np.float32(history["train"][-1])
        assert frame["test"] == np.float32(history["test"][-1])
        model, parts = model_shown(page), page.session._trained.prepared.parts
        assert frame["metrics"].tolist() == pytest.approx(
            [model.evaluate(parts.train)["accuracy"], model.evaluate(parts.validation)["accuracy"]],
            rel=1e-6,
        )
        assert history["metrics"]["test accuracy"][-1] == pytest.approx(frame["metrics"][1])


def test_within_an_epoch_the_losses_are_those_of_all_rows():
    state = {"data": {"kind": "toy", "name": "spiral", "rows": 5_000}, "settings": {"layers": [4]}}
    with page_of(state) as page:
        page.steps("epoch", 1)
        page.steps("batch", 3)
        frame, parts = page.frame(), page.session._trained.prepared.parts
        train, held_out = (
            model_shown(page).evaluate(part) for part in (parts.train, parts.validation)
        )
        assert frame["train"] == pytest.approx(train["log_loss"], rel=1e-6)
        assert frame["test"] == pytest.approx(held_out["log_loss"], rel=1e-6)
        assert frame["metrics"].tolist() == pytest.approx(
            [train["accuracy"], held_out["accuracy"]], rel=1e-6
        )


@pytest.mark.parametrize(
    "settings",
    [
        {"layers": [], "optimizer": "adam"},
        {"layers": [200, 100, 50]},
        {"layers": [9] * 6, "batch_norm": True, "dropout": [0.2]},
        {"layers": [3] * 20, "optimizer": "adam", "ema_decay": 0.9},
        {"layers": [64], "activation": "relu", "loss": "focal"},
    ],
)
@pytest.mark.parametrize("backward", [False, True])
def test_frames_of_any_network_are_small(settings, backward):
    with page_of({"data": {"kind": "toy", "name": "spiral"}, "settings": settings}) as page:
        signal = "backward" if backward else "forward"
        page.ask("view", signal=signal, detail={"layer": 1, "unit": 0})
        page.steps("epoch", 1)
        frame = page.frame()  # the decoder asks for at most 8,192 bytes
        drawn = [unit for layer in page.description["layers"] for unit in layer["drawn"]]
        assert len(frame["units"]) == len(drawn)
        assert len(frame["values"]) == len(page.description["drawn_values"])
        assert min(frame["sizes"][:2]) >= 4


def test_categories_dates_and_embeddings_have_frames_too(tmp_path):
    rows = 300
    random = np.random.default_rng(0)
    table = pl.DataFrame(
        {
            "size": random.normal(size=rows),
            "age": [None if i % 5 == 2 else i % 90 for i in range(rows)],
            "town": [f"town {i % 9}" for i in range(rows)],
            "big": random.random(rows) < 0.5,
            "day": pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 10, 26), eager=True),
            "kind": [("a", "b", "c")[i % 3] for i in range(rows)],
        }
    )
    path = tmp_path / "t.parquet"
    table.write_parquet(path)
    for settings in ({}, {"embed_above": 4, "batch_norm": True}):
        tables = OwnTables()
        own = tables.add(path, "t.parquet")
        data = {"kind": "table", "table": own.identity, "target": "kind"}
        with page_of({"data": data, "settings": settings | {"epochs": 3}}, tables) as page:
            page.ask("view", plane={"kind": "pair", "x": "size", "y": "age"})
            assert "most frequent" in page.description["plane"]["note"]
            page.steps("epoch", 2)
            frame, model = page.frame(), model_shown(page)
            size = frame["sizes"][0]
            x, y = plane_points(page, size)
            train = page.session._trained.prepared.parts.train
            typical = {
                name: train[name].mode().sort()[0]
                for name in ("town", "big", "day")
                if train[name].value_counts()["count"].sort()[-1] > 0
            }
            whole = pl.DataFrame({"size": x, "age": y}).with_columns(
                **{name: pl.lit(value) for name, value in typical.items() if name != "day"}
            )
            # Where values are equally frequent, any of them may be taken: compare over all days.
            found = frame["output"][0].ravel()
            days = train["day"].unique()
            assert any(
                (model.probabilities(whole.with_columns(day=pl.lit(day))).argmax(axis=1) == found)
                .mean() > 0.99
                for day in days
            )  # fmt: skip


def test_a_diverged_network_still_has_a_frame():
    state = {"data": {"kind": "toy", "name": "plane"}, "settings": {"learning_rate": 1e8}}
    with page_of(state) as page:
        page.train_to_the_end()
        assert page.status["stopped"] == "diverged"
        assert page.frame()["epoch"] == page.status["epoch"]


def test_input_maps_are_the_inputs_over_the_plane():
    import base64

    with page_of({"data": {"kind": "toy", "name": "xor"}, "inputs": ["x1", "x2_squared"]}) as page:
        maps = page.description["input_maps"]
        size = maps["size"]
        model = model_shown(page)
        X = model.encoder.encode(toy_rows(*plane_points(page, size)))
        for one, column in zip(maps["maps"], X.T, strict=True):
            image = np.frombuffer(base64.b64decode(one["data"]), np.uint8)
            shown = one["lo"] + (one["hi"] - one["lo"]) * image / 255
            assert np.abs(shown - column).max() <= (one["hi"] - one["lo"]) / 255 * 0.51


def test_a_sample_s_points_have_their_classes():
    with page_of({"data": {"kind": "sample", "name": "iris"}}) as page:
        points, table = page.description["points"], sample_table("iris")
        assert len(points["x"]) == 150
        assert page.description["classes"] == ["setosa", "versicolor", "virginica"]
        for index, target in list(zip(points["index"], points["target"], strict=True))[::20]:
            point = page.ask("point", index=index)
            assert point["target"] == page.description["classes"][target]
            row = {name: point["row"][name] for name in table.columns}
            assert table.filter(pl.all_horizontal(pl.col(k) == v for k, v in row.items())).height


def test_a_view_that_is_chosen_while_a_frame_is_drawn_gets_a_frame_of_its_own(monkeypatch):
    with page_of(XOR) as page:
        session, encode = page.session, page.session._scene.encode

        def encode_late(*arguments):
            monkeypatch.setattr(session._scene, "encode", encode)
            page.ask("view", detail={"layer": 1, "unit": 2})
            return encode(*arguments)

        monkeypatch.setattr(session._scene, "encode", encode_late)
        page.client.seen = -1
        assert decoded(session.frame(page.client).data)["sizes"][2] == 0
        assert decoded(session.frame(page.client).data)["detail"] == (1, 2)
        assert session.frame(page.client) is None


def test_maps_of_a_table_with_very_many_inputs_are_smaller(monkeypatch):
    with page_of({"data": {"kind": "sample", "name": "digits"}}) as page:
        usual, inputs = page.frame()["sizes"], 64
        monkeypatch.setattr(
            "chainrule.playground.session.frames._MOST_OF_A_GRID", 16**2 * inputs * 4
        )
        page.session._frames.clear()
        output, units, _ = page.frame()["sizes"]
        assert output <= 16 < usual[0]
        assert units <= 16


def test_a_loss_beyond_single_precision_is_infinite_in_a_frame(monkeypatch):
    with page_of(XOR) as page:
        measured = page.session._scene.measured
        huge = {"train_loss": 1e300, "gradient_norm": 1e39}
        monkeypatch.setattr(
            page.session._scene, "measured", lambda *given: measured(*given)._replace(**huge)
        )
        page.session._measured = None
        page.session._frames.clear()
        frame = page.frame()
        assert frame["train"] == frame["gradient_norm"] == np.inf
