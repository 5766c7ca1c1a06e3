"""Snapshots of earlier epochs, kept for time travel within a bound on their memory."""

import threading

from chainrule.engines.base import Floats
from chainrule.playground.session.snapshot import Snapshot

MOST_BYTES = 16 << 20
MOST_SNAPSHOTS = 2_000

# What a snapshot takes beside its vectors.
_OVERHEAD = 1_000


class KeptSnapshots:
    """Snapshots of every epoch; when they take too much room, of every second one, then fourth, ….

    Parameters
    ----------
    most_bytes : int
        The room that they may take; at least four are kept.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, Snapshot] = {}
        self._stride = 1
        self._most_bytes = most_bytes
        self._best: Snapshot | None = None

    def wants(self, epoch: int) -> bool:
        """Whether the snapshot of an epoch is kept."""
        return epoch % self._stride == 0

    def add(self, snapshot: Snapshot) -> None:
        """Keep the snapshot of an epoch, in the place of an earlier one of the same epoch."""
        with self._lock:
            if snapshot.epoch % self._stride:
                return
            self._kept[snapshot.epoch] = snapshot
            most = max(4, min(MOST_SNAPSHOTS, self._most_bytes // _size(snapshot)))
            while len(self._kept) > most:
                self._stride *= 2
                self._kept = {
                    epoch: one for epoch, one in self._kept.items() if epoch % self._stride == 0
                }

    def pin(self, snapshot: Snapshot) -> None:
        """Keep the snapshot of the best epoch so far, whichever that is."""
        self._best = snapshot

    def at(self, epoch: int) -> Snapshot | None:
        """Return the snapshot of an epoch, if it is kept."""
        best = self._best
        if best is not None and best.epoch == epoch:
            return best
        return self._kept.get(epoch)

    def nearest(self, epoch: int) -> Snapshot | None:
        """Return the kept snapshot whose epoch is the nearest; of two, the earlier one."""
        with self._lock:
            kept = list(self._kept.values())
        return min(kept, key=lambda one: (abs(one.epoch - epoch), one.epoch), default=None)

    def path(self, until: int, most: int = 200) -> tuple[list[Floats], list[int]]:
        """Return the parameters of kept epochs, and these epochs, evenly thinned."""
        with self._lock:
            kept = [one for epoch, one in sorted(self._kept.items()) if epoch <= until]
        step = -(-len(kept) // most) if kept else 1
        chosen = [*kept[:-1:step], *kept[-1:]]
        return [one.parameters for one in chosen], [one.epoch for one in chosen]

    def __len__(self) -> int:
        return len(self._kept)


def _size(snapshot: Snapshot) -> int:
    memory = 0
    if snapshot.memory is not None:
        memory = snapshot.memory.slots.nbytes
        memory += 0 if snapshot.memory.theta is None else snapshot.memory.theta.nbytes
    return int(snapshot.parameters.nbytes) + memory + _OVERHEAD
