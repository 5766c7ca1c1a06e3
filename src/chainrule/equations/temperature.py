"""Temperature scaling: TS1 and TS2, and the slope and curvature by which T is fitted, TS3 to TS5.

One number T divides all pre-activations of an output layer. T > 1 makes the probabilities less
extreme, T < 1 makes them more extreme, and the order of the classes remains. T minimises the log
loss of rows that the network was not trained on. As a function of β = 1/T, the log loss is convex:
it is a sum of the convex costs of FU1 or FU2 at β z, which is linear in β.

Source: Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks", ICML.
"""

from chainrule.equations._array import Array, namespace
from chainrule.equations.activations.sigmoid import sigmoid
from chainrule.equations.activations.softmax import softmax


def tempered_softmax(Z: Array, temperature: float) -> Array:
    """TS1: a = softmax(z / T).

    Parameters
    ----------
    Z : array (n[L], m)
    temperature : float
        T > 0.

    Returns
    -------
    A : array (n[L], m)
    """
    return softmax(Z / temperature)


def tempered_sigmoid(Z: Array, temperature: float) -> Array:
    """TS2: a = sigmoid(z / T)."""
    return sigmoid(Z / temperature)


def temperature_slope(Z: Array, A: Array, Y: Array) -> Array:
    """TS3: ∂C/∂β = Σₖ (aₖ − yₖ) zₖ.

    It holds for TS1 with C3 and for TS2 with C2; the targets of TS1 sum to 1.

    Parameters
    ----------
    Z, A, Y : array (n[L], m)
        Pre-activations, outputs of TS1 or TS2 at T = 1/β, targets.

    Returns
    -------
    slope : array (m,)
    """
    return namespace(Z).sum((A - Y) * Z, axis=0)


def softmax_temperature_curvature(Z: Array, A: Array) -> Array:
    """TS4: ∂²C/∂β² = Σₖ aₖ (zₖ − Σⱼ aⱼ zⱼ)².

    This is the variance of z under the probabilities a, so it is never negative.

    Parameters
    ----------
    Z, A : array (n[L], m)
        Pre-activations, and the outputs of TS1 at T = 1/β.

    Returns
    -------
    curvature : array (m,)
    """
    xp = namespace(Z)
    mean = xp.sum(A * Z, axis=0, keepdims=True)
    return xp.sum(A * (Z - mean) ** 2, axis=0)


def sigmoid_temperature_curvature(Z: Array, A: Array) -> Array:
    """TS5: ∂²C/∂β² = Σₖ aₖ (1 − aₖ) zₖ²."""
    return namespace(Z).sum(A * (1 - A) * Z**2, axis=0)
