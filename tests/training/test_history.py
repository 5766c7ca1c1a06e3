"""The history as columns, rows and CSV."""

import csv
import functools
import os
import stat

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.training.events import EpochEnded, StepsEnded, Stopped, TrainingStarted
from chainrule.training.history import History, csv_text

COLUMNS = [
    "epoch",
    "loss",
    "validation_loss",
    "accuracy",
    "rmse",
    "validation_accuracy",
    "validation_rmse",
    "penalty",
    "learning_rate",
    "gradient_norm",
    "seconds",
]


def history_of(*events):
    history = History()
    for event in events:
        history(event)
    return history


@pytest.fixture
def fitted(engine_name):
    random = np.random.default_rng(0)
    X, Y = random.standard_normal((20, 3)), random.integers(0, 2, 20)
    net = cr.Network([3, cr.Dense(2, "softmax")], cost="cross_entropy", seed=0)
    return net.fit(
        X, Y, epochs=4, batch_size=6, l2=0.1, engine=engine_name,
        validation_data=(X[:5], Y[:5]), metrics=["accuracy", "rmse"],
        optimizer=cr.Adam(lambda t: 0.1 / 3 / t),
    )  # fmt: skip


def test_columns_hold_a_number_for_each_epoch(fitted):
    assert fitted.columns == list(fitted) == COLUMNS
    assert len(fitted) == 4
    for column in COLUMNS:
        assert column in fitted
        assert len(fitted[column]) == 4
    assert fitted["epoch"] == [1, 2, 3, 4]
    assert fitted["seconds"] == [epoch.seconds for epoch in fitted.epochs]


def test_an_unknown_column_is_refused_with_the_names_that_exist(fitted):
    assert "auc" not in fitted
    with pytest.raises(InvalidArgumentError, match=r"^column: expected one of epoch, .*got 'auc'$"):
        fitted["auc"]


def test_every_number_reads_back_exactly_from_csv(fitted, tmp_path):
    fitted.to_csv(tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == COLUMNS
    for column in COLUMNS:
        assert [float(row[column]) for row in rows] == fitted[column]


def test_a_column_whose_name_holds_a_comma_reads_back_from_csv(tmp_path):
    def share(outputs, targets, at, of):
        return 0.25

    metric = functools.partial(share, at=1, of=2)
    net = cr.Network([1, cr.Dense(1, "identity")], cost="mse", seed=0)
    history = net.fit([[1.0]], [2.0], epochs=1, metrics=[metric])
    history.to_csv(tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(newline="") as file:
        header, row = csv.reader(file)
    assert header == history.columns
    assert len(row) == len(header)


@pytest.mark.parametrize("value", [0.1, 1e-300, 5e-324, 1.7976931348623157e308, 1 / 3, -0.0])
def test_extreme_numbers_read_back_exactly(value):
    epoch = EpochEnded(1, value, 0.0, 0.1, 1.0, 2.0)
    header, row = csv.reader(csv_text([epoch]).splitlines())
    read = float(row[header.index("loss")])
    assert np.float64(read).tobytes() == np.float64(value).tobytes()


def test_epochs_without_validation_have_no_columns_for_it():
    assert history_of(EpochEnded(1, 0.5, 0.0, 0.1, 1.0, 2.0)).columns == [
        "epoch",
        "loss",
        "penalty",
        "learning_rate",
        "gradient_norm",
        "seconds",
    ]


def test_an_empty_history_has_no_columns_and_writes_an_empty_file(tmp_path):
    history = History()
    assert (len(history), history.columns, history.stopped) == (0, [], "")
    assert repr(history) == "History(no epochs)"
    history.to_csv(tmp_path / "empty.csv")
    assert (tmp_path / "empty.csv").read_text() == ""
    with pytest.raises(InvalidArgumentError, match=r"^column: "):
        history["loss"]


def test_events_are_kept_without_the_steps_inside_epochs():
    started, ended = TrainingStarted(1, 2, 3, 4, "x"), EpochEnded(1, 0.5, 0.0, 0.1, 1.0, 2.0)
    stopped = Stopped(1, "finished")
    history = history_of(started, StepsEnded(1, 1, 2, 0.5), ended, stopped)
    assert history.events == [started, ended, stopped]
    assert history.epochs == [ended]
    assert history.stopped == "finished"


def test_its_representation_shows_the_last_epoch():
    history = history_of(EpochEnded(1, 0.5, 0.0, 0.1, 1.0, 2.0))
    assert repr(history).startswith("History(1 epochs; last: epoch=1, loss=0.5, ")


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_csv_file_is_replaced_whole_and_keeps_its_mode(fitted, tmp_path):

    (tmp_path / "h.csv").write_text("old")
    (tmp_path / "h.csv").chmod(0o600)
    os.link(tmp_path / "h.csv", tmp_path / "backup.csv")
    fitted.to_csv(tmp_path / "h.csv")
    assert stat.S_IMODE((tmp_path / "h.csv").stat().st_mode) == 0o600
    assert (tmp_path / "backup.csv").read_text() == "old"
