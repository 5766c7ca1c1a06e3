"""What is a good setting depends on how many examples there are."""

import math

import numpy as np

# Fewer examples than this are all needed for training (a tenth of them says too little to decide
# when to stop), which is then in float64, as quick there.
ENOUGH_TO_SET_ASIDE = 200


def default_batch_size(n_examples: int) -> int:
    """Return a power of two that makes about 128 steps an epoch, from 32 to 512."""
    return int(np.clip(2 ** round(np.log2(max(n_examples, 1) / 128)), 32, 512))


def default_patience(n_examples: int) -> int:
    """Return 10 epochs for up to 50,000 rows, and fewer for more: an epoch of many rows says more.

    It falls with the root of the number, to no less than 3.
    """
    return max(3, round(10 * math.sqrt(min(1.0, 50_000 / max(n_examples, 1)))))


def default_dtype(n_examples: int) -> str:
    """Return float64 for a small table, which is trained at once in either precision."""
    return "float32" if n_examples >= ENOUGH_TO_SET_ASIDE else "float64"
