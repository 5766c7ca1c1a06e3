"""What the activations are compared with: SciPy and libm for the values, jax.nn differentiated
for the derivatives. Nothing here calls the package.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import jax
import numpy as np
import scipy.special

# Klambauer et al. 2017, eq. 14, in the closed form of its appendix.
_Q, _R = math.erfc(1 / math.sqrt(2)), math.erfc(math.sqrt(2))
SELU_ALPHA = -math.sqrt(2 / math.pi) / (_Q * math.sqrt(math.e) - 1)
SELU_SCALE = (
    (1 - _Q * math.sqrt(math.e))
    * math.sqrt(2 * math.pi)
    / math.sqrt(
        2 * _R * math.e**2
        + math.pi * _Q**2 * math.e
        - 2 * (2 + math.pi) * _Q * math.sqrt(math.e)
        + math.pi
        + 2
    )
)

_SMALL = (0.0, 1e-310, 1e-40, 1e-20, 1e-3, 0.1, 0.4, 0.7515, 1.0, 1.2785, 1.9, 3.0)
_LARGE = (5.5, 9.0, 13.0, 20.0, 37.0, 80.0, 150.0, 745.0, 1e4)
GRID = np.array([*_SMALL, *_LARGE])
GRID = np.concatenate([-GRID, GRID])


class Oracle(NamedTuple):
    """An activation's id, its table name and arguments, and how to compute it otherwise."""

    id: str
    name: str
    arguments: dict[str, float]
    value: Callable[[float], float]
    differentiable: Callable
    operations: int
    """Rounded operations on the longest path through the equation."""

    def __str__(self):
        return "-".join([self.id, self.name, *map(str, self.arguments.values())])


def _elu(alpha):
    return lambda z: z if z >= 0 else alpha * math.expm1(z)


def _mish(z):
    # tanh(log(1 + e)) = n/(n + 2) with n = e² + 2e, e = e^z.
    e = math.exp(min(z, 40.0))
    n = e * (e + 2)
    return z * (n / (n + 2))


ORACLES = (
    Oracle("AC1", "identity", {}, lambda z: z, lambda z: z, 0),
    Oracle("AC2", "sigmoid", {}, scipy.special.expit, jax.nn.sigmoid, 3),
    Oracle("AC3", "tanh", {}, math.tanh, jax.numpy.tanh, 1),
    Oracle("AC4", "relu", {}, lambda z: (z + abs(z)) / 2, jax.nn.relu, 0),
    Oracle("AC5", "leaky_relu", {}, lambda z: max(z, 0.01 * z), jax.nn.leaky_relu, 1),
    Oracle(
        "AC5",
        "leaky_relu",
        {"slope": 0.25},
        lambda z: max(z, 0.25 * z),
        lambda z: jax.nn.leaky_relu(z, 0.25),
        1,
    ),
    Oracle("AC6", "elu", {}, _elu(1.0), jax.nn.elu, 2),
    Oracle("AC6", "elu", {"alpha": 0.5}, _elu(0.5), lambda z: jax.nn.elu(z, 0.5), 2),
    Oracle("AC7", "selu", {}, lambda z: SELU_SCALE * _elu(SELU_ALPHA)(z), jax.nn.selu, 3),
    Oracle(
        "AC8",
        "gelu",
        {},
        lambda z: z * (0.5 * math.erfc(-z / math.sqrt(2))),
        lambda z: jax.nn.gelu(z, approximate=False),
        8,
    ),
    Oracle("AC9", "silu", {}, lambda z: z * scipy.special.expit(z), jax.nn.silu, 4),
    Oracle("AC10", "mish", {}, _mish, jax.nn.mish, 5),
    Oracle("AC11", "softplus", {}, lambda z: np.logaddexp(0.0, z), jax.nn.softplus, 3),
)


@cache
def elementwise_derivative(function):
    """Return the derivative of a function of one number, by automatic differentiation."""
    return jax.jit(jax.vmap(jax.grad(function)))
