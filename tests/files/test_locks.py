"""A lock that lasts as long as its process, and no longer."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from chainrule.errors import CheckpointInUseError, FileWriteError
from chainrule.files import locks
from chainrule.files.locks import FileLock

HOLD = (
    "import sys; from pathlib import Path; from chainrule.files.locks import FileLock\n"
    "lock = FileLock(Path(sys.argv[1])); lock.acquire('x'); print('held', flush=True)\n"
    "sys.stdin.read()"
)


def holding(path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_is_refused_while_another_process_has_it_and_names_that(tmp_path):
    process = holding(tmp_path / "lock")
    with pytest.raises(
        CheckpointInUseError, match=rf"run is in use.*\(process {process.pid}\); wait for it to end"
    ):
        FileLock(tmp_path / "lock").acquire("run")
    process.communicate()
    lock = FileLock(tmp_path / "lock")
    lock.acquire("run")
    lock.release()


def test_a_killed_process_holds_nothing(tmp_path):
    process = holding(tmp_path / "lock")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (tmp_path / "lock").read_text() == str(process.pid)
    lock = FileLock(tmp_path / "lock")
    lock.acquire("run")
    assert (tmp_path / "lock").read_text() == str(os.getpid())
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_releasing_twice_or_without_having_it_is_no_error(tmp_path):
    lock = FileLock(tmp_path / "lock")
    lock.release()
    lock.acquire("run")
    lock.release()
    lock.release()


def test_a_file_that_is_removed_while_it_is_locked_leaves_no_two_owners(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    first, second = FileLock(path), FileLock(path)
    first.acquire("run")
    take = locks._take
    asked = []

    def released_meanwhile(descriptor):
        # Whoever had it lets go after this one has opened the file.
        if not asked:
            first.release()
        asked.append(descriptor)
        return take(descriptor)

    monkeypatch.setattr(locks, "_take", released_meanwhile)
    second.acquire("run")
    assert len(asked) == 2
    with pytest.raises(CheckpointInUseError):
        FileLock(path).acquire("run")
    second.release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="takes fork")
def test_a_forked_child_does_not_keep_the_lock_of_a_dead_parent(tmp_path):
    code = (
        "import os, sys, time; from pathlib import Path\n"
        "from chainrule.files.locks import FileLock\n"
        "lock = FileLock(Path(sys.argv[1])); lock.acquire('x')\n"
        "if os.fork(): os._exit(0)\n"
        "print('alone', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout.readline() == "alone\n"
    process.wait()
    lock = FileLock(tmp_path / "lock")
    lock.acquire("run")
    lock.release()
    process.stdin.close()
    process.stdout.close()


def test_a_file_system_without_locks_is_worked_on_with_a_warning(tmp_path, monkeypatch):
    def unknown(descriptor):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(locks, "_take", unknown)
    lock = FileLock(tmp_path / "lock")
    with pytest.warns(RuntimeWarning, match="does not support locks; make sure that no second"):
        lock.acquire("run")
    lock.release()


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
@pytest.mark.parametrize("how", ["link", "hard link", "file", "dangling link", "pipe"])
def test_what_is_no_lock_is_refused_and_stays_what_it_is(tmp_path, how):
    precious, path = tmp_path / "precious", tmp_path / "lock"
    if how != "dangling link":
        precious.write_text("precious")
    if how == "file":
        path.write_text("precious")
    elif how == "hard link":
        os.link(precious, path)
    elif how == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("precious")
    with pytest.raises(FileWriteError, match=r"--out: .*lock (is|exists) .*choose another --out"):
        FileLock(path).acquire("run", argument="--out")
    assert os.path.lexists(path)
    assert precious.exists() == (how != "dangling link")
    assert not precious.exists() or precious.read_text() == "precious"
    assert how != "file" or path.read_text() == "precious"


def test_a_lock_that_someone_exchanged_is_left_where_it_is(tmp_path):
    lock = FileLock(tmp_path / "lock")
    lock.acquire("run")
    (tmp_path / "lock").unlink()
    (tmp_path / "lock").write_text("precious")
    lock.release()
    assert (tmp_path / "lock").read_text() == "precious"
