"""The batch ensemble layer: dense layers side by side that share one weight matrix."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from chainrule.arguments import hinting
from chainrule.checks import whole_number
from chainrule.equations._array import Array
from chainrule.equations.backpropagation import bias_gradient
from chainrule.equations.batch_ensemble import (
    batch_ensemble_error,
    batch_ensemble_pre_activation,
    input_factor_gradient,
    output_factor_gradient,
    shared_weight_gradient,
)
from chainrule.errors import InvalidArgumentError
from chainrule.limits import FLAG
from chainrule.names import ActivationText, InitializerName
from chainrule.network.layers.base import Block, Draws, LayerPass, TrainingStep
from chainrule.network.layers.operations import (
    Affine,
    GroupedAffine,
    Operation,
    activated,
    column,
)
from chainrule.network.layers.weighted import WeightedLayer, check_of_units, multiples


@hinting
@dataclass(frozen=True, repr=False)
class BatchEnsemble(WeightedLayer):
    """Dense layers that share their weights, A[l]ₖ = σ(sₖ ⊙ (W · (rₖ ⊙ A[l−1]ₖ)) + bₖ).

    The units of the layer, and those of the layer below, are divided among the members of an
    ensemble, in their order. All members have the same weights W, but each has its own factors r of
    its inputs and s of its sums, and its own biases b. Such an ensemble has hardly more parameters
    than one of its members, and its members, which learn W together, often predict better than
    members that are trained alone.

    Parameters
    ----------
    units : int
        n[l], the units of all members together: a multiple of `members`.
    members : int
        K, at least 1. The layer below must have a multiple of so many units, too, unless
        `shared_input` is true.
    activation : str, default "relu"
        As in `Dense`, but no softmax, which would couple the members, and no heads.
    shared_input : bool, default False
        Whether every member sees all units below, as in the first of several such layers.
    init : str, optional
        The initialiser of W, or "auto"; by default the network's `init`. W is initialised like that
        of a dense layer of one member's size. s begins with ones, and so does r, but with random
        signs if `shared_input` is true, since the members would otherwise stay equal.
    learning_rate_factor : float, default 1.0
        Factor of the learning rate for W, above 0.
    bias_learning_rate_factor : float, default 1.0
        Factor of the learning rate for b, above 0.

    Raises
    ------
    InvalidArgumentError
        If an argument is invalid. A network raises it if the units of the layer below cannot be
        divided among the members.

    Notes
    -----
    Penalties and decoupled weight decay do not apply to r and s.

    Examples
    --------
    Four members with two hidden layers of 8 units each, whose mean is learned:

    >>> import chainrule as cr
    >>> members = [cr.BatchEnsemble(32, 4, shared_input=True), cr.BatchEnsemble(32, 4)]
    >>> net = cr.Network([3, *members, cr.Dense(1, "identity")], "mse")
    >>> [W.shape for W in net.weights]
    [(8, 3), (8, 8), (1, 32)]
    """

    kind: ClassVar[str] = "batch_ensemble"
    sums_equation: ClassVar[Callable[..., Any]] = staticmethod(batch_ensemble_pre_activation)
    error_equation: ClassVar[Callable[..., Any]] = staticmethod(batch_ensemble_error)
    gradient_equations: ClassVar[tuple[Callable[..., Any], ...]] = (
        shared_weight_gradient,
        input_factor_gradient,
        output_factor_gradient,
        bias_gradient,
    )

    units: int
    members: int
    activation: ActivationText = "relu"
    shared_input: bool = field(default=False, kw_only=True)
    init: InitializerName | None = field(default=None, kw_only=True)
    learning_rate_factor: float = field(default=1.0, kw_only=True)
    bias_learning_rate_factor: float = field(default=1.0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "members", whole_number("members", self.members, 1))
        FLAG.require(self.shared_input, "shared_input: expected")
        object.__setattr__(self, "shared_input", bool(self.shared_input))
        if self.units % self.members:
            raise InvalidArgumentError(
                f"units: expected a multiple of members={self.members}, since all members have "
                f"equally many; got {self.units}: {multiples(self.units, self.members)} would do"
            )
        check_of_units(self.activation, "members")

    @property
    def _first(self) -> tuple[object, ...]:
        """The arguments up to σ."""
        return (self.units, self.members, self.activation)

    @property
    def _options(self) -> dict[str, object]:
        """`shared_input`, if it is true."""
        return {"shared_input": True} if self.shared_input else {}

    def check_features(self, n_features: int) -> None:
        """Raise unless the units of the layer below can be divided among the members."""
        if not self.shared_input and n_features % self.members:
            raise InvalidArgumentError(
                f"members: expected a divisor of the {n_features} units of the layer below, since "
                f"all members see equally many; got {self.members} in {self!r}. Give the layer "
                f"below {multiples(n_features, self.members)} units, or set shared_input=True if "
                "all members are to see all of them"
            )

    def _seen_units(self, n_in: int) -> int:
        """Return how many units below a member sees."""
        return n_in if self.shared_input else n_in // self.members

    def _member_units(self) -> int:
        """Return the number of units of a member."""
        return self.units // self.members

    def seen(self, unit: int, n_in: int) -> range:
        """Return the units below that the unit's member sees."""
        size = self._seen_units(n_in)
        first = 0 if self.shared_input else unit // self._member_units() * size
        return range(first, first + size)

    def row(self, unit: int) -> int:
        """Return the place of a unit in its member."""
        return unit % self._member_units()

    def unit_weights(self, theta: Sequence[Array]) -> Array:
        """Return diag(s) · W · diag(r) of each member, one below the other."""
        W = self._matrices(theta)
        return W.reshape(self.units, W.shape[2])

    def _matrices(self, theta: Sequence[Array]) -> Array:
        """Return diag(s) · W · diag(r) of each member, (K, n[l]/K, n)."""
        W, r, s, _ = theta
        return s.reshape(self.members, -1, 1) * W * r.reshape(self.members, 1, -1)

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return W, of one member's size, r, s and b."""
        n = self._seen_units(n_in)
        W = Block(
            "W",
            (self._member_units(), n),
            "weights",
            self.initializer(default_init),
            self.learning_rate_factor,
        )
        signs = Draws("signs", 1.0) if self.shared_input else 1.0
        r = Block("r", (self.members * n, 1), "scale", signs)
        return W, r, Block("s", (self.units, 1), "scale", 1.0), self.biases

    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """BE1 and F2."""
        W, r, s, b = theta
        plain = self.activated(batch_ensemble_pre_activation(W, r, s, A_prev, b))
        return plain._replace(own=(W, r, s))  # for the gradients

    def error_below(
        self,
        theta: Sequence[Array],
        layer_pass: LayerPass,
        delta: Array,
        through: Callable[[Array], Array],
    ) -> Array:
        """BE2, and the second factor of BP2."""
        W, r, s, _ = theta
        return through(batch_ensemble_error(W, r, s, delta, self.shared_input))

    def gradients(self, layer_pass: LayerPass, delta: Array, A_prev: Array) -> tuple[Array, ...]:
        """BE3 for W, BE4 for r, BE5 for s and BP3 for b."""
        W, r, s = layer_pass.own
        return (
            shared_weight_gradient(W, r, s, delta, A_prev),
            input_factor_gradient(W, s, delta, A_prev),
            output_factor_gradient(W, r, delta, A_prev),
            bias_gradient(delta),
        )

    @property
    def detail(self) -> str:
        """σ and the number of members."""
        return f"{self.activation}, {self.members} members"

    def operations(self, theta: Sequence[Array]) -> tuple[Operation, ...]:
        """Return the affine maps of the members, then σ."""
        b = column(theta[3])
        affine: Operation = (
            Affine(self.unit_weights(theta), b)
            if self.shared_input
            else GroupedAffine(self._matrices(theta), b)
        )
        return (affine, *activated(self.activation))
