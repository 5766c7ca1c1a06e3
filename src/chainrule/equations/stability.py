"""The population stability index: the shift of the distribution of a column, PS1 to PS3.

Source: Siddiqi 2006, "Credit risk scorecards", Wiley, who also gives the conventional limits 0.1
and 0.25; PS1 is the divergence J of Kullback and Leibler 1951, "On information and sufficiency",
Annals of Mathematical Statistics 22, 79-86. PS3: Yurdakul 2018, "Statistical properties of
population stability index", dissertation, Western Michigan University.
"""

from chainrule.equations._array import Array, namespace


def smoothed_shares(counts: Array) -> Array:
    """PS2: pₖ = (cₖ + ½)/(m + K/2), m = Σₖ cₖ.

    Half a row is added to each of K bins (Jeffreys' prior), so that PS1 has no logarithm of 0.

    Parameters
    ----------
    counts : array (K,)
        The numbers of rows in the bins.

    Returns
    -------
    p : array (K,)
    """
    xp = namespace(counts)
    return (counts + 0.5) / (xp.sum(counts) + 0.5 * counts.shape[0])


def population_stability(p: Array, q: Array) -> Array:
    """PS1: PSI = Σₖ (qₖ − pₖ) ln(qₖ/pₖ).

    Parameters
    ----------
    p, q : array (K,)
        The shares of the rows in each bin, before and now; all above 0.

    Returns
    -------
    PSI : array ()
        0 if the shares are the same; it is symmetric in p and q.
    """
    xp = namespace(p)
    return xp.sum((q - p) * xp.log(q / p))


def stability_unit(rows: int, other_rows: int) -> float:
    """PS3: PSI ≈ (1/m + 1/n) χ²(K − 1), if both samples have one distribution.

    Two samples of m and n rows from one distribution have a PSI above 0 by chance alone: on average
    (K − 1)(1/m + 1/n), the mean of χ² with K − 1 degrees of freedom times the returned factor.

    Parameters
    ----------
    rows, other_rows : int
        m and n.

    Returns
    -------
    factor : float
        1/m + 1/n.
    """
    return 1 / rows + 1 / other_rows
