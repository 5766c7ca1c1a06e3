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
