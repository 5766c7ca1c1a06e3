"""Processes of this machine as workers."""

import os
import signal
import threading
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chainrule.ensembles.member_training import Recipe
from chainrule.ensembles.training import Task, train_ensemble
from chainrule.errors import InvalidArgumentError, WorkersError
from chainrule.workers.base import Cancelled
from chainrule.workers.cores import usable_cores
from chainrule.workers.processes import Processes
from tests.workers import tasks
from tests.workers.members import EXAMPLES, FOLDS, Describes, network


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """What the processes share; it notes in a file where it is made."""
    describes = Describes(str(tmp_path_factory.mktemp("shared") / "made"))
    return Recipe(EXAMPLES, FOLDS, describes)


@pytest.fixture(scope="module")
def session(recipe):
    with Processes(2).session(recipe) as session:
        yield session


def called(session, *call, cancelled=None):
    return session.call(*call, cancelled=cancelled or threading.Event())


def test_two_processes_together_have_as_many_threads_as_cores(session):
    each = max(1, usable_cores() // 2)
    assert session.threads == each
    assert called(session, tasks.threads) == (each, str(each))


def test_an_ensemble_has_the_bits_of_one_process(session, recipe):
    class Begun:
        """The processes that share the recipe already."""

        def session(self, shared):
            assert shared.describe is recipe.describe
            return nullcontext(session)

    task = Task(network(0).spec, EXAMPLES, FOLDS, recipe.describe, threads=2, variations=3)
    one, other = train_ensemble(task), train_ensemble(replace(task, workers=Begun()))
    assert np.array_equal(one.network.parameters, other.network.parameters)
    assert np.array_equal(one.outputs, other.outputs)
    assert [member.epochs for member in one.members] == [m.epochs for m in other.members]


def test_the_arrays_of_the_shared_value_are_mapped_and_cannot_be_written(session):
    assert called(session, tasks.is_writeable) is False


def test_the_shared_value_is_made_once_by_each_process(session, recipe):
    found = {called(session, tasks.process) for _ in range(4)}
    made = Path(recipe.describe.path).read_text().split()
    assert len(made) == len(set(made)) <= 2
    assert {str(process) for process in found} <= set(made)
    assert str(os.getpid()) not in made


def test_an_error_in_a_process_is_raised_as_it_is(session):
    with pytest.raises(ZeroDivisionError, match="of the function itself"):
        called(session, tasks.raises)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no such signal")
def test_a_call_whose_process_the_system_ended_begins_anew(session, tmp_path):
    assert called(session, tasks.ends_its_process, str(tmp_path / "calls"), 1) != os.getpid()
    assert (tmp_path / "calls").read_text() == ".."


def test_a_cancelled_call_returns_at_once_and_its_process_ends_with_the_session(tmp_path):
    path, cancelled = tmp_path / "state", threading.Event()
    with Processes(1).session(None) as session:

        def cancel():
            while not path.exists():
                cancelled.wait(0.02)
            cancelled.set()

        thread = threading.Thread(target=cancel)
        thread.start()
        with pytest.raises(Cancelled):
            called(session, tasks.waits_until_it_is_stopped, str(path), cancelled=cancelled)
        thread.join()
    assert path.read_text() == "began"


def test_a_process_that_the_system_ends_again_and_again_is_an_error(session, tmp_path, monkeypatch):
    from chainrule.workers import processes

    monkeypatch.setattr(processes, "ATTEMPTS", 1)
    with pytest.raises(WorkersError, match=r"ended a process 1 times .* Use fewer workers"):
        called(session, tasks.ends_its_process, str(tmp_path / "calls"), 9)


def test_what_cannot_be_sent_is_refused():
    with (
        pytest.raises(InvalidArgumentError, match=r"cannot .*lock.* Leave workers out"),
        Processes(2).session(threading.Lock()),
    ):
        pass
