"""The hyperbolic tangent."""

from chainrule.equations._array import Array, namespace


def tanh(Z: Array) -> Array:
    """AC3: σ(z) = tanh z."""
    return namespace(Z).tanh(Z)


def tanh_derivative(Z: Array) -> Array:
    """AC3 derivative: σ′(z) = 1 − tanh² z."""
    T = tanh(Z)
    return 1 - T * T
