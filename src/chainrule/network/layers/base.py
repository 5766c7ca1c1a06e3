"""What every kind of layer says of itself, and what it can do."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from chainrule.equations._array import Array


class Block(NamedTuple):
    """One array of parameters of a layer: where its numbers begin and what they are for."""

    name: str
    """The field's letter: "W", "b"."""
    shape: tuple[int, ...]
    group: str
    """"weights" (penalised, decayed), "biases", "scale", "embeddings", or "statistics": numbers
    that no gradient moves, but a training step's own examples (`Layer.statistics`)."""
    initializer: str
    """A name of `chainrule.network.registry.initializers.INITIALIZERS`, or "ones"."""
    learning_rate_factor: float = 1.0
    """What the learning rate is multiplied by where these parameters are updated."""


class LayerPass(NamedTuple):
    """What a layer computed on the way forward and needs on the way back."""

    Z: Array
    A: Array
    own: Any = None
    """What else the layer's kind keeps."""


class TrainingStep(NamedTuple):
    """What a layer is told in a training step; a prediction, a loss or its gradient has none."""

    noise: int
    """64 bits that decide all random numbers of the step (`chainrule.network.random`)."""
    layer: int = 0
    """l, counted from 1."""
    weights: Array | None = None
    """Of the examples, (m,), with a positive sum; None: all 1."""


class Shown(NamedTuple):
    """An array that a layer computed on the way forward, for whoever shows a step."""

    name: str
    """"Z"."""
    equation: Callable[..., Any]
    """The function that it comes from."""
    value: Array
    sigma: Callable[..., Any] | None = None
    """Where it is an activation: which."""


@runtime_checkable
class Layer(Protocol):
    """A kind of layer: its declaration, and its equations bound to it.

    `theta` holds the arrays of `blocks`, in that order; everything else is in columns.
    """

    kind: ClassVar[str]

    error_equation: ClassVar[Callable[..., Any]]
    """The equation of `error_below` in training, for whoever shows a step."""

    @property
    def gradient_equations(self) -> tuple[Callable[..., Any], ...]:
        """Return those of `gradients`, one for each block that has one: the first ones."""

    @property
    def settings(self) -> Mapping[str, float | Sequence[float]]:
        """The numbers, by name, that its compiled twin takes beside sizes, σ and blocks."""

    def output_units(self, n_in: int) -> int:
        """Return n[l], given n[l−1]."""

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return the arrays of parameters, in their order in the flat vector."""

    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """Return Z[l] and A[l]; `step` tells a training step from a prediction."""

    def through_activation(self, layer_pass: LayerPass) -> Callable[[Array], Array]:
        """Return the map ∂C/∂A[l] ↦ δ[l]: BP1, BP1s or the second factor of BP2."""

    def error_below(
        self,
        theta: Sequence[Array],
        layer_pass: LayerPass,
        delta: Array,
        through: Callable[[Array], Array],
    ) -> Array:
        """BP2: δ[l−1] from this layer's δ[l] and the layer below's `through_activation`."""

    def gradients(self, layer_pass: LayerPass, delta: Array, A_prev: Array) -> tuple[Array, ...]:
        """Return the gradient of each block that has one, the first ones: BP3, BP4."""

    def statistics(self, theta: Sequence[Array], layer_pass: LayerPass) -> tuple[Array, ...]:
        """Return what a training step makes of the other blocks, the last ones."""

    def shown(self, layer_pass: LayerPass) -> tuple[Shown, ...]:
        """Return every array of the way forward with its equation."""

    def to_dict(self) -> dict[str, Any]:
        """Return the declaration as JSON-ready values."""
