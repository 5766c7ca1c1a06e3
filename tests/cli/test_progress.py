import io
import json
import os
import pty
import re
import subprocess
import sys

import pytest

from chainrule.cli.progress import JSONLines, PlainProgress, Watch
from chainrule.training.events import EpochEnded, Resumed, Stopped, TrainingStarted


def epoch(number, loss, validation):
    return EpochEnded(
        number, loss, 0.0, 0.1, 1.0, 0.5, {}, validation, {"accuracy": 0.25 * number}, loss
    )


def in_a_terminal(*arguments):
    """Run the command line with standard error in a terminal, and return what it showed there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "chainrule", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "COLUMNS": "150", "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # how Linux says that the other side is closed
            piece = b""
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait(timeout=60) == 0
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())


def test_a_terminal_shows_a_line_that_follows_the_training(wdbc, tmp_path):
    shown = in_a_terminal(
        *("train", wdbc, "--target", "diagnosis", "--epochs", 5, "--no-report", "--out", tmp_path)
    )
    last = [line for line in re.split(r"[\r\n]+", shown) if line.startswith("epoch ")][-1]
    assert last.startswith("epoch 5/5 ")
    for word in ("loss", "validation", "accuracy", "best", "rows/s", "00:00"):
        assert word in last


def test_a_terminal_shows_a_table_of_the_best_trials(wdbc, tmp_path):
    shown = in_a_terminal(
        *("train", wdbc, "--target", "diagnosis", "--epochs", 1, "--no-report", "--out", tmp_path),
        *("--search", 3),
    )
    assert "3 trials, " in shown
    for heading in ("trial", "loss", "epochs", "seconds", "settings", "learning_rate"):
        assert heading in shown


def test_plain_lines_come_for_the_first_the_last_and_some_epochs(capsys):
    progress = PlainProgress(True)
    progress(TrainingStarted(40, 3, 96, 10, "native"))
    for number in range(1, 28):
        progress(epoch(number, 1 / number, 1 + abs(number - 9)))
    progress(Stopped(27, "converged"))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[1] for line in lines[:-1]] == [
        *("1/40", "4/40", "8/40", "12/40", "16/40", "20/40", "24/40", "27/40")
    ]
    assert "best 1 in epoch 9" in lines[-2]
    assert lines[-1] == "stopped after 27 epochs: no improvement"


def test_what_lies_behind_a_resumed_training_counts():
    watch = Watch(True)
    watch(TrainingStarted(10, 3, 96, 10, "native"))
    watch(Resumed((epoch(1, 1.0, 0.5), epoch(2, 1.0, 0.25)), 6))
    watch(epoch(3, 1.0, 0.75))
    assert watch.done == 3
    assert watch.best.epoch == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_has_no_number_that_is_none(value):
    text = io.StringIO()
    JSONLines(text)(epoch(1, value, 0.5))
    line = json.loads(text.getvalue())
    assert line["event"] == "epoch"
    assert line["loss"] is None
    assert line["validation_loss"] == 0.5
