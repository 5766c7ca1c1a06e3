"""Training a finished run once more."""

import shutil

import numpy as np
import pytest

import chainrule as cr
from chainrule.runs.repetition import Repetition, repeated

SETTINGS = {"target": "price", "epochs": 8, "layers": [4], "verbose": False}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "houses.csv"
    random = np.random.default_rng(0)
    rows = (f"{size:.3f},{2 * size + noise:.3f}" for size, noise in random.normal(size=(200, 2)))
    path.write_text("\n".join(["size,price", *rows]))
    return path


@pytest.fixture(scope="module")
def folder(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    cr.train(table, **SETTINGS).save(folder, report=False)
    return folder


def test_the_same_network_is_trained_to_the_bit(folder):
    seen = []
    _, fitted = repeated(folder, [seen.append])
    assert np.array_equal(fitted.network.parameters, cr.load(folder).network.parameters)
    assert sum(isinstance(event, cr.events.EpochEnded) for event in seen) == 8


def test_a_run_that_a_callback_ended_is_ended_there(table, tmp_path):
    def until_three(event):
        return isinstance(event, cr.events.EpochEnded) and event.epoch == 3

    cr.train(table, **SETTINGS, callbacks=[until_three]).save(tmp_path, report=False)
    repetition = Repetition.of(tmp_path)
    assert repetition.epochs == 3
    _, fitted = repeated(tmp_path)
    assert len(fitted.history) == 3


def test_the_table_of_a_run_in_memory_has_to_be_given(table, tmp_path):
    import polars as pl

    frame = pl.read_csv(table)
    cr.train(frame, **SETTINGS).save(tmp_path, report=False)
    with pytest.raises(cr.InvalidArgumentError, match="which was in memory; got none"):
        repeated(tmp_path)
    repeated(tmp_path, table=frame)


def test_a_table_that_is_missing_or_has_changed_is_named(table, folder, tmp_path):
    moved = tmp_path / "moved.csv"
    with pytest.raises(cr.InvalidArgumentError, match=r"cannot be read again .*moved\.csv"):
        repeated(folder, table=moved)
    lines = table.read_text().splitlines()
    moved.write_text("\n".join(lines[:-20]))
    with pytest.raises(cr.InvalidArgumentError, match=r"moved\.csv has changed since the run: it"):
        repeated(folder, table=moved)
    moved.write_text("\n".join([lines[0], *["0.5,7.0"] * 20, *lines[21:]]))
    with pytest.raises(cr.InvalidArgumentError, match=r"different.*moved\.csv has changed since"):
        repeated(folder, table=moved)
    shutil.copy(table, moved)
    repeated(folder, table=moved)


def test_what_no_run_wrote_is_refused(tmp_path):
    net = cr.Network([1, cr.Dense(1, "identity")], cost="mse")
    net.save(tmp_path / "net.safetensors")
    with pytest.raises(cr.InvalidArgumentError, match="is not the model of a finished run"):
        Repetition.of(tmp_path / "net.safetensors")


def test_a_run_of_this_process_is_repeated_from_its_rows(table):
    import polars as pl

    run = cr.train(pl.read_csv(table), **SETTINGS)
    repetition = Repetition.of_run(run)
    fitted = repetition.prepared.train(repetition.callbacks)
    repetition.check(fitted.network.parameters)


@pytest.mark.parametrize("calibrate", ["off", "on"])
def test_parameters_are_compared_before_a_temperature_is_fitted_too(calibrate, tmp_path):
    from chainrule.training.fit import fit

    random = np.random.default_rng(1)
    sizes = random.normal(size=300)
    kinds = np.where(sizes + random.normal(size=300) > 0, "large", "small")
    rows = (f"{size:.3f},{kind}" for size, kind in zip(sizes, kinds, strict=True))
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["size,kind", *rows]))
    cr.train(table, target="kind", epochs=5, calibrate=calibrate, verbose=False).save(
        tmp_path / "run", report=False
    )
    repetition = Repetition.of(tmp_path / "run")
    description = repetition.prepared.description()
    plan = description.plan(description.network())
    fit(plan)
    repetition.check_uncalibrated(plan.problem.parameters)
    plan.problem.parameters[0] += 1
    with pytest.raises(cr.InvalidArgumentError, match="a different network"):
        repetition.check_uncalibrated(plan.problem.parameters)


@pytest.mark.parametrize("options", [{"optimizer": "lbfgs"}, {"dropout": 0.2, "seed": 5}])
def test_runs_of_any_kind_are_repeated_with_what_watches_them(options, table, tmp_path):
    run = cr.train(table, **(SETTINGS | options))
    run.save(tmp_path, report=False)
    recorder = cr.Recorder()
    _, fitted = repeated(tmp_path, [recorder])
    assert np.array_equal(fitted.network.parameters, run.model.network.parameters)
    assert recorder.epochs[0] == 0
    assert len(recorder) == len(run.history) + 1
