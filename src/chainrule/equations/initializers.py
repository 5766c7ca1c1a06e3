"""Initial weights: standard draws, scaled so that Z neither vanishes nor explodes with depth.

The caller draws the random numbers. A uniform initialiser takes U drawn from [−1, 1), a normal
one N drawn from N(0, 1), both of shape (n[l], n[l−1]); n_in = n[l−1] and n_out = n[l]. Biases start
at zero.
"""

from math import sqrt

from chainrule.equations._array import Array, namespace


def zeros(draws: Array, n_in: int, n_out: int) -> Array:
    """IN0: W = 0. Breaks no symmetry between units: for single-layer networks and biases."""
    xp = namespace(draws)
    return xp.zeros_like(draws)


def glorot_uniform(U: Array, n_in: int, n_out: int) -> Array:
    """IN1: W = U √(6/(n_in + n_out)).

    Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward
    neural networks", AISTATS, eq. 16.
    """
    return U * sqrt(6 / (n_in + n_out))


def glorot_normal(N: Array, n_in: int, n_out: int) -> Array:
    """IN2: W = N √(2/(n_in + n_out)).

    Source: Glorot and Bengio 2010, eq. 12: the variance of IN1, normally distributed.
    """
    return N * sqrt(2 / (n_in + n_out))


def he_uniform(U: Array, n_in: int, n_out: int) -> Array:
    """IN3: W = U √(6/n_in).

    Source: He, Zhang, Ren and Sun 2015, "Delving deep into rectifiers", ICCV, eq. 10: the
    variance of IN4, uniformly distributed.
    """
    return U * sqrt(6 / n_in)


def he_normal(N: Array, n_in: int, n_out: int) -> Array:
    """IN4: W = N √(2/n_in).

    Source: He, Zhang, Ren and Sun 2015, eq. 10.
    """
    return N * sqrt(2 / n_in)


def lecun_uniform(U: Array, n_in: int, n_out: int) -> Array:
    """IN5: W = U √(3/n_in).

    Source: LeCun, Bottou, Orr and Müller 1998, "Efficient BackProp", section 4.6: the variance
    of IN6, uniformly distributed.
    """
    return U * sqrt(3 / n_in)


def lecun_normal(N: Array, n_in: int, n_out: int) -> Array:
    """IN6: W = N √(1/n_in).

    Source: LeCun, Bottou, Orr and Müller 1998, section 4.6, eq. 16. SELU networks need it, too
    (Klambauer et al. 2017).
    """
    return N * sqrt(1 / n_in)


def nielsen(N: Array, n_in: int, n_out: int) -> Array:
    """IN7: W = N/√n_in.

    Source: Nielsen 2015, "Neural Networks and Deep Learning", chapter 3. It is the same formula as
    IN6, under the name that readers of the book look for. Biases, which the book draws from N(0,
    1), start at zero as with the other initialisers.
    """
    return lecun_normal(N, n_in, n_out)
