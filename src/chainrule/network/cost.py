"""A cost as a user names it ("mse", "huber(delta=1.5)"), or hands it in as two functions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

from chainrule.equations._array import Array
from chainrule.equations.heads import HeadPart, heads_cost, heads_cost_gradient, heads_error
from chainrule.equations.registry import COSTS, FUSED_PAIRS, FusedPair
from chainrule.errors import InvalidArgumentError
from chainrule.network.activation import parse_activation
from chainrule.network.function_names import canonical_name, parse_name
from chainrule.network.heads import canonical_heads, is_heads, parse_heads


@dataclass(frozen=True)
class CustomCost:
    """A cost of your own, for `Network(cost=...)`: C of each example, and ∇ₐC.

    It runs on the reference engine (``engine="auto"`` chooses that by itself), where
    `Network.check_gradients` compares the two functions with each other. A network with such a
    cost cannot be saved: a model file holds data, and this is code.

    Parameters
    ----------
    cost : callable
        (A, Y) ↦ C: outputs and targets, both (m, n[L]), an example a row, to the cost of each
        example, (m,).
    gradient : callable
        (A, Y) ↦ ∂C/∂A, (m, n[L]): the derivative of each example's own cost, not of their mean.
    name : str, default "custom"
        For messages and traces.

    Raises
    ------
    InvalidArgumentError
        If one of the two is no function.

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


class BoundCost(NamedTuple):
    """C and ∇ₐC in columns, with the cost's parameters filled in."""

    function: Callable[[Array, Array], Array]
    gradient: Callable[[Array, Array], Array]
    side: Callable[[Array, Array], Array] | None


def parse_cost(text: str) -> tuple[str, dict[str, float]]:
    """Split a cost's text into its name and all its parameters.

    Parameters
    ----------
    text : str
        A name of `chainrule.equations.registry.COSTS`, with parameters in brackets where it has
        any; or heads, as in `chainrule.network.heads`, whose name is "heads".

    Raises
    ------
    InvalidArgumentError
        If there is no such cost or parameter, or its value is not one that the cost is defined for.

    Examples
    --------
    >>> parse_cost("quantile(quantile=0.9)")
    ('quantile', {'quantile': 0.9})
    """
    if is_heads(text):
        for head in parse_heads(text, "cost"):
            parse_cost(head.name)
        return "heads", {}
    name, parameters = parse_name(text, "cost", COSTS, "huber(delta=1.5)")
    for key, value in parameters.items():
        limit = COSTS[name].limits[key]
        if not limit.fits(value):
            raise InvalidArgumentError(
                f"cost: {name}'s {key} must be {limit.expected}; got {value:g}"
            )
    return name, parameters


def canonical_cost(text: str) -> str:
    """Return the one spelling of a cost: parameters named only where not the default."""
    if is_heads(text):
        return canonical_heads(text, "cost", canonical_cost)
    return canonical_name(*parse_cost(text), COSTS)


@lru_cache(maxsize=256)
def bound_cost(text: str) -> BoundCost:
    """Return C, ∇ₐC and the sides of C's kinks with the cost's parameters filled in."""
    name, parameters = parse_cost(text)
    if name == "heads":
        return _bound_heads(text)
    equations = COSTS[name]
    side = equations.side
    return BoundCost(
        _bound(equations.function, parameters),
        _bound(equations.gradient, parameters),
        None if side is None else _bound(side, parameters),
    )


@lru_cache(maxsize=256)
def bound_pair(output_activation: str, text: str) -> FusedPair | None:
    """Return the fused equations of an output activation and a cost, if they are a pair.

    Heads are one where each of them meets its own cost, or stands for itself: the identity's δ is
    ∇ₐC.
    """
    if is_heads(text):
        return _heads_pair(output_activation, text)
    output_activation = parse_activation(output_activation)[0]
    name, parameters = parse_cost(text)
    pair = FUSED_PAIRS.get((output_activation, name))
    if pair is None:
        return None
    return FusedPair(_bound(pair.cost, parameters), _bound(pair.error, parameters))


def _bound_heads(text: str) -> BoundCost:
    heads = parse_heads(text, "cost")
    own = [bound_cost(head.name) for head in heads]
    costs, gradients = (
        [
            HeadPart(head.units, function, head.weight)
            for head, function in zip(heads, functions, strict=True)
        ]
        for functions in ([c.function for c in own], [c.gradient for c in own])
    )
    kinked = any(cost.side is not None for cost in own)
    sides = [
        HeadPart(head.units, cost.side or _one_side) for head, cost in zip(heads, own, strict=True)
    ]
    return BoundCost(
        partial(heads_cost, heads=costs),
        partial(heads_cost_gradient, heads=gradients),
        partial(heads_cost_gradient, heads=sides) if kinked else None,
    )


def _one_side(A: Array, Y: Array) -> Array:
    """Return False everywhere: a cost without a kink has one side."""
    return float("inf") < A


def _heads_pair(output_activation: str, text: str) -> FusedPair | None:
    costs, errors = [], []
    activations = parse_heads(output_activation, "activation")
    for activation, head in zip(activations, parse_heads(text, "cost"), strict=True):
        pair = bound_pair(activation.name, head.name)
        if pair is None:
            if activation.name != "identity":
                return None
            pair = FusedPair(*bound_cost(head.name)[:2])
        costs.append(HeadPart(head.units, pair.cost, head.weight))
        errors.append(HeadPart(head.units, pair.error, head.weight))
    return FusedPair(partial(heads_cost, heads=costs), partial(heads_error, heads=errors))


def _bound(function: Callable[..., Any], parameters: dict[str, float]) -> Callable[..., Any]:
    return partial(function, **parameters) if parameters else function
