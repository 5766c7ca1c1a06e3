"""Whether an array holds finite numbers only: one pass over memory, compiled where it can be."""

import numpy as np
from numpy.typing import NDArray

from chainrule.engines import extension


def all_finite(array: NDArray[np.floating]) -> bool:
    """Whether no element of a C-ordered float32 or float64 array is NaN or infinite."""
    if extension.native is not None:
        return bool(extension.native.all_finite(array.reshape(-1)))
    # The sum is finite only if every term is, unless it overflows: then look at each.
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())
