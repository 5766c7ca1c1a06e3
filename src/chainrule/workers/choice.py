"""The workers that a user asks for: by a number, an address, or joblib's configuration."""

import re
import sys
from typing import Any

from chainrule.checks import is_whole, shown
from chainrule.errors import InvalidArgumentError
from chainrule.workers.base import Workers
from chainrule.workers.cluster import Cluster
from chainrule.workers.cores import usable_cores
from chainrule.workers.processes import Processes

MOST = max(64, usable_cores())
"""More processes would wait for a core, each with a network of its own in memory."""

_ADDRESS = re.compile(r"dask://(?P<host>\[[0-9a-fA-F:.%\w]+\]|[\w.-]+)(:(?P<port>\d{1,5}))?/?")
_PORT = 8786


def workers_from(given: Any) -> Workers | None:
    """Return the workers that an argument asks for; None for the threads of this process.

    Parameters
    ----------
    given : int, str, distributed.Client or None
        A number of processes, also as a text; ``dask://HOST:PORT``; or a client of Dask.

    Raises
    ------
    InvalidArgumentError

    Examples
    --------
    >>> workers_from("4").number
    4
    >>> workers_from("dask://localhost:8786").address
    'localhost:8786'
    """
    if given is None:
        return None
    if isinstance(given, str):
        found = _ADDRESS.fullmatch(given)
        if found is not None and int(found["port"] or _PORT) < 2**16:
            return Cluster(f"{found['host']}:{found['port'] or _PORT}")
        if given.isascii() and given.isdecimal() and len(given) < 9:
            given = int(given)
    if is_whole(given) and 1 <= int(given) <= MOST:
        return Processes(int(given))
    if "distributed" in sys.modules:
        from distributed import Client

        if isinstance(given, Client):
            return Cluster(given)
    raise InvalidArgumentError(
        f"workers: expected a number of processes from 1 to {MOST}, or dask://HOST:PORT, the "
        f"address of a Dask scheduler; got {shown(given)}"
    )


def active_workers() -> tuple[Workers | None, int | None]:
    """Return what ``joblib.parallel_config`` asks for: workers, or a number of threads.

    Both are None without such a block, and inside a worker, whose other cores others use.

    Raises
    ------
    InvalidArgumentError
        If it names a backend that cannot train members.
    """
    from joblib.parallel import get_active_backend

    backend, jobs = get_active_backend()
    if (backend.nesting_level or 0) > 0 or _in_dask_worker():
        return None, None
    kind = type(backend).__name__
    if kind == "DaskDistributedBackend":
        return Cluster(backend.client), None
    if kind == "SequentialBackend" or (kind == "LokyBackend" and jobs in (None, 1)):
        return None, None
    if kind not in ("LokyBackend", "ThreadingBackend"):
        raise InvalidArgumentError(
            "quality: 'best' trains its networks with joblib's backends 'loky', 'threading' and "
            f"'dask'; got {kind}. Leave joblib.parallel_config out, or give one of them"
        )
    number = min(MOST, backend.effective_n_jobs(jobs))
    if kind == "ThreadingBackend":
        return None, number
    return (Processes(number), None) if number > 1 else (None, None)


def _in_dask_worker() -> bool:
    """Return whether a task of a Dask worker is running in this thread."""
    if "distributed.worker" not in sys.modules:
        return False
    from distributed import get_worker

    try:
        get_worker()
    except ValueError:
        return False
    return True
