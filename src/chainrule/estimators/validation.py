"""Validation data: set aside from the training data, or passed by the user."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import Inputs


class HeldOut(NamedTuple):
    """Validation examples, which are never used for training."""

    examples: Examples
    X: Inputs
    """The unscaled inputs, which are passed to the user's scorers."""
    y: NDArray[Any]


def split(
    n_examples: int,
    fraction: float,
    stratify: NDArray[Any] | None,
    random: np.random.RandomState,
    name_of: Callable[[float], object] = repr,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the training rows and the validation rows of scikit-learn's split.

    `name_of` returns the user's label of a stratum.

    Raises
    ------
    InvalidArgumentError
        If fewer than two validation rows, no training rows, or too few rows of a stratum result.
    """
    n_validation = math.ceil(fraction * n_examples)
    given = f"validation_fraction={fraction} of {n_examples} examples"
    if n_validation < 2:
        raise InvalidArgumentError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            f"dataset ({given})"
        )
    if n_validation >= n_examples:
        raise InvalidArgumentError(
            f"validation_fraction: expected it to leave examples to train on; got {given}"
        )
    if stratify is not None:
        strata, counts = np.unique(stratify, return_counts=True)
        if counts.min() < 2:
            raise InvalidArgumentError(
                "early_stopping: expected at least 2 examples of each class, one to train on and "
                f"one to validate on; class {name_of(strata[counts.argmin()])!r} has 1. Leave it "
                "out, or bring validation data of your own (X_val, y_val)"
            )
        if len(strata) > min(n_validation, n_examples - n_validation):
            raise InvalidArgumentError(
                f"validation_fraction: expected an example of each of the {len(strata)} classes "
                f"on both sides; got {n_validation} to validate on ({given})"
            )
    from sklearn.model_selection import train_test_split

    training, validation = train_test_split(
        np.arange(n_examples), random_state=random, test_size=fraction, stratify=stratify
    )
    return training, validation
