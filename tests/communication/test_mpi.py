"""MPI itself: one start of two ranks, which does all that needs real processes."""

import builtins
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.communication.launching import follows, launched, ranks_here
from chainrule.errors import InvalidArgumentError
from tests.communication.mpi_program import network, streamed
from tests.communication.thread_ranks import trained_on_ranks
from tests.tables.streams import numbers, write

MPIEXEC = Path(sys.executable).with_name("mpiexec")
ROOT = Path(__file__).parents[2]


def parquet(folder):
    return write(folder / "data", numbers(400))


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The result of the program on two ranks."""
    pytest.importorskip("mpi4py")
    if not MPIEXEC.exists():
        pytest.skip("there is no mpiexec beside Python")
    pattern = parquet(tmp_path_factory.mktemp("mpi"))
    options = ["--allow-run-as-root", "--map-by", ":OVERSUBSCRIBE", "--bind-to", "none", "-n", "2"]
    return subprocess.run(
        [MPIEXEC, *options, sys.executable, "-m", "tests.communication.mpi_program", pattern],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "CHAINRULE_THREADS": "1"},
    )


def said(program, name):
    lines = [line.partition(" ") for line in program.stdout.splitlines()]
    return [rest for word, _, rest in lines if word == name]


def test_ranks_of_mpi_sum_and_broadcast(program):
    assert said(program, "sum") == ["1 3 5"] * 3, program.stderr
    assert said(program, "broadcast") == ["1 1"] * 3


def test_ranks_of_mpi_have_the_bits_of_ranks_that_are_threads(program):
    X = np.random.default_rng(0).normal(size=(100, 4))

    def trained(communicator):
        net = network()
        net.fit(X, X.sum(axis=1), epochs=5, batch_size=8, communicator=communicator, threads=1)
        return net.parameters.tobytes().hex()

    # Two numbers have the same sum in both orders.
    expected, _ = trained_on_ranks(2, trained)
    assert said(program, "parameters") == [expected]
    assert said(program, "other")[0] == expected


def test_both_ranks_of_mpi_are_told_what_differs(program):
    (text,) = said(program, "refused")
    assert "seed: 0 on rank 0, 1 on rank 1" in text
    assert said(program, "other")[1] == text


def test_ranks_of_mpi_have_the_bits_of_threads_on_a_stream_too(program, tmp_path):
    pattern = parquet(tmp_path)
    expected, _ = trained_on_ranks(2, lambda communicator: streamed(communicator, pattern))
    assert said(program, "streamed") == [expected], program.stderr


def test_files_that_vanish_during_the_training_end_it_on_both_ranks_of_mpi(program):
    first, second = said(program, "vanished")[0], said(program, "other")[2]
    for rank, text in enumerate((first, second)):
        assert text.startswith(f"rank {rank} of 2 failed: ")
        assert ".parquet: cannot be read any more" in text


def test_only_the_first_rank_shows_progress(program):
    assert program.stderr.count("epoch 5/5") <= 1
    assert "epoch" in program.stderr


def test_an_exception_that_nothing_catches_ends_all_ranks_with_the_reason(program):
    assert program.returncode == 1
    assert "MemoryError: of rank 1 alone" in program.stderr
    assert "chainrule: rank 1 of 2 ends all ranks: MemoryError" in program.stderr
    assert "rank 0 goes on" not in program.stderr


def test_without_mpi4py_the_error_says_what_to_install(monkeypatch):
    plain = builtins.__import__

    def without(name, *arguments, **others):
        if name.startswith("mpi4py"):
            raise ImportError("no mpi4py")
        return plain(name, *arguments, **others)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InvalidArgumentError, match=r"pip install 'chainrule\[mpi\]'"):
        cr.mpi()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, (False, False, 1)),
        ({"OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_RANK": "0"}, (False, False, 1)),
        (
            {
                "OMPI_COMM_WORLD_SIZE": "8",
                "OMPI_COMM_WORLD_RANK": "0",
                "OMPI_COMM_WORLD_LOCAL_SIZE": "4",
            },
            (True, False, 4),
        ),
        ({"PMI_SIZE": "2", "PMI_RANK": "1", "MPI_LOCALNRANKS": "2"}, (True, True, 2)),
        ({"PMI_SIZE": "many", "PMI_RANK": "-1"}, (False, False, 1)),
    ],
)
def test_the_environment_tells_a_process_what_the_launcher_started(
    variables, expected, monkeypatch
):
    for name in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (launched(), follows(), ranks_here()) == expected
