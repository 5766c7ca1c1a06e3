"""A finished run is trained again to the same bits, or refused with the reason."""

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError, InvalidModelFileError
from chainrule.runs.repetition import repeated


def table_of(rows: int = 120, shift: float = 0.0):
    a, b = np.random.default_rng(0).normal(size=(2, rows))
    return pl.DataFrame({"a": a + shift, "b": b, "kind": np.where(a > b, "over", "under")})


@pytest.fixture
def run(tmp_path):
    """A function that trains and saves a run on a file."""

    def trained(**options):
        table = tmp_path / "table.csv"
        table_of().write_csv(table)
        settings = {"epochs": 3, "layers": [5], "verbose": False} | options
        found = cr.train(table, target="kind", **settings)
        found.save(tmp_path / "run", report=False)
        return found, tmp_path / "run", table

    return trained


@pytest.mark.parametrize("options", [{}, {"optimizer": "lbfgs"}, {"dropout": 0.2, "seed": 5}])
def test_a_run_is_repeated_to_the_bit(run, options):
    found, folder, _ = run(**options)
    recorder = cr.Recorder()
    _, fitted = repeated(folder, [recorder])
    assert np.array_equal(fitted.network.parameters, found.model.network.parameters)
    assert recorder.epochs[0] == 0
    assert len(recorder) == len(found.history) + 1


def test_a_run_that_a_callback_ended_is_repeated_up_to_there(run):
    def stops(event):
        return isinstance(event, cr.events.EpochEnded) and event.epoch == 2

    found, folder, _ = run(epochs=9, callbacks=[stops])
    recorder = cr.Recorder()
    repeated(folder, [recorder])
    assert recorder.epochs == [0, 1, 2]
    assert len(found.history) == 2


def test_a_table_in_memory_must_be_given_again(tmp_path):
    table = table_of()
    run = cr.train(table, target="kind", epochs=2, layers=[5], verbose=False)
    run.save(tmp_path / "run", report=False)
    with pytest.raises(InvalidArgumentError, match="table: expected the table of the run"):
        repeated(tmp_path / "run")
    _, fitted = repeated(tmp_path / "run", table=table)
    assert np.array_equal(fitted.network.parameters, run.model.network.parameters)


def test_a_missing_table_is_named_with_the_remedy(run, tmp_path):
    _, folder, table = run()
    moved = tmp_path / "moved.csv"
    table.rename(moved)
    with pytest.raises(InvalidArgumentError, match=r"cannot be read again .*table\.csv.*name the"):
        repeated(folder)
    repeated(folder, table=moved)


def test_a_table_of_more_rows_has_changed(run):
    _, folder, table = run()
    table_of(130).write_csv(table)
    with pytest.raises(InvalidArgumentError, match=r"run: it has 103 train, .* and had 96 train"):
        repeated(folder)


def test_a_table_of_other_values_gives_other_bits(run):
    _, folder, table = run()
    table_of(shift=np.linspace(0, 1, 120)).write_csv(table)
    with pytest.raises(InvalidArgumentError, match=r"other bits.*table\.csv has changed"):
        repeated(folder)


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(InvalidModelFileError, match=r"without model\.safetensors"):
        repeated(tmp_path)
    net = cr.Network([2, cr.Dense(1, "identity")], "mse", seed=0)
    net.save(tmp_path / "net.safetensors")
    with pytest.raises(InvalidArgumentError, match="not the model of a finished run"):
        repeated(tmp_path / "net.safetensors")
