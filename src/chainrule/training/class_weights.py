"""Weights by which classes count the same."""

import numpy as np
from numpy.typing import NDArray


def balanced_weights(
    places: NDArray[np.integer], n_classes: int, own: NDArray[np.floating] | None = None
) -> NDArray[np.float64]:
    """Return a weight for each example, so that each class that occurs weighs the same in all.

    Parameters
    ----------
    places : array (examples,)
        Each example's class, from 0.
    n_classes : int
    own : array (examples,), optional
        The examples' own weights: their sum stays what it is.
    """
    weights = np.ones(len(places)) if own is None else own.astype(np.float64)
    totals = np.bincount(places, weights, minlength=n_classes)
    shares = weights.sum() / (np.count_nonzero(totals) * np.where(totals > 0, totals, 1.0))
    return np.asarray(weights * shares[places])
