"""Random numbers by counter: what is drawn depends on (seed, stream, index) and nothing else.

So the order of examples in epoch 7 is the same whether training began at epoch 0 or was resumed
at epoch 7, and no stream's numbers move when another stream draws more.
"""

from enum import IntEnum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Stream(IntEnum):
    """What random numbers are for; the values are part of every result: never renumber."""

    INITIALIZATION = 0
    ORDER = 1
    SPLIT = 2
    CHECK = 3
    NOISE = 4


def generator(seed: int, stream: Stream, index: int = 0) -> np.random.Generator:
    """Return the generator of one stream at one index (an epoch, a block)."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, stream, index))))


def draw_seed() -> int:
    """Return a fresh seed from the system, small enough to write down."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def order_key(seed: int) -> int:
    """Return the number of 64 bits that decides, with the epoch, every order of examples."""
    return int(np.random.SeedSequence((seed, Stream.ORDER)).generate_state(1, np.uint64)[0])


def epoch_order(seed: int, epoch: int, n_examples: int, shuffle: bool) -> np.ndarray:
    """Return the order of the examples in one epoch, as int32 indices.

    A Fisher-Yates shuffle whose i-th random number is a hash (SplitMix64) of (seed, epoch, i). The
    compiled twin in native/order.hpp gives the same order some hundred times faster.

    Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
    """
    if not shuffle:
        return np.arange(n_examples, dtype=np.int32)
    key = order_key(seed)
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is meant
        start = _mixed(np.uint64(key) ^ _mixed(np.uint64(epoch)))
        numbers = _mixed(start + np.arange(n_examples, dtype=np.uint64))
    unit = (numbers >> np.uint64(11)).astype(np.float64) * 2.0**-53
    targets = (unit * np.arange(1, n_examples + 1)).astype(np.int64).tolist()
    order = list(range(n_examples))
    for i in range(n_examples - 1, 0, -1):
        j = targets[i]
        order[i], order[j] = order[j], order[i]
    return np.array(order, np.int32)


@lru_cache(maxsize=64)
def noise_key(seed: int, epoch: int = 0) -> int:
    """Return the number of 64 bits that decides, with the step, all random numbers of steps.

    `epoch`: epochs that the network had seen before the optimizer's first step, so that a second
    training does not draw what the first one drew.
    """
    sequence = np.random.SeedSequence((seed, Stream.NOISE, epoch))
    return int(sequence.generate_state(1, np.uint64)[0])


def step_noise(key: int, step: int) -> int:
    """Return what the layers of one step, counted from 1, draw from. Twin: native/noise.hpp."""
    with np.errstate(over="ignore"):
        return int(_mixed(np.uint64(key) ^ _mixed(np.uint64(step))))


def dropout_factors(
    noise: int,
    layer: int,
    units: NDArray[np.integer],
    examples: NDArray[np.integer],
    rate: float,
) -> NDArray[np.float64]:
    """Return the factors M of some units and examples: 0 at probability `rate`, else 1/(1 − rate).

    Each is a hash of (noise, layer, unit, example's place in the batch) against the rate, 32 bits
    of a mixer for each. The compiled twin in native/noise.hpp gives the same ones.

    Parameters
    ----------
    noise : int
        Of `step_noise`.
    layer : int
        l, counted from 1.
    units, examples : arrays of int
        Counted from 0.
    rate : float
        In [0, 1).

    Returns
    -------
    M : array (units, examples)

    Notes
    -----
    Source of the mixer: Wellons 2018, "Prospecting for hash functions", lowbias32.
    """
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 and 2^32 is meant
        own = _mixed(_mixed(np.uint64(noise) + np.uint64(layer)) + units.astype(np.uint64))
        low, high = own.astype(np.uint32)[:, None], (own >> np.uint64(32)).astype(np.uint32)
        x = examples.astype(np.uint32) * np.uint32(0x9E3779B9) + low
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
        x = (x ^ (x >> np.uint32(15)) ^ high[:, None]) * np.uint32(0x846CA68B)
        x ^= x >> np.uint32(16)
    dropped = x < np.uint32(rate * 2.0**32)
    return np.where(dropped, 0.0, 1 / (1 - rate))


def _mixed(x: Any) -> Any:
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
