"""The interface between the package and a library that lets processes communicate."""

from typing import Any, NoReturn, Protocol

from numpy.typing import NDArray


class Communicator(Protocol):
    """The ranks of a training: `size` processes, of which this one is number `rank`.

    `allreduce` and `broadcast` are collective: every rank calls them, in the same order and with
    arrays of the same shape and dtype, which are C-ordered; each call returns when this rank's
    part is done. The sum has the same bits on every rank, and in every repetition with as many
    ranks.
    """

    @property
    def rank(self) -> int:
        """The number of this process, from 0 on."""

    @property
    def size(self) -> int:
        """The number of processes."""

    def allreduce(self, array: NDArray[Any]) -> None:
        """Replace the numbers of an array by their sums over all ranks."""

    def broadcast(self, array: NDArray[Any], root: int = 0) -> None:
        """Replace the content of an array by that of rank `root`."""

    def abort(self, reason: str) -> NoReturn:
        """End all ranks at once, because this one cannot go on, and say why.

        Without it, the others would wait for this one in their next collective call.
        """
