"""What the activations are compared with: mpmath for the values, jax.nn differentiated for the
derivatives, a row each. Nothing here calls the package's equations.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import jax
import mpmath
import numpy as np

from chainrule.equations.text import equation_text
from chainrule.network.registry.activations import ACTIVATIONS

_SMALL = (0.0, 1e-310, 1e-40, 1e-20, 1e-3, 0.1, 0.4, 0.7515, 1.0, 1.2785, 1.9, 3.0)
_LARGE = (5.5, 9.0, 13.0, 20.0, 37.0, 80.0, 150.0, 745.0, 1e4)
GRID = np.array([*_SMALL, *_LARGE])
GRID = np.concatenate([-GRID, GRID])


def _sigmoid(z):
    return 1 / (1 + mpmath.exp(-z))


def _elu(z, alpha):
    return z if z >= 0 else alpha * mpmath.expm1(z)


def _selu(z):
    # Klambauer et al. 2017, eq. 14, in the closed form of its appendix.
    q, r, e, pi = mpmath.erfc(1 / mpmath.sqrt(2)), mpmath.erfc(mpmath.sqrt(2)), mpmath.e, mpmath.pi
    alpha = -mpmath.sqrt(2 / pi) / (q * mpmath.sqrt(e) - 1)
    square = 2 * r * e**2 + pi * q**2 * e - 2 * (2 + pi) * q * mpmath.sqrt(e) + pi + 2
    return (1 - q * mpmath.sqrt(e)) * mpmath.sqrt(2 * pi / square) * _elu(z, alpha)


class Oracle(NamedTuple):
    """How to compute an activation otherwise; both functions take its parameters by name."""

    value: Callable[..., mpmath.mpf] | None
    """Of one number of mpmath; None for an activation of a whole layer."""
    differentiable: Callable
    """Of an array of JAX, an example a row."""
    operations: int = 0
    """Rounded operations on the longest path through the equation."""
    conditioning: float = 0.0
    """Times z², by which an argument's rounding is amplified, relatively."""
    ulps: float = 4.0
    """Units in the last place by which the compiled twin may err; ∞ where it is not known."""


ORACLES = {
    "identity": Oracle(lambda z: z, lambda z: z, ulps=0),
    "sigmoid": Oracle(_sigmoid, jax.nn.sigmoid, 3),
    "tanh": Oracle(mpmath.tanh, jax.numpy.tanh, 1),
    "relu": Oracle(lambda z: (z + abs(z)) / 2, jax.nn.relu, ulps=0),
    "leaky_relu": Oracle(
        lambda z, slope: max(z, slope * z),
        lambda z, slope: jax.nn.leaky_relu(z, slope),
        1,
    ),
    "elu": Oracle(_elu, lambda z, alpha: jax.nn.elu(z, alpha), 2),
    "selu": Oracle(_selu, jax.nn.selu, 3),
    # e^{−z²/2} amplifies the error of z/√2 (ε) and of its square (ε/2) by z²/2.
    "gelu": Oracle(
        lambda z: z * mpmath.ncdf(z),
        partial(jax.nn.gelu, approximate=False),
        8,
        conditioning=1.25,
        ulps=np.inf,
    ),
    "silu": Oracle(lambda z: z * _sigmoid(z), jax.nn.silu, 4),
    # A product of a fraction whose parts are themselves rounded.
    "mish": Oracle(lambda z: z * mpmath.tanh(mpmath.log1p(mpmath.exp(z))), jax.nn.mish, 5, ulps=6),
    "hard_swish": Oracle(lambda z: z * min(max(z + 3, 0), 6) / 6, jax.nn.hard_swish, 3),
    "softplus": Oracle(lambda z: mpmath.log1p(mpmath.exp(z)), jax.nn.softplus, 3),
    "exponential": Oracle(mpmath.exp, jax.numpy.exp, 1),
    "softmax": Oracle(None, partial(jax.nn.softmax, axis=-1), ulps=np.inf),
}


class Case(NamedTuple):
    """An activation at some values of its parameters."""

    name: str
    parameters: dict[str, float]

    def __str__(self):
        id = equation_text(ACTIVATIONS[self.name].function).id
        return "-".join([id, self.name, *map(str, self.parameters.values())])

    @property
    def oracle(self):
        return ORACLES[self.name]

    def values(self, z):
        """Return σ(z) in float64, rounded once; ∞ above its largest number."""
        with mpmath.workdps(40):
            return np.array(
                [float(self.oracle.value(mpmath.mpf(float(x)), **self.parameters)) for x in z]
            )

    def derivatives(self, z):
        """Return σ′(z) by automatic differentiation."""
        return np.asarray(_derivative(self.name, tuple(self.parameters.items()))(z))


@cache
def _derivative(name, parameters):
    function = partial(ORACLES[name].differentiable, **dict(parameters))
    return jax.jit(jax.vmap(jax.grad(function)))


def _cases():
    for name, row in ACTIVATIONS.items():
        parameters = row.parameters
        yield Case(name, {key: parameter.default for key, parameter in parameters.items()})
        if parameters:
            yield Case(name, {key: parameter.example for key, parameter in parameters.items()})


CASES = [case for case in _cases() if ACTIVATIONS[case.name].derivative is not None]
"""Every element-wise activation, with parameters at their defaults and at other values."""
