"""Every test here that takes `array` runs on three array libraries and in two precisions."""

import array_api_strict
import jax.numpy
import numpy as np
import pytest


@pytest.fixture(
    scope="session",
    params=[np, array_api_strict, jax.numpy],
    ids=["numpy", "strict", "jax"],
)
def xp(request):
    """An array-API namespace."""
    return request.param


@pytest.fixture(scope="session", params=["float32", "float64"])
def dtype(request):
    """The name of a precision."""
    return request.param


@pytest.fixture(scope="session")
def array(xp, dtype):
    """Return the function that makes numbers an array of `xp` in the precision `dtype`."""
    return lambda numbers: xp.asarray(np.asarray(numbers), dtype=getattr(xp, dtype))


@pytest.fixture(scope="session")
def array64(xp):
    """Return the function that makes numbers a float64 array of `xp`."""
    return lambda numbers: xp.asarray(np.asarray(numbers), dtype=xp.float64)
