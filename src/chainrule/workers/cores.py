"""The cores that this process may use, and its threads by default."""

import os

from chainrule.engines import extension


def usable_cores() -> int:
    """Return the number of cores that this process may use, as far as the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_of(threads: int | None) -> int:
    """Return how many threads work at the same time: as many as are asked for, or one per core.

    In the processes of a pool, such as joblib's or Dask's, which set OMP_NUM_THREADS, these are the
    cores that belong to one of them.
    """
    if threads is not None:
        return int(threads)
    if extension.native is None:
        return usable_cores()
    from chainrule.engines.native import default_threads

    return default_threads()
