"""The scale layer: each unit's activation is multiplied by a learned factor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from chainrule.arguments import hinting
from chainrule.checks import positive_number
from chainrule.equations._array import Array
from chainrule.equations.scaling import factor_gradient, scaled, scaled_error
from chainrule.network.layers.base import Block, Layer, LayerPass, Shown, TrainingStep
from chainrule.network.layers.operations import Multiplied, column


@hinting
@dataclass(frozen=True)
class Scale(Layer):
    """A scale layer, A[l] = s[l] ⊙ A[l−1], with one learned factor per unit, initially 1.

    As the first layer, it learns the importance of each input. A network of dense layers can learn
    this too, but only slowly, because all weights of an input have to grow or shrink together.

    Parameters
    ----------
    learning_rate_factor : float, default 1.0
        Factor of the learning rate for s, above 0.

    Raises
    ------
    InvalidArgumentError
        If `learning_rate_factor` is not a number above 0.

    Notes
    -----
    Penalties and decoupled weight decay do not apply to s.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> net = cr.Network([2, cr.Scale(learning_rate_factor=6), cr.Dense(8, "tanh"),
    ...                   cr.Dense(1, "identity")], cost="mse", seed=0)
    >>> X = np.random.default_rng(0).standard_normal((256, 2))
    >>> history = net.fit(X, np.sin(3 * X[:, 0]), epochs=100, optimizer=cr.Adam(0.01))
    >>> s = net.parameters[:2]
    >>> bool(abs(s[0]) > 3 * abs(s[1]))  # the second input says nothing
    True
    """

    kind: ClassVar[str] = "scale"
    error_equation: ClassVar[Callable[..., Any]] = staticmethod(scaled_error)
    gradient_equations: ClassVar[tuple[Callable[..., Any], ...]] = (factor_gradient,)

    learning_rate_factor: float = 1.0

    def __post_init__(self) -> None:
        factor = positive_number("learning_rate_factor", self.learning_rate_factor)
        object.__setattr__(self, "learning_rate_factor", factor)

    def __repr__(self) -> str:
        return f"Scale({self.learning_rate_factor!r})"

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return s, n[l] × 1."""
        return (Block("s", (n_in, 1), "scale", 1.0, self.learning_rate_factor),)

    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """SC1."""
        A = scaled(A_prev, theta[0])
        return LayerPass(A, A)

    def error_below(
        self,
        theta: Sequence[Array],
        layer_pass: LayerPass,
        delta: Array,
        through: Callable[[Array], Array],
    ) -> Array:
        """SC1's derivative."""
        return through(scaled_error(delta, theta[0]))

    def gradients(self, layer_pass: LayerPass, delta: Array, A_prev: Array) -> tuple[Array, ...]:
        """SC2."""
        return (factor_gradient(delta, A_prev),)

    def shown(self, layer_pass: LayerPass) -> tuple[Shown, ...]:
        """SC1."""
        return (Shown("A", scaled, layer_pass.A),)

    def operations(self, theta: Sequence[Array]) -> tuple[Multiplied, ...]:
        """Return s ⊙ a."""
        return (Multiplied(column(theta[0])),)
