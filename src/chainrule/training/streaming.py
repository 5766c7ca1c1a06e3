"""Examples that are read while a network trains on them, in windows of bounded size.

A thread of its own fills the next window while the steps go through the current one. Two buffers
take turns, so that the memory does not depend on how many examples there are, and the engine reads
the examples where they were written.

Of several ranks, each reads its own examples only: a contiguous share of the epoch's sequence, as
many as the others have, to within one. A step takes of each rank the next examples of its share.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.communication.shares import WHOLE, Share
from chainrule.engines.base import Examples
from chainrule.errors import InvalidArgumentError

# The main thread looks this often whether it is to stop while it waits for a slow disk.
_SECONDS_A_LOOK = 0.1
# It waits so long at most for a read that is going on when the training ends.
_MOST_SECONDS = 5.0
# How much memory a window takes by default.
WINDOW_BYTES = 1 << 27


class Window(NamedTuple):
    """What some steps of an epoch take of a stream; of several ranks, each has a window of it."""

    number: int
    """Counted from 0, over the windows of all ranks."""
    first: int
    """How many examples all ranks take before: a multiple of the batch size."""
    rows: int
    """How many examples all ranks take of it."""
    examples: Examples | None
    """This rank's; None if it has none left: only ever in the last step of an epoch."""


class ExampleStream(Protocol):
    """Training examples that need not fit into memory."""

    @property
    def rows(self) -> int:
        """The number of examples in an epoch, of all ranks."""

    @property
    def identity(self) -> str:
        """Text that differs if the examples, their order or their windows do."""

    def of_rank(self, share: Share) -> "ExampleStream":
        """Return the same stream for a rank, which reads its share of the examples."""

    def windows(self, epoch: int, first: int, batch_size: int) -> Generator[Window, None, None]:
        """Yield an epoch's windows, from the one on that holds example `first` of all ranks.

        A window's arrays are valid until the next one is asked for.
        """


class Piece(NamedTuple):
    """Some examples as a source yields them: encoded, or that write themselves into a buffer."""

    rows: int
    write: Callable[[slice, NDArray[np.floating]], NDArray[Any]]
    """Writes the inputs of a slice of its rows to an array, (rows, inputs), and returns targets."""


class Source(Protocol):
    """Where the examples of a stream come from."""

    @property
    def rows(self) -> int:
        """The number of examples in an epoch."""

    @property
    def identity(self) -> str:
        """Text that differs if the examples or their order do."""

    def pieces(self, epoch: int, first: int) -> Iterator[Piece]:
        """Yield the examples of an epoch from example `first` on, in bounded pieces."""


@dataclass(frozen=True)
class WindowedStream:
    """The examples of a source, in windows.

    Parameters
    ----------
    source : Source
    n_inputs : int
    dtype : str
        Of the inputs.
    pack : callable
        Makes `Examples` of inputs and targets.
    buffer : int, optional
        How many examples a window has at most; by default as many as take 128 MiB. A window holds
        at least one batch.
    share : Share, optional
        The examples that this rank reads; by default all.
    """

    source: Source
    n_inputs: int
    dtype: str
    pack: Callable[[NDArray[np.floating], NDArray[Any]], Examples]
    buffer: int | None = None
    share: Share = WHOLE

    @property
    def rows(self) -> int:
        """The number of examples in an epoch, of all ranks."""
        return self.source.rows

    @property
    def identity(self) -> str:
        """Text that differs if the examples, their order or their windows do."""
        ranks = self.share.size
        divided = f", divided among {ranks} ranks" if ranks > 1 else ""
        return f"{self.source.identity}, windows of {self.size(1)}{divided}"

    def of_rank(self, share: Share) -> Self:
        """Return the same stream for a rank, which reads its share of the examples."""
        return replace(self, share=share)

    def size(self, batch_size: int) -> int:
        """Return how many examples of a rank a window has at most: its shares of whole batches."""
        own = self.share.largest(batch_size)
        usual = WINDOW_BYTES // (max(1, self.n_inputs) * np.dtype(self.dtype).itemsize)
        most = min(self.buffer or usual, self.share.largest(self.rows) + own - 1)
        return max(1, most // own) * own

    def windows(self, epoch: int, first: int, batch_size: int) -> Generator[Window, None, None]:
        """Yield an epoch's windows, from the one on that holds example `first` of all ranks."""
        with _read_ahead(self._filled(epoch, first, batch_size)) as windows:
            # A window's buffer is filled anew once the next window is asked for.
            yield from windows

    def _filled(
        self, epoch: int, first: int, batch_size: int
    ) -> "Iterator[Callable[[Any], Window]]":
        """Yield windows as functions that take a buffer, in the thread that reads."""
        total, (rank, ranks) = self.rows, self.share
        steps = self.size(batch_size) // self.share.largest(batch_size)
        # Of all ranks, and of this one.
        size, own_size = steps * batch_size, steps * self.share.count(batch_size)
        index, begin = first // size, self.share.of(total).start
        left = _Left(self.source.pieces(epoch, begin + index * own_size))
        for start in range(index * size, total, size):
            window = Window(index * ranks + rank, start, min(size, total - start), None)
            rows = min(own_size, self.share.count(total) - index * own_size)
            yield partial(self._window, window, left, rows, own_size)
            index += 1

    def _window(
        self,
        window: Window,
        left: "_Left",
        rows: int,
        size: int,
        buffer: NDArray[np.floating] | None,
    ) -> Window:
        """Return a window with its examples."""
        if rows == 0:
            return window
        X = np.empty((size, self.n_inputs), self.dtype) if buffer is None else buffer
        X = X[:rows]
        targets, done = [], 0
        while done < rows:
            targets.append(left.write(X[done:]))
            done += len(targets[-1])
        return window._replace(examples=self.pack(X, np.concatenate(targets)))


class _Left:
    """What is left of the pieces of an epoch."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self._pieces, self._piece, self._begin = pieces, Piece(0, lambda rows, out: out), 0

    def write(self, out: NDArray[np.floating]) -> NDArray[Any]:
        """Write some rows to the beginning of an array, at least one; return their targets."""
        while self._begin >= self._piece.rows:
            piece = next(self._pieces, None)
            if piece is None:
                raise InvalidArgumentError(
                    "stream: it ended before the number of rows that it has; was it changed while "
                    "the network trained?"
                )
            self._piece, self._begin = piece, 0
        rows = min(len(out), self._piece.rows - self._begin)
        chosen = slice(self._begin, self._begin + rows)
        self._begin += rows
        return self._piece.write(chosen, out[:rows])


class _Ended:
    """The last thing in a queue."""


@contextmanager
def _read_ahead(
    fill: "Iterator[Callable[[Any], Window]]",
) -> "Generator[Iterator[Window], None, None]":
    """Fill windows in a thread of its own, one ahead of the one in use."""
    ready: queue.Queue[Any] = queue.Queue()
    # The buffers that may be filled: two, of which one is in use.
    free: queue.Queue[Any] = queue.Queue()
    free.put(None)
    free.put(None)
    ended = threading.Event()

    def read() -> None:
        try:
            for make in fill:
                buffer = free.get()
                if ended.is_set():
                    return
                ready.put(make(buffer))
            ready.put(_Ended())
        except BaseException as error:  # it is raised in the thread that trains
            ready.put(error)

    def windows() -> Iterator[Window]:
        while True:
            try:
                found = ready.get(timeout=_SECONDS_A_LOOK)
            except queue.Empty:
                continue  # between two waits, a signal is noticed
            if isinstance(found, _Ended):
                return
            if isinstance(found, BaseException):
                raise found
            yield found
            free.put(None if found.examples is None else _whole(found.examples.X))

    thread = threading.Thread(target=read, name="chainrule-stream", daemon=True)
    thread.start()
    try:
        yield windows()
    finally:
        ended.set()
        free.put(None)
        # A read that hangs must not keep an interruption from ending the training.
        thread.join(timeout=_MOST_SECONDS)


def _whole(X: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the buffer that a window's inputs are the beginning of."""
    return X if X.base is None else X.base
