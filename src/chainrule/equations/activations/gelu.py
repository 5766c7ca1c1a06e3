"""The Gaussian error linear unit, exact: with the normal distribution Φ, not a tanh for it.

The array API has no error function, so Φ stands here. erfc is evaluated by its Chebyshev series
in t = (x − 3.75)/(x + 3.75), which maps [0, ∞) to [−1, 1):

    erfc(x) = e^{−x²}/(1 + 2x) · Σₙ cₙ Tₙ(t)

(the variable of Shepherd and Laframboise 1981, "Chebyshev approximation of (1 + 2x) exp(x²)
erfc x in 0 ≤ x < ∞", Math. Comp. 36). The coefficients were computed with 40 digits from 80
Chebyshev nodes; those left out sum to less than 1e−17.
"""

from math import pi, sqrt

from chainrule.equations._array import Array, namespace

_CHEBYSHEV = (
    1.1775789345674017541,
    -0.0045900545806464773309,
    -0.084249133366517915584,
    0.059209939998191890498,
    -0.026658668435305752277,
    0.0090749976707052650939,
    -0.0024131635404176081909,
    0.00049077583652580863229,
    -0.000069169733025012063671,
    4.1390279860730101675e-6,
    7.7403830661984906686e-7,
    -2.1886401049234395661e-7,
    1.0764999465670910377e-8,
    4.5219598112182868979e-9,
    -7.7544002088313511065e-10,
    -6.3180883408866844944e-11,
    2.8687950109306698981e-11,
    1.945586854577734722e-13,
    -9.6546967484334389067e-13,
    3.2525481481487398382e-14,
    3.3478119482868053912e-14,
    -1.8645628804193130174e-15,
    -1.2507950530688646168e-15,
    7.4182352566240487744e-17,
    5.068148904796110099e-17,
)


def normal_density(Z: Array) -> Array:
    """Return φ(z) = e^{−z²/2}/√(2π)."""
    return namespace(Z).exp(-0.5 * Z * Z) / sqrt(2 * pi)


def normal_distribution(Z: Array) -> Array:
    """Return Φ(z) = ½ erfc(−z/√2).

    The left tail is computed as such, not as 1 minus the right one: it keeps a relative error
    of about (2 + z²/2) ε, the condition of e^{−z²/2}, until it underflows.
    """
    xp = namespace(Z)
    x = xp.abs(Z) / sqrt(2)
    t = 1 - 7.5 / (x + 3.75)
    # Clenshaw's recurrence for Σ cₙ Tₙ(t).
    above, series = xp.zeros_like(t), xp.zeros_like(t)
    for c in reversed(_CHEBYSHEV[1:]):
        above, series = series, 2 * t * series - above + c
    series = t * series - above + _CHEBYSHEV[0]
    tail = 0.5 * xp.exp(-x * x) / (1 + 2 * x) * series
    return xp.where(Z < 0, tail, 1 - tail)


def gelu(Z: Array) -> Array:
    """AC8: σ(z) = z Φ(z).

    Source: Hendrycks and Gimpel 2016, "Gaussian error linear units", arXiv:1606.08415.
    """
    return Z * normal_distribution(Z)


def gelu_derivative(Z: Array) -> Array:
    """AC8 derivative: σ′(z) = Φ(z) + z φ(z)."""
    return normal_distribution(Z) + Z * normal_density(Z)
