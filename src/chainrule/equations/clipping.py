"""Clipping: a limit on the norm of the whole gradient, which keeps its direction."""

from chainrule.equations._array import Array, namespace


def clipped_gradient(gradient: Array, max_norm: float) -> Array:
    """G1: g ← g min(1, c/‖g‖), ‖g‖² = Σ g² over all parameters.

    g is divided by its largest entry before it is squared, so that no square overflows. A gradient
    that is not finite stays so.

    Source: Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural
    networks", ICML, algorithm 1.

    Parameters
    ----------
    gradient : array
        The gradient of all parameters.
    max_norm : float
        c > 0.

    Returns
    -------
    gradient : array
    """
    return gradient * clipping_factor(gradient, max_norm)


def clipping_factor(gradient: Array, max_norm: float) -> Array:
    """Return min(1, c/‖g‖) of G1, with which every part of the gradient is multiplied."""
    xp = namespace(gradient)
    largest = xp.max(xp.abs(gradient))
    largest = xp.where(largest > 0, largest, xp.ones_like(largest))
    norm = largest * xp.sqrt(xp.sum((gradient / largest) ** 2))
    return max_norm / xp.where(norm > max_norm, norm, max_norm)
