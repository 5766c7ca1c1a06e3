"""The dense layer: every unit is connected to every unit of the layer below."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from chainrule.arguments import hinting
from chainrule.checks import MOST_UNITS, positive_number, whole_number
from chainrule.equations._array import Array
from chainrule.equations.backpropagation import (
    bias_gradient,
    hidden_error,
    weight_gradient,
)
from chainrule.equations.forward import activation, pre_activation
from chainrule.errors import InvalidArgumentError
from chainrule.names import ActivationText, InitializerName
from chainrule.network.activation import activation_of
from chainrule.network.layers.base import (
    Block,
    Layer,
    LayerPass,
    Shown,
    TrainingStep,
    activation_error_text,
)
from chainrule.network.layers.operations import Affine, Operation, activated, column
from chainrule.network.registry.documentation import naming
from chainrule.network.registry.initializers import INITIALIZERS
from chainrule.suggestions import did_you_mean

_FACTORS = ("learning_rate_factor", "bias_learning_rate_factor")


@hinting
@naming("activations")
@dataclass(frozen=True)
class Dense(Layer):
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
    has_weights: ClassVar[bool] = True
    error_equation: ClassVar[Callable[..., Any]] = staticmethod(hidden_error)
    gradient_equations: ClassVar[tuple[Callable[..., Any], ...]] = (weight_gradient, bias_gradient)

    units: int
    activation: ActivationText = "relu"
    init: InitializerName | None = None
    learning_rate_factor: float = 1.0
    bias_learning_rate_factor: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", whole_number("units", self.units, 1, MOST_UNITS))
        sigma = activation_of(self.activation)
        object.__setattr__(self, "activation", str(sigma))
        units = sum(head.units for head in sigma.parts(self.units))
        if units != self.units:
            raise InvalidArgumentError(
                f"activation: expected heads of {self.units} units together, as the layer has; "
                f"got {units} in {self.activation!r}"
            )
        if self.init is not None:
            check_init(self.init)
        for name in _FACTORS:
            object.__setattr__(self, name, positive_number(name, getattr(self, name)))

    def __repr__(self) -> str:
        init = f", init={self.init!r}" if self.init is not None else ""
        factors = "".join(f", {name}={value!r}" for name, value in self._factors().items())
        return f"Dense({self.units}, {self.activation!r}{init}{factors})"

    def to_dict(self) -> dict[str, Any]:
        """Return the declaration as JSON-ready values; factors of 1 are left out."""
        values = super().to_dict()
        return {k: v for k, v in values.items() if k not in _FACTORS} | self._factors()

    def _factors(self) -> dict[str, float]:
        """Return the factors of the learning rate that are not 1."""
        return {name: getattr(self, name) for name in _FACTORS if getattr(self, name) != 1.0}

    def output_units(self, n_in: int) -> int:
        """Return n[l]."""
        return self.units

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return W, n[l] × n[l−1], and b, n[l] × 1."""
        init = self.init or default_init
        if init == "auto":
            init = activation_of(self.activation).initializer
        return (
            Block("W", (self.units, n_in), "weights", init, self.learning_rate_factor),
            Block("b", (self.units, 1), "biases", "zeros", self.bias_learning_rate_factor),
        )

    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """F1 and F2."""
        W, b = theta
        sigma = activation_of(self.activation).function
        Z = pre_activation(W, A_prev, b)
        return LayerPass(Z, activation(sigma, Z))

    def through_activation(self, layer_pass: LayerPass) -> Callable[[Array], Array]:
        """BP1, BP1s for softmax, or the derivative of HD1 for heads."""
        return activation_of(self.activation).through(layer_pass.Z, layer_pass.A)

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

    def shown(self, layer_pass: LayerPass) -> tuple[Shown, ...]:
        """F1 and F2."""
        sigma = activation_of(self.activation).function
        return (
            Shown("Z", pre_activation, layer_pass.Z),
            Shown("A", activation, layer_pass.A, sigma),
        )

    def error_text(self, grad_A: str, l: int) -> str:  # noqa: E741 - the field's letter
        """BP1, or BP1s for softmax."""
        return activation_error_text(self.activation, grad_A, l)

    @property
    def brief(self) -> str:
        """The declaration without factors of the learning rate."""
        return repr(replace(self, learning_rate_factor=1.0, bias_learning_rate_factor=1.0))

    @property
    def detail(self) -> str:
        """σ."""
        return self.activation

    def operations(self, theta: Sequence[Array]) -> tuple[Operation, ...]:
        """Return the affine map, then σ."""
        W, b = theta
        return (Affine(W, column(b)), *activated(self.activation))


def check_init(init: object) -> None:
    """Raise unless `init` names an initialiser or is "auto"."""
    if not isinstance(init, str) or (init != "auto" and init not in INITIALIZERS):
        raise InvalidArgumentError(
            f"init: expected auto, {', '.join(INITIALIZERS)}; got {init!r}"
            f"{did_you_mean(init, ('auto', *INITIALIZERS))}"
        )
