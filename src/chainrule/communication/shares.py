"""Which part of a whole each rank takes."""

from typing import NamedTuple

from chainrule.communication.communicator import Communicator


class Share(NamedTuple):
    """The share of a rank: consecutive, and on all ranks equal to within one."""

    rank: int
    size: int

    def of(self, n: int) -> slice:
        """Return which of n things the rank takes; none if there are too few."""
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def count(self, n: int) -> int:
        """Return how many of n things the rank takes."""
        own = self.of(n)
        return int(own.stop) - int(own.start)

    def largest(self, n: int) -> int:
        """Return how many of n things any rank takes at most."""
        return -(-n // self.size)


WHOLE = Share(0, 1)
"""That of a process without others."""


def share_of(communicator: Communicator | None) -> Share:
    """Return the share of this rank; everything if there are no ranks."""
    return WHOLE if communicator is None else Share(communicator.rank, communicator.size)
