"""Arrays whose memory an engine can read, and write to."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def readable(array: Floats) -> Floats:
    """Return an array, or a copy where its memory is not as engines read it.

    Engines read C-ordered, aligned memory in this machine's byte order; arrays that were pickled or
    memory-mapped elsewhere may be otherwise.
    """
    if is_readable(array):
        return array
    return np.array(array, array.dtype.newbyteorder("="), order="C", subok=False)


def is_readable(array: Floats) -> bool:
    """Whether engines can read the memory of an array as it is."""
    return array.flags.c_contiguous and array.flags.aligned and array.dtype.isnative


def writable(array: Floats) -> Floats:
    """Return an array, or a copy where an engine could not train in its memory.

    What `joblib.load(…, mmap_mode="r")`, a process pool or a pickle's buffers give cannot be
    written to, and must not be: others read it too.
    """
    array = readable(array)
    if array.flags.writeable:
        return array
    return np.array(array, order="C", subok=False)
