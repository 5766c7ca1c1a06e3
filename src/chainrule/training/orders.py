"""The order of examples, drawn in the same way as scikit-learn does."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.orders import shuffled_orders
from chainrule.training.random_state import as_text, set_from_text


class ShuffledOrders:
    """Each epoch's order is the one before, shuffled by the random state."""

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

    def mark(self) -> Callable[[], None]:
        """Return a function that resets order and random state to the current ones."""
        order, state = self._order, self._random.get_state(legacy=False) if self._shuffle else None

        def back() -> None:
            self._order = order
            if state is not None:
                self._random.set_state(state)

        return back

    def remember(self) -> dict[str, Any]:
        """Return the state that the next order depends on, for a checkpoint."""
        return {"order": self._order, "random_state": as_text(self._random)}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Restore the state from a checkpoint."""
        order = np.asarray(memory["order"])
        places = np.arange(len(self._order))
        if order.dtype != np.int32 or not np.array_equal(np.sort(order), places):
            raise ValueError("the order is not a permutation of the examples")
        set_from_text(self._random, memory["random_state"])
        self._order = order
