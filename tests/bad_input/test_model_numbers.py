"""Numbers in a model file that no training writes: a sentence or finite numbers, and no warning."""

import contextlib
import dataclasses
import warnings

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import ChainruleError
from chainrule.model.explanation import explain_row
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
        words += ["--task", "regression", "--no-report", "--quiet", "--out", folder / kind]
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
        found = explain_row(model, rows[place : place + 1])
        parts = [(c.gradient_times_input, c.integrated_gradients) for c in found.columns]
        return np.array([found.value, found.reference_value, *np.ravel(parts)])

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


@pytest.mark.parametrize("number", [10**400, -(10**400), 1e308])
def test_a_mean_input_that_no_input_holds_is_passed_over(trained, number, tmp_path):
    table, models = trained
    model = cr.load(models["none"])
    details = {**model.details, "mean_input": [number] * len(model.details["mean_input"])}
    model.details = details
    row = model.read(table).table[1:2]
    assert isinstance(row, pl.DataFrame)
    assert np.isfinite(explain_row(model, row).reference_value)
