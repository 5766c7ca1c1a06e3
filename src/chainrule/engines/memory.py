"""Conversion of arrays to memory layouts that engines can read and write."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def readable(array: Floats) -> Floats:
    """Return the array itself, or a copy if engines cannot read its memory layout.

    Engines read C-ordered, aligned memory in native byte order; arrays that were pickled or
    memory-mapped on another machine may have a different layout.
    """
    if is_readable(array):
        return array
    return np.array(array, array.dtype.newbyteorder("="), order="C", subok=False)


def is_readable(array: Floats) -> bool:
    """Return whether engines can read the array without a copy."""
    return array.flags.c_contiguous and array.flags.aligned and array.dtype.isnative


def writable(array: Floats) -> Floats:
    """Return the array itself, or a copy if an engine cannot train in its memory.

    Arrays from `joblib.load(…, mmap_mode="r")`, process pools or pickle buffers are read-only, and
    must stay unchanged because other readers share their memory.
    """
    array = readable(array)
    if array.flags.writeable:
        return array
    return np.array(array, order="C", subok=False)
