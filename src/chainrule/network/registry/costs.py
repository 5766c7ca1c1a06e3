"""The costs, one row each, with fused equations for costs that form a pair with an activation.

To add a cost, add its equations to `chainrule.equations`, a row here, and its compiled twin.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType
from typing import Literal, NamedTuple

from chainrule.equations import costs, counts, focal, fused_pairs, robust_costs
from chainrule.equations._array import Array
from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.network.registry.values import ABOVE_0, ANY, BETWEEN_0_AND_1, Parameter, Range


class FusedPair(NamedTuple):
    """C(Z, Y), computed from Z, and δ[L](A, Y) for a matching output activation and cost.

    Both functions take the cost's parameters as keyword arguments.
    """

    cost: Callable[..., Array]
    error: Callable[..., Array]


class Loss(NamedTuple):
    """A cost as a loss of the estimators and the command line."""

    name: str
    task: Literal["classification", "regression"]
    output: str = "identity"
    """The output activation used with this loss."""
    estimates: Literal["", "mean", "median", "quantile"] = ""
    """The statistic of the targets at one input that minimises the loss."""
    meaning: str = ""
    """A short note for the estimators' documentation."""
    in_scikit_learn: bool = False
    """Whether scikit-learn's networks have this loss under the same name."""


@dataclass(frozen=True, kw_only=True)
class CostRow:
    """A cost: its equations, its domain, and its name as a loss of the estimators."""

    function: Callable[..., Array]
    gradient: Callable[..., Array]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    outputs: Range = ANY
    """The range that the output activation must have."""
    targets: Range = ANY
    side: Callable[..., Array] | None = None
    """Tells on which side of C's kinks an output lies; None if C has no kinks."""
    fused: Mapping[str, FusedPair] = field(default_factory=dict)
    """Fused equations by the name of the matching output activation."""
    of_one_output: str = ""
    """The replacement cost for a single output, if this cost needs at least two."""
    loss: Loss | None = None

    @property
    def output_activations(self) -> tuple[str, ...]:
        """The names of the output activations that the cost is defined for, sorted."""
        return tuple(
            sorted(
                name
                for name, row in ACTIVATIONS.items()
                if self.outputs is ANY or row.outputs == self.outputs
            )
        )


_UNIT_INTERVAL = Range("in [0, 1]", 0, 1)
_DISTRIBUTION = Range("≥ 0 (one-hot, or a distribution)", 0, inf)
_COUNTS = Range("≥ 0 (counts)", 0, inf)
_GAMMA = MappingProxyType(
    {"gamma": Parameter(2.0, 0.5, "≥ 0", lambda gamma: gamma >= 0, "focal_gamma")}
)

COSTS: Mapping[str, CostRow] = MappingProxyType(
    {
        "mse": CostRow(
            function=costs.mean_squared_error,
            gradient=costs.mean_squared_error_gradient,
            fused={
                "identity": FusedPair(
                    fused_pairs.identity_mean_squared_error,
                    fused_pairs.identity_mean_squared_error_error,
                )
            },
            loss=Loss("squared_error", "regression", "identity", "mean", "half of it", True),
        ),
        "binary_cross_entropy": CostRow(
            function=costs.binary_cross_entropy,
            gradient=costs.binary_cross_entropy_gradient,
            outputs=BETWEEN_0_AND_1,
            targets=_UNIT_INTERVAL,
            fused={
                "sigmoid": FusedPair(
                    fused_pairs.sigmoid_binary_cross_entropy,
                    fused_pairs.sigmoid_binary_cross_entropy_error,
                )
            },
            loss=Loss("log_loss", "classification", "sigmoid"),
        ),
        "cross_entropy": CostRow(
            function=costs.cross_entropy,
            gradient=costs.cross_entropy_gradient,
            outputs=BETWEEN_0_AND_1,
            targets=_DISTRIBUTION,
            fused={
                "softmax": FusedPair(
                    fused_pairs.softmax_cross_entropy, fused_pairs.softmax_cross_entropy_error
                )
            },
            of_one_output="binary_cross_entropy",
            loss=Loss("log_loss", "classification", "softmax"),
        ),
        "absolute_error": CostRow(
            function=robust_costs.absolute_error,
            gradient=robust_costs.absolute_error_gradient,
            side=robust_costs.absolute_error_side,
            loss=Loss("absolute_error", "regression", estimates="median"),
        ),
        "huber": CostRow(
            function=robust_costs.huber,
            gradient=robust_costs.huber_gradient,
            parameters={
                "delta": Parameter(1.0, 0.5, "> 0", lambda d: d > 0, "huber_delta", True),
            },
            side=robust_costs.huber_side,
            loss=Loss("huber", "regression", estimates="mean"),
        ),
        "quantile": CostRow(
            function=robust_costs.quantile,
            gradient=robust_costs.quantile_gradient,
            parameters={
                "quantile": Parameter(0.5, 0.9, "between 0 and 1", lambda q: 0 < q < 1, "quantile"),
            },
            side=robust_costs.quantile_side,
            loss=Loss("quantile", "regression", estimates="quantile"),
        ),
        "log_cosh": CostRow(
            function=robust_costs.log_cosh,
            gradient=robust_costs.log_cosh_gradient,
            loss=Loss("log_cosh", "regression", estimates="mean"),
        ),
        "binary_focal": CostRow(
            function=focal.binary_focal,
            gradient=focal.binary_focal_gradient,
            parameters=_GAMMA,
            outputs=BETWEEN_0_AND_1,
            targets=_UNIT_INTERVAL,
            fused={
                "sigmoid": FusedPair(focal.sigmoid_binary_focal, focal.sigmoid_binary_focal_error)
            },
            loss=Loss("focal", "classification", "sigmoid"),
        ),
        "focal": CostRow(
            function=focal.focal,
            gradient=focal.focal_gradient,
            parameters=_GAMMA,
            outputs=BETWEEN_0_AND_1,
            targets=_DISTRIBUTION,
            fused={"softmax": FusedPair(focal.softmax_focal, focal.softmax_focal_error)},
            of_one_output="binary_focal",
            loss=Loss("focal", "classification", "softmax"),
        ),
        "poisson": CostRow(
            function=counts.poisson_deviance,
            gradient=counts.poisson_deviance_gradient,
            outputs=ABOVE_0,
            targets=_COUNTS,
            fused={
                "exponential": FusedPair(
                    counts.exponential_poisson, counts.exponential_poisson_error
                )
            },
            loss=Loss(
                "poisson",
                "regression",
                "exponential",
                "mean",
                "half the deviance, with the exponential as output activation, for counts y ≥ 0",
                in_scikit_learn=True,
            ),
        ),
    }
)
