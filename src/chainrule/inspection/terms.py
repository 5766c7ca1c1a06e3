"""The entries of a trace."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Term(NamedTuple):
    """One array of the step: which equation gave it, under which name, and its numbers."""

    equation: str
    """Id in docs/maths.md; "" for what was given."""
    name: str
    """"Z[1]", "δ[2]"."""
    formula: str
    """The equation as its function states it; "" for what was given."""
    value: NDArray[np.floating]
