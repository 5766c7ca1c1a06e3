"""How many members of an ensemble are trained at the same time."""

import os


def workers_of(threads: int | None) -> int:
    """Return one for each core that this process may use, or as many as are asked for."""
    if threads is not None:
        return int(threads)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
