"""A cost as a value, made of the text by which users name it, or of two functions of theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

from chainrule.equations._array import Array
from chainrule.equations.heads import HeadPart, heads_cost, heads_cost_gradient, heads_error
from chainrule.errors import InvalidArgumentError
from chainrule.network.activation import Activation, ActivationHeads
from chainrule.network.function_names import canonical_name, parse_name
from chainrule.network.heads import Head, Heads, parsed_heads
from chainrule.network.registry.costs import COSTS, CostRow, FusedPair


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


@dataclass(frozen=True)
class Cost:
    """C with its parameters; its text names those that are not the default."""

    name: str
    settings: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        return canonical_name(self.name, self.parameters, COSTS)

    @property
    def parameters(self) -> dict[str, float]:
        """All its parameters by name."""
        return dict(self.settings)

    @property
    def row(self) -> CostRow:
        """What there is to say of it."""
        return COSTS[self.name]

    @property
    def equations(self) -> BoundCost:
        """C, ∇ₐC and the sides of C's kinks."""
        row = self.row
        return BoundCost(
            self._bound(row.function),
            self._bound(row.gradient),
            None if row.side is None else self._bound(row.side),
        )

    def fused_with(self, output: Activation | ActivationHeads) -> FusedPair | None:
        """Return the fused equations with an output activation, if the two are a pair."""
        pair = self.row.fused.get(output.name)
        if pair is None:
            return None
        return FusedPair(self._bound(pair.cost), self._bound(pair.error))

    def parts(self, units: int) -> tuple[Head["Cost"], ...]:
        """Return the heads of a layer of so many units: one."""
        return (Head(units, self),)

    def _bound(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return partial(function, **self.parameters) if self.settings else function


@dataclass(frozen=True)
class CostHeads(Heads[Cost]):
    """The costs of an output layer that is divided into heads, HD2."""

    name = "heads"

    @property
    def equations(self) -> BoundCost:
        """HD2, its gradient, and the sides of every head's kinks."""
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
        """Return HD2 from Z and HD3, if they hold for the heads of an output layer.

        They do where each of them meets its own cost, or stands for itself: the identity's δ is
        ∇ₐC.
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
        A name of `chainrule.network.registry.costs.COSTS`, with parameters in brackets where it has
        any; or heads, as in `chainrule.network.heads`.

    Raises
    ------
    InvalidArgumentError
        If there is no such cost or parameter, or its value is not one that the cost is defined for.

    Examples
    --------
    >>> cost_of("quantile(quantile=0.9)").parameters
    {'quantile': 0.9}
    """
    return _parsed(text) if isinstance(text, str) else _single(text)


def _single(text: object) -> Cost:
    name, parameters = parse_name(text, "cost", COSTS)
    return Cost(name, tuple(parameters.items()))


def _one_side(A: Array, Y: Array) -> Array:
    """Return False everywhere: a cost without a kink has one side."""
    return float("inf") < A
