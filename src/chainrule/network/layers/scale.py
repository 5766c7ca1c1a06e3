"""The scale layer: every unit's activation times a factor that is learned."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from chainrule.checks import is_real
from chainrule.equations._array import Array
from chainrule.equations.scaling import factor_gradient, scaled, scaled_error
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers.base import Block, LayerPass, Shown, TrainingStep


@dataclass(frozen=True)
class Scale:
    """A scale layer, A[l] = s[l] ⊙ A[l−1]: a factor for each unit, 1 at first.

    As the first layer it learns how much each input counts, which a network of dense layers can do
    as well, but only slowly: there all weights of an input have to grow or shrink together.

    Parameters
    ----------
    learning_rate_factor : float, default 1.0
        What the learning rate is multiplied by for s, above 0.

    Raises
    ------
    InvalidArgumentError
        If it is not such a number.

    Notes
    -----
    Penalties and decoupled decay leave s alone.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> layers = [2, cr.Scale(learning_rate_factor=6), cr.Dense(8, "tanh"), cr.Dense(1, "identity")]
    >>> net = cr.Network(layers, cost="mse", seed=0)
    >>> X = np.random.default_rng(0).standard_normal((256, 2))
    >>> history = net.fit(X, np.sin(3 * X[:, 0]), epochs=100, optimizer=cr.Adam(0.01))
    >>> s = net.parameters[:2]
    >>> bool(abs(s[0]) > 3 * abs(s[1]))  # the second input says nothing
    True
    """

    kind: ClassVar[str] = "scale"
    activation: ClassVar[str] = "identity"
    error_equation: ClassVar[Callable[..., Any]] = staticmethod(scaled_error)
    gradient_equations: ClassVar[tuple[Callable[..., Any], ...]] = (factor_gradient,)

    learning_rate_factor: float = 1.0

    def __post_init__(self) -> None:
        factor = self.learning_rate_factor
        if not is_real(factor) or not 0 < factor < 1e30:
            raise InvalidArgumentError(
                f"learning_rate_factor: expected a finite number > 0; got {factor!r}"
            )
        object.__setattr__(self, "learning_rate_factor", float(factor))

    def __repr__(self) -> str:
        return f"Scale({self.learning_rate_factor!r})"

    @property
    def settings(self) -> Mapping[str, float]:
        """Nothing: the factor of the learning rate is its block's."""
        return {}

    def output_units(self, n_in: int) -> int:
        """Return n[l] = n[l−1]."""
        return n_in

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return s, n[l] × 1."""
        return (Block("s", (n_in, 1), "scale", "ones", self.learning_rate_factor),)

    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """SC1."""
        A = scaled(A_prev, theta[0])
        return LayerPass(A, A)

    def through_activation(self, layer_pass: LayerPass) -> Callable[[Array], Array]:
        """Return what changes nothing: there is no σ."""
        return _unchanged

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

    def statistics(self, theta: Sequence[Array], layer_pass: LayerPass) -> tuple[Array, ...]:
        """Return nothing: its block has a gradient."""
        return ()

    def shown(self, layer_pass: LayerPass) -> tuple[Shown, ...]:
        """SC1."""
        return (Shown("A", scaled, layer_pass.A),)

    def to_dict(self) -> dict[str, Any]:
        """Return the declaration as JSON-ready values."""
        return {"kind": self.kind, "learning_rate_factor": self.learning_rate_factor}


def _unchanged(grad_A: Array) -> Array:
    return grad_A
