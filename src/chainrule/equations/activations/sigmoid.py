"""The logistic sigmoid."""

from chainrule.equations._array import Array, namespace


def sigmoid(Z: Array) -> Array:
    """AC2: σ(z) = 1/(1 + e^{−z}), as e^{z}/(1 + e^{z}) for z < 0.

    Never overflows, and the left tail keeps relative accuracy down to the smallest number.
    """
    xp = namespace(Z)
    E = xp.exp(-xp.abs(Z))
    return xp.where(Z < 0, E, 1.0) / (1 + E)


def sigmoid_derivative(Z: Array) -> Array:
    """AC2 derivative: σ′(z) = σ(z)(1 − σ(z)), with 1 − σ(z) = σ(−z) against cancellation."""
    return sigmoid(Z) * sigmoid(-Z)
