"""Costs as values, parsed from text or built from two user-supplied functions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

from chainrule.arguments import hinting
from chainrule.checks import shown
from chainrule.equations._array import Array
from chainrule.equations.heads import HeadPart, heads_cost, heads_cost_gradient, heads_error
from chainrule.errors import InvalidArgumentError
from chainrule.network.activation import Activation, ActivationHeads
from chainrule.network.function_names import canonical_name, parse_name
from chainrule.network.heads import Head, Heads, parsed_heads
from chainrule.network.registry.costs import COSTS, CostRow, FusedPair


@hinting
@dataclass(frozen=True)
class CustomCost:
    """A user-defined cost for `Network(cost=...)`: C of each example, and ∇ₐC.

    A custom cost runs on the reference engine, which ``engine="auto"`` selects automatically, and
    with ``engine="jax"`` if JAX can trace its functions: operators, methods and the namespace of
    their arguments instead of NumPy's functions.
    `Network.check_gradients` checks `gradient` against `cost`. A network with a custom cost cannot
    be saved, because a model file stores data, not code.

    Parameters
    ----------
    cost : callable
        (A, Y) ↦ C: maps outputs and targets, both (m, n[L]) with one example per row, to the cost
        of each example, (m,).
    gradient : callable
        (A, Y) ↦ ∂C/∂A, (m, n[L]): the derivative of each example's cost, not of the mean cost.
    name : str, default "custom"
        The name shown in error messages and traces.

    Raises
    ------
    InvalidArgumentError
        If `cost` or `gradient` is not callable, or `name` is not a non-empty string.

    Examples
    --------
    >>> import chainrule as cr
    >>> cost = cr.CustomCost(lambda A, Y: ((A - Y) ** 4).sum(axis=1), lambda A, Y: 4 * (A - Y) ** 3)
    >>> net = cr.Network([1, cr.Dense(3, "tanh"), cr.Dense(1, "identity")], cost=cost, seed=0)
    >>> bool(net.check_gradients([[0.5], [1.0]], [1.0, 2.0]))
    True
    """

    cost: Callable[[Any, Any], Any]
    gradient: Callable[[Any, Any], Any]
    name: str = "custom"

    def __post_init__(self) -> None:
        for field, value in (("cost", self.cost), ("gradient", self.gradient)):
            if not callable(value):
                raise InvalidArgumentError(
                    f"{field}: expected a function of (outputs, targets), each (m, n[L]); "
                    f"got {value!r}"
                )
        if not isinstance(self.name, str) or not self.name:
            raise InvalidArgumentError(f"name: expected a text; got {self.name!r}")

    def __str__(self) -> str:
        return self.name

    def costs(self, A: Any, Y: Any) -> Any:
        """Return C of each example, whose shape and type are checked.

        Raises
        ------
        InvalidArgumentError
            If the function returns anything but an array (m,) of floats.
        """
        C = self.cost(A, Y)
        if not _is_array(C, A.shape[:1]):
            hint = ""
            if getattr(C, "shape", None) == () or isinstance(C, float | int):
                hint = ". The mean over the examples is taken afterwards: leave it out"
            elif getattr(C, "shape", None) == A.shape:
                hint = ". Take the sum over the outputs: .sum(axis=1)"
            raise InvalidArgumentError(
                f"cost: the cost function of {self.name!r} must return the cost of each example, "
                f"an array of floats of shape ({A.shape[0]},) for outputs of shape {A.shape}; "
                f"got {_described(C)}{hint}"
            )
        return C

    def gradients(self, A: Any, Y: Any) -> Any:
        """Return ∂C/∂A of each example, whose shape and type are checked.

        Raises
        ------
        InvalidArgumentError
            If the function returns anything but an array of floats of A's shape.
        """
        gradient = self.gradient(A, Y)
        if not _is_array(gradient, A.shape):
            raise InvalidArgumentError(
                f"cost: the gradient function of {self.name!r} must return the derivative of each "
                f"example's cost by its outputs, an array of floats of their shape {A.shape}; "
                f"got {_described(gradient)}"
            )
        return gradient


def _is_array(value: Any, shape: tuple[int, ...]) -> bool:
    """Tell whether a value is an array of floats of a shape, without reading its elements."""
    if getattr(value, "shape", None) != shape:
        return False
    return getattr(getattr(value, "dtype", None), "kind", "f") not in "biucOSUmM"


def _described(value: Any) -> str:
    """Return the shape and type of a value that is not the array that was expected."""
    if not hasattr(value, "shape"):
        return shown(value) if isinstance(value, float | int | None) else type(value).__name__
    return f"shape {value.shape} of {value.dtype}"


class BoundCost(NamedTuple):
    """C and ∇ₐC on column-wise arrays, with the cost's parameters bound."""

    function: Callable[[Array, Array], Array]
    gradient: Callable[[Array, Array], Array]
    side: Callable[[Array, Array], Array] | None


@dataclass(frozen=True)
class Cost:
    """C with its parameters; `str` lists only parameters that differ from their default."""

    name: str
    settings: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        return canonical_name(self.name, self.parameters, COSTS)

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters by name."""
        return dict(self.settings)

    @property
    def row(self) -> CostRow:
        """The registry row."""
        return COSTS[self.name]

    @property
    def equations(self) -> BoundCost:
        """C, ∇ₐC, and the function that tells on which side of C's kinks an output lies."""
        row = self.row
        return BoundCost(
            self._bound(row.function),
            self._bound(row.gradient),
            None if row.side is None else self._bound(row.side),
        )

    def fused_with(self, output: Activation | ActivationHeads) -> FusedPair | None:
        """Return the fused equations with an output activation; None if there are none."""
        pair = self.row.fused.get(output.name)
        if pair is None:
            return None
        return FusedPair(self._bound(pair.cost), self._bound(pair.error))

    def parts(self, units: int) -> tuple[Head["Cost"], ...]:
        """Return the heads of an output layer with `units` units: a single head."""
        return (Head(units, self),)

    def _bound(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return partial(function, **self.parameters) if self.settings else function


@dataclass(frozen=True)
class CostHeads(Heads[Cost]):
    """The costs of an output layer divided into heads, HD2."""

    name = "heads"

    @property
    def equations(self) -> BoundCost:
        """HD2, its gradient, and the kink-side function of all heads."""
        own = [head.function.equations for head in self.heads]
        costs, gradients = (
            [head.part(function) for head, function in zip(self.heads, functions, strict=True)]
            for functions in ([each.function for each in own], [each.gradient for each in own])
        )
        sides = [
            HeadPart(head.units, each.side or _one_side)
            for head, each in zip(self.heads, own, strict=True)
        ]
        kinked = any(each.side is not None for each in own)
        return BoundCost(
            partial(heads_cost, heads=costs),
            partial(heads_cost_gradient, heads=gradients),
            partial(heads_cost_gradient, heads=sides) if kinked else None,
        )

    def fused_with(self, output: Activation | ActivationHeads) -> FusedPair | None:
        """Return HD2 computed from Z, and HD3; None if an output head has no fused equations.

        A head has fused equations if its activation and cost form a fused pair, or if its
        activation is the identity, whose δ is ∇ₐC.
        """
        costs, errors = [], []
        for activation, head in zip(output.parts(self.units), self.heads, strict=True):
            pair = head.function.fused_with(activation.function)
            if pair is None:
                if activation.function.name != "identity":
                    return None
                pair = FusedPair(*head.function.equations[:2])
            costs.append(head.part(pair.cost))
            errors.append(head.part(pair.error))
        return FusedPair(partial(heads_cost, heads=costs), partial(heads_error, heads=errors))

    def parts(self, units: int) -> tuple[Head[Cost], ...]:
        """Return the heads."""
        return self.heads


@lru_cache(maxsize=256)
def _parsed(text: str) -> Cost | CostHeads:
    heads = parsed_heads(text, "cost", _single)
    return _single(text) if heads is None else CostHeads(heads)


def cost_of(text: str) -> Cost | CostHeads:
    """Return the cost that a text names.

    Parameters
    ----------
    text : str
        A name in `chainrule.network.registry.costs.COSTS`, optionally followed by parameters in
        brackets; or heads, in the format of `chainrule.network.heads`.

    Raises
    ------
    InvalidArgumentError
        If the cost or a parameter is unknown, or a parameter value is out of range.

    Examples
    --------
    >>> from chainrule.network.cost import cost_of
    >>> print(cost_of("quantile(quantile = 0.90)"))
    quantile(quantile=0.9)
    """
    return _parsed(text) if isinstance(text, str) else _single(text)


def _single(text: object) -> Cost:
    name, parameters = parse_name(text, "cost", COSTS)
    return Cost(name, tuple(parameters.items()))


def _one_side(A: Array, Y: Array) -> Array:
    """Return False everywhere: a cost without kinks has a single side."""
    return float("inf") < A
