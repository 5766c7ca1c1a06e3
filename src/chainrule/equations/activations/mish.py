"""Mish."""

from chainrule.equations._array import Array
from chainrule.equations.activations.sigmoid import sigmoid
from chainrule.equations.activations.softplus import softplus
from chainrule.equations.activations.tanh import tanh, tanh_derivative


def mish(Z: Array) -> Array:
    """AC10: σ(z) = z tanh(softplus(z)).

    Source: Misra 2020, "Mish: a self regularized non-monotonic activation function", BMVC.
    """
    return Z * tanh(softplus(Z))


def mish_derivative(Z: Array) -> Array:
    """AC10 derivative: σ′(z) = tanh(p) + z (1 − tanh² p) s(z), p = softplus(z), s = AC2."""
    P = softplus(Z)
    return tanh(P) + Z * tanh_derivative(P) * sigmoid(Z)
