"""Counter-based random numbers that depend only on (seed, stream, index).

The order of examples in epoch 7 is therefore the same whether training began at epoch 0 or resumed
at epoch 7, and additional draws from one stream do not change another stream.
"""

from enum import IntEnum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.equations._array import Array, namespace


class Stream(IntEnum):
    """The purpose of random numbers; never renumber, since every result depends on the values."""

    INITIALIZATION = 0
    ORDER = 1
    SPLIT = 2
    CHECK = 3
    NOISE = 4
    FOLDS = 5
    MEMBERS = 6
    BLOCKS = 7


def generator(seed: int, stream: Stream, index: int = 0) -> np.random.Generator:
    """Return the generator for one stream and one index (an epoch or a block)."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, stream, index))))


def draw_seed() -> int:
    """Return a fresh 32-bit seed from the operating system's entropy."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def order_key(seed: int) -> int:
    """Return the 64-bit key that, with the epoch, determines every order of examples."""
    return int(np.random.SeedSequence((seed, Stream.ORDER)).generate_state(1, np.uint64)[0])


def epoch_order(seed: int, epoch: int, n_examples: int, shuffle: bool) -> np.ndarray:
    """Return the order of the examples in one epoch, as int32 indices.

    A Fisher-Yates shuffle whose i-th random number is a hash (SplitMix64) of (seed, epoch, i). The
    compiled twin in native/order.hpp returns the same order about a hundred times faster.

    Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
    """
    if not shuffle:
        return np.arange(n_examples, dtype=np.int32)
    key = order_key(seed)
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is intended
        start = _mixed(np.uint64(key) ^ _mixed(np.uint64(epoch)))
        numbers = _mixed(start + np.arange(n_examples, dtype=np.uint64))
    unit = (numbers >> np.uint64(11)).astype(np.float64) * 2.0**-53
    targets = (unit * np.arange(1, n_examples + 1)).astype(np.int64).tolist()
    order = list(range(n_examples))
    for i in range(n_examples - 1, 0, -1):
        j = targets[i]
        order[i], order[j] = order[j], order[i]
    return np.array(order, np.int32)


def row_numbers_in_unit(key: int, first: int, rows: int) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each of consecutive rows, which depends on the row alone.

    A hash (SplitMix64) of the key and the number of the row: no pass over other rows is needed, and
    rows that are added to a table do not change the numbers of those before them.

    Parameters
    ----------
    key : int
        64 bits.
    first, rows : int
        The first row's number, and how many there are.
    """
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is intended
        places = np.arange(first, first + rows, dtype=np.uint64)
        hashes = _mixed(np.uint64(key) ^ _mixed(places))
    unit: NDArray[np.float64] = (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return unit


@lru_cache(maxsize=64)
def noise_key(seed: int, epoch: int = 0) -> int:
    """Return the 64-bit key that, with the step number, determines a step's random numbers.

    `epoch` is the number of epochs that the network was trained for before the optimizer's first
    step, so that a second training run draws different numbers from the first.
    """
    sequence = np.random.SeedSequence((seed, Stream.NOISE, epoch))
    return int(sequence.generate_state(1, np.uint64)[0])


def step_noise(key: int, step: int) -> int:
    """Return the 64-bit noise of one step, counted from 1; its twin is in native/noise.hpp."""
    return int(step_noises(key, range(step, step + 1))[0])


def step_noises(key: int, steps: range) -> NDArray[np.uint64]:
    """Return the noise of each of some steps, counted from 1."""
    numbers = np.arange(steps.start, steps.stop, dtype=np.uint64)
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is intended
        noises: NDArray[np.uint64] = _mixed(np.uint64(key) ^ _mixed(numbers))
    return noises


def dropout_factors(
    noise: int | Array, layer: int, units: Array, examples: Array, rate: float
) -> Array:
    """Return the dropout factors M: 0 with probability `rate`, else 1/(1 − rate).

    Each factor compares a 32-bit hash of (noise, layer, unit, example's index in the batch) with
    the rate. The compiled twin in native/noise.hpp and every array library with 64-bit integers
    return the same factors.

    Parameters
    ----------
    noise : int, or array, scalar of uint64
        The result of `step_noise`.
    layer : int
        l, counted from 1.
    units, examples : arrays of int
        Counted from 0.
    rate : float
        In [0, 1).

    Returns
    -------
    M : array (units, examples) of float64

    Notes
    -----
    Source of the mixer: Wellons 2018, "Prospecting for hash functions", lowbias32.
    """
    xp = namespace(units)

    def word(value: int) -> Array:
        return xp.asarray(value, dtype=xp.uint32)

    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 and 2^32 is intended
        step = xp.asarray(noise, dtype=xp.uint64) + xp.asarray(layer, dtype=xp.uint64)
        own = _mixed(_mixed(step, xp) + xp.astype(units, xp.uint64), xp)[:, None]
        low = xp.astype(own & xp.asarray(2**32 - 1, dtype=xp.uint64), xp.uint32)
        high = xp.astype(own >> xp.asarray(32, dtype=xp.uint64), xp.uint32)
        x = xp.astype(examples, xp.uint32)[None, :] * word(0x9E3779B9) + low
        x = (x ^ (x >> word(16))) * word(0x7FEB352D)
        x = (x ^ (x >> word(15)) ^ high) * word(0x846CA68B)
        x = x ^ (x >> word(16))
    dropped = x < word(int(rate * 2.0**32))
    kept = xp.asarray(1 / (1 - rate), dtype=xp.float64)
    return xp.where(dropped, xp.zeros_like(kept), kept)


def _mixed(x: Array, xp: Any = np) -> Array:
    def word(value: int) -> Array:
        return xp.asarray(value, dtype=xp.uint64)

    x = x + word(0x9E3779B97F4A7C15)
    x = (x ^ (x >> word(30))) * word(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> word(27))) * word(0x94D049BB133111EB)
    return x ^ (x >> word(31))
