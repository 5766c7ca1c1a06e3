"""Category embeddings, EM1 and EM2: the code of a category is the index of a row in a table.

A table E has a row for each code. Looking a row up is the same as multiplying Eᵀ by the code's
one-hot column, so a category embedding is a dense layer without bias on one-hot inputs, computed
without multiplying by their zeros. Rows are learned together with all weights, and categories with
similar effects get similar rows.

Source: Guo and Berkhahn 2016, "Entity embeddings of categorical variables", arXiv:1604.06737.
"""

from chainrule.equations._array import Array, namespace


def lookup(E: Array, codes: Array) -> Array:
    """EM1: e = Eᵀ · H, H the codes' one-hot columns; A[1] = the other inputs, and every e below.

    Column i is row cᵢ of E: nothing is multiplied.

    Parameters
    ----------
    E : array (K, d)
        Row k embeds code k.
    codes : array (m,)
        c: whole numbers from 0 to K − 1, of any type.

    Returns
    -------
    e : array (d, m)
    """
    xp = namespace(E)
    return xp.take(E, xp.astype(codes, xp.int32), axis=0).T


def lookup_gradient(delta: Array, codes: Array, n_codes: int) -> Array:
    """EM2: ∂C/∂Eₖ = δ if c = k, else 0; over the batch, (1/m) H · δᵀ, the sum of each code's δ.

    Rows of codes that do not occur have a gradient of 0.

    Parameters
    ----------
    delta : array (d, m)
        ∂C/∂e, the error of the embedded values.
    codes : array (m,)
        c, as for `lookup`.
    n_codes : int
        K.

    Returns
    -------
    dE : array (K, d)
    """
    xp = namespace(delta)
    each = xp.arange(n_codes, dtype=xp.int32)
    one_hot = each[:, None] == xp.astype(codes, xp.int32)[None, :]
    return (xp.astype(one_hot, delta.dtype) @ delta.T) / delta.shape[1]
