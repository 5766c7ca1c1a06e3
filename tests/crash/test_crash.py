"""Whatever ends a training, at whatever moment: it goes on to the same bits."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from itertools import chain, product
from pathlib import Path

import pytest

from chainrule.files.checkpoint_store import CheckpointStore
from tests.crash.faults import IO, NO_SPACE, nth, system_error
from tests.crash.processes import Session, run

ROOT = Path(__file__).parents[2]

# A process that has trained has threads, which a fork loses: these tests fork from a fresh one.
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="takes fork")

# Writes after steps 40, 80, 120 and 160 of 180, and one at the end.
CASE, EVERY = "adam", 40


# Forks itself for each request, so that imports are paid once; it never trains.
SERVER = """
import json, os, signal, sys, traceback
from tests.crash import test_crash
for line in sys.stdin:
    name, arguments, output = json.loads(line)
    child = os.fork()
    if child == 0:
        code = 1
        signal.alarm(300)
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        try:
            getattr(test_crash, name)(*arguments)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def in_a_fresh_process(tmp_path_factory):
    """Run a function of this module in a process in which nothing has trained before."""
    output = tmp_path_factory.mktemp("fresh") / "output"
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(ROOT)])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:

        def run_it(name, *arguments):
            print(json.dumps([name, arguments, str(output)]), file=server.stdin, flush=True)
            answer = server.stdout.readline()
            told = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
            assert answer == "0\n", told

        yield run_it
        server.stdin.close()


def test_trainings_that_are_killed_at_random_moments_end_with_the_same_bits(in_a_fresh_process):
    in_a_fresh_process("kill_some")


def kill_some():
    from tests.crash.harness import kill

    tally = kill(12, seed=1, most_each=2)
    assert tally.kills >= 12
    assert not tally.failures, tally.failures


def writes_of_a_training(folder):
    """Return the calls of the system of each write of an undisturbed training."""
    told = run(Session(CASE, folder, EVERY, fault=lambda *_: None))
    assert told.digest, told.error
    writes = []
    for call, following in zip(told.calls, [*told.calls[1:], ""], strict=True):
        if (call, following) == ("open", "write"):
            writes.append([])
        writes[-1].append(call)
    assert len(writes) == 5
    for write in writes:
        renames = ["replace"] if write == writes[0] else ["replace"] * 2
        end = ["fsync", "close", *renames, "open", "fsync", "close"]
        assert write == ["open", *["write"] * (len(write) - len(end) - 1), *end]
    return writes


def goes_on_to(expected, folder, written):
    """Check that a training in a folder goes on from what was written, and ends as expected."""
    told = run(Session(CASE, folder, EVERY, threads=2))
    assert told.digest == expected, told.error
    assert (told.resumed or 0) >= max([0, *written]), (told.resumed, written)


def test_a_kill_at_any_call_of_the_system_loses_nothing(tmp_path, in_a_fresh_process):
    in_a_fresh_process("kill_at_every_call", str(tmp_path))


def kill_at_every_call(folder):
    folder = Path(folder)
    expected = run(Session(CASE, None)).digest
    # Before every call of the first two writes, which is after the one before it, and in the
    # middle of what is written.
    calls = [*chain(*writes_of_a_training(folder / "whole")[:2]), "open"]
    for place, how in product(range(len(calls)), ("kill", "short, then kill")):
        if how != "kill" and calls[place] != "write":
            continue
        run_folder = folder / f"{place} {how}"
        told = run(
            Session(
                CASE, run_folder, EVERY, fault=lambda _, k, n, p=place, h=how: h if k == p else None
            )
        )
        assert told.killed, (place, how, told)
        goes_on_to(expected, run_folder, told.checkpoints)


def test_short_writes_are_gone_on_with(tmp_path, in_a_fresh_process):
    in_a_fresh_process("write_shortly", str(tmp_path))


def write_shortly(folder):
    expected = run(Session(CASE, None)).digest
    told = run(
        Session(
            CASE,
            Path(folder),
            EVERY,
            fault=lambda name, k, n: "short" if name == "write" and k % 2 else None,
        )
    )
    assert told.digest == expected
    goes_on_to(expected, Path(folder), told.checkpoints)


FAULTS = {
    "a full disk at the first byte": ("write", 0, NO_SPACE),
    "a full disk in the middle": ("write", 3, NO_SPACE),
    "a fault of the disk": ("write", 2, IO),
    "a file that is not synchronised": ("fsync", 0, IO),
    "a folder that is not synchronised": ("fsync", 1, IO),
    "a file that cannot be made": ("open", 0, errno.EACCES),
    "the first rename fails": ("replace", 0, errno.EACCES),
    "the second rename fails": ("replace", 1, IO),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_write_that_fails_ends_the_run_with_the_last_checkpoint_intact(
    tmp_path, fault, in_a_fresh_process
):
    in_a_fresh_process("fail", str(tmp_path), fault)


def fail(folder, fault):
    name, number, code = FAULTS[fault]
    expected = run(Session(CASE, None)).digest
    writes = writes_of_a_training(Path(folder) / "whole")
    for write in range(3):
        at = [*chain(*writes[:write])].count(name) + number
        if name == "replace" and write == 0:  # which has one rename
            at = 0
        run_folder = Path(folder) / str(write)
        told = run(Session(CASE, run_folder, EVERY, fault=nth(name, at, system_error(code))))
        assert not told.digest
        assert told.error.startswith("CheckpointWriteError: checkpoint: "), told.error
        assert os.strerror(code) in told.error
        assert "resume=True" in told.error
        assert ("MiB" in told.error) == (code == NO_SPACE)
        assert told.checkpoints == [40, 80, 120][:write]
        if write:
            assert "is intact" in told.error
            store = CheckpointStore(run_folder / "ckpt")
            assert store.load() is not None
            store.close()
        assert not (run_folder / "ckpt.partial").exists()
        goes_on_to(expected, run_folder, told.checkpoints)


def test_a_disk_that_is_really_full_ends_the_run_with_a_clear_error(tmp_path):
    # The system's own limit on the size of a file, and no stand-in.
    code = (
        "import os, resource, signal, sys\n"
        "from tests.crash.cases import CASES\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "def enough(event):\n"
        "    if type(event).__name__ == 'Checkpointed':\n"
        "        size = os.path.getsize(event.path) + 8\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))\n"
        f"CASES['adam'](checkpoint={str(tmp_path / 'ckpt')!r}, every=1, callbacks=[enough])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert "CheckpointWriteError: checkpoint: " in last
    assert "File too large; the last one, " in last
    store = CheckpointStore(tmp_path / "ckpt")
    assert store.load() is not None
    store.close()


CHILD = """
import sys, chainrule as cr, numpy as np
from chainrule.training.events import Checkpointed
X = np.random.default_rng(0).normal(size=(2000, 20)); y = (X[:, 0] > 0).astype(int)
net = cr.Network([20, cr.Dense(64, "relu"), cr.Dense(2, "softmax")], "cross_entropy", seed=0)
def tell(event):
    print(type(event).__name__, getattr(event, "step", ""), flush=True)
def train():
    net.fit(X, y, epochs=10**6, batch_size=8, checkpoint=sys.argv[1], every="1h", resume=True,
            callbacks=[tell])
if sys.argv[2] == "asked":
    with cr.stop_at_checkpoint():
        train()
else:
    train()
"""


def signalled(tmp_path, number, asked="asked", times=1):
    """Send a training a signal; return its exit status and what it told."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "ckpt"), asked],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    told = [process.stdout.readline().split()]
    while told[-1] and told[-1][0] not in ("StepsEnded", "EpochEnded"):
        told.append(process.stdout.readline().split())
    for _ in range(times):
        process.send_signal(number)
        time.sleep(0.001)
    out, err = process.communicate(timeout=60)
    return process.returncode, told + [line.split() for line in out.splitlines()], err


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_writes_a_checkpoint_and_ends_as_it_does_for_everyone(tmp_path, number, status):
    code, told, err = signalled(tmp_path, number)
    # Python ends itself by the signal after a KeyboardInterrupt, which shells call 130.
    assert code in (status, -number), err
    assert told[-1][0] == "Checkpointed"
    step = int(told[-1][1])
    code, told, err = signalled(tmp_path, number)
    assert told[1] == ["Resumed", str(step)]
    assert int(told[-1][1]) > step


def test_a_second_signal_ends_at_once(tmp_path):
    code, told, _ = signalled(tmp_path, signal.SIGINT, times=2)
    assert code in (-signal.SIGINT, 130)
    assert told[-1][0] in ("StepsEnded", "EpochEnded", "Checkpointed")


def test_a_second_process_is_refused_until_the_first_is_dead(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "ckpt"), "asked"],
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    second = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "ckpt"), "asked"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 1
    last = second.stderr.strip().splitlines()[-1]
    assert last.startswith("chainrule.errors.CheckpointInUseError: checkpoint: ")
    assert f"is in use by another training (process {process.pid})" in last
    process.kill()
    process.communicate()
    assert (tmp_path / "ckpt.lock").exists()  # a dead process removes nothing
    code, _, err = signalled(tmp_path, signal.SIGTERM)
    assert code == 143, err
