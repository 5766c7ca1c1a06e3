"""A system that gives a command few threads, or none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule.cli import limits
from chainrule.errors import ChainruleError

WDBC = Path(__file__).parents[2] / "examples" / "wdbc.csv"

# Runs the command line as a user whose processes may be so many; root has no limit. (Files are
# still read with the rights of root: the interpreter may lie where others cannot read.)
LIMITED = """
import ctypes, os, sys, threading
try:
    import resource
except ImportError:
    sys.exit(77)
if os.geteuid() == 0:
    os.setgroups([])
    os.setresuid(64322, 64322, 0)
    ctypes.CDLL(None).setfsuid(0)
    os.access = lambda *_, **__: True
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
try:
    threading.Thread(target=int).start()
    sys.exit(77)
except RuntimeError:
    pass
"""
RUN = """
sys.argv[:2] = ["chainrule"]
from chainrule.cli import main
main()
"""


def outcome(processes, *arguments):
    """Run a command where a user may have so many processes and threads in all."""
    if os.name != "posix" or sys.platform != "linux":
        pytest.skip("the limit is one of Linux")
    if processes > 1 and os.geteuid() != 0:
        pytest.skip("an ordinary user's other processes would count")
    limited = LIMITED.replace("(1, 1)", f"(1, {processes})")
    limited += f"resource.setrlimit(resource.RLIMIT_NPROC, ({processes}, {processes}))"
    result = subprocess.run(
        [sys.executable, "-c", limited + RUN, "", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=200,
    )
    if result.returncode == 77:
        pytest.skip("this system does not hold this user to a limit of processes")
    return result


def test_no_thread_at_all_is_said_in_a_sentence(tmp_path):
    result = outcome(1, "train", WDBC, "--target", "diagnosis", "--out", tmp_path / "run")
    assert result.returncode == 2
    assert result.stderr.startswith("chainrule: train: needs ")
    assert "ulimit -u" in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert not (tmp_path / "run").exists()


def test_what_needs_no_table_works_without_another_thread():
    result = outcome(1, "info")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("threads", [limits.LEAST, limits.LEAST + 4])
def test_few_threads_give_the_same_predictions(threads, model, chainrule, tmp_path):
    usual = tmp_path / "usual.csv"
    assert chainrule("predict", model, WDBC, "-o", usual).code == 0
    result = outcome(1 + threads, "predict", model, WDBC, "-o", "/dev/stdout")
    assert (result.returncode, result.stderr.count("\n")) == (0, 1), result.stderr
    assert result.stdout == usual.read_text(encoding="utf-8")


@pytest.fixture
def few(monkeypatch):
    """Let the system seem to give so many threads, in an environment that says nothing."""
    environment = {"POLARS_MAX_THREADS": "7"}
    monkeypatch.setattr(limits.os, "environ", environment)
    monkeypatch.setattr(limits, "_is_limited", lambda: True)

    def give(threads):
        monkeypatch.setattr(limits, "_startable", lambda most: min(threads, most))
        return environment

    return give


def test_what_a_user_has_set_stays(few):
    environment = few(limits.LEAST)
    limits.fit_to_limits(["predict"])
    assert environment["POLARS_MAX_THREADS"] == "7"
    assert environment["OPENBLAS_NUM_THREADS"] == "1"


def test_enough_threads_change_nothing(few):
    environment = few(10**6)
    limits.fit_to_limits(["train"])
    assert environment["POLARS_MAX_THREADS"] == "7"
    assert "OPENBLAS_NUM_THREADS" not in environment


@pytest.mark.parametrize("arguments", [["info"], [], ["train", "--help"], ["--version"]])
def test_only_what_reads_a_table_is_refused(few, arguments):
    few(0)
    limits.fit_to_limits(arguments)
    with pytest.raises(ChainruleError, match="allows only 0"):
        limits.fit_to_limits(["--debug", "train", "t.csv"])


def test_the_limits_of_control_groups_are_read(tmp_path):
    (tmp_path / "pids.max").write_text("12\n")
    assert list(limits._pids_limits(tmp_path)) == [12]
    (tmp_path / "pids.max").write_text("max\n")
    assert list(limits._pids_limits(tmp_path)) == []


def test_as_many_threads_as_there_are_are_counted_and_ended():
    import threading

    before = threading.active_count()
    assert limits._startable(3) == 3
    assert threading.active_count() == before
