"""Conversion of a network to the compiled core's plan: names, sizes, settings and blocks."""

from dataclasses import replace
from functools import cache, lru_cache
from typing import NamedTuple

from chainrule.engines import extension
from chainrule.errors import InvalidArgumentError
from chainrule.network.activation import Activation, ActivationHeads
from chainrule.network.cost import Cost, CostHeads, CustomCost
from chainrule.network.heads import Head
from chainrule.network.layers import Layer
from chainrule.network.parameters import placed_blocks
from chainrule.network.spec import NetworkSpec


def lacking(spec: NetworkSpec) -> str:
    """Return a network feature that the compiled core does not support, in words; "" for none."""
    if isinstance(spec.cost, CustomCost):
        return f"{spec.cost.name}, a cost of your own"
    return _lacking(spec)


@lru_cache(maxsize=256)
def _lacking(spec: NetworkSpec) -> str:
    for what, names in _needed(spec).items():
        for name in sorted(names - _known()[what]):
            return f"{name}, one of the {what}"
    return ""


# The following classes are passed to the core as the tuple types declared in _native.pyi.


class _Chosen(NamedTuple):
    """An activation or a cost, and its parameters by name."""

    name: str
    settings: dict[str, float]


class _BlockPlace(NamedTuple):
    """A parameter block: its position in the flat vector, its shape, group and hidden matrices."""

    offset: int
    rows: int
    columns: int
    group: str
    learning_rate_factor: float
    hidden: int


class _LayerPlan(NamedTuple):
    """The description of a layer for the core."""

    kind: str
    n_in: int
    n_out: int
    activation: _Chosen
    settings: dict[str, list[float]]
    blocks: list[_BlockPlace]


class _HeadPlan(NamedTuple):
    """The description of an output head for the core; an undivided output layer is one head."""

    units: int
    activation: _Chosen
    cost: _Chosen
    weight: float


_NO_ACTIVATION = _Chosen("identity", {})


@cache
def _known() -> dict[str, frozenset[str]]:
    """Return the names that the core supports, by category (layers, activations, costs)."""
    assert extension.native is not None
    return {what: frozenset(names) for what, names in extension.native.names().items()}


def _needed(spec: NetworkSpec) -> dict[str, set[str]]:
    """Return the names that the core must support for a network, by category."""
    heads = _heads(spec)
    return {
        "layers": {layer.kind for layer in spec.layers},
        "activations": {sigma.name for sigma in spec.activations[:-1]}
        | {head.activation.name for head in heads},
        "costs": {head.cost.name for head in heads},
    }


def without_own_cost(spec: NetworkSpec) -> NetworkSpec:
    """Return the network with MSE in place of a `CustomCost`."""
    # Outputs do not depend on the cost, so a cost that the core does not support can be replaced.
    if not isinstance(spec.cost, CustomCost):
        return spec
    if not isinstance(spec.activations[-1], ActivationHeads):
        return replace(spec, cost="mse")
    heads = CostHeads(tuple(Head(head.units, Cost("mse")) for head in spec.heads))
    return replace(spec, cost=str(heads))


@lru_cache(maxsize=256)
def plan_of(spec: NetworkSpec, threads: int) -> "extension.Plan":
    """Return the core's plan of a network, with `threads` as the thread limit of a prediction.

    Raises
    ------
    InvalidArgumentError
        If the network has a feature that the core does not support.
    """
    if lack := lacking(spec):
        raise InvalidArgumentError(
            f'engine: the compiled core cannot run {lack}; use engine="reference" (engine="auto" '
            "chooses it)"
        )
    blocks: list[list[_BlockPlace]] = [[] for _ in spec.layers]
    for placed in placed_blocks(spec):
        block = placed.block
        rows, columns = block.shape
        place = _BlockPlace(
            placed.slice.start,
            rows,
            columns,
            block.group,
            block.learning_rate_factor,
            placed.matrices,
        )
        blocks[placed.layer - 1].append(place)
    layers = [
        _LayerPlan(layer.kind, n_in, n_out, _chosen(sigma), _settings(layer), own)
        for layer, sigma, n_in, n_out, own in zip(
            spec.layers, spec.activations, spec.sizes[:-1], spec.sizes[1:], blocks, strict=True
        )
    ]
    # The output layer's activation is given by its heads.
    layers[-1] = layers[-1]._replace(activation=_NO_ACTIVATION)
    assert extension.native is not None
    return extension.native.Plan(layers, _heads(spec), spec.fused, threads)


def _chosen(function: Activation | ActivationHeads | Cost) -> _Chosen:
    """Return name and parameters of an activation or a cost; the identity for heads."""
    if isinstance(function, ActivationHeads):
        return _NO_ACTIVATION
    return _Chosen(function.name, function.parameters)


def _settings(layer: Layer) -> dict[str, list[float]]:
    """Return a layer's settings, with each value as a list of numbers."""
    return {
        name: [float(value)] if isinstance(value, float | int) else list(value)
        for name, value in layer.settings.items()
    }


def _heads(spec: NetworkSpec) -> list[_HeadPlan]:
    """Return the heads of the output layer; a single head if the layer is undivided."""
    plans = []
    for head in spec.heads:
        assert head.cost is not None
        plans.append(
            _HeadPlan(head.units, _chosen(head.activation), _chosen(head.cost), head.weight)
        )
    return plans
