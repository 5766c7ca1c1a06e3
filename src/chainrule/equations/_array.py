"""What the equations need to know of an array library: its namespace, taken from the argument."""

from typing import Any, TypeAlias

Array: TypeAlias = Any
"""An array of any library that follows the Python array API standard (NumPy, JAX, ...)."""


def namespace(array: Array) -> Any:
    """Return the array-API namespace that `array` belongs to."""
    return array.__array_namespace__()
