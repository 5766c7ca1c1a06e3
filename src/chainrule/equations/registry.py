"""The tables that give equations their names: costs, fused pairs, initialisers."""

from collections.abc import Callable, Mapping
from math import inf
from types import MappingProxyType
from typing import NamedTuple

from chainrule.equations import costs, counts, focal, fused_pairs, initializers, robust_costs
from chainrule.equations._array import Array


class Parameter(NamedTuple):
    """The default of a cost's parameter, and which values it may have (all finite)."""

    default: float
    expected: str
    fits: Callable[[float], bool]


class CostEquations(NamedTuple):
    """C(A, Y) of one example, ∇ₐC, and what C is defined on."""

    function: Callable[..., Array]
    gradient: Callable[..., Array]
    output_activations: frozenset[str] | None = None
    """None: any."""
    targets: tuple[float, float] = (-inf, inf)
    """The smallest and the largest target."""
    limits: Mapping[str, Parameter] = MappingProxyType({})
    """What a user may set."""
    side: Callable[..., Array] | None = None
    """On which side of a kink of C an output lies, where C has any."""

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters that a user may set, with their defaults."""
        return {name: parameter.default for name, parameter in self.limits.items()}


class FusedPair(NamedTuple):
    """C(Z, Y) computed from Z, and δ[L](A, Y), of an output activation with its own cost.

    Both take the cost's parameters by name.
    """

    cost: Callable[..., Array]
    error: Callable[..., Array]


class InitializerEquations(NamedTuple):
    """W(draws, n_in, n_out) and the standard draws it takes."""

    function: Callable[[Array, int, int], Array]
    draws: str
    """"uniform" on [−1, 1) or "normal"."""


_PROBABILITIES = frozenset({"sigmoid", "softmax"})
_GAMMA = {"gamma": Parameter(2.0, "≥ 0", lambda gamma: gamma >= 0)}
_POSITIVE = frozenset({"exponential", "softplus"})

COSTS: Mapping[str, CostEquations] = MappingProxyType(
    {
        "mse": CostEquations(costs.mean_squared_error, costs.mean_squared_error_gradient),
        "binary_cross_entropy": CostEquations(
            costs.binary_cross_entropy,
            costs.binary_cross_entropy_gradient,
            _PROBABILITIES,
            (0, 1),
        ),
        "cross_entropy": CostEquations(
            costs.cross_entropy, costs.cross_entropy_gradient, _PROBABILITIES, (0, inf)
        ),
        "absolute_error": CostEquations(
            robust_costs.absolute_error,
            robust_costs.absolute_error_gradient,
            side=robust_costs.absolute_error_side,
        ),
        "huber": CostEquations(
            robust_costs.huber,
            robust_costs.huber_gradient,
            limits={"delta": Parameter(1.0, "> 0", lambda d: d > 0)},
            side=robust_costs.huber_side,
        ),
        "quantile": CostEquations(
            robust_costs.quantile,
            robust_costs.quantile_gradient,
            limits={"quantile": Parameter(0.5, "between 0 and 1", lambda q: 0 < q < 1)},
            side=robust_costs.quantile_side,
        ),
        "log_cosh": CostEquations(robust_costs.log_cosh, robust_costs.log_cosh_gradient),
        "binary_focal": CostEquations(
            focal.binary_focal, focal.binary_focal_gradient, _PROBABILITIES, (0, 1), _GAMMA
        ),
        "focal": CostEquations(focal.focal, focal.focal_gradient, _PROBABILITIES, (0, inf), _GAMMA),
        "poisson": CostEquations(
            counts.poisson_deviance, counts.poisson_deviance_gradient, _POSITIVE, (0, inf)
        ),
    }
)

FUSED_PAIRS: Mapping[tuple[str, str], FusedPair] = MappingProxyType(
    {
        ("softmax", "cross_entropy"): FusedPair(
            fused_pairs.softmax_cross_entropy, fused_pairs.softmax_cross_entropy_error
        ),
        ("sigmoid", "binary_cross_entropy"): FusedPair(
            fused_pairs.sigmoid_binary_cross_entropy, fused_pairs.sigmoid_binary_cross_entropy_error
        ),
        ("identity", "mse"): FusedPair(
            fused_pairs.identity_mean_squared_error, fused_pairs.identity_mean_squared_error_error
        ),
        ("softmax", "focal"): FusedPair(focal.softmax_focal, focal.softmax_focal_error),
        ("sigmoid", "binary_focal"): FusedPair(
            focal.sigmoid_binary_focal, focal.sigmoid_binary_focal_error
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
