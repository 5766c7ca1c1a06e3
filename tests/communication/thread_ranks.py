"""Ranks that are threads of one process, for tests of everything but MPI itself."""

import threading
from functools import reduce

import numpy as np


class Aborted(Exception):  # noqa: N818 - it is no error of the test's subject
    """A rank has ended all ranks."""


class ThreadRank:
    """A `Communicator` whose ranks are threads; sums are in the order of the ranks."""

    def __init__(self, rank, size, barrier, places, reasons):
        self.rank, self.size = rank, size
        self._barrier, self._places, self._reasons = barrier, places, reasons
        self.calls = 0

    def allreduce(self, array):
        self._exchange(array, lambda places: reduce(np.add, places))

    def broadcast(self, array, root=0):
        self._exchange(array, lambda places: places[root])

    def abort(self, reason):
        self._reasons.append((self.rank, reason))
        self._barrier.abort()
        raise Aborted(reason)

    def _exchange(self, array, result):
        self.calls += 1
        self._places[self.rank] = array
        try:
            self._barrier.wait(30)
            if len({(place.shape, place.dtype) for place in self._places}) > 1:
                raise AssertionError("the ranks make different collective calls")
            value = result(self._places).copy()
            self._barrier.wait(30)
        except threading.BrokenBarrierError:
            raise Aborted("another rank has ended all ranks") from None
        array[...] = value


def on_ranks(size, function):
    """Return what function(communicator) returns on each rank, or its exception, and who aborted.

    The second result lists (rank, reason) for each call of `abort`.
    """
    barrier, places, reasons = threading.Barrier(size), [None] * size, []
    results = [None] * size

    def run(rank):
        try:
            results[rank] = function(ThreadRank(rank, size, barrier, places, reasons))
        except BaseException as error:
            results[rank] = error
            if isinstance(error, AssertionError):
                barrier.abort()

    threads = [threading.Thread(target=run, args=(rank,), daemon=True) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a rank waits for ever"
    return results, reasons


def trained_on_ranks(size, function):
    """Return what function(communicator) returns on each rank; raise if one raised."""
    results, _ = on_ranks(size, function)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
