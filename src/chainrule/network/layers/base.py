"""The interface of all layer kinds."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.equations._array import Array
from chainrule.network.activation import activation_of
from chainrule.network.layers.operations import Operation


class Draws(NamedTuple):
    """Initial values of a block: random numbers times a factor that its layer knows."""

    distribution: Literal["normal", "uniform", "signs"]
    """N(0, 1), uniform on [−1, 1), or −1 and 1 with equal probability."""
    scale: float


class Block(NamedTuple):
    """The declaration of one parameter array of a layer: shape, group and initial values."""

    name: str
    """The symbol in the equations: "W", "b"."""
    shape: tuple[int, ...]
    group: str
    """"weights" (penalised, decayed), "biases", "scale", "embeddings", or "statistics", which are
    updated from the examples of each training step (`Layer.statistics`) and not by a gradient."""
    initializer: str | float | Draws
    """A name in `chainrule.network.registry.initializers.INITIALIZERS`, a constant initial value,
    or draws of a given size."""
    learning_rate_factor: float = 1.0
    """Factor of the learning rate for these parameters."""
    n_out: int | None = None
    """To how many units each unit below has weights, for the initialiser; None: a row each."""

    @property
    def penalised(self) -> bool:
        """Whether penalties and decoupled weight decay apply to the block."""
        return self.group == "weights"

    @property
    def has_gradient(self) -> bool:
        """Whether the block is updated by a gradient."""
        return self.group != "statistics"


class LayerPass(NamedTuple):
    """Values from a layer's forward pass that its backward pass needs."""

    Z: Array
    A: Array
    own: Any = None
    """Additional values specific to the layer kind."""


class TrainingStep(NamedTuple):
    """Context of a training step; predictions, losses and their gradients have none."""

    noise: int | Array
    """64 bits that determine all random numbers of the step (`chainrule.network.random`); a scalar
    array if an array library traces the step."""
    layer: int = 0
    """l, counted from 1."""
    weights: Array | None = None
    """Example weights, (m,), with a positive sum; None: all 1."""
    first: int = 0
    """Index in the batch of the first example, if other ranks have those before it."""


class Shown(NamedTuple):
    """An array from a layer's forward pass, for traces and other displays of a step."""

    name: str
    """"Z"."""
    equation: Callable[..., Any]
    """The function that computed the array."""
    value: Array
    sigma: Callable[..., Any] | None = None
    """The activation function, if the equation applies one."""


class Layer(ABC):
    """Base class of layer kinds: the declaration, its equations, and metadata for other modules.

    `theta` holds the arrays of `blocks`, in that order; all other arrays have one example per
    column. The default implementations describe a layer that has no parameters and no activation
    and keeps the number of units.
    """

    kind: ClassVar[str]

    has_weights: ClassVar[bool] = False
    """Whether the layer computes new units from weights W and biases b. Such a layer is drawn as a
    column of units, and the output layer must be one."""

    standardises: ClassVar[bool] = False
    """Whether the layer brings its units to mean 0 and standard deviation 1 in training steps."""

    is_noise: ClassVar[bool] = False
    """Whether the layer adds noise in training steps and is the identity in a prediction."""

    first_because: ClassVar[str] = ""
    """Why the layer must be first, to complete "a Kind …"; "" if any position is allowed."""

    activation: str = "identity"
    """σ, as text for `activation_of`; also passed to the compiled twin."""

    @property
    def plain_activation(self) -> str:
        """σ if A[l] = σ(Z[l]); "identity" if A[l] depends on more than σ(Z[l])."""
        return self.activation

    @property
    def settings(self) -> Mapping[str, float | Sequence[float]]:
        """Settings of the compiled twin by name, in addition to sizes, σ and blocks."""
        return {}

    def to_dict(self) -> dict[str, Any]:
        """Return the declaration as JSON-ready values: the kind and the dataclass fields."""
        return {"kind": self.kind} | {one.name: getattr(self, one.name) for one in fields(self)}  # type: ignore[arg-type]

    # Units and parameters.

    @property
    def matrices(self) -> int:
        """Of how many matrices W consists, one above the other: one for each group of units."""
        return 1

    def output_units(self, n_in: int) -> int:
        """Return n[l], given n[l−1]."""
        return n_in

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return the parameter blocks, in the order of the flat vector."""
        return ()

    def seen(self, unit: int, n_in: int) -> range:
        """Return the units below to which a row of W has weights: those that its unit sees."""
        return range(n_in)

    def row(self, unit: int) -> int:
        """Return the row of W with the weights of a unit."""
        return unit

    def unit_weights(self, theta: Sequence[Array]) -> Array:
        """Return what each unit multiplies the units below that it sees by: a row for each unit."""
        return theta[0]

    # Equations.

    @abstractmethod
    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """Return Z[l] and A[l]; `step` is None unless this is a training step."""

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
        """Return the gradients (BP3, BP4) of the blocks that have one, which come first."""
        return ()

    def statistics(self, theta: Sequence[Array], layer_pass: LayerPass) -> tuple[Array, ...]:
        """Return the new values of the blocks without a gradient, which come last."""
        return ()

    # How it reads its inputs, which are those of the network if it is the first layer.

    @property
    def kinks(self) -> tuple[tuple[int, float], ...]:
        """Where Z[l] has kinks: units of the layer below, and values of theirs; none by default."""
        return ()

    @property
    def codes(self) -> tuple[int, ...]:
        """Indices of inputs that are category codes, which must not be scaled."""
        return ()

    def check_features(self, n_features: int) -> None:
        """Raise unless the layer can have `n_features` inputs."""
        return

    def check_inputs(self, X: NDArray[np.floating], name: str) -> None:
        """Raise unless the layer accepts the rows of X; `name` is the user's argument name."""
        return

    def input_names(self, names: Sequence[str]) -> list[str]:
        """Return the names of this layer's outputs, given the names of the inputs."""
        return list(names)

    def input_sources(self, n_features: int) -> NDArray[np.intp]:
        """Return the index of the input that each output of this layer comes from."""
        return np.arange(n_features)

    # Display and export.

    error_equation: ClassVar[Callable[..., Any]]
    """The equation that `error_below` evaluates in training."""

    @property
    def gradient_equations(self) -> tuple[Callable[..., Any], ...]:
        """The equations that `gradients` evaluates, one for each block with a gradient."""
        return ()

    @abstractmethod
    def shown(self, layer_pass: LayerPass) -> tuple[Shown, ...]:
        """Return every array of the forward pass with its equation."""

    def error_text(self, grad_A: str, l: int) -> str:  # noqa: E741 - the field's letter
        """Return the formula for δ[l] as text; `grad_A` is the formula for ∂C/∂A[l]."""
        return grad_A

    @property
    def brief(self) -> str:
        """The declaration for people to read: `repr` without what is long or only for training."""
        return repr(self)

    @property
    def detail(self) -> str:
        """Text shown in a drawing next to the layer's kind or its number of units."""
        return ""

    def operations(self, theta: Sequence[Array]) -> tuple[Operation, ...] | None:
        """Return the layer as operations for export; None if it cannot be exported."""
        return None


def bracketed(text: str) -> str:
    """Return a formula usable as a factor: in brackets if it contains a space."""
    return f"({text})" if " " in text else text


def activation_error_text(activation: str, grad_A: str, l: int) -> str:  # noqa: E741
    """Return the formula of `Activation.through` as text."""
    if activation_of(activation).of_layer:
        return f"Jᵀ {bracketed(grad_A)}, the product with softmax's Jacobian, BP1s"
    return f"{bracketed(grad_A)} ⊙ σ′(Z[{l}])"


def _unchanged(grad_A: Array) -> Array:
    return grad_A
