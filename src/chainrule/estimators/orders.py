"""The order of examples, drawn as scikit-learn draws it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.estimators.randomness import as_text, set_from_text


class ShuffledOrders:
    """Each epoch's order: the one before, shuffled by the random state."""

    def __init__(self, n_examples: int, shuffle: bool, random: np.random.RandomState) -> None:
        self._places = np.arange(n_examples)
        self._order: NDArray[np.integer] = self._places
        self._shuffle = shuffle
        self._random = random

    def __call__(self, epochs: range) -> NDArray[np.int32]:
        """Return the orders of the next epochs, (epochs, examples)."""
        orders = np.empty((len(epochs), len(self._order)), np.int32)
        for row in orders:
            if self._shuffle:
                moves = self._places.copy()
                self._random.shuffle(moves)
                # (Indices are right: "clip" only spares NumPy a buffer.)
                self._order.take(moves, out=row, mode="clip")
                self._order = row
            else:
                row[:] = self._order
        return orders

    def remember(self) -> dict[str, Any]:
        """Return what the next order depends on, for a checkpoint."""
        return {"order": self._order.astype(np.int32), "random_state": as_text(self._random)}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Go on from there."""
        order = np.asarray(memory["order"])
        if order.dtype != np.int32 or not np.array_equal(np.sort(order), self._places):
            raise ValueError("it is no order of the examples")
        set_from_text(self._random, memory["random_state"])
        self._order = order
