"""SiLU, also called swish."""

from chainrule.equations._array import Array
from chainrule.equations.activations.sigmoid import sigmoid


def silu(Z: Array) -> Array:
    """AC9: σ(z) = z/(1 + e^{−z}).

    Source: Elfwing, Uchibe and Doya 2018, "Sigmoid-weighted linear units for neural network
    function approximation in reinforcement learning"; swish in Ramachandran et al. 2017.
    """
    return Z * sigmoid(Z)


def silu_derivative(Z: Array) -> Array:
    """AC9 derivative: σ′(z) = s(z)(1 + z s(−z)), s the sigmoid AC2."""
    return sigmoid(Z) * (1 + Z * sigmoid(-Z))
