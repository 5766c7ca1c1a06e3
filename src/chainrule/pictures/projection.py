"""The two directions in which examples differ most, onto which pictures project many inputs."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_NEGLIGIBLE = 1e-12


class Components(NamedTuple):
    """The first two principal components."""

    directions: NDArray[np.float64]
    """(2, n): of length 1, orthogonal; zeros where the examples differ in fewer directions."""
    shares: tuple[float, float]
    """Of the variance."""

    def label(self, number: int) -> str:
        """Return the name of an axis along component 1 or 2."""
        return f"principal component {number} ({self.shares[number - 1]:.0%} of the variance)"


def principal_components(centred: NDArray[np.float64]) -> Components:
    """Return the first two principal components of examples with mean 0, (m, n).

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule.pictures.projection import principal_components
    >>> found = principal_components(np.array([[3.0, -3.0, 0.0], [-3.0, 3.0, 0.0]]))
    >>> abs(found.directions[0]).round(3).tolist()
    [0.707, 0.707, 0.0]
    >>> found.label(1)
    'principal component 1 (100% of the variance)'
    """
    directions = np.zeros((2, centred.shape[1]))
    _, sizes, found = np.linalg.svd(centred, full_matrices=False)
    count = min(2, int((sizes > _NEGLIGIBLE).sum()))
    directions[:count] = found[:count]
    # The sign of a component is arbitrary: its largest entry is made positive, on every machine.
    for direction in directions:
        if direction[np.abs(direction).argmax()] < 0:
            direction *= -1
    directions += 0.0  # no -0
    variances = np.append(sizes**2, [0.0, 0.0])
    total = float(variances.sum()) or 1.0
    return Components(directions, (float(variances[0]) / total, float(variances[1]) / total))
