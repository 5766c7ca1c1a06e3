"""The parametric activation: how much of σ acts is learned, unit by unit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from chainrule.checks import finite_number, positive_number
from chainrule.equations._array import Array
from chainrule.equations.parametric import (
    parametric_activation,
    parametric_activation_error,
    strength_gradient,
)
from chainrule.errors import InvalidArgumentError
from chainrule.network.activation import Activation, activation_of
from chainrule.network.layers.base import Block, Layer, LayerPass, Shown, TrainingStep
from chainrule.network.layers.operations import Activated, column


@dataclass(frozen=True)
class ParametricActivation(Layer):
    """A parametric activation, A[l] = z + α[l] ⊙ (σ(z) − z), where z is A[l−1].

    It stands behind a layer without activation, and learns for each unit how much of σ it wants:
    ``Dense(24, "identity"), ParametricActivation("mish")``.

    Parameters
    ----------
    activation : str, default "selu"
        σ, as for `Dense`, of each unit for itself: not softmax, not heads.
    alpha : float, default 1.0
        α at first, of all units: with 0 they pass what they get, with 1 they are σ.
    learning_rate_factor : float, default 1.0
        What the learning rate is multiplied by for α, above 0.

    Raises
    ------
    InvalidArgumentError
        If an argument is not one of these.

    Notes
    -----
    Penalties and decoupled decay leave α alone. The source, RealMLP (Holzmüller, Grinsztajn and
    Steinwart 2024), starts at 1 and takes a factor of 0.1.

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

    activation: str = "selu"
    alpha: float = 1.0
    learning_rate_factor: float = 1.0

    def __post_init__(self) -> None:
        sigma = activation_of(self.activation)
        if not isinstance(sigma, Activation) or sigma.of_layer:
            raise InvalidArgumentError(
                "activation: a parametric activation is of each unit for itself; got "
                f"{self.activation!r}"
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
        """The identity: what σ stops passes beside it."""
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
        """Return σ in part."""
        return (Activated(activation_of(self.activation), column(theta[0])),)
