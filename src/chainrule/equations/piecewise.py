"""Piecewise-linear encoding, PL1: a number as the part of each bin that lies below it."""

from chainrule.equations._array import Array, namespace


def piecewise_linear(X: Array, lower: Array, width: Array) -> Array:
    """PL1: e[k] = min(max((x − t[k])/(t[k+1] − t[k]), 0), 1) for the bins t[k] … t[k+1].

    A bin below x gives 1, a bin above it 0, and the bin of x the fraction of its width up to x.

    Parameters
    ----------
    X : array (n, m)
        The encoded unit of each bin: the same row for all bins of a unit.
    lower : array (n, 1)
        t[k], the lower edge of each bin.
    width : array (n, 1)
        t[k+1] − t[k], above 0.

    Returns
    -------
    E : array (n, m)

    Notes
    -----
    Source: Gorishniy, Rubachev and Babenko 2022, "On Embeddings for Numerical Features in Tabular
    Deep Learning", NeurIPS, equation 1. There, the first and last bins have no end; here they have,
    and the layer passes x itself beside its bins.
    """
    xp = namespace(X)
    E = (X - lower) / width
    E = xp.where(E < 0, xp.zeros_like(E), E)
    return xp.where(E > 1, xp.ones_like(E), E)


def piecewise_linear_error(delta: Array, fractions: Array, width: Array) -> Array:
    """PL1 derivative: ∂C/∂x = δ[k]/(t[k+1] − t[k]) for x inside bin k, else 0.

    Parameters
    ----------
    delta : array (n, m)
    fractions : array (n, m)
        E, PL1's result, which is strictly between 0 and 1 only inside a bin.
    width : array (n, 1)

    Returns
    -------
    grad_X : array (n, m)
        Each bin's term; a unit's gradient is the sum over its bins.
    """
    xp = namespace(delta)
    inside = (fractions > 0) & (fractions < 1)
    return xp.where(inside, delta / width, xp.zeros_like(delta))
