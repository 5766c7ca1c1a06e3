"""chainrule train --shared: several processes, of which one is killed, and mistakes."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

import chainrule as cr

TRIALS = 16
SETTINGS = ("--layers", "8", "--batch-size", "8", "--epochs", "40", "--threads", "1")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    path.write_text("a,y\n" + "".join(f"{i % 13},{i % 13 * 2}.5\n" for i in range(80)))
    return path


@pytest.fixture(scope="module")
def command(table, tmp_path_factory):
    """A search in a folder, which no process has begun yet."""
    folder = tmp_path_factory.mktemp("shared") / "run"
    settings = ("--no-report", "--search", TRIALS, "--shared", "--out", folder)
    return [str(word) for word in ("train", table, "--target", "y", *SETTINGS, *settings)], folder


def entries_of(folder):
    """Return the whole entries of a journal that is being written; none without a journal."""
    path = folder / "search.journal"
    content = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in content.splitlines(keepends=True) if line[-1:] == b"\n"]


def workers_of(entries, operation):
    return {entry["worker_id"] for entry in entries if entry["op_code"] == operation}


def kill_without_lock(process, lock):
    """Kill a process while it trains: a lock that it leaves would keep the others for 15 s."""
    while process.poll() is None:
        process.send_signal(signal.SIGSTOP)
        for _ in range(10):
            time.sleep(0.01)
            if not lock.exists():  # or it is that of the other process, which releases it
                process.kill()
                return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.003)


@pytest.fixture(scope="module")
def outcome(chainrule, command):
    """What a process says of a search that it shares with two others, of which one is killed."""
    if not hasattr(signal, "SIGSTOP"):
        pytest.skip("the system stops no processes")
    words, folder = command
    start = [sys.executable, "-m", "chainrule", *words, "--quiet"]
    killed, other = (subprocess.Popen(start, stderr=subprocess.PIPE, text=True) for _ in range(2))
    try:
        # Both have begun a trial, or the faster one has begun the last one.
        until = time.monotonic() + 60
        while time.monotonic() < until:
            entries = entries_of(folder)
            begun = [entry for entry in entries if entry["op_code"] == 4]
            if len(workers_of(entries, 4)) > 1 or len(begun) == TRIALS:
                break
            time.sleep(0.01)
        kill_without_lock(killed, folder / "search.journal.lock")
        here = chainrule(*words)
        _, errors = other.communicate(timeout=60)
    finally:
        for process in (killed, other):
            process.kill()
            process.communicate()
    assert here.code == other.returncode == 0, here.err + errors
    return here


def test_processes_share_the_trials_and_one_writes_the_result(outcome):
    assert re.search(
        r"^\d+ trials have ended; (the result is in|another process writes the result to) "
        rf"|^Best of ({TRIALS}|{TRIALS + 1}) trials: ",
        outcome.out,
        re.MULTILINE,
    )


@pytest.mark.usefixtures("outcome")
def test_each_trial_ends_once_and_one_that_was_killed_never(command):
    _, folder = command
    entries = entries_of(folder)
    ended = [entry["trial_id"] for entry in entries if entry["op_code"] == 6]
    assert len(set(ended)) == len(ended)
    # Two that end at the same moment both count; the default is tried again if it was killed.
    assert TRIALS <= len(ended) <= TRIALS + 2
    assert len(workers_of(entries, 4)) > 1


@pytest.mark.usefixtures("outcome")
def test_the_folder_is_that_of_a_whole_run(command, table):
    _, folder = command
    assert sorted(os.listdir(folder)) == [
        "history.csv",
        "metrics.json",
        "model.safetensors",
        "run.toml",
        "search.journal",
        "test_predictions.csv",
    ]
    metrics = json.loads((folder / "metrics.json").read_text())
    found = cr.load(folder / "model.safetensors").evaluate(table)
    assert found["rows"] == 80
    assert found["rmse"] > 0
    assert metrics["test"]["rows"] == 8


@pytest.mark.usefixtures("outcome")
def test_a_finished_search_is_neither_trained_nor_written_again(chainrule, command):
    words, folder = command
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = chainrule(*words)
    assert again.code == 0
    assert f"the result is in {folder}" in again.out
    del before[folder / "search.journal"]
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())


@pytest.mark.usefixtures("outcome")
def test_another_table_option_or_mode_is_refused_in_one_sentence(chainrule, command, tmp_path):
    words, folder = command
    content = (folder / "search.journal").read_bytes()
    other = tmp_path / "other.csv"
    other.write_text("a,y\n" + "".join(f"{i % 11},{i % 11 * 2}.5\n" for i in range(80)))
    refused = chainrule("train", other, *words[2:]).sentence
    assert "began with another training data: 64 × 1 inputs" in refused
    refused = chainrule(*words, "--seed", 1).sentence
    assert "--shared: " in refused
    assert "holds another search; give the target, options and seed" in refused
    alone = [word for word in words if word != "--shared"]
    assert "began with --shared; add --shared to take part" in chainrule(*alone).sentence
    assert (folder / "search.journal").read_bytes() == content


def test_a_folder_of_another_run_is_refused(chainrule, table, tmp_path):
    arguments = ["train", table, "--target", "y", "--layers", 4, "--epochs", 1, "--quiet"]
    arguments += ["--no-report", "--out", tmp_path / "run", "--search", 1]
    assert chainrule(*arguments).code == 0
    content = (tmp_path / "run" / "search.journal").read_bytes()
    assert "began without it; leave --shared out" in chainrule(*arguments, "--shared").sentence
    assert (tmp_path / "run" / "search.journal").read_bytes() == content
    (tmp_path / "run" / "search.journal").unlink()
    assert "holds another run; choose another --out" in chainrule(*arguments, "--shared").sentence


def test_an_interrupted_process_leaves_its_trial_to_others(chainrule, table, tmp_path, monkeypatch):
    from chainrule.runs.shared_study import SharedStudy

    def interrupted(self, begun, outcome):
        raise KeyboardInterrupt

    monkeypatch.setattr(SharedStudy, "end", interrupted)
    words = ["train", table, "--target", "y", *SETTINGS, "--no-report", "--quiet"]
    words += ["--search", 2, "--shared", "--out", tmp_path / "run"]
    first = chainrule(*words)
    assert first.code == 130
    assert "0 trials have ended, and the same command takes part in the search again" in first.err
    assert not (tmp_path / "run" / "model.safetensors").exists()
    monkeypatch.undo()
    assert chainrule(*words).code == 0
    # The interrupted trial had the default settings, which are tried again.
    assert len([entry for entry in entries_of(tmp_path / "run") if entry["op_code"] == 6]) == 3
    assert (tmp_path / "run" / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "run"], "--shared: expected --search N"),
        (["--out", "run", "--time-limit", "5s"], "--shared: expected --search N"),
        (["--search", 3], "--shared: expected --out DIR"),
        (["--search", 3, "--out", "run", "--overwrite"], "leave --overwrite out"),
        (["--search", 3, "--out", "run", "--workers", 2], "leave --workers out"),
    ],
)
def test_options_that_cannot_be_shared_are_refused_before_training(
    chainrule, table, tmp_path, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    assert message in chainrule("train", table, "--target", "y", "--shared", *options).sentence
    assert not list(tmp_path.iterdir())
