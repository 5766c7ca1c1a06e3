"""Fitting the libraries' threads into the system's limit, before they are imported.

On import, NumPy's OpenBLAS starts a thread per core, and Polars several per core. If the system
refuses one, OpenBLAS ends the process, and Polars panics or hangs. So if there is a limit, the
threads that can be started are counted first, and the libraries are given numbers that fit. Their
results do not depend on the number of threads.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from chainrule.errors import ChainruleError

LEAST = 15
"""Threads that reading a table needs even on one core, most of them for Polars."""

# Higher limits are treated as none: systems have a default of some tens of thousands.
_FAR = 16_384
_KINDS = 3  # thread pools that exist at the same time, each with one thread per core
_NEED_TABLES = ("train", "resume", "predict", "evaluate", "explain", "importance", "trace", "check")


def fit_to_limits(arguments: Sequence[str]) -> None:
    """Set the libraries' thread counts to what the system allows; a user's own settings stay.

    Must be called before NumPy and Polars are imported. Without a limit, it does nothing.

    Raises
    ------
    ChainruleError
        If the command reads a table and there are too few threads for that.
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
            f"{command}: needs at least {LEAST} more threads, but the system allows only {found}: "
            "a limit on processes (ulimit -u, or a container's pids limit) is nearly reached; "
            "raise it, or end other processes"
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
    # Polars' allocator (jemalloc) cleans up in background threads, and prints an error if it cannot
    # start them.
    os.environ.setdefault("_RJEM_MALLOC_CONF", "background_thread:false")


def _is_limited() -> bool:
    """Tell whether there is a limit that may be close."""
    try:
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
        if soft != resource.RLIM_INFINITY and soft < _FAR:
            return True
    except (ImportError, AttributeError, ValueError, OSError):  # systems without such limits
        return False
    return any(limit < _FAR for limit in _pids_limits())


def _pids_limits(root: Path = Path("/sys/fs/cgroup")) -> Iterator[int]:
    """Yield the process limits of the control groups (cgroups) that this process is in."""
    folders = [root, root / "pids"]
    with suppress(OSError, ValueError):
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, place = line.split(":", 2)
            if controllers in ("", "pids"):
                own = (root / controllers / place.lstrip("/")).resolve()
                folders += [one for one in (own, *own.parents) if root in one.parents]
    for folder in folders:
        with suppress(OSError, ValueError):  # no such file, or "max"
            yield int((folder / "pids.max").read_text(encoding="ascii"))


def _startable(most: int) -> int:
    """Return how many more threads can be started, counting up to `most`."""
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
