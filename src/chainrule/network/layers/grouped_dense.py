"""The grouped dense layer: groups of units, each connected to its own group below."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from chainrule.arguments import hinting
from chainrule.checks import whole_number
from chainrule.equations._array import Array
from chainrule.equations.backpropagation import bias_gradient
from chainrule.equations.grouped import (
    grouped_error,
    grouped_pre_activation,
    grouped_weight_gradient,
)
from chainrule.errors import InvalidArgumentError
from chainrule.names import ActivationText, InitializerName
from chainrule.network.layers.base import Block, LayerPass, TrainingStep
from chainrule.network.layers.operations import GroupedAffine, Operation, activated, column
from chainrule.network.layers.weighted import WeightedLayer, check_of_units, multiples


@hinting
@dataclass(frozen=True, repr=False)
class GroupedDense(WeightedLayer):
    """Dense layers side by side, A[l]ₖ = σ(W[l]ₖ · A[l−1]ₖ + b[l]ₖ) for each group k.

    The units of the layer, and those of the layer below, are divided into groups of equal size, in
    their order. Each group sees only its own group below, as if W were a block-diagonal matrix. So
    an ensemble of networks of the same shape is one network, whose layers are the members' layers
    side by side: the first one `Dense`, in which all members see all inputs, the next ones
    `GroupedDense`. With G groups, a layer has a G-th of the weights of a `Dense` layer, and is
    about a G-th of the work.

    Parameters
    ----------
    units : int
        n[l], the units of all groups together: a multiple of `groups`.
    groups : int
        G, at least 1. The layer below must have a multiple of so many units, too.
    activation : str, default "relu"
        As in `Dense`, but no softmax, which would couple the groups, and no heads.
    init : str, optional
        An initialiser's name, or "auto"; by default the network's `init`. Each group is initialised
        like a dense layer of its own, from n[l−1]/G to n[l]/G units.
    learning_rate_factor : float, default 1.0
        Factor of the learning rate for W, above 0.
    bias_learning_rate_factor : float, default 1.0
        Factor of the learning rate for b, above 0.

    Raises
    ------
    InvalidArgumentError
        If an argument is invalid. A network raises it if the units of the layer below cannot be
        divided into `groups`.

    Examples
    --------
    Four members with two hidden layers of 8 units each, whose mean is learned:

    >>> import chainrule as cr
    >>> members = [cr.Dense(32, "silu"), cr.GroupedDense(32, 4, "silu")]
    >>> net = cr.Network([3, *members, cr.Dense(1, "identity")], "mse")
    >>> [W.shape for W in net.weights]
    [(32, 3), (32, 8), (1, 32)]
    """

    kind: ClassVar[str] = "grouped_dense"
    sums_equation: ClassVar[Callable[..., Any]] = staticmethod(grouped_pre_activation)
    error_equation: ClassVar[Callable[..., Any]] = staticmethod(grouped_error)
    gradient_equations: ClassVar[tuple[Callable[..., Any], ...]] = (
        grouped_weight_gradient,
        bias_gradient,
    )

    units: int
    groups: int
    activation: ActivationText = "relu"
    init: InitializerName | None = None
    learning_rate_factor: float = 1.0
    bias_learning_rate_factor: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "groups", whole_number("groups", self.groups, 1))
        if self.units % self.groups:
            raise InvalidArgumentError(
                f"units: expected a multiple of groups={self.groups}, since all groups have "
                f"equally many; got {self.units}: {multiples(self.units, self.groups)} would do"
            )
        check_of_units(self.activation, "groups")

    @property
    def matrices(self) -> int:
        """G: the rows of a group are a matrix."""
        return self.groups

    @property
    def _first(self) -> tuple[object, ...]:
        """The arguments up to σ."""
        return (self.units, self.groups, self.activation)

    def check_features(self, n_features: int) -> None:
        """Raise unless the units of the layer below can be divided into the groups."""
        if n_features % self.groups:
            raise InvalidArgumentError(
                f"groups: expected a divisor of the {n_features} units of the layer below, since "
                f"all groups see equally many; got {self.groups} in {self!r}. Give the layer below "
                f"{multiples(n_features, self.groups)} units, or put a Dense layer here"
            )

    def seen(self, unit: int, n_in: int) -> range:
        """Return the units of the unit's own group below."""
        size = n_in // self.groups
        first = unit // (self.units // self.groups) * size
        return range(first, first + size)

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return W, n[l] × n[l−1]/G, and b, n[l] × 1."""
        n_out = self.units // self.groups
        return self.weights_and_biases(n_in // self.groups, default_init, n_out)

    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """GD1 and F2."""
        W, b = theta
        return self.activated(grouped_pre_activation(W, A_prev, b))

    def error_below(
        self,
        theta: Sequence[Array],
        layer_pass: LayerPass,
        delta: Array,
        through: Callable[[Array], Array],
    ) -> Array:
        """GD2, and the second factor of BP2."""
        W, _ = theta
        return through(grouped_error(W, delta, self.groups))

    def gradients(self, layer_pass: LayerPass, delta: Array, A_prev: Array) -> tuple[Array, ...]:
        """GD3 for W and BP3 for b."""
        return grouped_weight_gradient(delta, A_prev, self.groups), bias_gradient(delta)

    @property
    def detail(self) -> str:
        """σ and the number of groups."""
        return f"{self.activation}, {self.groups} groups"

    def operations(self, theta: Sequence[Array]) -> tuple[Operation, ...]:
        """Return the affine maps of the groups, then σ."""
        W, b = theta
        W = W.reshape(self.groups, -1, W.shape[1])
        return (GroupedAffine(W, column(b)), *activated(self.activation))
