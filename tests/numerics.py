"""Comparing arrays: with an explicit bound on the error, element by element."""

import numpy as np


def as_float64(array):
    """Return an array of any library as NumPy float64 (exact for float32)."""
    return np.asarray(array).astype(np.float64)


def epsilon(dtype):
    """Return the distance from 1 to the next number; one rounding errs by half of it at most."""
    return float(np.finfo(str(dtype)).eps)


def smallest_normal(dtype):
    """Return the number below which libraries may round to zero (XLA does)."""
    return float(np.finfo(str(dtype)).smallest_normal)


def assert_within(actual, expected, bound):
    """Assert |actual − expected| ≤ bound everywhere, with equal shapes and no NaN."""
    actual, expected = as_float64(actual), as_float64(expected)
    assert actual.shape == expected.shape, f"shapes differ: {actual.shape} and {expected.shape}"
    error, bound = np.broadcast_arrays(np.abs(actual - expected), as_float64(bound))
    if not np.all(error <= bound):
        worst = np.unravel_index(np.argmax(np.where(error <= bound, -np.inf, error)), error.shape)
        raise AssertionError(
            f"at {tuple(map(int, worst))}: {actual[worst]!r} instead of {expected[worst]!r}, "
            f"an error of {error[worst]:.3g} where {bound[worst]:.3g} is allowed"
        )
