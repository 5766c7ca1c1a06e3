"""A value in a file, for all processes of a machine: arrays are mapped into memory, not read.

So a table is in memory once, however many processes learn from it.
"""

import mmap
import pickle
from functools import lru_cache
from pathlib import Path
from typing import Any

from chainrule.errors import InvalidArgumentError

# Arrays begin at multiples of it: a cache line.
_ALIGNED = 64


def packed(value: Any) -> tuple[bytes, list[memoryview]]:
    """Return a value as bytes, and the memory of its arrays apart from them.

    Functions and classes of a script or notebook are part of the bytes.

    Raises
    ------
    InvalidArgumentError
        If the value cannot be sent to another process.
    """
    try:  # joblib brought its own until 1.5
        from joblib.externals import cloudpickle
    except ImportError:
        import cloudpickle

    buffers: list[pickle.PickleBuffer] = []
    try:
        head = cloudpickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    except (TypeError, AttributeError, ValueError, pickle.PicklingError) as error:
        raise InvalidArgumentError(
            "workers: expected a training that can be sent to other processes; got one that "
            f"cannot ({type(error).__name__}: {error}). Leave workers out, which trains in the "
            "threads of this process"
        ) from error
    return head, [buffer.raw() for buffer in buffers]


def write(value: Any, path: Path) -> None:
    """Write a value to a file, which must not change afterwards.

    Raises
    ------
    InvalidArgumentError
        If the value cannot be sent to another process.
    OSError
        If the file cannot be written.
    """
    head, arrays = packed(value)
    places, end = [], 0
    for array in arrays:
        places.append((end, array.nbytes))
        end += -(-array.nbytes // _ALIGNED) * _ALIGNED
    with path.open("wb") as file:
        for (place, _), array in zip(places, arrays, strict=True):
            file.seek(place)
            file.write(array)
        file.truncate(max(end, 1))  # an empty file cannot be mapped
    with path.with_suffix(".head").open("wb") as file:
        pickle.dump((head, places), file)


@lru_cache(maxsize=1)
def read(path: Path) -> Any:
    """Return the value in a file; its arrays are read-only. A second call returns the same."""
    with path.with_suffix(".head").open("rb") as file:
        head, places = pickle.load(file)
    with path.open("rb") as file:
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return pickle.loads(head, buffers=[whole[at : at + size] for at, size in places])
