"""Workers that are processes of this machine: loky's, which need no ``if __name__ == "__main__"``.

loky is part of joblib, on which scikit-learn depends.
"""

import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chainrule.errors import WorkersError
from chainrule.workers import parcel
from chainrule.workers.base import ATTEMPTS, SECONDS_A_LOOK, Cancelled, Session
from chainrule.workers.cores import usable_cores

# Each library that has threads reads one of these.
_THREADS = (
    "CHAINRULE_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "POLARS_MAX_THREADS",
)

# A process without a call for so long ends, also if this process was killed meanwhile.
_IDLE_SECONDS = 60


class Processes:
    """Processes of this machine.

    Parameters
    ----------
    number : int
    """

    def __init__(self, number: int) -> None:
        self.number = number

    @contextmanager
    def session(self, shared: Any) -> Iterator[Session]:
        """Write `shared` to a file that the processes map into memory, and start them."""
        with tempfile.TemporaryDirectory(prefix="chainrule-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "shared"
            parcel.write(shared, path)
            pool = _Pool(self.number, path)
            try:
                yield pool
            finally:
                pool.close()


class _Pool:
    """A session: an executor, which is replaced if the system ends one of its processes."""

    def __init__(self, number: int, path: Path) -> None:
        self.size = number
        self.threads = max(1, usable_cores() // number)
        self._path = path
        self._lock = threading.Lock()
        self._executor = self._started()

    def _started(self) -> Any:
        from joblib.externals.loky import ProcessPoolExecutor

        return ProcessPoolExecutor(
            self.size,
            timeout=_IDLE_SECONDS,
            initializer=_ignore_interrupts,
            env=dict.fromkeys(_THREADS, str(self.threads)),
        )

    def call(self, function: Callable[..., Any], *args: Any, cancelled: threading.Event) -> Any:
        """Return what a process returns."""
        from joblib.externals.loky.process_executor import (
            BrokenProcessPool,
            ShutdownExecutorError,
            TerminatedWorkerError,
        )

        lost: BaseException | None = None
        for _ in range(ATTEMPTS):
            with self._lock:
                executor = self._executor
            try:
                future = executor.submit(_call, self._path, function, args)
                return _awaited(future, cancelled)
            except TerminatedWorkerError as error:
                lost = error
                self._replace(executor)
            except ShutdownExecutorError as error:  # another call has just replaced it
                lost = error
            except BrokenProcessPool as error:
                raise WorkersError(f"workers: the processes could not begin: {error}") from error
        raise WorkersError(
            f"workers: the system ended a process {ATTEMPTS} times while it trained the same "
            "network, perhaps for want of memory. Use fewer workers"
        ) from lost

    def _replace(self, broken: Any) -> None:
        with self._lock:
            if self._executor is broken:
                broken.shutdown(wait=False, kill_workers=True)
                self._executor = self._started()

    def close(self) -> None:
        """End the processes, whatever they do: nothing that they still compute is needed."""
        self._executor.shutdown(wait=True, kill_workers=True)


def _awaited(future: "Future[Any]", cancelled: threading.Event) -> Any:
    ended = threading.Event()
    future.add_done_callback(lambda _: ended.set())
    while not ended.wait(SECONDS_A_LOOK):
        if cancelled.is_set():
            future.cancel()
            raise Cancelled
    return future.result()


def _call(path: Path, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a function, in a worker."""
    # The process is ended if the call is not needed any more, so that it need not ask.
    return function(parcel.read(path), *args, stop=_never)


def _never() -> bool:
    return False


def _ignore_interrupts() -> None:
    """Leave Ctrl-C in a terminal, which all of its processes get, to the process that waits."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
