"""Arrays as they come: whole ones in other clothes, and ones that nothing can be learned from.

`SAME` are functions of an array whose result holds the same numbers, and is to give the same bits;
`WRONG` are functions of an array whose result is to be refused, with words that the refusal has.
"""

import datetime
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse


def with_value(array: np.ndarray, value: Any) -> np.ndarray:
    """Return a copy with one value in the middle."""
    changed = array.copy()
    changed.flat[array.size // 2] = value
    return changed


def memory_mapped(array: np.ndarray) -> np.ndarray:
    """Return the array in a file, read-only."""
    with tempfile.TemporaryFile() as file:
        file.write(np.ascontiguousarray(array).tobytes())
        file.flush()
        return np.memmap(file, array.dtype, "r", 0, array.shape)


def read_only(array: np.ndarray) -> np.ndarray:
    """Return a copy that cannot be written to."""
    copy = array.copy()
    copy.setflags(write=False)
    return copy


def every_other(array: np.ndarray) -> np.ndarray:
    """Return the array as every other row of a larger one."""
    larger = np.repeat(array, 2, axis=0)
    return larger[::2]


def unaligned(array: np.ndarray) -> np.ndarray:
    """Return the array at an odd address."""
    raw = np.empty(array.nbytes + 1, np.uint8)
    view = raw[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


SAME: dict[str, Callable[[np.ndarray], Any]] = {
    "a list of lists": lambda a: a.tolist(),
    "objects that are numbers": lambda a: a.astype(object),
    "Fortran order": np.asfortranarray,
    "rows from the back": lambda a: a[::-1].copy()[::-1],
    "every other row of a larger array": every_other,
    "a read-only array": read_only,
    "a memory map": memory_mapped,
    "the other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "an odd address": unaligned,
    "double precision": lambda a: a.astype(np.float64),
    "a pandas table": pd.DataFrame,
    "a masked array without masked values": np.ma.masked_array,
}

WRONG: dict[str, tuple[Callable[[np.ndarray], Any], str]] = {
    "NaN": (lambda a: with_value(a, np.nan), "NaN|nan"),
    "infinity": (lambda a: with_value(a, np.inf), "inf"),
    "minus infinity": (lambda a: with_value(a, -np.inf), "inf"),
    "texts": (lambda a: np.full(a.shape, "x"), "numbers|convert|numeric"),
    "texts of numbers among objects": (lambda a: a.astype(str).astype(object), "numbers|str"),
    "bytes": (lambda a: np.full(a.shape, b"1"), "numbers|convert|numeric|bytes"),
    "None among numbers": (lambda a: with_value(a.astype(object), None), "number|NaN|nan"),
    "pandas' missing value": (lambda a: pd.DataFrame(a).convert_dtypes().mask(a > 0), "NA|nan|num"),
    "complex numbers": (lambda a: a + 1j, "omplex"),
    "dates": (lambda a: a.astype("datetime64[D]"), "numbers|datetime|Date"),
    "spans of time": (lambda a: a.astype("timedelta64[s]"), "numbers|timedelta|convert|Time"),
    "Python's dates": (lambda a: np.full(a.shape, datetime.date(2020, 1, 1)), "numbers|date"),
    "records": (lambda a: np.zeros(a.shape, [("a", "f4"), ("b", "f4")]), "numbers|dtype|cast|void"),
    "masked values": (lambda a: np.ma.masked_greater(a, 0), "masked"),
    "a ragged list": (lambda a: [[1.0, 2.0], [1.0]] * (len(a) // 2), "array|sequence|inhomog"),
    "no rows": (lambda a: a[:0], "least one|minimum of 1|0 sample"),
    "no columns": (lambda a: a[:, :0], "shape|0 feature|minimum of 1"),
    "a number": (lambda a: 3.0, "shape|calar"),
    "nothing": (lambda a: None, "numbers|NaN|None|shape|1D|object"),
    "a function": (lambda a: len, "numbers|array|calar|number"),
    "a dictionary": (lambda a: {"a": 1}, "numbers|number|array"),
    "one dimension": (lambda a: a[:, 0], "shape|1D|reshape"),
    "three dimensions": (lambda a: a[:, :, None], "shape|dim 3|dimension"),
    "too many columns": (lambda a: np.hstack([a, a]), "shape|features"),
    "numbers too large for any float": (
        lambda a: [[10**400] * a.shape[1]] * len(a),
        "num|float|inf",
    ),
    "a sparse matrix of texts": (
        lambda a: sparse.csr_matrix(a).astype(complex),
        "num|omplex|sparse",
    ),
}
