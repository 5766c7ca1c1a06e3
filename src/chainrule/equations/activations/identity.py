"""The identity: regression outputs."""

from chainrule.equations._array import Array, namespace


def identity(Z: Array) -> Array:
    """AC1: σ(z) = z."""
    return Z


def identity_derivative(Z: Array) -> Array:
    """AC1 derivative: σ′(z) = 1."""
    return namespace(Z).ones_like(Z)
