"""The scale layer, SC1 and SC2: every unit's activation times a learned factor."""

from chainrule.equations._array import Array, namespace


def scaled(A_prev: Array, s: Array) -> Array:
    """SC1: A[l] = s[l] ⊙ A[l−1].

    Parameters
    ----------
    A_prev : array (n[l], m)
        Activations of the layer below; there are as many here.
    s : array (n[l], 1)

    Returns
    -------
    A : array (n[l], m)
    """
    return s * A_prev


def scaled_error(delta: Array, s: Array) -> Array:
    """SC1 derivative: ∂C/∂A[l−1] = s[l] ⊙ δ[l].

    Parameters
    ----------
    delta : array (n[l], m)
    s : array (n[l], 1)

    Returns
    -------
    grad_A_prev : array (n[l], m)
    """
    return s * delta


def factor_gradient(delta: Array, A_prev: Array) -> Array:
    """SC2: ∂C/∂s[l] = δ[l] ⊙ a[l−1]; over the batch, the mean of its columns.

    Parameters
    ----------
    delta : array (n[l], m)
    A_prev : array (n[l], m)

    Returns
    -------
    ds : array (n[l], 1)
    """
    xp = namespace(delta)
    return xp.mean(delta * A_prev, axis=1, keepdims=True)
