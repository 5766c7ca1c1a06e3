"""Periodic embeddings, PE1 to PE8: learned cosines of a unit beside the unit itself.

A network of dense layers learns functions that vary fast along one input only slowly. F cosines of
the input, whose frequencies and phases are learned, are mixed to s values, which the layers above
read as further inputs. Each embedded unit has frequencies, phases and a mixing matrix of its own.
Arrays have the embedded units as their first dimension, k of them.

Sources: Gorishniy, Rubachev and Babenko 2022, "On embeddings for numerical features in tabular deep
learning", NeurIPS, section 3.3; this form, PBLD, with phases instead of sines, without an
activation, and beside the unit itself: Holzmüller, Grinsztajn and Steinwart 2024, "Better by
default: strong pre-tuned MLPs and boosted trees on tabular data", NeurIPS (RealMLP).
"""

from math import pi

from chainrule.equations._array import Array, namespace


def phases(x: Array, w: Array, c: Array) -> Array:
    """PE1: ψ = 2π w x + c.

    Parameters
    ----------
    x : array (k, m)
        The embedded units of the layer below.
    w : array (k, F)
        Frequencies: a cosine has w periods per unit of length.
    c : array (k, F)
        Phases.

    Returns
    -------
    psi : array (k, F, m)
    """
    return (2 * pi * w)[:, :, None] * x[:, None, :] + c[:, :, None]


def periodic_values(psi: Array, V: Array, d: Array) -> Array:
    """PE2: e = V · cos ψ + d; A[l] = A[l−1], and every e below.

    Parameters
    ----------
    psi : array (k, F, m)
    V : array (k, s F)
        Row i is the mixing matrix of unit i, s × F, row by row.
    d : array (k, s)

    Returns
    -------
    e : array (k, s, m)
    """
    xp = namespace(psi)
    return _matrices(V, psi) @ xp.cos(psi) + d[:, :, None]


def phase_error(delta_e: Array, psi: Array, V: Array) -> Array:
    """PE3: ∂C/∂ψ = −(Vᵀ · ∂C/∂e) ⊙ sin ψ.

    Parameters
    ----------
    delta_e : array (k, s, m)
        ∂C/∂e, the error of the embedded values.
    psi : array (k, F, m)
    V : array (k, s F)

    Returns
    -------
    delta_psi : array (k, F, m)
    """
    xp = namespace(psi)
    transposed = xp.permute_dims(_matrices(V, psi), (0, 2, 1))
    return -(transposed @ delta_e) * xp.sin(psi)


def periodic_error(delta_x: Array, delta_psi: Array, w: Array) -> Array:
    """PE4: ∂C/∂A[l−1] = δ[l] of the same unit, plus 2π wᵀ · ∂C/∂ψ if the unit is embedded.

    Parameters
    ----------
    delta_x : array (k, m)
        δ[l] of the embedded units themselves.
    delta_psi : array (k, F, m)
    w : array (k, F)

    Returns
    -------
    grad_x : array (k, m)
    """
    return delta_x + ((2 * pi * w)[:, None, :] @ delta_psi)[:, 0, :]


def frequency_gradient(delta_psi: Array, x: Array) -> Array:
    """PE5: ∂C/∂w = 2π x ∂C/∂ψ; over the batch, the mean.

    Parameters
    ----------
    delta_psi : array (k, F, m)
    x : array (k, m)

    Returns
    -------
    dw : array (k, F)
    """
    xp = namespace(delta_psi)
    return 2 * pi * xp.mean(delta_psi * x[:, None, :], axis=2)


def phase_gradient(delta_psi: Array) -> Array:
    """PE6: ∂C/∂c = ∂C/∂ψ; over the batch, the mean.

    Parameters
    ----------
    delta_psi : array (k, F, m)

    Returns
    -------
    dc : array (k, F)
    """
    xp = namespace(delta_psi)
    return xp.mean(delta_psi, axis=2)


def mixing_gradient(delta_e: Array, psi: Array) -> Array:
    """PE7: ∂C/∂V = ∂C/∂e · (cos ψ)ᵀ; over the batch, the mean.

    Parameters
    ----------
    delta_e : array (k, s, m)
    psi : array (k, F, m)

    Returns
    -------
    dV : array (k, s F)
    """
    xp = namespace(psi)
    sums = delta_e @ xp.permute_dims(xp.cos(psi), (0, 2, 1))
    return xp.reshape(sums, (psi.shape[0], -1)) / psi.shape[2]


def shift_gradient(delta_e: Array) -> Array:
    """PE8: ∂C/∂d = ∂C/∂e; over the batch, the mean.

    Parameters
    ----------
    delta_e : array (k, s, m)

    Returns
    -------
    dd : array (k, s)
    """
    xp = namespace(delta_e)
    return xp.mean(delta_e, axis=2)


def _matrices(V: Array, psi: Array) -> Array:
    """Return the mixing matrices, (k, s, F)."""
    xp = namespace(V)
    return xp.reshape(V, (V.shape[0], -1, psi.shape[1]))
