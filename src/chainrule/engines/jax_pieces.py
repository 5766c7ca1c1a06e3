"""Steps and rows in pieces of equal shapes: a program of the jax engine is compiled for a shape."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Batches
from chainrule.engines.jax_programs import Counts
from chainrule.engines.steps import StepNumbers
from chainrule.network.spec import NetworkSpec

# A program takes so many steps and rows of an order at most; a call of more goes in pieces, after
# each of which Ctrl-C can end it.
MOST_STEPS, _MOST_ROWS = 4096, 2**16
# Rows per block of a forward pass: so many at most, and so many numbers of a layer.
_BLOCK_ROWS, _BLOCK_NUMBERS = 2**15, 2**24


class Piece(NamedTuple):
    """Consecutive batches that a program takes at once: of several epochs, or of a part of one."""

    order: NDArray[np.int32]
    """(epochs, rows)."""
    size: int
    capacity: int
    """Most steps of a piece."""

    @property
    def rest(self) -> int:
        """Rows of the last batch of each epoch, if it is smaller."""
        return int(self.order.shape[1] % self.size)

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.order) * -(-int(self.order.shape[1]) // self.size)

    def arrays(
        self, numbers: StepNumbers, part: slice
    ) -> tuple[NDArray[np.int32], StepNumbers, Counts]:
        """Return rows, numbers of the steps and counts, each in arrays of the same shape."""
        epochs, period = self.order.shape
        rows = filled(self.order.ravel(), self.capacity * self.size)
        arrays: tuple[Any, ...] = numbers
        padded = StepNumbers(*(filled(array[part], self.capacity) for array in arrays))
        return rows, padded, Counts(epochs, period, period // self.size)


def pieces_of(batches: Batches, examples: int) -> Iterator[Piece]:
    """Yield the batches in pieces, each of which fits into arrays of the same shape."""
    order, size = batches.order, min(batches.size, examples)
    epochs, rows = order.shape
    capacity = max(1, min(MOST_STEPS, _MOST_ROWS // size))
    steps = -(-rows // size)
    if steps <= capacity:
        together = capacity // steps
        for first in range(0, epochs, together):
            yield Piece(order[first : first + together], size, capacity)
        return
    most = capacity * size
    for epoch in order:
        for first in range(0, rows, most):
            yield Piece(epoch[None, first : first + most], size, capacity)


def blocks_of(rows: int, spec: NetworkSpec) -> Iterator[tuple[slice, int]]:
    """Yield slices of rows, and the power of two to which their block is filled up."""
    most = _power_of_two(max(1, min(_BLOCK_ROWS, _BLOCK_NUMBERS // max(spec.sizes))))
    for start in range(0, rows, most):
        stop = min(rows, start + most)
        yield slice(start, stop), min(most, _power_of_two(stop - start))


def _power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()


def filled(array: NDArray[Any], length: int) -> NDArray[Any]:
    """Return the array, filled up with zeros to a length."""
    if len(array) == length:
        return array
    filled = np.zeros((length, *array.shape[1:]), array.dtype)
    filled[: len(array)] = array
    return filled
