"""The order of examples, drawn as scikit-learn draws it."""

import numpy as np
from numpy.typing import NDArray


class ShuffledOrders:
    """Each epoch's order: the one before, shuffled by the random state."""

    def __init__(self, n_examples: int, shuffle: bool, random: np.random.RandomState) -> None:
        self._order = np.arange(n_examples)
        self._shuffle = shuffle
        self._random = random

    def __call__(self, epochs: range) -> NDArray[np.int32]:
        """Return the orders of the next epochs, (epochs, examples)."""
        orders = np.empty((len(epochs), len(self._order)), np.int32)
        for row in orders:
            if self._shuffle:
                moves = np.arange(len(self._order))
                self._random.shuffle(moves)
                self._order = self._order[moves]
            row[:] = self._order
        return orders
