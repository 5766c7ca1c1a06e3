"""What all layers with weighted sums have in common: everything but their products."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from chainrule.checks import MOST_UNITS, positive_number, whole_number
from chainrule.equations._array import Array
from chainrule.equations.forward import activation
from chainrule.errors import InvalidArgumentError
from chainrule.names import InitializerName
from chainrule.network.activation import Activation, activation_of
from chainrule.network.layers.base import Block, Layer, LayerPass, Shown, activation_error_text
from chainrule.network.registry.initializers import INITIALIZERS
from chainrule.suggestions import did_you_mean

_FACTORS = ("learning_rate_factor", "bias_learning_rate_factor")


class WeightedLayer(Layer):
    """Base class of layers that compute units from weights W and biases b.

    A subclass is a dataclass with the fields that are annotated here.
    """

    has_weights: ClassVar[bool] = True
    sums_equation: ClassVar[Callable[..., Any]]
    """The equation of Z[l]."""

    units: int
    init: InitializerName | None
    learning_rate_factor: float
    bias_learning_rate_factor: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", whole_number("units", self.units, 1, MOST_UNITS))
        object.__setattr__(self, "activation", str(activation_of(self.activation)))
        if self.init is not None:
            check_init(self.init)
        for name in _FACTORS:
            object.__setattr__(self, name, positive_number(name, getattr(self, name)))

    def __repr__(self) -> str:
        init = {} if self.init is None else {"init": self.init}
        named = {**self._options, **init, **self._factors()}
        parts = [*map(repr, self._first), *(f"{name}={value!r}" for name, value in named.items())]
        return f"{type(self).__name__}({', '.join(parts)})"

    @property
    def _first(self) -> tuple[object, ...]:
        """The arguments up to σ."""
        return (self.units, self.activation)

    @property
    def _options(self) -> dict[str, object]:
        """The keyword arguments before `init` that are not as by default."""
        return {}

    def to_dict(self) -> dict[str, Any]:
        """Return the declaration as JSON-ready values; factors of 1 are left out."""
        values = super().to_dict()
        return {k: v for k, v in values.items() if k not in _FACTORS} | self._factors()

    def _factors(self) -> dict[str, float]:
        """Return the factors of the learning rate that are not 1."""
        return {name: getattr(self, name) for name in _FACTORS if getattr(self, name) != 1.0}

    def output_units(self, n_in: int) -> int:
        """Return n[l]."""
        return self.units

    def weights_and_biases(
        self, n_in: int, default_init: str, n_out: int | None = None
    ) -> tuple[Block, ...]:
        """Return W, with n_in weights in each row, and b; `n_out` is that of `Block`."""
        init = self.initializer(default_init)
        return (
            Block("W", (self.units, n_in), "weights", init, self.learning_rate_factor, n_out),
            self.biases,
        )

    def initializer(self, default_init: str) -> str:
        """Return the name of the initialiser of W."""
        init = self.init or default_init
        return activation_of(self.activation).initializer if init == "auto" else init

    @property
    def biases(self) -> Block:
        """b, n[l] × 1."""
        return Block("b", (self.units, 1), "biases", "zeros", self.bias_learning_rate_factor)

    def activated(self, Z: Array) -> LayerPass:
        """F2."""
        return LayerPass(Z, activation(activation_of(self.activation).function, Z))

    def through_activation(self, layer_pass: LayerPass) -> Callable[[Array], Array]:
        """BP1, BP1s for softmax, or the derivative of HD1 for heads."""
        return activation_of(self.activation).through(layer_pass.Z, layer_pass.A)

    def shown(self, layer_pass: LayerPass) -> tuple[Shown, ...]:
        """Return the sums, and F2."""
        sigma = activation_of(self.activation).function
        return (
            Shown("Z", type(self).sums_equation, layer_pass.Z),
            Shown("A", activation, layer_pass.A, sigma),
        )

    def error_text(self, grad_A: str, l: int) -> str:  # noqa: E741 - the field's letter
        """BP1, or BP1s for softmax."""
        return activation_error_text(self.activation, grad_A, l)

    @property
    def brief(self) -> str:
        """The declaration without factors of the learning rate."""
        return repr(replace(self, **dict.fromkeys(_FACTORS, 1.0)))  # type: ignore[type-var]

    @property
    def detail(self) -> str:
        """σ."""
        return self.activation


def check_init(init: object) -> None:
    """Raise unless `init` names an initialiser or is "auto"."""
    if not isinstance(init, str) or (init != "auto" and init not in INITIALIZERS):
        raise InvalidArgumentError(
            f"init: expected auto, {', '.join(INITIALIZERS)}; got {init!r}"
            f"{did_you_mean(init, ('auto', *INITIALIZERS))}"
        )


def check_of_units(activation: str, parts: str) -> None:
    """Raise unless σ is applied to each unit by itself, as in a layer of separate `parts`."""
    sigma = activation_of(activation)
    if not isinstance(sigma, Activation) or sigma.of_layer:
        raise InvalidArgumentError(
            f"activation: expected one that is applied to each unit by itself, since {parts} do "
            f"not see each other; got {activation!r}: a Dense layer may have it"
        )


def multiples(number: int, of: int) -> str:
    """Return the multiples nearest to a number that is none."""
    below = number // of * of
    return f"{below} or {below + of}" if below else str(of)
