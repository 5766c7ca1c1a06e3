"""Batch normalisation, BN1 to BN6: every unit's activations at mean 0 and variance 1, then γ and β.

In training mean and variance are those of the batch, so an example's output depends on all of the
batch, and what goes back (BN4) has two more terms: how it moved the mean, and the variance. In
prediction they are running values (BN6), constants like any other, and BN4's two terms are gone
(BN5).

Examples may have weights. A batch is then a distribution in which an example has its share of the
weight, so that weight 2 acts as the example twice, in the statistics as in the cost (J1, J2). The
variance is the biased one, Σ (x − μ)²/m, both for normalising and in the running value: with
weights there is no other that means the same to both conventions of what a weight is.

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
        Of the batch in training, BN1; the running ones in prediction, BN6.
    epsilon : float
        Positive; keeps a unit that never changes from being divided by 0.

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

    β's is BP3: it stands where a bias stands.

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

    Were every example's a moved by the same amount, or stretched about μ, X̂ would not move: what
    of δ would do that is taken out. With example weights w, δ is already weighted (J2), and an
    example's part in the two means is its part in μ and v, m w/Σw.

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
        The batch's, BN1.
    momentum : float
        ρ, how much of the old value stays.

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
