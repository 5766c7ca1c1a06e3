"""What the steps of an epoch go through: examples in memory, or windows of a stream.

A course knows which examples the next steps take. The loop asks it for as many steps as it wants to
take in one call of the engine; a stream's course ends the call where its window ends.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.communication.agreement import failing_together
from chainrule.communication.communicator import Communicator
from chainrule.communication.shares import share_of
from chainrule.engines.base import Examples
from chainrule.engines.orders import epoch_orders
from chainrule.training.streaming import Window

Order = NDArray[np.int32]

# The windows of an epoch have orders of their own; that of the first is the order that the epoch
# would have in memory.
_WINDOWS = 2**32


class Part(NamedTuple):
    """What some steps take."""

    examples: Examples
    order: Order
    """(epochs, rows of the examples): the batches of the steps, one after the other."""
    stop: int
    """The step where the part ends."""
    total: int | None = None
    """See `Batches.total`."""


class Course(Protocol):
    """What the steps of an epoch, or of several epochs, go through."""

    @property
    def order(self) -> Order | None:
        """The order of the examples, (epochs, examples); None if they come from a stream."""

    def part(self, done: int, stop: int) -> Part:
        """Return what the steps from `done` to at most `stop` take."""

    def batch(self, done: int) -> tuple[Examples, Order]:
        """Return examples, and which rows of them the step after `done` steps takes."""


class HeldCourse:
    """Epochs through examples in memory.

    Parameters
    ----------
    examples : Examples
    order : array (epochs, examples) of int32
    batch_size : int
    """

    def __init__(self, examples: Examples, order: Order, batch_size: int) -> None:
        self.order: Order | None = order
        self._order, self._examples, self._batch = order, examples, batch_size
        self._steps = -(-order.shape[1] // batch_size)

    def part(self, done: int, stop: int) -> Part:
        """Return what the steps from `done` to at most `stop` take."""
        steps, batch = self._steps, self._batch
        # The engine takes either a part of one epoch or several whole ones.
        whole = done % steps == 0 and stop - done >= steps
        if not whole:
            stop = min(stop, (done // steps + 1) * steps)
        rows = self._order[done // steps : -(-stop // steps)]
        if not whole:
            rows = rows[:, done % steps * batch : ((stop - 1) % steps + 1) * batch]
        return Part(self._examples, np.ascontiguousarray(rows), stop)

    def batch(self, done: int) -> tuple[Examples, Order]:
        """Return examples, and which rows of them the step after `done` steps takes."""
        batch = self._batch
        return self._examples, self._order[0, done * batch : (done + 1) * batch]


@dataclass(frozen=True)
class WindowOrder:
    """What determines the orders of the examples within the windows of an epoch."""

    seed: int
    epoch: int
    shuffle: bool

    def of(self, window: Window) -> Order:
        """Return the order of a window, (1, examples)."""
        index = self.epoch + window.number * _WINDOWS
        rows = 0 if window.examples is None else len(window.examples.X)
        return epoch_orders(self.seed, range(index, index + 1), rows, self.shuffle)


class StreamedCourse:
    """An epoch through the windows of a stream; each is shuffled, and no batch spans two.

    It is a context: at its end it lets go of the last window.

    Parameters
    ----------
    windows : iterator of Window
        From the one on in which the first step begins that is asked for.
    batch_size : int
    order : WindowOrder
    hold : callable
        `Engine.holding`, for the window that the steps go through.
    sample : Examples
        What a rank without examples passes to the engine, which takes none of them.
    communicator : Communicator, optional
        The ranks, each of which reads its own windows.
    """

    order: Order | None = None

    def __init__(
        self,
        windows: Iterator[Window],
        batch_size: int,
        order: WindowOrder,
        hold: Callable[[Examples], AbstractContextManager[None]],
        sample: Examples,
        communicator: Communicator | None = None,
    ) -> None:
        self._windows, self._batch = windows, batch_size
        self._orders, self._hold, self._sample = order, hold, sample
        self._communicator, self._share = communicator, share_of(communicator)
        self._held = ExitStack()
        self._window = Window(0, 0, 0, None)
        # How many examples of the epoch the windows have that all ranks know to have been read.
        self._read = 0
        self._examples, self._own = sample, np.empty((1, 0), np.int32)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._held.close()

    def _move(self, done: int) -> None:
        """Move on to the window of the step after `done` steps."""
        while done * self._batch >= self._window.first + self._window.rows:
            self._held.close()
            self._window = next(self._windows)
            self._examples = self._window.examples or self._sample
            self._held.enter_context(self._hold(self._examples))
            self._own = self._orders.of(self._window)

    def _rows(self, done: int, stop: int) -> Order:
        """Return which rows of the window this rank takes in some of its steps, (1, rows)."""
        own, first = self._share.count(self._batch), self._window.first // self._batch
        return self._own[:, (done - first) * own : (stop - first) * own]

    def part(self, done: int, stop: int) -> Part:
        """Return what the steps from `done` to at most `stop` take."""
        if done * self._batch >= self._read:
            with failing_together(self._communicator):
                self._move(done)
            self._read = self._window.first + self._window.rows
        end, total = self._read, None
        stop = min(stop, -(-end // self._batch))
        if self._share.size > 1:
            total = min(stop * self._batch, end) - done * self._batch
        return Part(self._examples, np.ascontiguousarray(self._rows(done, stop)), stop, total)

    def batch(self, done: int) -> tuple[Examples, Order]:
        """Return examples, and which rows of them this rank takes in the step after `done`."""
        self._move(done)
        return self._examples, self._rows(done, done + 1)[0]
