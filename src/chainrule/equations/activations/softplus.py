"""Softplus, the smooth rectifier; also −log of the sigmoid: softplus(−z) = −log σ(z)."""

from chainrule.equations._array import Array, namespace
from chainrule.equations.activations.relu import relu
from chainrule.equations.activations.sigmoid import sigmoid


def softplus(Z: Array) -> Array:
    """AC11: σ(z) = log(1 + e^{z}), as max(z, 0) + log1p(e^{−|z|}).

    Never overflows; the left tail keeps relative accuracy.

    Source: Dugas et al. 2001, "Incorporating second-order functional knowledge for better
    option pricing", NeurIPS.
    """
    xp = namespace(Z)
    return relu(Z) + xp.log1p(xp.exp(-xp.abs(Z)))


def softplus_derivative(Z: Array) -> Array:
    """AC11 derivative: σ′(z) = 1/(1 + e^{−z}), the sigmoid AC2."""
    return sigmoid(Z)
