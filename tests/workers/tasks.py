"""Functions that the tests of workers call in other processes."""

import os
import signal
import time
from pathlib import Path


def process(shared, seconds=0.0, *, stop):
    time.sleep(seconds)
    return os.getpid()


def threads(shared, *, stop):
    """Return the threads that a training would have by default, and those of the libraries."""
    from chainrule.workers.cores import threads_of

    return threads_of(None), os.environ.get("OMP_NUM_THREADS")


def is_writeable(shared, *, stop):
    return shared.examples.X.flags.writeable


def ends_its_process(shared, path, times, *, stop):
    """End this process, as the system does for want of memory, for so many calls."""
    with open(path, "a") as file:
        file.write(".")
    if len(Path(path).read_text()) <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def raises(shared, *, stop):
    raise ZeroDivisionError("of the function itself")


def waits_until_it_is_stopped(shared, path, *, stop):
    Path(path).write_text("began")
    for _ in range(600):
        if stop():
            Path(path).write_text("stopped")
            return
        time.sleep(0.05)


def diverges(shared, *, stop):
    from chainrule.errors import TrainingDivergedError

    raise TrainingDivergedError("the loss is nan after epoch 1")


# What a worker of Dask says of itself.


def plugins(dask_worker):
    return list(dask_worker.plugins)


def executing(dask_worker):
    return len(dask_worker.state.executing)


def finished(dask_worker):
    return dask_worker.state.transition_counter
