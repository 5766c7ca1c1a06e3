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
        rows = len(window.examples.X)
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
    """

    order: Order | None = None

    def __init__(
        self,
        windows: Iterator[Window],
        batch_size: int,
        order: WindowOrder,
        hold: Callable[[Examples], AbstractContextManager[None]],
    ) -> None:
        self._windows, self._batch = windows, batch_size
        self._orders, self._hold = order, hold
        self._held = ExitStack()
        self._begin = self._end = -1
        self._examples: Examples | None = None
        self._own = np.empty((1, 0), np.int32)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._held.close()

    def _move(self, done: int) -> Examples:
        """Move on to the window of the step after `done` steps; return its examples."""
        while self._examples is None or done >= self._end:
            self._held.close()
            window = next(self._windows)
            self._held.enter_context(self._hold(window.examples))
            self._begin = window.first // self._batch
            self._end = self._begin + -(-len(window.examples.X) // self._batch)
            self._examples, self._own = window.examples, self._orders.of(window)
        return self._examples

    def part(self, done: int, stop: int) -> Part:
        """Return what the steps from `done` to at most `stop` take."""
        examples = self._move(done)
        stop = min(stop, self._end)
        rows = slice((done - self._begin) * self._batch, (stop - self._begin) * self._batch)
        return Part(examples, np.ascontiguousarray(self._own[:, rows]), stop)

    def batch(self, done: int) -> tuple[Examples, Order]:
        """Return examples, and which rows of them the step after `done` steps takes."""
        examples = self._move(done)
        begin = (done - self._begin) * self._batch
        return examples, self._own[0, begin : begin + self._batch]
