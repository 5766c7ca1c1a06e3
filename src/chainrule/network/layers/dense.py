"""The dense layer: every unit is connected to every unit of the layer below."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from chainrule.arguments import hinting
from chainrule.equations._array import Array
from chainrule.equations.backpropagation import (
    bias_gradient,
    hidden_error,
    weight_gradient,
)
from chainrule.equations.forward import pre_activation
from chainrule.errors import InvalidArgumentError
from chainrule.names import ActivationText, InitializerName
from chainrule.network.activation import activation_of
from chainrule.network.layers.base import Block, LayerPass, TrainingStep
from chainrule.network.layers.operations import Affine, Operation, activated, column
from chainrule.network.layers.weighted import WeightedLayer
from chainrule.network.registry.documentation import naming


@hinting
@naming("activations")
@dataclass(frozen=True, repr=False)
class Dense(WeightedLayer):
    """A dense layer, A[l] = σ(W[l] · A[l−1] + b[l]).

    Parameters
    ----------
    units : int
        n[l], at least 1.
    activation : str, default "relu"
        One of
        {activations};
        parameters in brackets: "leaky_relu(slope=0.2)", "elu(alpha=0.5)".
        The last layer may divide its units into heads: "heads(softmax:3, identity:1)", HD1.
    init : str, optional
        An initialiser's name, or "auto" (He for the ReLU family, otherwise Glorot). By default the
        network's `init`.
    learning_rate_factor : float, default 1.0
        Factor of the learning rate for W, above 0.
    bias_learning_rate_factor : float, default 1.0
        Factor of the learning rate for b, above 0.

    Raises
    ------
    InvalidArgumentError
        If an argument is invalid.

    Notes
    -----
    Adam and its siblings change each weight by about the learning rate α, whatever its size, and
    with more units below, more weights change a unit together. With the factor 1/√n[l−1], a rate
    suits any width: such a layer learns as one of the neural tangent parametrisation does, in which
    Z[l] = W[l] · A[l−1]/√n[l−1] (Jacot, Gabriel and Hongler 2018, "Neural Tangent Kernel").

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.Dense(24, "leaky_relu(slope=0.2)")
    Dense(24, 'leaky_relu(slope=0.2)')
    >>> cr.Dense(64, "silu", learning_rate_factor=1 / 8)
    Dense(64, 'silu', learning_rate_factor=0.125)
    """

    kind: ClassVar[str] = "dense"
    sums_equation: ClassVar[Callable[..., Any]] = staticmethod(pre_activation)
    error_equation: ClassVar[Callable[..., Any]] = staticmethod(hidden_error)
    gradient_equations: ClassVar[tuple[Callable[..., Any], ...]] = (weight_gradient, bias_gradient)

    units: int
    activation: ActivationText = "relu"
    init: InitializerName | None = None
    learning_rate_factor: float = 1.0
    bias_learning_rate_factor: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        units = sum(head.units for head in activation_of(self.activation).parts(self.units))
        if units != self.units:
            raise InvalidArgumentError(
                f"activation: expected heads of {self.units} units together, as the layer has; "
                f"got {units} in {self.activation!r}"
            )

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return W, n[l] × n[l−1], and b, n[l] × 1."""
        return self.weights_and_biases(n_in, default_init)

    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """F1 and F2."""
        W, b = theta
        return self.activated(pre_activation(W, A_prev, b))

    def error_below(
        self,
        theta: Sequence[Array],
        layer_pass: LayerPass,
        delta: Array,
        through: Callable[[Array], Array],
    ) -> Array:
        """BP2."""
        W, _ = theta
        return hidden_error(W, delta, through)

    def gradients(self, layer_pass: LayerPass, delta: Array, A_prev: Array) -> tuple[Array, ...]:
        """BP4 for W and BP3 for b."""
        return weight_gradient(delta, A_prev), bias_gradient(delta)

    def operations(self, theta: Sequence[Array]) -> tuple[Operation, ...]:
        """Return the affine map, then σ."""
        W, b = theta
        return (Affine(W, column(b)), *activated(self.activation))
