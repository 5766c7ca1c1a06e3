"""Members of an ensemble per second: threads of one process, processes, and a Dask cluster.

    python benchmarks/workers.py [--rows 2000] [--width 128] [--epochs 3] [--runs 3]

The members are those of `quality="best"`, each on one thread, trained by 1 and by 2 workers. One
cluster of two workers (or of one) serves all runs, as a cluster does. Before anything is timed, the
members must have the same bits everywhere. Prints the members per second, the median of all runs,
and what that is of 1 thread; then how long it takes until the first answer of new workers, and how
long it takes to send the table to workers that are there.
"""

import argparse
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from machine import described

from chainrule.ensembles.member_training import Recipe
from chainrule.ensembles.training import Task, train_ensemble
from chainrule.runs.config import RunConfig
from chainrule.runs.ensemble_fit import EnsembleRows, _Members
from chainrule.runs.training import PreparedRun
from chainrule.workers.base import Session
from chainrule.workers.cluster import Cluster
from chainrule.workers.processes import Processes


class Begun:
    """Workers that have the shared value already."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def session(self, shared: Any) -> Any:
        return nullcontext(self._session)


def task_of(rows: int, width: int, epochs: int, variations: int) -> Task:
    """Return an ensemble on a made-up table of 28 columns and two classes."""
    X = np.random.default_rng(0).standard_normal((rows, 28)).astype(np.float32)
    table = pl.DataFrame(X, schema=[f"x{i}" for i in range(28)])
    table = table.with_columns(y=pl.Series(np.where(X[:, 0] * X[:, 1] > 0, "yes", "no")))
    settings = {"target": "y", "quality": "best", "epochs": epochs, "layers": (width, width)}
    run = PreparedRun.prepare(RunConfig.of({**settings, "early_stopping": False}), table)
    encoded: EnsembleRows = run._ensemble_rows()
    whole = run.description()
    members = _Members(run.describing, whole, encoded, "classification", ())
    examples = whole.softened(members.network, encoded.encoded)
    return Task(members.spec, examples, encoded.folds, members.described, 1, variations)


def rate(task: Task, count: int) -> tuple[float, np.ndarray]:
    """Return the members per second of a training, and the merged parameters."""
    began = time.perf_counter()
    found = train_ensemble(task)
    return count / (time.perf_counter() - began), found.network.parameters


@contextmanager
def clusters() -> Iterator[dict[int, Any]]:
    from distributed import Client, LocalCluster

    options = {"threads_per_worker": 1, "dashboard_address": ":0", "memory_limit": 0}
    with (
        LocalCluster(n_workers=1, **options) as one,
        LocalCluster(n_workers=2, **options) as two,
        Client(one, set_as_default=False) as of_one,
        Client(two, set_as_default=False) as of_two,
    ):
        yield {1: of_one, 2: of_two}


def answer(shared: Recipe, *, stop: Any) -> int:
    """Return the rows that a worker has."""
    return len(shared.examples.X)


def seconds_to_answer(workers: Any, recipe: Recipe) -> float:
    began = time.perf_counter()
    with workers.session(recipe) as session:
        session.call(answer, cancelled=threading.Event())
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--variations", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    task = task_of(given.rows, given.width, given.epochs, given.variations)
    recipe = Recipe(task.examples, task.folds, task.describe)
    count = 5 * given.variations
    with (
        clusters() as dask,
        Processes(1).session(recipe) as one,
        Processes(2).session(recipe) as two,
        Cluster(dask[1]).session(recipe) as dask_one,
        Cluster(dask[2]).session(recipe) as dask_two,
    ):
        ways: dict[str, dict[str, Any]] = {
            "1 thread": {"threads": 1},
            "2 threads": {"threads": 2},
            "1 process": {"workers": Begun(one)},
            "2 processes": {"workers": Begun(two)},
            "1 Dask worker": {"workers": Begun(dask_one)},
            "2 Dask workers": {"workers": Begun(dask_two)},
        }
        tasks = {name: _changed(task, **way) for name, way in ways.items()}
        parameters = {name: rate(each, count)[1] for name, each in tasks.items()}
        for name, each in parameters.items():
            assert np.array_equal(each, parameters["1 thread"]), name
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(given.runs):
            for name, each in tasks.items():
                rates[name].append(rate(each, count)[0])
        sending = [seconds_to_answer(Cluster(dask[2]), recipe) for _ in range(given.runs)]
    starting = [seconds_to_answer(Processes(2), recipe) for _ in range(given.runs)]
    print(described())
    shape = f"28-{given.width}-{given.width}-1"
    print(f"{given.rows:,} rows, {shape}, {given.epochs} epochs, {count} members")
    print("who trains       members/s  of 1 thread")
    for name, measured in rates.items():
        ratios = [a / b for a, b in zip(measured, rates["1 thread"], strict=True)]
        spread = f"(from {min(ratios):.2f} to {max(ratios):.2f})"
        print(
            f"{name:15s}  {statistics.median(measured):9.2f}  {statistics.median(ratios):11.2f}  "
            f"{spread}"
        )
    mega = sum(array.nbytes for array in task.examples if array is not None) / 1e6
    print(f"new processes answer after {statistics.median(starting):.2f} s")
    print(
        f"the table ({mega:.1f} MB of examples) is on 2 Dask workers after "
        f"{statistics.median(sending):.2f} s"
    )


def _changed(task: Task, **way: Any) -> Task:
    return replace(task, **way)


if __name__ == "__main__":
    main()
