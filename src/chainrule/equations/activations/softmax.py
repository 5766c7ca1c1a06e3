"""Softmax: the one activation that is not element-wise; its derivative is BP1s."""

from chainrule.equations._array import Array, namespace


def softmax(Z: Array) -> Array:
    """AC12: σ(z)ᵢ = e^{zᵢ} / Σⱼ e^{zⱼ} per column, shifted by the column's own maximum.

    The shift cancels on paper and keeps every exponent at or below 0. A maximum over the whole
    batch would let a column far below it underflow to 0/0.
    """
    xp = namespace(Z)
    E = xp.exp(Z - xp.max(Z, axis=0, keepdims=True))
    return E / xp.sum(E, axis=0, keepdims=True)


def log_softmax(Z: Array) -> Array:
    """Return the logarithm of AC12 as one function of Z, finite wherever Z is."""
    xp = namespace(Z)
    shifted = Z - xp.max(Z, axis=0, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=0, keepdims=True))
