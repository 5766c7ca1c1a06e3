"""Transforms of a target with a long tail, and how they are undone without bias: TT1 to TT4.

A network that learns y itself sees nothing but the tail: it divides by a deviation that the
largest values alone decide. It learns t, and answers in y's own units. e to the power of the mean
of t is not the mean of y (Jensen), so that the residuals of t take part in undoing it: TT4.
"""

from chainrule.equations._array import Array, namespace


def log_target(value: Array) -> Array:
    """TT1: t = ln y, of values above 0.

    Parameters
    ----------
    value : array
        y > 0.

    Returns
    -------
    t : array
    """
    return namespace(value).log(value)


def asinh_target(value: Array, center: float, spread: float) -> Array:
    """TT2: t = asinh((y − m)/s).

    Linear near the median m, a logarithm of the distance (y − m)/s far from it, on both sides.

    Source: Burbidge, Magee and Robb 1988, "Alternative transformations to handle extreme values of
    the dependent variable", Journal of the American Statistical Association 83, 123-127.

    Parameters
    ----------
    value : array
        y.
    center, spread : float
        m and s > 0.

    Returns
    -------
    t : array
    """
    return namespace(value).asinh((value - center) / spread)


def undone_target(t: Array, center: float, spread: float, rise: float, fall: float) -> Array:
    """TT3: y = m + s (a e^{t} − b e^{-t}).

    With m = 0, s = 1, a = 1, b = 0 it undoes TT1; with a = b = ½ it undoes TT2, since
    a e^{t} − b e^{-t} is then sinh t. TT4 gives the a and b with which it answers the mean.

    Parameters
    ----------
    t : array
    center, spread : float
        m and s.
    rise, fall : float
        a and b.

    Returns
    -------
    y : array
    """
    xp = namespace(t)
    return center + spread * (rise * xp.exp(t) - fall * xp.exp(-t))


def undone_target_derivative(t: Array, spread: float, rise: float, fall: float) -> Array:
    """TT3 derivative: dy/dt = s (a e^{t} + b e^{-t}).

    Parameters
    ----------
    t : array
    spread, rise, fall : float
        s, a and b.

    Returns
    -------
    slope : array
    """
    xp = namespace(t)
    return spread * (rise * xp.exp(t) + fall * xp.exp(-t))


def smearing(residuals: Array, rise: float, fall: float) -> tuple[Array, Array]:
    """TT4: a′ = a (1/m) Σ eʳ, b′ = b (1/m) Σ e⁻ʳ, over the residuals r = t − t̂ of m rows.

    The mean of TT3 over t = t̂ + r for all the residuals is TT3 with a′ and b′: an answer in y's
    units that is a mean, whatever the residuals' distribution is.

    Source: Duan 1983, "Smearing estimate: a nonparametric retransformation method", Journal of the
    American Statistical Association 78, 605-610.

    Parameters
    ----------
    residuals : array (m,)
    rise, fall : float
        a and b of TT3 without a correction.

    Returns
    -------
    rise, fall : arrays ()
    """
    xp = namespace(residuals)
    return rise * xp.mean(xp.exp(residuals)), fall * xp.mean(xp.exp(-residuals))
