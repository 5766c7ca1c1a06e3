"""What every kind of layer says of itself, and what it can do."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.equations._array import Array
from chainrule.network.activation import activation_of
from chainrule.network.layers.operations import Operation


class Block(NamedTuple):
    """One array of parameters of a layer: where its numbers begin and what they are for."""

    name: str
    """The field's letter: "W", "b"."""
    shape: tuple[int, ...]
    group: str
    """"weights" (penalised, decayed), "biases", "scale", "embeddings", or "statistics": numbers
    that no gradient moves, but a training step's own examples (`Layer.statistics`)."""
    initializer: str | float
    """A name of `chainrule.network.registry.initializers.INITIALIZERS`, or the number at which all
    of it begins."""
    learning_rate_factor: float = 1.0
    """What the learning rate is multiplied by where these parameters are updated."""

    @property
    def penalised(self) -> bool:
        """Whether penalties are of it (and decoupled decay)."""
        return self.group == "weights"

    @property
    def has_gradient(self) -> bool:
        """Whether a gradient moves it."""
        return self.group != "statistics"


class LayerPass(NamedTuple):
    """What a layer computed on the way forward and needs on the way back."""

    Z: Array
    A: Array
    own: Any = None
    """What else the layer's kind keeps."""


class TrainingStep(NamedTuple):
    """What a layer is told in a training step; a prediction, a loss or its gradient has none."""

    noise: int | Array
    """64 bits that decide all random numbers of the step (`chainrule.network.random`); a scalar
    array where a library traces the step."""
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


class Layer(ABC):
    """A kind of layer: its declaration, its equations bound to it, and what others ask of it.

    `theta` holds the arrays of `blocks`, in that order; everything else is in columns. What is
    given here is that of a layer without parameters and activation that keeps its units.
    """

    kind: ClassVar[str]

    has_weights: ClassVar[bool] = False
    """Whether it makes units of its own, by weights W and biases b: it is drawn as a column of
    them, and such a layer makes a network's outputs."""

    is_noise: ClassVar[bool] = False
    """Whether it is random numbers in training steps, and nothing at all in a prediction."""

    first_because: ClassVar[str] = ""
    """Why it has to be the first layer, to go on "a Kind …"; "" if it may stand anywhere."""

    activation: str = "identity"
    """σ, as `activation_of` reads it; its compiled twin gets it too."""

    @property
    def plain_activation(self) -> str:
        """σ where A[l] = σ(Z[l]), "identity" where more than σ(Z[l]) passes."""
        return self.activation

    @property
    def settings(self) -> Mapping[str, float | Sequence[float]]:
        """The numbers, by name, that its compiled twin takes beside sizes, σ and blocks."""
        return {}

    def to_dict(self) -> dict[str, Any]:
        """Return the declaration as JSON-ready values: a dataclass's kind and fields."""
        return {"kind": self.kind} | {one.name: getattr(self, one.name) for one in fields(self)}  # type: ignore[arg-type]

    # Its place in a network.

    def output_units(self, n_in: int) -> int:
        """Return n[l], given n[l−1]."""
        return n_in

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return the arrays of parameters, in their order in the flat vector."""
        return ()

    # Its equations.

    @abstractmethod
    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """Return Z[l] and A[l]; `step` tells a training step from a prediction."""

    def through_activation(self, layer_pass: LayerPass) -> Callable[[Array], Array]:
        """Return the map ∂C/∂A[l] ↦ δ[l]: BP1, BP1s or the second factor of BP2."""
        return _unchanged

    @abstractmethod
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
        return ()

    def statistics(self, theta: Sequence[Array], layer_pass: LayerPass) -> tuple[Array, ...]:
        """Return what a training step makes of the other blocks, the last ones."""
        return ()

    # Of a first layer: what it reads of the inputs.

    @property
    def codes(self) -> tuple[int, ...]:
        """Which inputs are codes, numbers without an order: nothing may scale them."""
        return ()

    def check_features(self, n_features: int) -> None:
        """Raise unless it can be the first layer of a network of that many inputs."""
        return

    def check_inputs(self, X: NDArray[np.floating], name: str) -> None:
        """Raise unless it can read rows of inputs, which the user calls `name`."""
        return

    def input_names(self, names: Sequence[str]) -> list[str]:
        """Return the inputs' names as the layer above sees the inputs."""
        return list(names)

    def input_sources(self, n_features: int) -> NDArray[np.intp]:
        """Return which input each of those comes from."""
        return np.arange(n_features)

    # How it is shown, and what it is to other programs.

    error_equation: ClassVar[Callable[..., Any]]
    """The equation of `error_below` in training."""

    @property
    def gradient_equations(self) -> tuple[Callable[..., Any], ...]:
        """Those of `gradients`, one for each block that has one."""
        return ()

    @abstractmethod
    def shown(self, layer_pass: LayerPass) -> tuple[Shown, ...]:
        """Return every array of the way forward with its equation."""

    def error_text(self, grad_A: str, l: int) -> str:  # noqa: E741 - the field's letter
        """Return `through_activation` in words: δ[l] from ∂C/∂A[l], as it is written."""
        return grad_A

    @property
    def detail(self) -> str:
        """What is said of it beside its kind, or its number of units, in a drawing."""
        return ""

    def operations(self, theta: Sequence[Array]) -> tuple[Operation, ...] | None:
        """Return what it does, for programs of other kinds; None if they cannot do it."""
        return None


def bracketed(text: str) -> str:
    """Return a formula as a factor: in brackets where it has several parts."""
    return f"({text})" if " " in text else text


def activation_error_text(activation: str, grad_A: str, l: int) -> str:  # noqa: E741
    """Return `Activation.through` in words."""
    if activation_of(activation).of_layer:
        return f"Jᵀ {bracketed(grad_A)}, the product with softmax's Jacobian, BP1s"
    return f"{bracketed(grad_A)} ⊙ σ′(Z[{l}])"


def _unchanged(grad_A: Array) -> Array:
    return grad_A
