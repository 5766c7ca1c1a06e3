"""What every kind of layer says of itself, and what it can do."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from chainrule.equations._array import Array


class Block(NamedTuple):
    """One array of parameters of a layer: where its numbers begin and what they are for."""

    name: str
    """The field's letter: "W", "b"."""
    shape: tuple[int, ...]
    group: str
    """"weights" (penalised) or "biases"; learning rates may come to differ by group."""
    initializer: str
    """A name of `chainrule.equations.registry.INITIALIZERS`."""


class LayerPass(NamedTuple):
    """What a layer computed on the way forward and needs on the way back."""

    Z: Array
    A: Array


@runtime_checkable
class Layer(Protocol):
    """A kind of layer: its declaration, and its equations bound to it.

    `theta` holds the arrays of `blocks`, in that order; everything else is in columns.
    """

    kind: ClassVar[str]

    def output_units(self, n_in: int) -> int:
        """Return n[l], given n[l−1]."""

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return the arrays of parameters, in their order in the flat vector."""

    def forward(self, theta: Sequence[Array], A_prev: Array) -> LayerPass:
        """F1 and F2."""

    def through_activation(self, layer_pass: LayerPass) -> Callable[[Array], Array]:
        """Return the map ∂C/∂A[l] ↦ δ[l]: BP1, BP1s or the second factor of BP2."""

    def error_below(
        self, theta: Sequence[Array], delta: Array, through: Callable[[Array], Array]
    ) -> Array:
        """BP2: δ[l−1] from this layer's δ[l] and the layer below's `through_activation`."""

    def gradients(self, delta: Array, A_prev: Array) -> tuple[Array, ...]:
        """Return the gradient of each block: BP3, BP4."""

    def to_dict(self) -> dict[str, Any]:
        """Return the declaration as JSON-ready values."""
