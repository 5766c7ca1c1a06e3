"""Communication by MPI, through mpi4py, which only this module imports. An extra."""

import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn

from numpy.typing import NDArray

from chainrule.communication.communicator import Communicator
from chainrule.errors import InvalidArgumentError
from chainrule.printable import printable


def mpi() -> Communicator:
    """Return the communicator of the processes that mpiexec started, for data-parallel training.

    Started without mpiexec, a process is the only rank, and trains alone. From the first call on,
    an exception that nothing catches ends all ranks: without that, the others would wait for the
    one that is gone.

    Returns
    -------
    Communicator
        It has `rank`, `size`, `allreduce(array)`, `broadcast(array, root=0)` and `abort(reason)`.

    Raises
    ------
    InvalidArgumentError
        If mpi4py or an MPI library is not installed.

    Notes
    -----
    Source: MPI Forum, "MPI: A Message-Passing Interface Standard", version 4.1, 2023.

    Examples
    --------
    >>> import chainrule as cr
    >>> ranks = cr.mpi()   # doctest: +SKIP
    >>> ranks.rank, ranks.size   # doctest: +SKIP
    (0, 1)
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise InvalidArgumentError(
            "communicator: MPI needs the package mpi4py and an MPI library; install both with "
            f"pip install 'chainrule[mpi]' ({error})"
        ) from error
    communicator = MPICommunicator(MPI.COMM_WORLD)
    if communicator.size > 1 and not isinstance(sys.excepthook, _EndingAll):
        sys.excepthook = _EndingAll(communicator, sys.excepthook)
    return communicator


class MPICommunicator:
    """A `Communicator` whose calls are those of mpi4py."""

    def __init__(self, communicator: Any) -> None:
        from mpi4py import MPI

        self._communicator, self._in_place = communicator, MPI.IN_PLACE
        self.rank, self.size = int(communicator.Get_rank()), int(communicator.Get_size())

    def __repr__(self) -> str:
        return f"<rank {self.rank} of {self.size}, MPI>"

    def allreduce(self, array: NDArray[Any]) -> None:
        """Replace the numbers of an array by their sums over all ranks."""
        self._communicator.Allreduce(self._in_place, array)

    def broadcast(self, array: NDArray[Any], root: int = 0) -> None:
        """Replace the content of an array by that of rank `root`."""
        self._communicator.Bcast(array, root)

    def abort(self, reason: str) -> NoReturn:
        """End all ranks at once, with the reason on standard error."""
        print(
            printable(f"chainrule: rank {self.rank} of {self.size} ends all ranks: {reason}"),
            file=sys.stderr,
            flush=True,
        )
        self._communicator.Abort(1)
        os._exit(1)  # MPI may return before it has ended this process


class _EndingAll:
    """A `sys.excepthook` that ends all ranks after the report of the hook before it."""

    def __init__(self, communicator: MPICommunicator, before: Callable[..., Any]) -> None:
        self._communicator, self._before = communicator, before

    def __call__(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        self._before(kind, error, trace)
        self._communicator.abort(kind.__name__)
