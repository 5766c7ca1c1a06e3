"""Validation data: set aside, or brought along."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples
from chainrule.errors import InvalidArgumentError


class HeldOut(NamedTuple):
    """Examples that are followed and never trained on."""

    examples: Examples
    X: NDArray[np.floating]
    """As the user's scorers see them: in their own units."""
    y: NDArray[Any]


def split(
    n_examples: int,
    fraction: float,
    stratify: NDArray[Any] | None,
    random: np.random.RandomState,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows to train on and the rows to validate on, as scikit-learn splits them.

    Raises
    ------
    InvalidArgumentError
        If less than two rows would be left to validate on.
    """
    from sklearn.model_selection import train_test_split

    training, validation = train_test_split(
        np.arange(n_examples), random_state=random, test_size=fraction, stratify=stratify
    )
    if len(validation) < 2:
        raise InvalidArgumentError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            f"dataset (validation_fraction={fraction} of {n_examples} examples)"
        )
    return training, validation
