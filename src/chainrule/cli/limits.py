"""How many threads the system has left for this process, before libraries start theirs.

NumPy's OpenBLAS starts a thread for each core when it is imported, and Polars several kinds.
Where the system refuses one, the first ends the process and the second panics or waits for ever. So
where a limit is near, threads are counted first, and the libraries are told how many they may have:
what they compute does not depend on it.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from chainrule.errors import ChainruleError

LEAST = 15
"""Threads that reading a table takes however few cores it may use, most of them in Polars."""

# Limits beyond this are no obstacle to anyone (systems have one of some tens of thousands by
# themselves), and are not looked at further.
_FAR = 16_384
_KINDS = 3  # of threads that a library starts for each core, at the same time
_NEED_TABLES = ("train", "resume", "predict", "evaluate", "explain", "importance", "check")


def fit_to_limits(arguments: Sequence[str]) -> None:
    """Let libraries start no more threads than there are; what a user has set stays.

    To be called before NumPy and Polars are imported. Without a limit nothing is counted.

    Raises
    ------
    ChainruleError
        If there are too few to read a table, and the command line does that.
    """
    if not _is_limited():
        return
    wanted = LEAST + _KINDS * (os.cpu_count() or 1)
    found = _startable(wanted)
    if found >= wanted:
        return
    command = next((one for one in arguments if not one.startswith("-")), "")
    if found < LEAST and command in _NEED_TABLES and not {"-h", "--help"} & set(arguments):
        raise ChainruleError(
            f"{command}: needs {LEAST} more threads at least, and the system gives {found}: a "
            "limit of processes (ulimit -u, or a container's pids limit) is reached; raise it, "
            "or end other processes"
        )
    each = str(max(1, (found - LEAST) // _KINDS))
    for name in (
        "OPENBLAS_NUM_THREADS",
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "POLARS_MAX_THREADS",
        "POLARS_ASYNC_THREAD_COUNT",
    ):
        os.environ.setdefault(name, each)
    # Polars' allocator tidies up in threads of its own, and complains where it has none.
    os.environ.setdefault("_RJEM_MALLOC_CONF", "background_thread:false")


def _is_limited() -> bool:
    """Whether there is a limit that may be near."""
    try:
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
        if soft != resource.RLIM_INFINITY and soft < _FAR:
            return True
    except (ImportError, AttributeError, ValueError, OSError):  # systems without such limits
        return False
    return any(limit < _FAR for limit in _pids_limits())


def _pids_limits(root: Path = Path("/sys/fs/cgroup")) -> Iterator[int]:
    """Yield the limits of the control groups that this process is in."""
    folders = [root, root / "pids"]
    with suppress(OSError, ValueError):
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, place = line.split(":", 2)
            if controllers in ("", "pids"):
                own = (root / controllers / place.lstrip("/")).resolve()
                folders += [one for one in (own, *own.parents) if root in one.parents]
    for folder in folders:
        with suppress(OSError, ValueError):  # none here, or "max"
            yield int((folder / "pids.max").read_text(encoding="ascii"))


def _startable(most: int) -> int:
    """Return how many threads can be started beside this one, counted up to `most`."""
    over = threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(most):
            one = threading.Thread(target=over.wait, daemon=True)
            one.start()
            started.append(one)
    except (RuntimeError, MemoryError):
        pass
    finally:
        over.set()
        for one in started:
            one.join()
    return len(started)
