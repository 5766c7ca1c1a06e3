"""Grouped dense layers, GD1 to GD3: a dense layer whose weight matrix is block-diagonal.

The units of a layer and those of the layer below are divided into G groups of equal size, and each
group of the layer sees only its own group below. G networks of the same shape are thus computed
side by side as one. W holds the blocks of the diagonal one below the other, and none of the zeros.

Sources: Krizhevsky, Sutskever and Hinton 2012, "ImageNet classification with deep convolutional
neural networks", NeurIPS, section 3.5, in which convolutions have groups; as an ensemble of
networks: Laurent et al. 2023, "Packed-Ensembles for efficient uncertainty estimation", ICLR.
"""

from chainrule.equations._array import Array, namespace


def grouped_pre_activation(W: Array, A_prev: Array, b: Array) -> Array:
    """GD1: Z[l]ₖ = W[l]ₖ · A[l−1]ₖ + b[l]ₖ, for each group k.

    Parameters
    ----------
    W : array (n[l], n[l-1]/G)
        The weights of each group, W[l]ₖ, one below the other.
    A_prev : array (n[l-1], m)
    b : array (n[l], 1)

    Returns
    -------
    Z : array (n[l], m)
    """
    groups = A_prev.shape[0] // W.shape[1]
    return _joined(_groups(W, groups) @ _groups(A_prev, groups)) + b


def grouped_error(W: Array, delta: Array, groups: int) -> Array:
    """GD2: ∂C/∂A[l−1]ₖ = W[l]ₖᵀ · δ[l]ₖ, for each group k.

    Parameters
    ----------
    W : array (n[l], n[l-1]/G)
    delta : array (n[l], m)
    groups : int
        G.

    Returns
    -------
    grad_A : array (n[l-1], m)
        The first factor of BP2.
    """
    xp = namespace(W)
    transposed = xp.permute_dims(_groups(W, groups), (0, 2, 1))
    return _joined(transposed @ _groups(delta, groups))


def grouped_weight_gradient(delta: Array, A_prev: Array, groups: int) -> Array:
    """GD3: ∂C/∂W[l]ₖ = δ[l]ₖ · A[l−1]ₖᵀ, for each group k; over the batch, the mean.

    Parameters
    ----------
    delta : array (n[l], m)
    A_prev : array (n[l-1], m)
    groups : int
        G.

    Returns
    -------
    dW : array (n[l], n[l-1]/G)
    """
    xp = namespace(delta)
    transposed = xp.permute_dims(_groups(A_prev, groups), (0, 2, 1))
    return _joined(_groups(delta, groups) @ transposed) / delta.shape[1]


def _groups(array: Array, groups: int) -> Array:
    """Return the rows of each group, (G, n/G, …)."""
    rows, columns = array.shape
    return namespace(array).reshape(array, (groups, rows // groups, columns))


def _joined(array: Array) -> Array:
    """Return the groups one below the other."""
    groups, rows, columns = array.shape
    return namespace(array).reshape(array, (groups * rows, columns))
