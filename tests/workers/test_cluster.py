"""A Dask cluster of a scheduler and two workers, each a process, and what can happen to it."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV

import chainrule as cr
from chainrule.engines import extension
from chainrule.ensembles import training
from chainrule.ensembles.member_training import Recipe
from chainrule.errors import TrainingDivergedError, WorkersError
from chainrule.runs.folder import RunFolder
from chainrule.runs.run_fit import Checkpointing
from chainrule.runs.search import Listeners, search
from chainrule.workers import cluster as cluster_module
from chainrule.workers.base import Cancelled
from chainrule.workers.choice import workers_from
from tests.workers import tasks
from tests.workers.members import EXAMPLES, FOLDS, Describes
from tests.workers.runs import TABLE, prepared

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no such signal"),
    # distributed closes the connections of a process that was killed when it collects garbage.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

ROOT = Path(__file__).parents[2]
MEMBERS = training.FOLDS * training.VARIATIONS


class RealCluster:
    """Processes of Dask on this machine."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder, self._running = folder, []
        self._log = (folder / "log").open("w")
        # As the nannies of Dask tell their workers: each of them has one core.
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self._starter = subprocess.Popen(
            [sys.executable, "-m", "tests.workers.dask_processes"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.scheduler = self._started("scheduler", self.port)

    def _started(self, *words):
        self._starter.stdin.write(" ".join(map(str, words)) + "\n")
        self._starter.stdin.flush()
        process = int(self._starter.stdout.readline())
        self._running.append(process)
        return process

    def add_worker(self):
        return self._started("worker", self.port, self._folder / f"of-{len(self._running)}")

    def kill(self, process):
        self._running.remove(process)
        with contextlib.suppress(ProcessLookupError):  # without a scheduler, workers end
            os.kill(process, signal.SIGKILL)

    @property
    def address(self):
        return f"dask://127.0.0.1:{self.port}"

    def close(self):
        while self._running:
            self.kill(self._running[-1])
        self._starter.stdin.close()
        self._starter.wait()
        self._starter.stdout.close()
        self._log.close()


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    found = RealCluster(tmp_path_factory.mktemp("dask"))
    found.workers = [found.add_worker() for _ in range(2)]
    yield found
    found.close()


@pytest.fixture(scope="module")
def client(dask):
    """A client of the cluster, when both workers are there."""
    from distributed import Client

    client = Client(f"tcp://127.0.0.1:{dask.port}", timeout=60, set_as_default=False)
    client.wait_for_workers(2, timeout=60)
    yield client
    with contextlib.suppress(asyncio.CancelledError):  # the last test kills the scheduler
        client.close(timeout=5)


@pytest.fixture(scope="module")
def alone():
    """An ensemble of one process."""
    return prepared(quality="best").train().network.parameters


def called(session, *call, cancelled=None):
    return session.call(*call, cancelled=cancelled or threading.Event())


def test_the_shared_value_is_made_once_by_each_worker(client, tmp_path):
    recipe = Recipe(EXAMPLES, FOLDS, Describes(str(tmp_path / "made")))
    with workers_from(client).session(recipe) as session:
        assert session.size == 2
        found = {called(session, tasks.process) for _ in range(3)}
        assert called(session, tasks.threads) == (1, "1")
        together = [
            threading.Thread(target=called, args=(session, tasks.process, 0.2)) for _ in range(2)
        ]
        for thread in together:
            thread.start()
        for thread in together:
            thread.join()
        assert called(session, tasks.is_writeable) is False
    made = (tmp_path / "made").read_text().split()
    assert len(made) == len(set(made)) == 2
    assert {str(pid) for pid in found} <= set(made)
    assert str(os.getpid()) not in made


def test_an_ensemble_has_the_bits_of_one_process(client, dask, alone):
    told = []
    run = prepared(quality="best")
    found = run.train(told=told.append, workers=workers_from(dask.address))
    assert np.array_equal(found.network.parameters, alone)
    assert len(told) == MEMBERS
    for plugins in client.run(tasks.plugins).values():  # no worker keeps anything
        assert not [name for name in plugins if name.startswith("chainrule")]


def test_joblibs_configuration_chooses_the_cluster(client):
    X, y = TABLE.select("a", "b").to_numpy(), TABLE["y"].to_numpy()
    one = cr.NetworkClassifier((6,), quality="best", max_iter=3, random_state=0).fit(X, y)
    other = cr.NetworkClassifier((6,), quality="best", max_iter=3, random_state=0)
    before = client.run(tasks.finished)
    with joblib.parallel_config("dask", client=client):
        other.fit(X, y)
    assert np.array_equal(one.network_.parameters, other.network_.parameters)
    after = client.run(tasks.finished)
    assert sum(after.values()) - sum(before.values()) >= MEMBERS - 1


def test_a_successive_halving_gives_what_it_gives_in_one_process(client):
    X, y = TABLE.select("a", "b").to_numpy(), TABLE["y"].to_numpy()

    def searched(jobs):
        model = cr.NetworkClassifier((5,), random_state=0)
        space = {"alpha": [0.0, 0.1, 1.0], "learning_rate_init": [0.001, 0.01]}
        found = HalvingRandomSearchCV(
            model, space, resource="max_iter", max_resources=4, cv=2, random_state=0, n_jobs=jobs
        )
        return found.fit(X, y)

    one = searched(1)
    with joblib.parallel_config("dask", client=client):
        other = searched(-1)
    assert np.array_equal(one.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"])
    assert np.array_equal(
        one.best_estimator_.network_.parameters, other.best_estimator_.network_.parameters
    )


def test_a_search_gives_the_trials_of_one_process(client, tmp_path):
    run = prepared(layers=None, activation="relu", batch_size=16)
    found = search(run, tmp_path / "alone", trials=11)
    tried = []
    listeners = Listeners(told=lambda one, all_of_them: tried.append(one.number))
    other = search(
        run, tmp_path / "many", trials=11, listeners=listeners, workers=workers_from(client)
    )
    assert _results(other) == _results(found)
    assert tried == list(range(1, 12))
    assert np.array_equal(found.fitted.network.parameters, other.fitted.network.parameters)
    # What one process began, workers go on with.
    search(run, tmp_path / "mixed", trials=3)
    mixed = search(run, tmp_path / "mixed", trials=11, workers=workers_from(client))
    assert _results(mixed) == _results(found)


def _results(found):
    return [(t.number, t.loss, t.settings, t.options, t.pruned, t.epochs) for t in found.tried]


def test_an_error_in_a_worker_is_the_error_of_one_process(client):
    with workers_from(client).session(None) as session:
        with pytest.raises(ZeroDivisionError, match="of the function itself"):
            called(session, tasks.raises)
        with pytest.raises(TrainingDivergedError, match="the loss is nan"):
            called(session, tasks.diverges)


def test_a_cancelled_call_ends_in_the_worker_too(client, tmp_path):
    path, cancelled = tmp_path / "state", threading.Event()
    with workers_from(client).session(None) as session:

        def cancel():
            while not path.exists():
                time.sleep(0.02)
            cancelled.set()

        thread = threading.Thread(target=cancel)
        thread.start()
        with pytest.raises(Cancelled):
            called(session, tasks.waits_until_it_is_stopped, str(path), cancelled=cancelled)
        thread.join()
        deadline = time.monotonic() + 20
        while path.read_text() != "stopped":
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_workers_of_another_version_are_refused(client, monkeypatch):
    monkeypatch.setattr(cr, "__version__", "99.0")
    opened = workers_from(client).session(None)
    with (
        pytest.raises(WorkersError, match=r"same version of chainrule as here, 99.0.*has 0.1.0"),
        opened,
    ):
        pass


def test_workers_with_another_instruction_set_are_refused(client, monkeypatch):
    here = SimpleNamespace(instruction_set=lambda: "abacus")
    monkeypatch.setattr(extension, "native", here)
    opened = workers_from(client).session(None)
    with (
        pytest.raises(WorkersError, match=r"same instruction set as here, abacus.*CHAINRULE_ISA"),
        opened,
    ):
        pass


HIDE = "import sys; sys.hidden = sys.modules['chainrule.workers.identity']; " + (
    "sys.modules['chainrule.workers.identity'] = None"
)
SHOW = "import sys; sys.modules['chainrule.workers.identity'] = sys.hidden"


def test_a_worker_without_chainrule_is_refused(client):
    some = list(client.nthreads())[:1]
    client.run(exec, HIDE, workers=some)
    try:
        opened = workers_from(client).session(None)
        with pytest.raises(WorkersError, match=r"the worker at tcp://.* cannot import it"), opened:
            pass
    finally:
        client.run(exec, SHOW, workers=some)


def test_an_address_where_nobody_listens_is_refused_soon(monkeypatch):
    monkeypatch.setattr(cluster_module, "_CONNECT_SECONDS", 0.3)
    began = time.monotonic()
    for address in ("dask://127.0.0.1:1", "dask://no-such-host.invalid"):
        opened = workers_from(address).session(None)
        with (
            pytest.raises(WorkersError, match=f"scheduler at {address[7:]}.* none answered"),
            opened,
        ):
            pass
    assert time.monotonic() - began < 10


def test_ctrl_c_cancels_the_work_and_writes_the_checkpoint(client, dask, tmp_path):
    table, folder = tmp_path / "t.csv", tmp_path / "run"
    TABLE.write_csv(table)
    arguments = ["train", table, "--target", "y", "--quality", "best", "--layers", "6"]
    arguments += ["--epochs", "40000", "--no-early-stopping", "--checkpoint", "--out", folder]
    command = [sys.executable, "-m", "chainrule", *map(str, arguments), "--no-report"]
    process = subprocess.Popen(
        [*command, "--workers", dask.address], stderr=subprocess.PIPE, text=True
    )
    try:
        while not _busy(client):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, errors
    assert "interrupted" in errors
    assert RunFolder(folder).has_checkpoint()
    deadline = time.monotonic() + 20
    while _busy(client):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _busy(client):
    return any(client.run(tasks.executing).values())


def test_a_member_whose_worker_was_killed_is_trained_again(client, dask, alone):
    dask.add_worker()  # takes part as soon as it is there
    killed = []

    def kill(ended):
        if ended.trained == 3:
            dask.kill(dask.workers[0])
            killed.append(ended.place)

    found = prepared(quality="best").train(told=kill, workers=workers_from(client))
    assert killed
    assert np.array_equal(found.network.parameters, alone)


def test_a_killed_scheduler_is_an_error_and_the_checkpoint_goes_on(client, dask, alone, tmp_path):
    def kill(ended):
        if ended.trained == 5:
            dask.kill(dask.scheduler)

    run = prepared(quality="best")
    began = time.monotonic()
    with pytest.raises(WorkersError, match=r"connection to the Dask scheduler at .* was lost"):
        run.train((), Checkpointing(tmp_path / "ckpt"), kill, workers_from(dask.address))
    assert time.monotonic() - began < 20
    told = []
    again = run.train((), Checkpointing(tmp_path / "ckpt", resume=True), told.append)
    assert np.array_equal(again.network.parameters, alone)
    assert len(told) == MEMBERS
