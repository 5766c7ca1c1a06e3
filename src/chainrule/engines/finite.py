"""A check that all numbers in an array are finite, in one pass and compiled if possible."""

import numpy as np
from numpy.typing import NDArray

from chainrule.engines import extension
from chainrule.engines.native import default_threads


def all_finite(array: NDArray[np.floating]) -> bool:
    """Return whether all elements of a C-ordered float32 or float64 array are finite."""
    if extension.native is not None:
        return bool(extension.native.all_finite(array.reshape(-1), default_threads()))
    # A finite sum implies finite terms; a non-finite sum may be overflow, so check each term.
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())
