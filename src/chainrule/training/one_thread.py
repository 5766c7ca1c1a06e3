"""Products that NumPy's BLAS computes in the calling thread.

OpenBLAS shares a product among all cores if it is long enough, and its threads then spin for about
a tenth of a second, waiting for the next one: on cores that the compiled core's threads, or another
process, could use. Shorter products leave them asleep.
"""

import math
from typing import Any

import numpy as np

# OpenBLAS shares a product from 4 · 65536 multiplications on.
_MOST = 2**18
_DEEPEST = 4096

# From here on, pieces would take much longer than the whole; so does a step of such a network, so
# that it matters less who spins after it.
_LONG = 2**26


class OneThread(np.ndarray):
    """A matrix whose products with others, ``W @ A``, are computed in short pieces."""

    def __matmul__(self, other: Any) -> Any:
        """Return the product as a plain array."""
        W, A = np.asarray(self), np.asarray(other)
        if W.ndim != 2 or A.ndim != 2 or not _MOST < W.size * A.shape[1] <= _LONG:
            return W @ A
        product = np.zeros((W.shape[0], A.shape[1]), np.result_type(W, A))
        side, depth = piece_of(W.shape[1])
        for k in range(0, W.shape[1], depth):
            for i in range(0, W.shape[0], side):
                for j in range(0, A.shape[1], side):
                    piece = W[i : i + side, k : k + depth] @ A[k : k + depth, j : j + side]
                    product[i : i + side, j : j + side] += piece
        return product


def piece_of(depth: int) -> tuple[int, int]:
    """Return the rows (and columns) and the depth of the pieces of a product of some depth."""
    depth = min(_DEEPEST, depth)
    return math.isqrt(_MOST // depth), depth
