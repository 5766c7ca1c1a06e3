"""The tables that give equations their names: costs, fused pairs, initialisers."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from chainrule.equations import costs, counts, fused, initializers
from chainrule.equations._array import Array


class CostEquations(NamedTuple):
    """C(A, Y) of one example, ∇ₐC, and the output activations whose range C is defined on."""

    function: Callable[[Array, Array], Array]
    gradient: Callable[[Array, Array], Array]
    output_activations: frozenset[str] | None = None
    """None: any."""


class FusedPair(NamedTuple):
    """C(Z, Y) computed from Z, and δ[L](A, Y), of an output activation with its own cost."""

    cost: Callable[[Array, Array], Array]
    error: Callable[[Array, Array], Array]


class InitializerEquations(NamedTuple):
    """W(draws, n_in, n_out) and the standard draws it takes."""

    function: Callable[[Array, int, int], Array]
    draws: str
    """"uniform" on [−1, 1) or "normal"."""


_PROBABILITIES = frozenset({"sigmoid", "softmax"})
_POSITIVE = frozenset({"exponential", "softplus"})

COSTS: Mapping[str, CostEquations] = MappingProxyType(
    {
        "mse": CostEquations(costs.mean_squared_error, costs.mean_squared_error_gradient),
        "binary_cross_entropy": CostEquations(
            costs.binary_cross_entropy, costs.binary_cross_entropy_gradient, _PROBABILITIES
        ),
        "cross_entropy": CostEquations(
            costs.cross_entropy, costs.cross_entropy_gradient, _PROBABILITIES
        ),
        "poisson": CostEquations(
            counts.poisson_deviance, counts.poisson_deviance_gradient, _POSITIVE
        ),
    }
)

FUSED_PAIRS: Mapping[tuple[str, str], FusedPair] = MappingProxyType(
    {
        ("softmax", "cross_entropy"): FusedPair(
            fused.softmax_cross_entropy, fused.softmax_cross_entropy_error
        ),
        ("sigmoid", "binary_cross_entropy"): FusedPair(
            fused.sigmoid_binary_cross_entropy, fused.sigmoid_binary_cross_entropy_error
        ),
        ("identity", "mse"): FusedPair(
            fused.identity_mean_squared_error, fused.identity_mean_squared_error_error
        ),
        ("exponential", "poisson"): FusedPair(
            counts.exponential_poisson, counts.exponential_poisson_error
        ),
    }
)

INITIALIZERS: Mapping[str, InitializerEquations] = MappingProxyType(
    {
        "zeros": InitializerEquations(initializers.zeros, "uniform"),
        "glorot_uniform": InitializerEquations(initializers.glorot_uniform, "uniform"),
        "glorot_normal": InitializerEquations(initializers.glorot_normal, "normal"),
        "he_uniform": InitializerEquations(initializers.he_uniform, "uniform"),
        "he_normal": InitializerEquations(initializers.he_normal, "normal"),
        "lecun_uniform": InitializerEquations(initializers.lecun_uniform, "uniform"),
        "lecun_normal": InitializerEquations(initializers.lecun_normal, "normal"),
        "nielsen": InitializerEquations(initializers.nielsen, "normal"),
    }
)
