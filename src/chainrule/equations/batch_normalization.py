"""Batch normalisation, BN1 to BN6: every unit's activations at mean 0 and variance 1, then γ and β.

In training, mean and variance are those of the batch, so an example's output depends on the whole
batch, and its error (BN4) has two more terms: through the mean and through the variance. In
prediction they are running values (BN6), which are constants, and BN5 has no such terms.

Examples may have weights. An example then contributes to the statistics in proportion to its
weight, so that weight 2 has the same effect as having the example twice, as in the cost (J1, J2).
The variance is the biased one, Σ (x − μ)²/m, both for normalising and in the running value: with
weights, the unbiased one would depend on what a weight means, repetition or precision.

Source: Ioffe and Szegedy 2015, "Batch normalization: accelerating deep network training by reducing
internal covariate shift", ICML.
"""

from chainrule.equations._array import Array, namespace


def batch_statistics(A_prev: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """BN1: μ_B = (1/m) Σ a[l−1], v_B = (1/m) Σ (a[l−1] − μ_B)²; with weights, weighted means.

    Parameters
    ----------
    A_prev : array (n[l], m)
        Activations of the layer below.
    weights : array (m,), optional
        Non-negative, with a positive sum.

    Returns
    -------
    mean, variance : arrays (n[l], 1)
    """
    mean = _mean(A_prev, weights)
    centred = A_prev - mean
    return mean, _mean(centred * centred, weights)


def normalized(A_prev: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    """BN2: X̂ = (A[l−1] − μ)/√(v + ε).

    Parameters
    ----------
    A_prev : array (n[l], m)
    mean, variance : arrays (n[l], 1)
        Those of the batch in training, BN1; the running ones in prediction, BN6.
    epsilon : float
        Positive; prevents a division by 0 for a unit whose activation is constant.

    Returns
    -------
    X_hat : array (n[l], m)
    """
    xp = namespace(A_prev)
    return (A_prev - mean) / xp.sqrt(variance + epsilon)


def scaled_and_shifted(X_hat: Array, scale: Array, shift: Array) -> Array:
    """BN3: Z[l] = γ[l] ⊙ X̂ + β[l].

    Parameters
    ----------
    X_hat : array (n[l], m)
    scale, shift : arrays (n[l], 1)
        γ and β, broadcast over the m columns.

    Returns
    -------
    Z : array (n[l], m)
    """
    return scale * X_hat + shift


def scale_gradient(delta: Array, X_hat: Array) -> Array:
    """BN3 gradient: ∂C/∂γ[l] = δ[l] ⊙ x̂; over the batch, the mean of its columns.

    The gradient of β is BP3, since β is added like a bias.

    Parameters
    ----------
    delta : array (n[l], m)
    X_hat : array (n[l], m)

    Returns
    -------
    dscale : array (n[l], 1)
    """
    xp = namespace(delta)
    return xp.mean(delta * X_hat, axis=1, keepdims=True)


def batch_error(
    delta: Array,
    X_hat: Array,
    scale: Array,
    variance: Array,
    epsilon: float,
    weights: Array | None = None,
) -> Array:
    """BN4: ∂C/∂A[l−1] = γ/√(v + ε) ⊙ (δ − mean(δ) − X̂ ⊙ mean(δ ⊙ X̂)), the means over the batch.

    X̂ does not change if all activations are shifted by the same amount, or stretched around μ, so
    the components of δ in these directions are subtracted. With example weights w, δ is already
    weighted (J2), and the means are subtracted in proportion to an example's share of μ and v, m
    w/Σw.

    Parameters
    ----------
    delta : array (n[l], m)
    X_hat : array (n[l], m)
    scale, variance : arrays (n[l], 1)
        γ, and the batch's v.
    epsilon : float
    weights : array (m,), optional

    Returns
    -------
    grad_A_prev : array (n[l], m)
    """
    xp = namespace(delta)
    moved = xp.mean(delta, axis=1, keepdims=True)
    stretched = xp.mean(delta * X_hat, axis=1, keepdims=True)
    common = moved + X_hat * stretched
    if weights is not None:
        common = common * (weights * (weights.shape[0] / xp.sum(weights)))[None, :]
    return scale / xp.sqrt(variance + epsilon) * (delta - common)


def fixed_error(delta: Array, scale: Array, variance: Array, epsilon: float) -> Array:
    """BN5: ∂C/∂A[l−1] = γ/√(v + ε) ⊙ δ, where μ and v are constants.

    Parameters
    ----------
    delta : array (n[l], m)
    scale, variance : arrays (n[l], 1)
        γ, and the running v.
    epsilon : float

    Returns
    -------
    grad_A_prev : array (n[l], m)
    """
    xp = namespace(delta)
    return scale / xp.sqrt(variance + epsilon) * delta


def running_value(running: Array, value: Array, momentum: float) -> Array:
    """BN6: μ ← ρ μ + (1 − ρ) μ_B, and v alike.

    Parameters
    ----------
    running : array (n[l], 1)
        The running mean or variance.
    value : array (n[l], 1)
        That of the batch, BN1.
    momentum : float
        ρ, the share of the old value that is kept.

    Returns
    -------
    running : array (n[l], 1)
    """
    return momentum * running + (1 - momentum) * value


def _mean(X: Array, weights: Array | None) -> Array:
    xp = namespace(X)
    if weights is None:
        return xp.mean(X, axis=1, keepdims=True)
    return xp.sum(X * (weights / xp.sum(weights))[None, :], axis=1, keepdims=True)
