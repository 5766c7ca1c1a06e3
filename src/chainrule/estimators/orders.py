"""The order of examples, drawn as scikit-learn draws it."""

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.orders import shuffled_orders


class ShuffledOrders:
    """Each epoch's order: the one before, shuffled by the random state."""

    def __init__(self, n_examples: int, shuffle: bool, random: np.random.RandomState) -> None:
        self._order = np.arange(n_examples, dtype=np.int32)
        self._shuffle = shuffle
        self._random = random

    def __call__(self, epochs: range) -> NDArray[np.int32]:
        """Return the orders of the next epochs, (epochs, examples)."""
        if not self._shuffle:
            return np.tile(self._order, (len(epochs), 1))
        orders = shuffled_orders(self._random, self._order, len(epochs))
        self._order = orders[-1]
        return orders
