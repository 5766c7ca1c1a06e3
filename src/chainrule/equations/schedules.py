"""Schedules of the learning rate: LR1 to LR7, α as a function of the steps made so far.

τ = t − 1 is 0 at the first step. Lengths (T) are in steps and need not be whole numbers.
"""

from math import pi

from chainrule.equations._array import Array, namespace


def time_decay(tau: Array, initial: float, decay: float, length: float) -> Array:
    """LR1: α = α₀ / (1 + k τ/T).

    Parameters
    ----------
    tau : array
        Steps made so far.
    initial, decay : float
        α₀ and k ≥ 0.
    length : float
        T, after which α is α₀/(1 + k).
    """
    return initial / (1 + decay * (tau / length))


def exponential_decay(tau: Array, initial: float, factor: float, length: float) -> Array:
    """LR2: α = α₀ c^{τ/T}.

    Parameters
    ----------
    tau : array
    initial, factor : float
        α₀ and c > 0.
    length : float
        T, after which α is c α₀.
    """
    return initial * factor ** (tau / length)


def staircase_decay(tau: Array, initial: float, factor: float, length: float) -> Array:
    """LR3: α = α₀ c^{⌊τ/T⌋}."""
    xp = namespace(tau)
    return initial * factor ** xp.floor(tau / length)


def cosine_decay(tau: Array, initial: float, final: float, length: float) -> Array:
    """LR4: α = α₁ + ½ (α₀ − α₁) (1 + cos(π τ/T)); α₁ from τ = T on.

    Source: Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts",
    ICLR, equation 5.

    Parameters
    ----------
    tau : array
    initial, final : float
        α₀ and α₁; the second may be the larger.
    length : float
        T.
    """
    xp = namespace(tau)
    part = tau / length
    part = xp.where(part > 1, xp.ones_like(part), part)
    return final + 0.5 * (initial - final) * (1 + xp.cos(pi * part))


def cosine_restarts(
    tau: Array, initial: float, final: float, length: float, factor: float, restarts: int
) -> Array:
    """LR5: α is LR4 at τ − sᵢ over T cⁱ, sᵢ being where the cycle i = 0, 1, … began.

    Source: as for LR4; c is its T_mult.

    Parameters
    ----------
    tau : array
    initial, final : float
        α₀ at the beginning of each cycle, α₁ at its end.
    length : float
        T, of the first cycle.
    factor : float
        c: how much longer each cycle is than the one before.
    restarts : int
        Cycles after the first; after the last one α stays at α₁.
    """
    xp = namespace(tau)
    alpha = cosine_decay(tau, initial, final, length)
    start = length
    for _ in range(restarts):
        length = length * factor
        alpha = xp.where(tau >= start, cosine_decay(tau - start, initial, final, length), alpha)
        start = start + length
    return alpha


def one_cycle(
    tau: Array, initial: float, maximum: float, final: float, peak: float, length: float
) -> Array:
    """LR6: α rises by LR4 from α₀ to α₂ until τ = P, then falls by LR4 to α₁ until τ = T.

    Source: Smith and Topin 2018, "Super-convergence: very fast training of neural networks using
    large learning rates"; with half cosines in the place of straight lines.

    Parameters
    ----------
    tau : array
    initial, maximum, final : float
        α₀, α₂ and α₁.
    peak, length : float
        P and T, 0 < P < T.
    """
    xp = namespace(tau)
    rising = cosine_decay(tau, initial, maximum, peak)
    falling = cosine_decay(tau - peak, maximum, final, length - peak)
    return xp.where(tau < peak, rising, falling)


def log_cosine(tau: Array, maximum: float, cycles: float, length: float) -> Array:
    """LR9: α = α₂ (1 − cos(2π log₂(1 + (2ᵏ − 1) τ/T)))/2 until τ = T, and 0 from there on.

    Source: "coslog4", k = 4, of Holzmüller, Grinsztajn and Steinwart 2024, "Better by default:
    strong pre-tuned MLPs and boosted trees on tabular data".

    Parameters
    ----------
    tau : array
    maximum : float
        α₂.
    cycles : float
        k, a whole number of at least 1: the number of times that α rises and falls, each time over
        about twice as many steps.
    length : float
        T, above 0.
    """
    xp = namespace(tau)
    share = xp.clip(tau / length, 0.0, 1.0)
    turns = xp.log2(1 + (2.0**cycles - 1) * share)
    waves = maximum * (1 - xp.cos(2 * pi * turns)) / 2
    return xp.where(share < 1, waves, xp.zeros_like(tau))


def flat_cosine(tau: Array, initial: float, final: float, flat: float, length: float) -> Array:
    """LR8: α = α₀ until τ = P, then falls by LR4 to α₁ until τ = T.

    Source: the fastai library's ``fit_flat_cos`` (Howard and Gugger 2020, "fastai: A Layered API
    for Deep Learning", Information 11).

    Parameters
    ----------
    tau : array
    initial, final : float
        α₀ and α₁.
    flat, length : float
        P and T, 0 ≤ P < T.
    """
    xp = namespace(tau)
    falling = cosine_decay(tau - flat, initial, final, length - flat)
    return xp.where(tau < flat, xp.ones_like(tau) * initial, falling)


def warm_up(tau: Array, target: float, length: float) -> Array:
    """LR7: α = α₂ (τ + 1)/T, for τ < T.

    The first step is not 0, the last one of the T is α₂.

    Parameters
    ----------
    tau : array
    target : float
        α₂.
    length : float
        T.
    """
    return target * ((tau + 1) / length)
