"""Hard swish: SiLU with a sigmoid of three straight lines, and so without an exponential."""

from chainrule.equations._array import Array, namespace
from chainrule.equations.activations.relu import relu


def hard_swish(Z: Array) -> Array:
    """AC14: σ(z) = z min(max(z + 3, 0), 6)/6.

    The gate is divided first: z times it would overflow where z does not.

    Source: Howard et al. 2019, "Searching for MobileNetV3", ICCV, section 5.2.
    """
    gate = relu(Z + 3.0)
    return Z * (namespace(Z).where(gate > 6, 6.0, gate) / 6)


def hard_swish_derivative(Z: Array) -> Array:
    """AC14 derivative: σ′(z) = 0 for z ≤ −3, 1 for z > 3, else (2z + 3)/6."""
    xp = namespace(Z)
    inside = xp.where(Z > 3, xp.ones_like(Z), (2 * Z + 3) / 6)
    return xp.where(Z > -3, inside, 0.0)
