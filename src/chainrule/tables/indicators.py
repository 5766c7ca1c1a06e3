"""Indicators: columns of zeros and ones, which are not scaled.

Standardised, the ones of a rare category would be far from all other inputs: a category in one row
of a hundred would become an input of 10.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def indicators(columns: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which columns of an array (m, n) hold zeros and ones, both of them, and nothing else.

    Examples
    --------
    >>> import numpy as np
    >>> indicators(np.array([[0.0, 1.0, 0.0], [1.0, 1.0, 0.5], [0.0, 1.0, 1.0]])).tolist()
    [True, False, False]
    """
    if not len(columns):
        return np.zeros(columns.shape[1], bool)
    # The bounds rule out nearly all other columns, and cost less than a look at every value.
    found = np.asarray((columns.min(axis=0) == 0) & (columns.max(axis=0) == 1))
    for place in np.flatnonzero(found):
        column = columns[:, place]
        found[place] = bool(((column == 0) | (column == 1)).all())
    return found
