"""Averages of weights: WA1 to WA3.

Steps oscillate around a minimum, and an average X of the parameters W lies closer to its centre
than the latest ones. Training continues from W, but the network is evaluated, saved and used at X.
X starts at W, which does not bias it, because c is 1 at the first step.
"""

from chainrule.equations._array import Array, namespace


def average_update(X: Array, W: Array, share: float) -> Array:
    """WA1: X ← X + c (W − X).

    Parameters
    ----------
    X, W : array
        The average so far, and the parameters after a step.
    share : float
        c in [0, 1]: the share of W in the new average, WA2 or WA3.
    """
    return X + share * (W - X)


def exponential_share(t: Array, decay: float) -> Array:
    """WA2: c = (1 − ρ)/(1 − ρᵗ), of the exponential moving average, bias-corrected.

    X is then V̂ of O3 with parameters instead of gradients: V/(1 − ρᵗ), V ← ρV + (1 − ρ)W.

    Source: Kingma and Ba 2015, "Adam: a method for stochastic optimization", ICLR, section 7.2.

    Parameters
    ----------
    t : array
        Number of updates, including this one.
    decay : float
        ρ in [0, 1); X is an average of about the last 1/(1 − ρ) steps.
    """
    return (1 - decay) / (1 - decay**t)


def rate_share(alpha: Array, total: Array) -> Array:
    """WA3: c = α²/Σα², over all steps so far; 0 where all of them had α = 0.

    X is then the mean of the parameters over all steps, with less weight on those of a warm-up.

    Source: Defazio et al. 2024, "The road less scheduled", NeurIPS, algorithm 1.

    Parameters
    ----------
    alpha : array
        Learning rates of steps.
    total : array
        Σα² up to and including each of them.
    """
    xp = namespace(alpha)
    return alpha * alpha / xp.where(total > 0, total, xp.ones_like(total))
