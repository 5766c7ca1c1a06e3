"""Activations as values, parsed from the text that users and files contain."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

from chainrule.equations._array import Array
from chainrule.equations.backpropagation import output_error, softmax_error
from chainrule.equations.heads import heads_activation, heads_activation_derivative
from chainrule.network.function_names import canonical_name, parse_name
from chainrule.network.heads import Head, Heads, parsed_heads
from chainrule.network.registry.activations import ACTIVATIONS, ActivationRow


@dataclass(frozen=True)
class Activation:
    """σ with its parameters; `str` lists only parameters that differ from their default."""

    name: str
    settings: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        return canonical_name(self.name, self.parameters, ACTIVATIONS)

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters by name."""
        return dict(self.settings)

    @property
    def row(self) -> ActivationRow:
        """The registry row."""
        return ACTIVATIONS[self.name]

    @property
    def function(self) -> Callable[[Array], Array]:
        """Z ↦ σ(Z)."""
        return _bound(self.row.function, self.parameters)

    @property
    def derivative(self) -> Callable[[Array], Array] | None:
        """Z ↦ σ′(Z); None if δ is not ∂C/∂A ⊙ σ′(Z), see `through`."""
        derivative = self.row.derivative
        return None if derivative is None else _bound(derivative, self.parameters)

    @property
    def of_layer(self) -> bool:
        """Whether each output depends on all units of the layer, which makes σ′ a Jacobian."""
        return self.row.derivative is None

    @property
    def initializer(self) -> str:
        """The initialiser that init="auto" selects for the weights feeding this activation."""
        return self.row.initializer

    def through(self, Z: Array, A: Array) -> Callable[[Array], Array]:
        """Return the map ∂C/∂A ↦ δ at Z: BP1, or BP1s for softmax."""
        derivative = self.derivative
        if derivative is None:
            return partial(softmax_error, A=A)
        return partial(output_error, Z=Z, derivative=derivative)

    @property
    def error_equation(self) -> Callable[..., Array]:
        """The equation that `through` evaluates."""
        return softmax_error if self.of_layer else output_error

    @property
    def kinks(self) -> tuple[float, ...]:
        """The z at which σ′ is discontinuous."""
        return self.row.kinks

    def sides(self, Z: Array) -> list[Array]:
        """Return, for each kink of σ, whether Z lies above the kink."""
        return [kink < Z for kink in self.kinks]

    def parts(self, units: int) -> tuple[Head["Activation"], ...]:
        """Return the heads of an output layer with `units` units: a single head."""
        return (Head(units, self),)


@dataclass(frozen=True)
class ActivationHeads(Heads[Activation]):
    """The activations of an output layer divided into heads, HD1."""

    name = "heads"
    error_equation = staticmethod(heads_activation_derivative)
    derivative = None
    of_layer = False
    initializer = "glorot_uniform"

    @property
    def kinks(self) -> tuple[float, ...]:
        """All kinks of the heads, in ascending order."""
        return tuple(sorted({kink for head in self.heads for kink in head.function.kinks}))

    @property
    def function(self) -> Callable[[Array], Array]:
        """HD1."""
        parts = [head.part(head.function.function) for head in self.heads]
        return partial(heads_activation, heads=parts)

    def through(self, Z: Array, A: Array) -> Callable[[Array], Array]:
        """Return the map ∂C/∂A ↦ δ at Z: HD1's derivative."""
        parts = [head.part(partial(_through, activation=head.function)) for head in self.heads]
        return partial(heads_activation_derivative, Z=Z, A=A, heads=parts)

    def sides(self, Z: Array) -> list[Array]:
        """Return, for each kink of each head's σ, whether the head's rows of Z lie above it."""
        return [side for rows, head in self.slices() for side in head.function.sides(Z[rows, :])]

    def parts(self, units: int) -> tuple[Head[Activation], ...]:
        """Return the heads."""
        return self.heads


@lru_cache(maxsize=256)
def _parsed(text: str) -> Activation | ActivationHeads:
    heads = parsed_heads(text, "activation", _single)
    return _single(text) if heads is None else ActivationHeads(heads)


def activation_of(text: str) -> Activation | ActivationHeads:
    """Return the activation that a text names.

    Parameters
    ----------
    text : str
        A name in `chainrule.network.registry.activations.ACTIVATIONS`, optionally followed by
        parameters in brackets; or heads, in the format of `chainrule.network.heads`.

    Raises
    ------
    InvalidArgumentError
        If the activation or a parameter is unknown, or a parameter value is not a finite number.

    Examples
    --------
    >>> activation_of("leaky_relu(slope=0.2)").parameters
    {'slope': 0.2}
    >>> print(activation_of(" heads( softmax : 3,identity:1 ) "))
    heads(softmax:3, identity:1)
    """
    return _parsed(text) if isinstance(text, str) else _single(text)


def _single(text: object) -> Activation:
    name, parameters = parse_name(text, "activation", ACTIVATIONS)
    return Activation(name, tuple(parameters.items()))


def _bound(function: Callable[..., Array], parameters: dict[str, float]) -> Callable[..., Array]:
    return partial(function, **parameters) if parameters else function


def _through(grad_A: Array, Z: Array, A: Array, activation: Activation) -> Array:
    return activation.through(Z, A)(grad_A)
