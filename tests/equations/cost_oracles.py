"""What the costs are compared with: each written again for JAX, which differentiates it, in a row
with what bounds the errors of an evaluation. Nothing here calls the package's equations.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.equations.text import equation_text
from chainrule.network.function_names import canonical_name
from chainrule.network.registry.costs import COSTS


def _difference(a, y, **parameters):
    """Bound the terms of a cost of the distance, which may grow with its parameter."""
    return np.abs(a - y) * max(1.0, *parameters.values(), 1.0)


def _logarithms(a, y, gamma=0.0):
    """Bound the terms of a cost of log a and log(1 − a), and of powers of either."""
    size = np.abs(np.log(a)) + np.abs(np.log1p(-a))
    return (np.abs(y) + np.abs(1 - y)) * (1 + size)


class Oracle(NamedTuple):
    """How to compute C of one output otherwise; functions take the cost's parameters by name."""

    cost: Callable
    """(a, y) ↦ C."""
    terms: Callable
    """(a, y) ↦ a bound on the magnitudes that C is added up from, in NumPy."""
    from_logits: Mapping[str, Callable] = {}
    """(z, y) ↦ C, by the output activation for which that is the stable way; z has a row an
    example."""
    kink: Callable | None = None
    """(a, y) ↦ a distance whose sign changes where C has a kink, in NumPy."""
    exponent: str = ""
    """The parameter that is an exponent: its powers amplify roundings."""


def _sigmoid_entropy(z, y):
    return -y * jax.nn.log_sigmoid(z) - (1 - y) * jax.nn.log_sigmoid(-z)


def _focal(p, gamma):
    return -((1 - p) ** gamma) * jnp.log(p)


def _sigmoid_focal(z, gamma):
    return -(jax.nn.sigmoid(-z) ** gamma) * jax.nn.log_sigmoid(z)


# Not with log1p: JAX's errs by up to 100 ε for negative arguments in float64.
ORACLES = {
    "mse": Oracle(lambda a, y: (y - a) ** 2 / 2, lambda a, y: (a - y) ** 2 / 2),
    "binary_cross_entropy": Oracle(
        lambda a, y: -(y * jnp.log(a) + (1 - y) * jnp.log(1 - a)),
        _logarithms,
        {"sigmoid": _sigmoid_entropy},
    ),
    "cross_entropy": Oracle(
        lambda a, y: -y * jnp.log(a),
        _logarithms,
        {
            "sigmoid": lambda z, y: -y * jax.nn.log_sigmoid(z),
            "softmax": lambda z, y: -y * (z - jax.nn.logsumexp(z, axis=1, keepdims=True)),
        },
    ),
    "absolute_error": Oracle(lambda a, y: jnp.abs(y - a), _difference, kink=lambda a, y: a - y),
    "huber": Oracle(
        lambda a, y, delta: jnp.where(
            jnp.abs(y - a) <= delta, (y - a) ** 2 / 2, delta * (jnp.abs(y - a) - delta / 2)
        ),
        _difference,
        kink=lambda a, y, delta: np.abs(a - y) - delta,
    ),
    "quantile": Oracle(
        lambda a, y, quantile: jnp.maximum(quantile * (y - a), (1 - quantile) * (a - y)),
        _difference,
        kink=lambda a, y, quantile: a - y,
    ),
    # At most |a − y|, of which log 2 cancels a part.
    "log_cosh": Oracle(lambda a, y: jnp.logaddexp(a - y, y - a) - jnp.log(2.0), _difference),
    "binary_focal": Oracle(
        lambda a, y, gamma: y * _focal(a, gamma) + (1 - y) * _focal(1 - a, gamma),
        _logarithms,
        {
            "sigmoid": lambda z, y, gamma: (
                y * _sigmoid_focal(z, gamma) + (1 - y) * _sigmoid_focal(-z, gamma)
            )
        },
        exponent="gamma",
    ),
    "focal": Oracle(
        lambda a, y, gamma: y * _focal(a, gamma),
        _logarithms,
        {"sigmoid": lambda z, y, gamma: y * _sigmoid_focal(z, gamma)},
        exponent="gamma",
    ),
    "poisson": Oracle(
        lambda a, y: jax.scipy.special.xlogy(y, y) - y * jnp.log(a) - y + a,
        lambda a, y: y * (2 + np.abs(np.log(a)) + np.abs(np.log(np.where(y > 0, y, 1)))) + a,
    ),
}


class Case(NamedTuple):
    """A cost at some values of its parameters."""

    name: str
    parameters: Mapping[str, float]

    @classmethod
    def of(cls, text):
        """Read a cost as users write it; by itself, not as the package does."""
        name, _, rest = text.partition("(")
        parameters = {key: one.default for key, one in COSTS[name].parameters.items()}
        for part in filter(None, rest.rstrip(")").split(",")):
            key, _, value = part.partition("=")
            parameters[key.strip()] = float(value)
        return cls(name, parameters)

    def __str__(self):
        id = equation_text(COSTS[self.name].function).id
        return "-".join([id, self.name, *map(str, self.parameters.values())])

    @property
    def text(self):
        """The cost as users write it."""
        return canonical_name(self.name, self.parameters, COSTS)

    @property
    def oracle(self):
        return ORACLES[self.name]

    @property
    def cost(self):
        """(a, y) ↦ C of one output."""
        return partial(self.oracle.cost, **self.parameters)

    def terms(self, a, y):
        return self.oracle.terms(a, y, **self.parameters)

    def exponent(self):
        """Return the exponent of its powers, or 0."""
        return self.parameters.get(self.oracle.exponent, 0.0)

    def kink_distance(self, a, y):
        """Return how far each output is from where C has a kink; without kinks, nothing."""
        if self.oracle.kink is None:
            return np.zeros(0)
        return self.oracle.kink(a, y, **self.parameters)


def _cases():
    for name, row in COSTS.items():
        yield Case(name, {key: one.default for key, one in row.parameters.items()})
        if row.parameters:
            yield Case(name, {key: one.example for key, one in row.parameters.items()})


CASES = list(_cases())
"""Every cost, with parameters at their defaults and at other values."""
