"""Attribution of an output to the inputs, or to groups of them: AT2 to AT6."""

from math import comb

from chainrule.equations._array import Array, namespace


def way_from_reference(X: Array, reference: Array, t: Array) -> Array:
    """AT2: X(t) = x′ + t (X − x′), the straight path from the reference to an example.

    Parameters
    ----------
    X : array (n, 1)
    reference : array (n, 1) or (n, k)
        One reference, or one for each position.
    t : array (k,)
        Positions on the path, from 0 to 1.

    Returns
    -------
    points : array (n, k)
    """
    xp = namespace(X)
    return reference + xp.reshape(t, (1, -1)) * (X - reference)


def integrated_gradients(X: Array, reference: Array, grad_way: Array, shares: Array) -> Array:
    """AT3: R = (X − x′) ⊙ Σₖ sₖ ∂f/∂X(tₖ), the mean steepness on the way from the reference.

    With enough points, the inputs' shares add up to f(X) − f(x′).

    Source: Sundararajan, Taly and Yan 2017, "Axiomatic attribution for deep networks", ICML,
    equations 1 and 3.

    Parameters
    ----------
    X : array (n, 1)
    reference : array (n, 1)
    grad_way : array (n, k)
        ∂f/∂X at the points of AT2.
    shares : array (k,)
        s, the weights of a quadrature over t, which add up to 1.

    Returns
    -------
    R : array (n, 1)
    """
    xp = namespace(X)
    mean = xp.sum(grad_way * xp.reshape(shares, (1, -1)), axis=1, keepdims=True)
    return (X - reference) * mean


def expected_gradients(R: Array, weights: Array) -> Array:
    """AT4: R = Σᵦ wᵦ R(x′ᵦ), the mean of the integrated gradients over a background.

    The inputs' shares add up to f(X) − E f, the difference from the background's mean output,
    E f = Σᵦ wᵦ f(x′ᵦ).

    Source: Erion, Janizek, Sturmfels, Lundberg and Lee 2021, "Improving performance of deep
    learning models with axiomatic attribution priors and expected gradients", Nature Machine
    Intelligence 3, equation 4.

    Parameters
    ----------
    R : array (n, k)
        AT3 of one example, for each background row x′ᵦ.
    weights : array (k,)
        w, the weights of the background rows, which add up to 1.

    Returns
    -------
    R : array (n, 1)
    """
    xp = namespace(R)
    return xp.sum(R * xp.reshape(weights, (1, -1)), axis=1, keepdims=True)


def coalition_values(outputs: Array, weights: Array) -> Array:
    """AT5: v(S) = Σᵦ wᵦ f(X_S, x′ᵦ), the mean output if only the players in S are known.

    The inputs of the players in S are those of the example, all others those of a background row.
    This is the interventional game: inputs are replaced independently of each other.

    Source: Lundberg and Lee 2017, "A unified approach to interpreting model predictions", NeurIPS;
    Janzing, Minorics and Blöbaum 2020, "Feature relevance quantification in explainable AI: a
    causal problem", AISTATS, equation 7.

    Parameters
    ----------
    outputs : array (c, k)
        f for each coalition S and each background row.
    weights : array (k,)
        w, the weights of the background rows, which add up to 1.

    Returns
    -------
    v : array (c,)
    """
    xp = namespace(outputs)
    return xp.sum(outputs * xp.reshape(weights, (1, -1)), axis=1)


def shapley_values(v: Array) -> Array:
    """AT6: φᵢ = Σ_S |S|! (n − 1 − |S|)! / n! · (v(S ∪ {i}) − v(S)), over all S without i.

    The players' shares add up to v of all players minus v of no player.

    Source: Shapley 1953, "A value for n-person games", Contributions to the Theory of Games II.

    Parameters
    ----------
    v : array (2ⁿ,)
        The value of every coalition: that of S has the index Σ 2ⁱ over the players i in S.

    Returns
    -------
    phi : array (n,)
    """
    xp = namespace(v)
    n = v.shape[0].bit_length() - 1
    sizes = [code.bit_count() for code in range(1 << n)]
    shares = [1 / (n * comb(n - 1, size)) if size < n else 0.0 for size in sizes]
    weights = xp.asarray(shares, dtype=v.dtype)
    phi = []
    for i in range(n):
        # The middle axis is the bit of player i: 0 for the coalitions without it.
        with_i, without_i = (xp.reshape(v, (-1, 2, 1 << i))[:, bit, :] for bit in (1, 0))
        share = xp.reshape(weights, (-1, 2, 1 << i))[:, 0, :]
        phi.append(xp.sum(share * (with_i - without_i)))
    return xp.stack(phi)
