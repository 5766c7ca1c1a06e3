"""The exponential: outputs of a log link, whose logarithm is a weighted sum."""

from chainrule.equations._array import Array, namespace


def exponential(Z: Array) -> Array:
    """AC13: σ(z) = e^{z}.

    Overflows to ∞ where the number itself does, above z = 88 in float32 and 709 in float64.
    """
    return namespace(Z).exp(Z)


def exponential_derivative(Z: Array) -> Array:
    """AC13 derivative: σ′(z) = e^{z}."""
    return exponential(Z)
