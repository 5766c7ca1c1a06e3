"""Starts schedulers and workers of Dask, each in a process, on command of the tests.

A process that has imported everything forks them, since importing takes longer than any test.
"""

import asyncio
import os
import signal
import sys

import distributed
import sklearn.model_selection  # noqa: F401 - what the trainings of the tests need

import chainrule.ensembles.training
import chainrule.estimators.classifier
import chainrule.runs.search  # noqa: F401


async def scheduler(port):
    options = {"host": "127.0.0.1", "port": int(port), "dashboard": False}
    async with distributed.Scheduler(**options) as one:
        await one.finished()


async def worker(port, folder):
    options = {"nthreads": 1, "local_directory": folder, "memory_limit": 0, "dashboard": False}
    async with distributed.Worker(f"tcp://127.0.0.1:{port}", **options) as one:
        await one.finished()


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets those that have ended
    for line in sys.stdin:
        kind, *options = line.split()
        process = os.fork()
        if process == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            asyncio.run({"scheduler": scheduler, "worker": worker}[kind](*options))
            os._exit(0)
        print(process, flush=True)


if __name__ == "__main__":
    main()
