"""What all workers offer: a session, which shares one value and calls functions with it elsewhere.

joblib's own `Parallel` is not used: it can neither end one call while others go on, nor look for
Ctrl-C and a time limit while it waits. Its executors, and those of Dask, can.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

ATTEMPTS = 3
"""How often a call is begun whose worker was lost, before its loss is an error: what uses up the
memory of one worker uses up that of the next one too."""

SECONDS_A_LOOK = 0.1
"""How often someone who waits for a call looks whether it is still wanted."""


class Cancelled(Exception):  # noqa: N818 - no error: the result is not needed any more
    """A call was ended because its result is not needed any more."""


Stop = Callable[[], bool]
"""Whether a call is not needed any more; to be asked by the function that was called."""


class Session(Protocol):
    """Workers that have the shared value."""

    @property
    def size(self) -> int:
        """How many calls run at the same time; a cluster may grow and shrink."""

    @property
    def threads(self) -> int:
        """How many threads a call may have, so that all calls together use each core once."""

    def call(self, function: Callable[..., Any], *args: Any, cancelled: threading.Event) -> Any:
        """Return ``function(shared, *args, stop=stop)``, called by a worker; it blocks the thread.

        If the worker is lost, another one begins the call anew.

        Raises
        ------
        Cancelled
            If the event is set before the result is there.
        WorkersError
            If the workers are lost, or are of another version.
        Exception
            Whatever the function raises.
        """


class Workers(Protocol):
    """A choice of workers, not started yet."""

    def session(self, shared: Any) -> AbstractContextManager[Session]:
        """Return a session whose workers have `shared`, each one once; its end stops all calls.

        Raises
        ------
        InvalidArgumentError
            If `shared` cannot be sent to another process.
        WorkersError
            If no worker can be reached, or one cannot compute the same bits.
        """
