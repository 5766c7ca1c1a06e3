"""Random numbers by counter: what is drawn depends on (seed, stream, index) and nothing else.

So the order of examples in epoch 7 is the same whether training began at epoch 0 or was resumed
at epoch 7, and no stream's numbers move when another stream draws more.
"""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What random numbers are for; the values are part of every result: never renumber."""

    INITIALIZATION = 0
    ORDER = 1
    SPLIT = 2
    CHECK = 3


def generator(seed: int, stream: Stream, index: int = 0) -> np.random.Generator:
    """Return the generator of one stream at one index (an epoch, a block)."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, stream, index))))


def draw_seed() -> int:
    """Return a fresh seed from the system, small enough to write down."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def epoch_order(seed: int, epoch: int, n_examples: int, shuffle: bool) -> np.ndarray:
    """Return the order of the examples in one epoch, as int64 indices."""
    if not shuffle:
        return np.arange(n_examples)
    return generator(seed, Stream.ORDER, epoch).permutation(n_examples)
