"""Attribution of f(X) − f(x′), x′ being a reference, to the inputs: AT1 to AT3."""

from chainrule.equations._array import Array, namespace


def gradient_times_input(X: Array, reference: Array, grad_X: Array) -> Array:
    """AT1: R = (X − x′) ⊙ ∂f/∂X.

    Each input's share in f(X) − f(x′) if the gradient were the same on the whole path as it is at
    X. Where f is saturated (a probability near 0 or 1), R is small although the inputs are
    decisive.

    Source: Shrikumar, Greenside and Kundaje 2017, "Learning important features through propagating
    activation differences", ICML, section 2.3 (there with x′ = 0).

    Parameters
    ----------
    X : array (n, m)
        Inputs, with examples as columns.
    reference : array (n, 1)
        x′, a neutral input such as the mean.
    grad_X : array (n, m)
        ∂f/∂X for each example.

    Returns
    -------
    R : array (n, m)
    """
    return (X - reference) * grad_X


def way_from_reference(X: Array, reference: Array, t: Array) -> Array:
    """AT2: X(t) = x′ + t (X − x′), the straight way from the reference to an example.

    Parameters
    ----------
    X : array (n, 1)
    reference : array (n, 1)
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
