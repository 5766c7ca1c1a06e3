"""Defaults that depend on the number of examples."""

import math

import numpy as np

from chainrule.names import DType

# With fewer examples, all are used for training: a tenth of them is too few to decide when to stop.
# Training is then in float64, which is as fast as float32 at this size.
ENOUGH_TO_SET_ASIDE = 200


_ENOUGH_FOR_A_TEMPERATURE = 2000
_ENOUGH_FOR_FINE_BINS = 10_000


def default_batch_size(n_examples: int) -> int:
    """Return a power of two from 32 to 256 that gives about 64 steps per epoch, or more."""
    return int(np.clip(2 ** round(np.log2(max(n_examples, 1) / 64)), 32, 256))


def default_epochs(n_examples: int) -> int:
    """Return 64 epochs for up to 20,000 rows, and fewer for more rows, to no less than 16.

    Above 20,000 rows, the number falls with the square root of the number of rows: an epoch over
    many rows takes more steps.
    """
    return max(16, round(64 * math.sqrt(min(1.0, 20_000 / max(n_examples, 1)))))


def default_bins(n_examples: int) -> int:
    """Return 8, or 16 for many rows, which tell more about a bin each."""
    return 16 if n_examples >= _ENOUGH_FOR_FINE_BINS else 8


def default_l2(n_examples: float, classes: bool = True) -> float:
    """Return 10 (classes) or 0.1 (values) for up to 500 rows, and less for more rows.

    The strength falls with the square of the number of rows. It is divided by that number, so that
    the penalty falls with its cube: many rows leave little to memorise, and a penalty only keeps
    the network from learning. Values need less of it than classes: their loss has no minimum at
    infinite weights.
    """
    return (10.0 if classes else 0.1) * min(1.0, 500 / max(n_examples, 1)) ** 2


def default_label_smoothing(n_examples: float) -> float:
    """Return 0.1, or 0 for few rows, whose validation rows are too few to fit a temperature to.

    Smoothed labels make probabilities too even, which a temperature undoes.
    """
    return 0.1 if n_examples >= _ENOUGH_FOR_A_TEMPERATURE else 0.0


def default_patience(n_examples: int) -> int:
    """Return 10 epochs for up to 50,000 rows, and fewer for more rows.

    Above 50,000 rows, the patience falls with the square root of the number of rows, to no less
    than 3: an epoch over many rows is more informative.
    """
    return max(3, round(10 * math.sqrt(min(1.0, 50_000 / max(n_examples, 1)))))


def default_dtype(n_examples: int) -> DType:
    """Return float64 for a small table, which trains fast in either precision, else float32."""
    return "float32" if n_examples >= ENOUGH_TO_SET_ASIDE else "float64"
