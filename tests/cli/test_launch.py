"""`chainrule launch`: one run on two ranks, of which one is killed, and what is refused."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.cli import launch
from chainrule.cli.app import app
from chainrule.errors import InvalidArgumentError
from chainrule.runs.config import RunConfig
from chainrule.runs.folder import RunFolder
from chainrule.runs.training import PreparedRun
from tests.communication.thread_ranks import trained_on_ranks
from tests.tables.streams import mixed, write

# Kills rank 1 as soon as there is a checkpoint, once.
KILLER = """
import os, pathlib, threading, time

folder, told = pathlib.Path(os.environ["KILL_WITH"]), pathlib.Path(os.environ["KILLED"])

def kill():
    while not (folder / "checkpoint").exists():
        time.sleep(0.001)
    told.touch()
    os.kill(os.getpid(), 9)

if os.environ.get("OMPI_COMM_WORLD_RANK") == "1" and not told.exists():
    threading.Thread(target=kill, daemon=True).start()
"""

SETTINGS = {"target": "y", "epochs": 60, "layers": (8,), "early_stopping": False, "threads": 1}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table whose target is the sign of a sum."""
    path = tmp_path_factory.mktemp("table") / "table.csv"
    X = np.random.default_rng(0).normal(size=(400, 3)).round(3)
    rows = [f"{a},{b},{c},{'yes' if a + b + c > 0 else 'no'}" for a, b, c in X]
    path.write_text("\n".join(["a,b,c,y", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def launched(table, tmp_path_factory):
    """The run of two ranks, one of which is killed after the first checkpoint."""
    pytest.importorskip("mpi4py")
    if not Path(sys.executable).with_name("mpiexec").exists():
        pytest.skip("there is no mpiexec beside Python")
    work = tmp_path_factory.mktemp("launch")
    (work / "sitecustomize.py").write_text(KILLER)
    run = work / "run"
    options = ["--epochs", "60", "--layers", "8", "--no-early-stopping", "--threads", "1"]
    written = ["--out", run, "--checkpoint", "--every", "20", "--quiet", "--no-report"]
    command = [sys.executable, "-m", "chainrule", "launch", "-n", "2", "--retries", "1"]
    result = subprocess.run(
        [*command, "train", table, "--target", "y", *options, *written],
        capture_output=True,
        text=True,
        timeout=300,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(work), os.environ.get("PYTHONPATH", "")]),
            "KILL_WITH": str(run),
            "KILLED": str(work / "killed"),
        },
    )
    return result, run


def test_a_run_whose_rank_is_killed_goes_on_from_the_last_checkpoint(launched):
    result, _ = launched
    assert result.returncode == 0, result.stderr
    again = "chainrule: a rank was lost (exit code 137); starting again from the last checkpoint"
    assert f"{again}, 1 of 1" in result.stderr


def test_the_result_has_the_bits_of_ranks_that_nothing_interrupted(launched, table):
    _, run = launched
    prepared = PreparedRun.prepare(RunConfig.of({**SETTINGS, "table": str(table)}))
    fitted = trained_on_ranks(
        2, lambda communicator: prepared.train(communicator=communicator).network.parameters
    )
    saved = cr.load(run / "model.safetensors").network.parameters
    assert saved.tobytes() == fitted[0].tobytes() == fitted[1].tobytes()


def test_ranks_train_on_parquet_files_of_which_each_reads_its_rows(tmp_path):
    pytest.importorskip("mpi4py")
    mpiexec = Path(sys.executable).with_name("mpiexec")
    if not mpiexec.exists():
        pytest.skip("there is no mpiexec beside Python")
    pattern, run = write(tmp_path / "data", mixed(500)), tmp_path / "run"
    given = ["--target", "label", "--epochs", "4", "--layers", "8", "--no-early-stopping"]
    options = ["--allow-run-as-root", "--map-by", ":OVERSUBSCRIBE", "--bind-to", "none", "-n", "2"]
    command = [mpiexec, *options, sys.executable, "-m", "chainrule", "train", pattern, *given]
    result = subprocess.run(
        [*command, "--threads", "1", "--out", run, "--quiet", "--no-report"],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMPI_MCA_mpi_yield_when_idle": "1"},
    )
    assert result.returncode == 0, result.stderr
    settings = {**SETTINGS, "table": pattern, "target": "label", "epochs": 4}
    prepared = PreparedRun.prepare(RunConfig.of(settings))
    fitted = trained_on_ranks(
        2, lambda communicator: prepared.train(communicator=communicator).network.parameters
    )
    saved = cr.load(run / "model.safetensors").network.parameters
    assert saved.tobytes() == fitted[0].tobytes() == fitted[1].tobytes()


def test_the_first_rank_alone_writes(launched):
    result, run = launched
    assert result.stdout == ""
    names = {path.name for path in run.iterdir()} - {"checkpoint.lock"}
    files = {"history.csv", "metrics.json", "model.safetensors", "run.toml", "test_predictions.csv"}
    assert names == files
    epochs = (run / "history.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in epochs[1:]] == [str(n) for n in range(1, 61)]


@pytest.mark.parametrize(("rank", "messages"), [("0", 1), ("1", 0)])
def test_the_first_rank_alone_tells_of_a_mistake(rank, messages, monkeypatch, capsys):
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", rank)
    with pytest.raises(SystemExit) as ended:
        app(["train", "data.csv", "--no-such-option"])
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == messages


def test_a_run_without_checkpoints_cannot_be_retried():
    with pytest.raises(InvalidArgumentError, match="--retries: expected train with --checkpoint"):
        launch.launch(["train", "data.csv", "--target", "y", "--out", "run"], 2, 1)


def test_only_commands_that_train_are_launched():
    with pytest.raises(InvalidArgumentError, match="expected the command train or resume; got 'p"):
        launch.launch(["predict", "run", "data.csv"], 2, 0)


def test_without_mpiexec_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidArgumentError, match=r"pip install 'chainrule\[mpi\]'"):
        launch.launch(["train", "data.csv", "--target", "y"], 2, 0)


def test_ranks_share_the_cores_unless_the_user_decides(monkeypatch):
    monkeypatch.setattr("chainrule.engines.native.default_threads", lambda: 8)
    monkeypatch.delenv("CHAINRULE_THREADS", raising=False)
    assert launch._environment(3)["CHAINRULE_THREADS"] == "2"
    assert launch._environment(16)["CHAINRULE_THREADS"] == "1"
    monkeypatch.setenv("CHAINRULE_THREADS", "5")
    assert launch._environment(3)["CHAINRULE_THREADS"] == "5"


def test_ctrl_c_is_no_lost_rank():
    program = "import os, signal, time; time.sleep(0.3); os.kill(os.getppid(), signal.SIGINT)"
    lost = f"{program}; time.sleep(0.3); raise SystemExit(1)"
    code = launch._run([sys.executable, "-c", lost], dict(os.environ))
    assert code == 130
    assert code in launch._FINAL


def test_a_start_without_a_checkpoint_begins_again_in_its_folder(tmp_path):
    first = ["train", "data.csv", "--checkpoint", f"--out={tmp_path}"]
    assert launch._folder(first) == tmp_path
    assert launch._again(first, tmp_path) == [*first, "--overwrite"]


def test_a_start_with_a_checkpoint_resumes_with_the_same_output(tmp_path, monkeypatch):
    monkeypatch.setattr(RunFolder, "has_checkpoint", lambda folder: folder.path == tmp_path)
    first = ["train", "data.csv", "--checkpoint", "--every", "5m", "-q", "--out", str(tmp_path)]
    assert launch._again(first, tmp_path) == ["resume", str(tmp_path), "-q", "--every", "5m"]
