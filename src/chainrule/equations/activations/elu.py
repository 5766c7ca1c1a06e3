"""The exponential linear units: ELU and SELU.

e^z − 1 is expm1(z), accurate near 0; it is evaluated for z ≤ 0 only, so nothing overflows.
"""

from chainrule.equations._array import Array, namespace

# The fixed point (mean 0, variance 1) of Klambauer et al. 2017, eq. 14.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def elu(Z: Array, alpha: float = 1.0) -> Array:
    """AC6: σ(z) = z for z ≥ 0, alpha (e^{z} − 1) for z < 0.

    Source: Clevert, Unterthiner and Hochreiter 2016, "Fast and accurate deep network learning
    by exponential linear units", ICLR.
    """
    xp = namespace(Z)
    return xp.where(Z < 0, alpha * xp.expm1(xp.where(Z < 0, Z, 0.0)), Z)


def elu_derivative(Z: Array, alpha: float = 1.0) -> Array:
    """AC6 derivative: σ′(z) = 1 for z > 0, else alpha e^{z}."""
    xp = namespace(Z)
    return xp.where(Z > 0, xp.ones_like(Z), alpha * xp.exp(xp.where(Z > 0, 0.0, Z)))


def selu(Z: Array) -> Array:
    """AC7: σ(z) = λ ELU(z) with alpha = 1.67326…, λ = 1.05070….

    Source: Klambauer, Unterthiner, Mayr and Hochreiter 2017, "Self-normalizing neural
    networks", NeurIPS.
    """
    return SELU_SCALE * elu(Z, SELU_ALPHA)


def selu_derivative(Z: Array) -> Array:
    """AC7 derivative: σ′(z) = λ ELU′(z)."""
    return SELU_SCALE * elu_derivative(Z, SELU_ALPHA)
