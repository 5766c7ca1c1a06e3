"""The order of examples in each epoch, compiled if possible, with identical results."""

import numpy as np
from numpy.typing import NDArray

from chainrule.engines import extension
from chainrule.network.random import epoch_order, order_key


def epoch_orders(seed: int, epochs: range, n_examples: int, shuffle: bool) -> NDArray[np.int32]:
    """Return the orders of consecutive epochs, (epochs, examples), as row indices."""
    if extension.native is None or not shuffle:
        return np.stack([epoch_order(seed, epoch, n_examples, shuffle) for epoch in epochs])
    orders = np.empty((len(epochs), n_examples), np.int32)
    extension.native.epoch_orders(order_key(seed), epochs[0], orders)
    return orders


def shuffled_orders(
    random: np.random.RandomState, before: NDArray[np.int32], epochs: int
) -> NDArray[np.int32]:
    """Return orders of consecutive epochs, (epochs, examples), each a shuffle of the previous one.

    Each order is shuffled as `random.shuffle` would, and the state of `random` advances equally.
    """
    orders = np.empty((epochs, len(before)), np.int32)
    generator = getattr(random, "_bit_generator", None)
    if extension.native is not None and generator is not None:
        with generator.lock:
            extension.native.shuffled_orders(generator.capsule, before, orders)
        return orders
    places = np.arange(len(before))
    for row in orders:
        moves = places.copy()
        random.shuffle(moves)
        before.take(moves, out=row)
        before = row
    return orders
