"""The parametric activation: the strength of σ is learned for each unit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from chainrule.arguments import hinting
from chainrule.checks import finite_number, positive_number
from chainrule.equations._array import Array
from chainrule.equations.parametric import (
    parametric_activation,
    parametric_activation_error,
    strength_gradient,
)
from chainrule.errors import InvalidArgumentError
from chainrule.names import ActivationText
from chainrule.network.activation import Activation, activation_of
from chainrule.network.layers.base import Block, Layer, LayerPass, Shown, TrainingStep
from chainrule.network.layers.operations import Activated, column


@hinting
@dataclass(frozen=True)
class ParametricActivation(Layer):
    """A parametric activation, A[l] = z + α[l] ⊙ (σ(z) − z), where z is A[l−1].

    It follows a layer without an activation and learns the strength α of σ for each unit:
    ``Dense(24, "identity"), ParametricActivation("mish")``.

    Parameters
    ----------
    activation : str, default "selu"
        An elementwise σ, as for `Dense`, but neither softmax nor heads.
    alpha : float, default 1.0
        Initial α of all units: 0 gives the identity, 1 gives σ.
    learning_rate_factor : float, default 1.0
        Factor of the learning rate for α, above 0.

    Raises
    ------
    InvalidArgumentError
        If an argument is invalid.

    Notes
    -----
    Penalties and decoupled weight decay do not apply to α. The source, RealMLP (Holzmüller,
    Grinsztajn and Steinwart 2024), uses α = 1 initially and a learning rate factor of 0.1.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> act = cr.ParametricActivation("relu", learning_rate_factor=2)
    >>> net = cr.Network([1, act, cr.Dense(1, "identity")], cost="mse", seed=0)
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> history = net.fit(X, np.abs(X), epochs=200, optimizer=cr.Adam(0.05))
    >>> print(f"{net.parameters[0]:.2f}")  # z + α (relu(z) − z) is |z| for α = 2
    2.00
    """

    kind: ClassVar[str] = "parametric_activation"
    error_equation: ClassVar[Callable[..., Any]] = staticmethod(parametric_activation_error)
    gradient_equations: ClassVar[tuple[Callable[..., Any], ...]] = (strength_gradient,)

    activation: ActivationText = "selu"
    alpha: float = 1.0
    learning_rate_factor: float = 1.0

    def __post_init__(self) -> None:
        sigma = activation_of(self.activation)
        if not isinstance(sigma, Activation) or sigma.of_layer:
            raise InvalidArgumentError(
                f"activation: expected an element-wise activation; got {self.activation!r}"
            )
        object.__setattr__(self, "activation", str(sigma))
        object.__setattr__(self, "alpha", finite_number("alpha", self.alpha))
        factor = positive_number("learning_rate_factor", self.learning_rate_factor)
        object.__setattr__(self, "learning_rate_factor", factor)

    def __repr__(self) -> str:
        return (
            f"ParametricActivation({self.activation!r}, alpha={self.alpha!r}, "
            f"learning_rate_factor={self.learning_rate_factor!r})"
        )

    @property
    def plain_activation(self) -> str:
        """The identity, because A[l] depends on z as well as on σ(z)."""
        return "identity"

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return α, n[l] × 1."""
        return (Block("α", (n_in, 1), "scale", self.alpha, self.learning_rate_factor),)

    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """PA1."""
        A = parametric_activation(A_prev, theta[0], activation_of(self.activation).function)
        return LayerPass(A_prev, A)

    def error_below(
        self,
        theta: Sequence[Array],
        layer_pass: LayerPass,
        delta: Array,
        through: Callable[[Array], Array],
    ) -> Array:
        """PA1's derivative."""
        derivative = activation_of(self.activation).derivative
        assert derivative is not None
        return through(parametric_activation_error(delta, layer_pass.Z, theta[0], derivative))

    def gradients(self, layer_pass: LayerPass, delta: Array, A_prev: Array) -> tuple[Array, ...]:
        """PA2."""
        return (strength_gradient(delta, A_prev, activation_of(self.activation).function),)

    def shown(self, layer_pass: LayerPass) -> tuple[Shown, ...]:
        """PA1."""
        sigma = activation_of(self.activation).function
        return (Shown("A", parametric_activation, layer_pass.A, sigma),)

    @property
    def detail(self) -> str:
        """σ."""
        return self.activation

    def operations(self, theta: Sequence[Array]) -> tuple[Activated, ...]:
        """Return σ with strength α."""
        return (Activated(activation_of(self.activation), column(theta[0])),)
