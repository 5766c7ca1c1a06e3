"""The rectifiers: ReLU and leaky ReLU.

Both test for z < 0 (not for z > 0), so that a NaN stays a NaN instead of becoming zero. The
derivative at the kink z = 0, where there is none, is that of the left side, as is usual.
"""

from chainrule.equations._array import Array, namespace


def relu(Z: Array) -> Array:
    """AC4: σ(z) = max(z, 0).

    Source: Nair and Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".
    """
    return namespace(Z).where(Z < 0, 0.0, Z)


def relu_derivative(Z: Array) -> Array:
    """AC4 derivative: σ′(z) = 1 for z > 0, else 0."""
    return namespace(Z).astype(Z > 0, Z.dtype)


def leaky_relu(Z: Array, slope: float = 0.01) -> Array:
    """AC5: σ(z) = z for z ≥ 0, slope · z for z < 0.

    Source: Maas, Hannun and Ng 2013, "Rectifier nonlinearities improve neural network acoustic
    models".
    """
    return namespace(Z).where(Z < 0, slope * Z, Z)


def leaky_relu_derivative(Z: Array, slope: float = 0.01) -> Array:
    """AC5 derivative: σ′(z) = 1 for z > 0, else slope."""
    xp = namespace(Z)
    return xp.where(Z > 0, xp.ones_like(Z), slope)
