"""Batch ensembles, BE1 to BE5: K dense layers side by side that share one weight matrix W.

Each of the K members has a group of the layer's units, and its own vectors: r, factors of its
inputs, s, factors of its sums, and the biases b. So member k multiplies by the matrix
diag(s) · W · diag(r), a change of rank one (element by element) of the shared one. The members
see either one group each of the units below, or, in a first layer, all of them the same inputs.

Sources: Wen, Tran and Ba 2020, "BatchEnsemble: an alternative approach to efficient ensemble and
lifelong learning", ICLR; for tables: Gorishniy, Kotelnikov and Babenko 2025, "TabM: advancing
tabular deep learning with parameter-efficient ensembling", ICLR.
"""

from chainrule.equations._array import Array, namespace


def batch_ensemble_pre_activation(W: Array, r: Array, s: Array, A_prev: Array, b: Array) -> Array:
    """BE1: Z[l]ₖ = s[l]ₖ ⊙ (W[l] · (r[l]ₖ ⊙ A[l−1]ₖ)) + b[l]ₖ, for each member k.

    Parameters
    ----------
    W : array (n[l]/K, n)
        The weights that all members share; each sees n units below.
    r : array (K n, 1)
        The factors of the inputs of each member, one below the other.
    s : array (n[l], 1)
    A_prev : array (K n, m) or (n, m)
        Of n units, all members see the same.
    b : array (n[l], 1)

    Returns
    -------
    Z : array (n[l], m)
    """
    return s * _sums(W, r, A_prev) + b


def batch_ensemble_error(
    W: Array, r: Array, s: Array, delta: Array, shared_input: bool = False
) -> Array:
    """BE2: ∂C/∂A[l−1]ₖ = r[l]ₖ ⊙ (W[l]ᵀ · (s[l]ₖ ⊙ δ[l]ₖ)), for each member k; summed if shared.

    Parameters
    ----------
    W : array (n[l]/K, n)
    r : array (K n, 1)
    s : array (n[l], 1)
    delta : array (n[l], m)
    shared_input : bool, default False
        Whether all members see the same inputs, so that their errors are summed.

    Returns
    -------
    grad_A : array (K n, m), or (n, m) if shared
        The first factor of BP2.
    """
    errors = r * _errors(W, s, delta)
    if shared_input:
        return namespace(W).sum(_members(errors, W.shape[1]), axis=0)
    return errors


def shared_weight_gradient(W: Array, r: Array, s: Array, delta: Array, A_prev: Array) -> Array:
    """BE3: ∂C/∂W[l] = Σₖ (s[l]ₖ ⊙ δ[l]ₖ) · (r[l]ₖ ⊙ A[l−1]ₖ)ᵀ; over the batch, the mean.

    Parameters
    ----------
    W : array (n[l]/K, n)
    r : array (K n, 1)
    s : array (n[l], 1)
    delta : array (n[l], m)
    A_prev : array (K n, m) or (n, m)

    Returns
    -------
    dW : array (n[l]/K, n)
    """
    xp = namespace(W)
    transposed = xp.permute_dims(_scaled_inputs(W, r, A_prev), (0, 2, 1))
    return xp.sum(_members(s * delta, W.shape[0]) @ transposed, axis=0) / delta.shape[1]


def input_factor_gradient(W: Array, s: Array, delta: Array, A_prev: Array) -> Array:
    """BE4: ∂C/∂r[l]ₖ = (W[l]ᵀ · (s[l]ₖ ⊙ δ[l]ₖ)) ⊙ A[l−1]ₖ; over the batch, the mean of columns.

    Parameters
    ----------
    W : array (n[l]/K, n)
    s : array (n[l], 1)
    delta : array (n[l], m)
    A_prev : array (K n, m) or (n, m)

    Returns
    -------
    dr : array (K n, 1)
    """
    xp = namespace(W)
    errors = _members(_errors(W, s, delta), W.shape[1])
    return xp.mean(_joined(errors * _members(A_prev, W.shape[1])), axis=1, keepdims=True)


def output_factor_gradient(W: Array, r: Array, delta: Array, A_prev: Array) -> Array:
    """BE5: ∂C/∂s[l]ₖ = δ[l]ₖ ⊙ (W[l] · (r[l]ₖ ⊙ A[l−1]ₖ)); over the batch, the mean of columns.

    Parameters
    ----------
    W : array (n[l]/K, n)
    r : array (K n, 1)
    delta : array (n[l], m)
    A_prev : array (K n, m) or (n, m)

    Returns
    -------
    ds : array (n[l], 1)
    """
    return namespace(W).mean(delta * _sums(W, r, A_prev), axis=1, keepdims=True)


def _sums(W: Array, r: Array, A_prev: Array) -> Array:
    """Return W · (r ⊙ A) of all members, (n[l], m)."""
    return _joined(W @ _scaled_inputs(W, r, A_prev))


def _errors(W: Array, s: Array, delta: Array) -> Array:
    """Return Wᵀ · (s ⊙ δ) of all members, (K n, m)."""
    return _joined(namespace(W).permute_dims(W, (1, 0)) @ _members(s * delta, W.shape[0]))


def _scaled_inputs(W: Array, r: Array, A_prev: Array) -> Array:
    """Return r ⊙ A of each member, (K, n, m); shared inputs are broadcast."""
    return _members(r, W.shape[1]) * _members(A_prev, W.shape[1])


def _members(array: Array, rows: int) -> Array:
    """Return so many rows of each member, (K, rows, …)."""
    total, columns = array.shape
    return namespace(array).reshape(array, (total // rows, rows, columns))


def _joined(array: Array) -> Array:
    """Return the members one below the other."""
    members, rows, columns = array.shape
    return namespace(array).reshape(array, (members * rows, columns))
