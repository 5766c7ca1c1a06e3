"""Transformations of a target with a long tail, and their bias-corrected inverses: TT1 to TT4.

If a network learned y itself, y would be divided by a standard deviation that the few largest
values determine, and all others would be nearly equal. So it learns t, and its predictions are
transformed back to y's units. e to the power of the mean of t is not the mean of y (Jensen's
inequality), so the inverse includes the residuals of t: TT4.
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

    It is linear near the median m, and logarithmic in the distance (y − m)/s far from it, on both
    sides.

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

    With m = 0, s = 1, a = 1, b = 0 it is the inverse of TT1; with a = b = ½ that of TT2, since
    a e^{t} − b e^{-t} is then sinh t. With the a and b of TT4, it gives the mean of y.

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

    The mean of TT3 over t = t̂ + r for all residuals is TT3 with a′ and b′. So predictions in y's
    units are means, whatever the distribution of the residuals.

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
