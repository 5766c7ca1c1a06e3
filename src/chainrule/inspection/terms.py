"""The entries of a trace."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Term(NamedTuple):
    """One array of a step, with its name and the equation that it is computed by."""

    equation: str
    """Id in docs/explanation/maths; "" for inputs, targets and parameters."""
    name: str
    """"Z[1]", "δ[2]"."""
    formula: str
    """The equation as its function's docstring states it, or a description of what is given."""
    value: NDArray[np.floating]
