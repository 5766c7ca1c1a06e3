"""Dropout: training steps set randomly chosen activations to 0."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from chainrule.arguments import hinting
from chainrule.checks import number_below_one
from chainrule.equations._array import Array, namespace
from chainrule.equations.dropout import dropout, dropout_derivative
from chainrule.network.layers.base import Layer, LayerPass, Shown, TrainingStep, bracketed
from chainrule.network.layers.operations import Dropped
from chainrule.network.random import dropout_factors


@hinting
@dataclass(frozen=True)
class Dropout(Layer):
    """Dropout, A[l] = M ⊙ A[l−1]: training steps zero random activations and scale the others up.

    In predictions, losses and gradient checks, dropout is the identity. Which activations are
    dropped depends only on the network's seed, the step, the layer, the unit and the example's
    index in the batch, and is the same on every engine and for any number of threads. The loss that
    training reports is the loss of its steps, computed with dropout.

    Parameters
    ----------
    rate : float
        Probability that an activation is dropped, at least 0 and below 1. The other activations
        are divided by 1 − rate.

    Raises
    ------
    InvalidArgumentError
        If `rate` is not a number in [0, 1).

    Examples
    --------
    >>> import chainrule as cr
    >>> net = cr.Network([4, cr.Dense(6, "tanh"), cr.Dropout(0.5), cr.Dense(3, "softmax")],
    ...                  cost="cross_entropy", seed=0)
    >>> trace = net.trace([[0.1, 0.2, 0.3, 0.4]], [0])   # of a training step
    >>> (trace.A[1] / trace.A[0]).ravel()   # some are dropped, the others doubled
    array([2., 0., 2., 2., 0., 2.], dtype=float32)
    """

    kind: ClassVar[str] = "dropout"
    is_noise: ClassVar[bool] = True
    error_equation: ClassVar[Callable[..., Any]] = staticmethod(dropout_derivative)

    rate: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", number_below_one("rate", self.rate))

    def __repr__(self) -> str:
        return f"Dropout({self.rate!r})"

    @property
    def settings(self) -> Mapping[str, float]:
        """The rate."""
        return {"rate": self.rate}

    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """DO1 in a training step; `own` holds M, or None if nothing is dropped."""
        if step is None:
            return LayerPass(A_prev, A_prev)
        xp, (units, m) = namespace(A_prev), A_prev.shape
        examples = xp.arange(step.first, step.first + m)
        M = dropout_factors(step.noise, step.layer, xp.arange(units), examples, self.rate)
        M = xp.astype(M, A_prev.dtype)
        return LayerPass(A_prev, dropout(A_prev, M), M)

    def through_activation(self, layer_pass: LayerPass) -> Callable[[Array], Array]:
        """DO1's derivative, which takes the place of σ′ for the layer above."""
        if layer_pass.own is None:
            return super().through_activation(layer_pass)
        return partial(dropout_derivative, M=layer_pass.own)

    def error_below(
        self,
        theta: Sequence[Array],
        layer_pass: LayerPass,
        delta: Array,
        through: Callable[[Array], Array],
    ) -> Array:
        """Pass δ on unchanged: `through_activation` has already multiplied it by M."""
        return through(delta)

    def shown(self, layer_pass: LayerPass) -> tuple[Shown, ...]:
        """M, if anything is dropped, and DO1."""
        shown = Shown("A", dropout, layer_pass.A)
        return (shown,) if layer_pass.own is None else (Shown("M", dropout, layer_pass.own), shown)

    def error_text(self, grad_A: str, l: int) -> str:  # noqa: E741 - the field's letter
        """DO1's derivative."""
        return f"{bracketed(grad_A)} ⊙ M[{l}], DO1"

    @property
    def detail(self) -> str:
        """The rate."""
        return f"{self.rate}"

    def operations(self, theta: Sequence[Array]) -> tuple[Dropped, ...]:
        """Return the dropout operation."""
        return (Dropped(self.rate),)
