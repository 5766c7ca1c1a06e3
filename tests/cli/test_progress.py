import io
import json
import os
import pty
import re
import subprocess
import sys

import pytest

from chainrule.cli.progress import JSONLines, PlainProgress
from chainrule.cli.progress_line import Watch, fitted_line
from chainrule.training.events import EpochEnded, Resumed, StepsEnded, Stopped, TrainingStarted


def epoch(number, loss, validation):
    return EpochEnded(
        number, loss, 0.0, 0.1, 1.0, 0.5, {}, validation, {"accuracy": 0.25 * number}, loss
    )


def in_a_terminal(*arguments, columns=150):
    """Run the command line with standard error in a terminal, and return what it showed there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "chainrule", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm"},
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


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_a_terminal_shows_a_line_that_follows_the_training(wdbc, tmp_path, columns):
    shown = in_a_terminal(
        *("train", wdbc, "--target", "diagnosis", "--epochs", 5, "--no-report", "--out", tmp_path),
        columns=columns,
    )
    lines = [line for line in re.split(r"[\r\n]+", shown) if re.match("(epoch )?[0-9]+/5", line)]
    assert all(len(line) < columns for line in lines)
    last = lines[-1]
    assert re.search(r"5/5 .*accuracy [0-9.]+%", last)
    assert re.search(r"in 0:[0-9]{2}", last)
    if columns >= 60:
        assert "━━━" in last
        assert re.search(r"best [0-9.]+%", last)
    if columns >= 80:
        assert re.search(r"best [0-9.]+% in epoch [1-5]", last)
    assert ("rows/s" in last) == (columns >= 120)
    assert "\\x1b" not in shown


@pytest.mark.parametrize("name", ["accuracy", "rmse"])
@pytest.mark.parametrize("epochs", [9, 200, 12345])
def test_no_width_breaks_a_word_of_the_line(name, epochs):
    time = iter(range(100))
    watch = Watch(True, lambda: float(next(time)))
    watch(TrainingStarted(epochs, 3, 96, 10, "native"))
    for number in range(1, 5):
        watch(EpochEnded(number, 1.0, 0.0, 0.1, 1.0, 0.5, {}, 1 / number, {name: 0.25 * number}))
    parts = watch.parts()
    wordings = {wording for part in parts for wording in part.wordings}
    before = 0
    for width in range(1, 200):
        line = fitted_line(parts, watch.share, width, "#", "-")
        assert len(line) <= width
        texts = [text for text in line.split("  ") if set(text) - {"#", "-"}]
        assert set(texts) <= wordings
        assert len(texts) >= before  # a wider line says no less
        before = len(texts)
    assert before == len(parts)


def test_the_line_says_scores_in_the_target_s_units_and_the_time_left():
    now = [0.0]
    watch = Watch(True, lambda: now[0])
    watch(TrainingStarted(100, 3, 96, 10, "native"))
    for number, (loss, rmse) in enumerate([(0.5, 17.25), (0.25, 12.5), (0.75, 21.0)], start=1):
        now[0] = 20.0 * number
        watch(EpochEnded(number, 1.0, 0.0, 0.1, 1.0, 0.5, {}, loss, {"rmse": rmse}))
    line = fitted_line(watch.parts(), watch.share, 80, "#", "-")
    assert re.fullmatch(r"epoch 3/100  -+  RMSE 21  best 12.5 in epoch 2  32:20 left  loss 1", line)
    watch(Stopped(3, "converged"))
    assert "  in 1:00" in fitted_line(watch.parts(), watch.share, 80, "#", "-")


def test_a_second_training_begins_a_new_count():
    watch = Watch(True)
    for _ in range(2):
        watch(TrainingStarted(2, 3, 96, 10, "native"))
        watch(epoch(1, 1.0, 0.5))
    assert (watch.done, watch.best.epoch) == (1, 1)


def test_a_terminal_shows_a_table_of_the_best_trials(wdbc, tmp_path):
    shown = in_a_terminal(
        *("train", wdbc, "--target", "diagnosis", "--epochs", 1, "--no-report", "--out", tmp_path),
        *("--search", 3),
    )
    assert re.search(r"3 trials  0:\d\d elapsed", shown)
    for heading in ("trial", "loss", "epochs", "seconds", "settings", "--learning-rate"):
        assert heading in shown


def test_plain_lines_come_for_the_first_the_last_and_some_epochs(capsys):
    progress = PlainProgress(True)
    progress(TrainingStarted(40, 3, 96, 10, "native"))
    for number in range(1, 28):
        progress(epoch(number, 1 / number, 1 + abs(number - 9)))
    progress(Stopped(27, "converged", 9, 18, "validation loss"))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[1] for line in lines[:-1]] == [
        *("1/40", "4/40", "8/40", "12/40", "16/40", "20/40", "24/40", "27/40")
    ]
    assert "best 1 in epoch 9" in lines[-2]
    assert lines[-1] == (
        "stopped after 27 epochs: no better validation loss since epoch 9, whose weights are kept"
    )


def test_within_a_long_epoch_there_is_a_plain_line_every_half_a_minute(capsys):
    now = [100.0]
    progress = PlainProgress(True, clock=lambda: now[0])
    progress(TrainingStarted(2, 1000, 8_000_000, 10, "native"))
    for steps in range(10, 1000, 10):  # a second for 80,000 rows
        now[0] += 1.0
        progress(StepsEnded(1, steps, 1000, 0.75))
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "epoch 1/2  2.4M of 8M rows  loss 0.75  80k rows/s  2:50 left",
        "epoch 1/2  4.8M of 8M rows  loss 0.75  80k rows/s  2:20 left",
        "epoch 1/2  7.2M of 8M rows  loss 0.75  80k rows/s  1:50 left",
    ]


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
