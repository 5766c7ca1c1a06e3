"""Consumers of events: the progress line and the CSV log."""

import csv
import io
import os
import stat
import sys

import pytest

import chainrule as cr
from chainrule.training.consumers import CSVLog
from chainrule.training.events import EpochEnded, StepsEnded, Stopped, TrainingStarted
from chainrule.training.progress import Progress
from chainrule.training.progress_text import describe


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    """Variables by which rich is told what a terminal is, whatever the file says."""
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def epoch(number, loss=0.5):
    return EpochEnded(number, loss, 0.0, 0.1, 1.0, 2.0)


def events(epochs):
    yield TrainingStarted(epochs, 2, 3, 4, "reference")
    for number in range(1, epochs + 1):
        yield StepsEnded(number, 1, 2, 0.5)
        yield epoch(number)
    yield Stopped(epochs, "finished")


def show(file, epochs):
    progress = Progress(file)
    for event in events(epochs):
        progress(event)
    return file.getvalue()


def small_fit(**arguments):
    net = cr.Network([1, cr.Dense(1, "identity")], cost="mse", seed=0)
    return net.fit([[1.0], [2.0]], [2.0, 3.0], **{"epochs": 3, **arguments})


def test_outside_a_terminal_progress_is_plain_lines():
    lines = show(io.StringIO(), 3).splitlines()
    assert [line.split() for line in lines] == [
        ["epoch", f"{n}/3", "loss", "0.5"] for n in (1, 2, 3)
    ]


def test_a_long_training_prints_about_a_dozen_lines():
    lines = show(io.StringIO(), 1000).splitlines()
    assert [line.split()[1].partition("/")[0] for line in lines] == [
        "1",
        *(str(n) for n in range(100, 1001, 100)),
    ]


def test_no_epochs_print_nothing():
    assert show(io.StringIO(), 0) == ""


def test_in_a_terminal_progress_is_a_live_line():
    shown = show(Terminal(), 3)
    assert "epoch 3/3" in shown
    assert "loss 0.5" in shown
    assert "\x1b[" in shown


def test_the_live_line_ends_with_the_training():
    before, terminal = (sys.stdout, sys.stderr), Terminal()
    show(terminal, 2)
    assert (sys.stdout, sys.stderr) == before
    assert terminal.getvalue().endswith("\x1b[?25h")  # the cursor is shown again


def test_a_progress_can_watch_one_training_after_the_other():
    file = io.StringIO()
    progress = Progress(file)
    for _ in range(2):
        for event in events(2):
            progress(event)
    shown = [line.split()[1] for line in file.getvalue().splitlines()]
    assert shown == ["1/2", "2/2", "1/2", "2/2"]


def test_an_epoch_is_described_by_its_losses_and_metrics():
    described = describe(
        EpochEnded(1, 0.25, 0.0, 0.1, 1.0, 2.0, {"accuracy": 0.5}, 0.75, {"accuracy": 1.0})
    )
    assert described == "loss 0.25 (val 0.75)  accuracy 0.5 (val 1)"


def test_a_small_loss_is_not_described_as_zero():
    assert float(describe(epoch(1, loss=1.25e-6)).removeprefix("loss ")) == 1.25e-6


def test_a_quiet_fit_prints_nothing(capfd, engine_name):
    small_fit(engine=engine_name)
    assert capfd.readouterr() == ("", "")


def test_a_verbose_fit_leaves_standard_output_to_results(capfd, engine_name):
    small_fit(verbose=True, engine=engine_name)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("epoch") == 3


def test_an_error_in_a_verbose_fit_gives_the_terminal_back(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    before = sys.stdout

    def fail(event):
        if isinstance(event, EpochEnded):
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match=r"^mine$"):
        small_fit(verbose=True, callbacks=[fail])
    assert sys.stdout is before
    assert sys.stderr is terminal
    assert terminal.getvalue().endswith("\x1b[?25h")  # the cursor is shown again


def test_a_csv_log_equals_the_history(tmp_path, engine_name):
    history = small_fit(callbacks=[CSVLog(tmp_path / "log.csv")], engine=engine_name)
    history.to_csv(tmp_path / "history.csv")
    assert (tmp_path / "log.csv").read_text() == (tmp_path / "history.csv").read_text()


def test_a_csv_log_has_a_row_as_soon_as_an_epoch_ended(tmp_path):
    path, log = tmp_path / "log.csv", CSVLog(tmp_path / "log.csv")
    rows = []
    for event in events(3):
        log(event)
        with path.open(newline="") as file:
            rows.append(len(list(csv.DictReader(file))))
    assert rows == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_csv_log_starts_anew_with_each_training(tmp_path):
    path, log = tmp_path / "log.csv", CSVLog(str(tmp_path / "log.csv"))
    for _ in range(2):
        for event in events(2):
            log(event)
        with path.open(newline="") as file:
            assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]


def test_a_csv_log_of_a_training_that_fails_keeps_its_epochs(tmp_path):
    def fail(event):
        if isinstance(event, EpochEnded) and event.epoch == 2:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match=r"^mine$"):
        small_fit(callbacks=[CSVLog(tmp_path / "log.csv"), fail])
    with (tmp_path / "log.csv").open(newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]


@pytest.mark.skipif(os.name != "posix", reason="links and permissions of POSIX")
def test_a_log_is_a_new_file_with_the_old_ones_mode(tmp_path):
    (tmp_path / "log.csv").write_text("precious")
    (tmp_path / "log.csv").chmod(0o600)
    os.link(tmp_path / "log.csv", tmp_path / "backup.csv")
    small_fit(callbacks=[CSVLog(tmp_path / "log.csv")])
    assert (tmp_path / "backup.csv").read_text() == "precious"
    assert (tmp_path / "log.csv").read_text().startswith("epoch,loss,")
    assert stat.S_IMODE((tmp_path / "log.csv").stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="devices of POSIX")
def test_a_log_in_a_device_leaves_it_a_device():
    small_fit(callbacks=[CSVLog(os.devnull)])
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def ended(stopped, epochs=4):
    file = io.StringIO()
    progress = Progress(file)
    for event in [*events(epochs)][:-1]:
        progress(event)
    progress(stopped)
    return file.getvalue().splitlines()


@pytest.mark.parametrize(
    ("stopped", "text"),
    [
        (
            Stopped(3, "converged", 1, 2, "validation loss"),
            "stopped after 3 epochs: no better validation loss since epoch 1, "
            "whose weights are kept",
        ),
        (
            # The learning rate was reduced in epoch 50, from where the patience counts anew.
            Stopped(72, "converged", 6, 11, "validation loss"),
            "stopped after 72 epochs: no better validation loss since epoch 6, "
            "whose weights are kept",
        ),
        (
            Stopped(30, "converged", None, 10, "training loss"),
            "stopped after 30 epochs: no better training loss for 10 epochs",
        ),
        (Stopped(1, "callback"), "stopped after 1 epoch by a callback"),
        (Stopped(4, "finished", 2), "weights of epoch 2 kept"),
    ],
)
def test_the_last_line_says_how_a_training_ended(stopped, text):
    assert ended(stopped)[-1] == text


@pytest.mark.parametrize("best", [None, 4])
def test_a_training_that_ended_as_planned_says_nothing_more(best):
    assert ended(Stopped(4, "finished", best))[-1].startswith("epoch 4/4")


def test_early_stopping_says_so_with_the_epoch_whose_weights_are_kept(capfd, engine_name):
    history = cr.Network([1, cr.Dense(1, "identity")], cost="mse", seed=0).fit(
        [[1.0], [2.0]], [1.0, 2.0], epochs=500, optimizer=cr.SGD(0.05), verbose=True,
        validation_data=([[1.0]], [0.5]), early_stopping=3, engine=engine_name,
    )  # fmt: skip
    last = history.events[-1]
    assert last.reason == "converged"
    assert (last.best_epoch, last.stale) == (history.best_epoch, last.epochs - history.best_epoch)
    line = capfd.readouterr().err.splitlines()[-1]
    assert line == (
        f"stopped after {last.epochs} epochs: no better validation loss since epoch "
        f"{history.best_epoch}, whose weights are kept"
    )


def test_metrics_of_the_validation_data_alone_are_described():
    event = EpochEnded(1, 0.25, 0.0, 0.1, 1.0, 2.0, {}, 0.75, {"accuracy": 1.0})
    assert describe(event) == "loss 0.25 (val 0.75)  val accuracy 1"
