"""Workers of a Dask cluster.

The shared value is a plugin of the workers: each gets it once, also one that joins later, and the
scheduler begins a call anew whose worker is lost. (Scattered data would be sent again and again:
Dask drops replicas that no waiting task needs.)
"""

import logging
import pickle
import threading
import time
import uuid
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from chainrule.errors import InvalidArgumentError, WorkersError
from chainrule.workers import parcel
from chainrule.workers.base import ATTEMPTS, SECONDS_A_LOOK, Cancelled, Session, Stop
from chainrule.workers.identity import check_identity, identity

if TYPE_CHECKING:
    from distributed import Client, Worker

# A scheduler that does not answer for so long is not there.
_CONNECT_SECONDS = 5.0
# A cluster may be about to start its workers, or to replace those that were lost.
_WORKERS_SECONDS = 30.0
_SIZE_SECONDS = 1.0

_EXTRA = (
    "workers: expected the package distributed for a Dask cluster; got none. Install it: "
    "pip install 'chainrule[dask]'"
)


class Cluster:
    """The workers of a Dask cluster.

    Parameters
    ----------
    address : str or distributed.Client
        HOST:PORT of the scheduler, or a client, which stays open.
    """

    def __init__(self, address: "str | Client") -> None:
        self.address = address

    @contextmanager
    def session(self, shared: Any) -> Iterator[Session]:
        """Send `shared` to all workers, after a look at whether they compute the same bits."""
        head, arrays = parcel.packed(shared)
        with self._connected() as client:
            where = str(client.scheduler_info(n_workers=0)["address"])
            own = identity()
            _check_workers(client, own, where)
            name = f"chainrule-{uuid.uuid4().hex}"
            calls = _Calls(client, name, own, where)
            with _lost(where):
                client.register_plugin(_shared_plugin(name, head, [*map(bytes, arrays)]), name=name)
            try:
                yield calls
            finally:
                calls.close()

    @contextmanager
    def _connected(self) -> "Iterator[Client]":
        if not isinstance(self.address, str):
            yield self.address
            return
        try:
            from distributed import Client
        except ModuleNotFoundError as error:
            raise InvalidArgumentError(_EXTRA) from error
        with _quiet():
            try:
                client = Client(
                    f"tcp://{self.address}", timeout=_CONNECT_SECONDS, set_as_default=False
                )
            except (OSError, ValueError) as error:
                raise _nobody(self.address, error) from error
            try:
                yield client
            finally:
                # asyncio's error, of a client that was connecting again, is no Exception.
                with suppress(OSError, CancelledError):
                    client.close(timeout=_CONNECT_SECONDS)


def _nobody(address: str, error: BaseException) -> WorkersError:
    return WorkersError(
        f"workers: expected a Dask scheduler at {address}; none answered within "
        f"{_CONNECT_SECONDS:g} s ({type(error).__name__}). Start one with `dask scheduler` and "
        "workers with `dask worker HOST:PORT`, or correct the address"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep tracebacks of lost connections from standard error: an error says what happened."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _lost(where: str) -> Iterator[None]:
    """Turn errors of a connection into one that names the scheduler."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise _without_chainrule(error) from error
    except OSError as error:  # distributed's errors of connections and of time are kinds of it
        raise _scheduler_lost(where) from error


def _scheduler_lost(where: str) -> WorkersError:
    return WorkersError(
        f"workers: the connection to the Dask scheduler at {where} was lost. What was trained is "
        "in the checkpoint, if there is one: the same command, or chainrule resume, continues from "
        "there once a scheduler is up"
    )


def _without_chainrule(error: BaseException, which: str = "a worker") -> WorkersError:
    return WorkersError(
        f"workers: expected chainrule of the same version on every worker; {which} cannot import "
        f"it ({error}). Install it there, and start the worker again"
    )


def _check_workers(client: "Client", own: dict[str, str], where: str) -> None:
    """Wait for a worker, and raise if one of them would compute other bits."""
    with _lost(where):
        try:
            client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except TimeoutError as error:
            raise WorkersError(
                f"workers: expected at least one worker of the Dask scheduler at {where}; got none "
                f"within {_CONNECT_SECONDS:g} s. Start one with `dask worker HOST:PORT`"
            ) from error
        answers = client.run(identity, on_error="return")
    for worker, answer in answers.items():
        if isinstance(answer, OSError):
            continue  # it has just left
        if isinstance(answer, Exception):  # of the import that unpickling the function needs
            raise _without_chainrule(answer, f"the worker at {worker}") from answer
        check_identity(own, answer, f"the worker at {worker}")


class _Calls:
    """A session: calls as tasks of the cluster."""

    # A slot of a worker is a core, or what its owner made of its cores.
    threads = 1

    def __init__(self, client: "Client", name: str, own: dict[str, str], where: str) -> None:
        self._client, self._name, self._own, self._where = client, name, own, where
        self._lock = threading.Lock()
        self._size, self._looked = 1, -float("inf")
        self._seen = time.monotonic()
        """When there was a worker for the last time."""

    @property
    def size(self) -> int:
        """The threads of all workers, as of a second ago."""
        with self._lock:
            if time.monotonic() - self._looked > _SIZE_SECONDS:
                self._check_scheduler()
                with _lost(self._where):
                    found = sum(self._client.nthreads().values())
                self._looked = time.monotonic()
                if found:
                    self._size, self._seen = found, self._looked
        return self._size

    def call(self, function: Callable[..., Any], *args: Any, cancelled: threading.Event) -> Any:
        """Return what a worker returns."""
        for _ in range(ATTEMPTS):
            self._check_scheduler()
            with _lost(self._where):
                future = self._client.submit(
                    _call, self._name, self._own, function, args, pure=False
                )
            found, result = self._awaited(future, cancelled)
            if found:
                return result
        raise WorkersError(
            f"workers: the Dask scheduler at {self._where} cancelled a training {ATTEMPTS} times; "
            "look into its log"
        )

    def _awaited(self, future: Any, cancelled: threading.Event) -> tuple[bool, Any]:
        """Return whether there is a result, and the result; none if the scheduler ended the task.

        Raises whatever the task raised.
        """
        ended = threading.Event()
        future.add_done_callback(lambda _: ended.set())
        while not ended.wait(SECONDS_A_LOOK) and not future.done():
            if cancelled.is_set():
                self._client.cancel([future])
                raise Cancelled
            self._check_scheduler()
            self._check_not_alone()
        self._check_scheduler()
        if future.status == "cancelled":
            return False, None
        with _lost(self._where):
            error = future.exception(timeout=_WORKERS_SECONDS)
            if error is None:
                return True, future.result(timeout=_WORKERS_SECONDS)
        raise _translated(error)

    def _check_scheduler(self) -> None:
        # A client that reconnects has lost its tasks.
        if self._client.status != "running":
            raise _scheduler_lost(self._where)

    def _check_not_alone(self) -> None:
        self.size  # noqa: B018 - looks once a second
        if self._looked - self._seen > _WORKERS_SECONDS:
            raise WorkersError(
                f"workers: the Dask scheduler at {self._where} has had no worker for "
                f"{_WORKERS_SECONDS:g} s. Start one with `dask worker HOST:PORT`; what was trained "
                "is in the checkpoint, if there is one"
            )

    def close(self) -> None:
        """Take the shared value from the workers."""
        if self._client.status == "running":
            with suppress(OSError, ValueError):
                self._client.unregister_worker_plugin(self._name)


def _translated(error: BaseException) -> BaseException:
    """Return the error to raise for one of a task."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return WorkersError(
            "workers: several workers of the Dask cluster ended while they trained the same "
            f"network, perhaps for want of memory ({error}). Give them more memory, or fewer "
            "threads each"
        )
    if isinstance(error, ModuleNotFoundError) and "chainrule" in str(error):
        return _without_chainrule(error)
    return error


def _shared_plugin(name: str, head: bytes, arrays: list[bytes]) -> Any:
    """Return the plugin by which the workers get the shared value."""
    from distributed import WorkerPlugin

    class Shared(WorkerPlugin):
        """Holds a value, which is made of its bytes when it is first needed."""

        def __init__(self) -> None:
            self.name = name
            self.parcel = head, arrays
            self.value: list[Any] = []

        def setup(self, worker: "Worker") -> None:
            """Begin anew: there is no lock before, since a lock cannot be sent."""
            self.lock = threading.Lock()

        def get(self) -> Any:
            """Return the value."""
            with self.lock:
                if not self.value:
                    whole, buffers = self.parcel
                    self.value.append(pickle.loads(whole, buffers=buffers))
            return self.value[0]

    return Shared()


def _call(name: str, own: dict[str, str], function: Callable[..., Any], args: Any) -> Any:
    """Call a function, in a worker."""
    from distributed import get_worker

    worker = get_worker()
    # A worker that joined later has not been asked yet.
    check_identity(own, identity(), f"the worker at {worker.address}")
    plugin: Any = worker.plugins[name]
    return function(plugin.get(), *args, stop=_stop(worker, worker.get_current_task()))


def _stop(worker: "Worker", key: Any) -> Stop:
    """Return whether a task was cancelled: Dask leaves its thread running, which has to ask."""

    def stop() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state == "cancelled"

    return stop
