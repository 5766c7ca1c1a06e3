"""Numbers in a model file that no training writes: a sentence or finite numbers, and no warning."""

import contextlib
import dataclasses
import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ChainruleError
from chainrule.model.background import Background
from chainrule.report.page import report_of
from chainrule.training.history import History

EXTREME = (1e308, -1e308, 5e-324, -0.0, 1e-310)
PLACES = [
    *(("x", name) for name in ("fill", "center", "scale")),
    *(("when", name) for name in ("year_center", "year_scale")),
    *(("target", name) for name in ("mean", "std")),
    *(("transform", name) for name in ("center", "spread", "low", "high", "rise", "fall")),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from typer.testing import CliRunner

    from chainrule.cli.app import app

    folder = tmp_path_factory.mktemp("numbers")
    random = np.random.default_rng(0)
    lines = ["x,when,y"]
    for i, x in enumerate(random.normal(size=80)):
        x = "" if i % 9 == 0 else f"{x:.3f}"
        lines.append(f"{x},{2000 + i % 20}-{i % 12 + 1:02d}-{i % 28 + 1:02d},{i % 7 + 0.5}")
    table = folder / "t.csv"
    table.write_text("\n".join(lines) + "\n")
    models = {}
    for kind in ("none", "asinh"):
        words = ["train", table, "--target", "y", "--target-transform", kind, "--epochs", "2"]
        words += ["--task", "regression", "--layers", "8,4", "--no-report", "--quiet"]
        words += ["--out", folder / kind]
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == 0, result.stderr
        models[kind] = folder / kind / "model.safetensors"
    return table, models


def with_number(model, place, name, value):
    """Put a number into a model."""
    if place == "target":
        model.target = dataclasses.replace(model.target, **{name: value})
    elif place == "transform":
        transform = dataclasses.replace(model.target.transform, **{name: value})
        model.target = dataclasses.replace(model.target, transform=transform)
    else:
        model.encoder.columns_ = tuple(
            dataclasses.replace(column, **{name: value}) if column.name == place else column
            for column in model.encoder.columns_
        )


def answers(model, table, folder):
    """Return functions that each give numbers that are to be finite."""
    rows = model.read(table).table

    def explained(place):
        found = model.explain(rows, rows=place + 1).rows[0]
        return np.array([found.value, found.baseline, *(one.effect for one in found.effects)])

    def reported():
        parts = {"train": rows[:50], "validation": rows[50:60], "test": rows[60:]}
        report_of(model, parts, history=History(), command="")
        return np.zeros(1)

    def exported(to, name):
        cr.export(model, folder / name, to)
        return np.zeros(1)

    yield lambda: model.predict(table)["prediction"].to_numpy()
    yield lambda: np.array([v for v in model.evaluate(table).values() if v is not None])
    yield lambda: explained(0)
    yield lambda: explained(1)
    yield reported
    yield lambda: exported("c", "m.c")
    yield lambda: exported("numpy", "m.py")


@pytest.mark.parametrize("value", EXTREME)
@pytest.mark.parametrize(("place", "name"), PLACES)
def test_an_extreme_number_is_a_sentence_or_gives_finite_ones(
    trained, place, name, value, tmp_path
):
    table, models = trained
    model = cr.load(models["asinh" if place == "transform" else "none"])
    with_number(model, place, name, value)
    path = tmp_path / "m.safetensors"
    model.save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            loaded = cr.load(path)
        except ChainruleError:
            return
        for answer in answers(loaded, table, tmp_path):
            with contextlib.suppress(ChainruleError):
                assert np.isfinite(answer()).all()


@pytest.mark.parametrize("number", [10**400, -(10**400), 1e308, "1", True, None])
def test_a_mean_input_that_no_input_holds_is_passed_over(trained, number, tmp_path):
    table, models = trained
    model = cr.load(models["none"])
    model.details = {**model.details, "mean_input": [number] * model.network.spec.n_features}
    model.background = None
    path = tmp_path / "m.safetensors"
    model.save(path)
    with pytest.raises(cr.InvalidArgumentError, match="holds no summary of its training rows"):
        cr.load(path).explain(table, 1)


def test_a_file_of_an_earlier_version_is_explained_against_its_mean_input(trained, tmp_path):
    table, models = trained
    model = cr.load(models["none"])
    n = model.network.spec.n_features
    model.details = {**model.details, "mean_input": [0.25] * n}
    model.background = None
    path = tmp_path / "m.safetensors"
    model.save(path)
    found = cr.load(path).explain(table, 1).rows[0]
    outputs = model.network.predict(np.full((1, n), 0.25, np.float32))
    assert found.baseline == pytest.approx(model.target.decode_values(outputs)[0], rel=1e-5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("inputs", np.full((2, 3), np.nan, np.float32)),
        ("inputs", np.zeros((0, 3), np.float32)),
        ("inputs", np.zeros(3, np.float32)),
        ("inputs", np.zeros((2, 3), np.float64)),
        ("counts", np.array([0.0, 3.0])),
        ("counts", np.array([1.5, 3.0])),
        ("counts", np.array([np.inf, 3.0])),
        ("counts", np.ones((2, 1))),
        ("counts", np.ones(2, np.float32)),
    ],
)
def test_a_background_that_cannot_be_is_refused(name, value):
    arrays = {
        "background.inputs": np.zeros((2, 3), np.float32),
        "background.counts": np.ones(2),
        f"background.{name}": value,
    }
    with pytest.raises(cr.InvalidModelFileError, match="its background cannot be used"):
        Background.from_file(arrays, {}, 3)


def test_a_background_of_another_width_is_refused():
    arrays = {"background.inputs": np.zeros((2, 3), np.float32), "background.counts": np.ones(2)}
    with pytest.raises(cr.InvalidModelFileError, match="finite numbers of float32, 4 a row"):
        Background.from_file(arrays, {}, 4)
