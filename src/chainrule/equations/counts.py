"""The cost of counts, C10, and its fused form FU6 with the exponential as output activation."""

from chainrule.equations._array import Array, namespace
from chainrule.equations._numerics import positive


def _times_own_logarithm(Y: Array) -> Array:
    """Return y log y, with its limit 0 at y = 0."""
    xp = namespace(Y)
    return Y * xp.log(xp.where(Y > 0, Y, 1.0))


def poisson_deviance(A: Array, Y: Array) -> Array:
    """C10: C = Σⱼ [yⱼ log(yⱼ/aⱼ) − yⱼ + aⱼ], half the Poisson deviance; 0 log 0 = 0.

    Parameters
    ----------
    A, Y : array (n[L], m)
        Outputs > 0 (the expected counts), targets ≥ 0.

    Returns
    -------
    C : array (m,)
    """
    xp = namespace(A)
    return xp.sum(_times_own_logarithm(Y) - Y * xp.log(positive(A)) - Y + A, axis=0)


def poisson_deviance_gradient(A: Array, Y: Array) -> Array:
    """C10 gradient: ∇ₐC = 1 − y/a."""
    return 1 - Y / positive(A)


def exponential_poisson_error(A: Array, Y: Array) -> Array:
    """FU6: δ[L] = a − y for exponential + C10."""
    return A - Y


def exponential_poisson(Z: Array, Y: Array) -> Array:
    """FU6 cost: C = Σⱼ [yⱼ (log yⱼ − zⱼ) − yⱼ + e^{zⱼ}], C10 without the logarithm of e^{z}.

    Parameters
    ----------
    Z, Y : array (n[L], m)

    Returns
    -------
    C : array (m,)
    """
    xp = namespace(Z)
    return xp.sum(_times_own_logarithm(Y) - Y * Z - Y + xp.exp(Z), axis=0)
