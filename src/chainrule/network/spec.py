"""The frozen, hashable, serialisable description of a network."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from itertools import takewhile
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import MOST_UNITS, shown
from chainrule.errors import InvalidArgumentError
from chainrule.names import CostText, DType, InitializerName
from chainrule.network.activation import Activation, ActivationHeads, activation_of
from chainrule.network.cost import Cost, CostHeads, CustomCost, cost_of
from chainrule.network.layers import LAYER_KINDS, Block, Layer
from chainrule.network.layers.weighted import check_init
from chainrule.network.registry.costs import FusedPair
from chainrule.network.registry.documentation import naming
from chainrule.network.registry.values import BETWEEN_0_AND_1
from chainrule.suggestions import did_you_mean

DTYPES = ("float32", "float64")

_MOST_PARAMETERS = 2**48


class OutputHead(NamedTuple):
    """Part of the output layer with its own activation and cost; an undivided layer is one head."""

    units: int
    activation: Activation
    cost: Cost | None
    """None if the network has a `CustomCost`, which covers all outputs."""
    weight: float


@naming("costs")
@dataclass(frozen=True)
class NetworkSpec:
    """Layer sizes, activations, cost, initialisers and arithmetic of a network.

    Parameters
    ----------
    n_features : int
        n[0].
    layers : tuple of Layer
        Layers 1 … L.
    cost : str or CustomCost
        One of
        {costs};
        parameters in brackets: "huber(delta=1.5)", "focal(gamma=3)". For an output layer divided
        into heads: "heads(cross_entropy:3, 0.5*mse:1)", HD2.
    init : str, default "auto"
        Initialiser of the layers that do not set their own.
    dtype : {"float32", "float64"}
    fused : bool, default True
        Whether to use the fused equations where the output activation and the cost form a fused
        pair. False computes ∇ₐC first, then applies the derivative or the Jacobian.

    Raises
    ------
    InvalidArgumentError
        If an argument is invalid, or the arguments are inconsistent with each other.
    """

    n_features: int
    layers: tuple[Layer, ...]
    cost: CostText | CustomCost
    init: InitializerName = "auto"
    dtype: DType = "float32"
    fused: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.n_features, bool) or not hasattr(type(self.n_features), "__index__"):
            raise InvalidArgumentError(
                "layers: the first entry is the number of features, a whole number; "
                f"got {self.n_features!r}"
            )
        if self.n_features < 1:
            raise InvalidArgumentError(
                f"layers: the number of features must be at least 1; got {self.n_features}"
            )
        object.__setattr__(self, "n_features", int(self.n_features))
        if self.n_features > MOST_UNITS:
            raise InvalidArgumentError(
                f"layers: the number of features must be at most {MOST_UNITS}; "
                f"got {shown(self.n_features)}"
            )
        if not isinstance(self.layers, tuple | list):
            raise InvalidArgumentError(
                f"layers: expected layers such as Dense(24, 'relu'); got {self.layers!r}"
            )
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise InvalidArgumentError(
                "layers: expected at least one layer after the number of features, "
                "as in [30, Dense(2, 'softmax')]; got none"
            )
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise InvalidArgumentError(
                    f"layers: expected layers such as Dense(24, 'relu'); got {layer!r}"
                )
        if not self.layers[-1].has_weights:
            raise InvalidArgumentError(
                "layers: the last one makes the outputs, so it must be a Dense layer; "
                f"got {self.layers[-1]!r}: put one after it, or leave it out"
            )
        for layer in self.layers[1:]:
            if layer.first_because:
                raise InvalidArgumentError(
                    f"layers: a {type(layer).__name__} {layer.first_because}, so it must be the "
                    f"first layer; got {layer!r} after {self.layers[0]!r}"
                )
        size = self.n_features
        for layer in self.layers:
            layer.check_features(size)
            size = layer.output_units(size)
        for layer in self.layers[:-1]:
            if isinstance(activation_of(layer.activation), ActivationHeads):
                raise InvalidArgumentError(
                    f"layers: only the last layer may have heads; got {layer!r} before it"
                )
        self._check_cost()
        check_init(self.init)
        self._check_size()
        if self.dtype not in DTYPES:
            raise InvalidArgumentError(
                f"dtype: expected float32 or float64; got {self.dtype!r}"
                f"{did_you_mean(self.dtype, DTYPES)}"
            )
        if not isinstance(self.fused, bool):
            raise InvalidArgumentError(f"fused: expected True or False; got {self.fused!r}")

    def _check_size(self) -> None:
        """Raise if the network has more than `_MOST_PARAMETERS` parameters."""
        # A cheap upper bound, valid for all layers except embeddings: table rows are not units.
        most = max(self.sizes) * (max(self.sizes) + 4) * len(self.layers)
        if most <= _MOST_PARAMETERS and not self.layers[0].codes:
            return
        count = sum(prod(block.shape) for blocks in self.blocks() for block in blocks)
        if max(count, *self.sizes) > _MOST_PARAMETERS:
            raise InvalidArgumentError(
                f"layers: expected at most {_MOST_PARAMETERS} parameters in all; got {count}. Use "
                "smaller layers"
            )

    def _check_cost(self) -> None:
        if isinstance(self.cost, CustomCost):
            return
        cost = self.cost if isinstance(self.cost, str) else str(cost_of(self.cost))
        checked = _checked_cost(cost, self.layers[-1].activation, self.n_outputs)
        object.__setattr__(self, "cost", checked)

    def __hash__(self) -> int:
        return self._hash

    def __getstate__(self) -> dict[str, Any]:
        # Do not pickle the cached hash: string hashes differ between processes.
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def _hash(self) -> int:
        # Cached because every prediction looks up caches that are keyed by the specification.
        return hash((self.n_features, self.layers, self.cost, self.init, self.dtype, self.fused))

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """n[0] … n[L]."""
        sizes = [self.n_features]
        for layer in self.layers:
            sizes.append(layer.output_units(sizes[-1]))
        return tuple(sizes)

    @cached_property
    def n_outputs(self) -> int:
        """n[L]."""
        return self.sizes[-1]

    @cached_property
    def activations(self) -> tuple[Activation | ActivationHeads, ...]:
        """σ of each layer; the identity for layers without an activation."""
        return tuple(activation_of(layer.activation) for layer in self.layers)

    @cached_property
    def output_activation(self) -> str:
        """Name of σ[L], without parameters; "heads" if the layer is divided into heads."""
        return self.activations[-1].name

    @cached_property
    def cost_name(self) -> str:
        """Name of C, without parameters; "heads" for heads, "" for a `CustomCost`."""
        return "" if isinstance(self.cost, CustomCost) else cost_of(self.cost).name

    @property
    def gives_probabilities(self) -> bool:
        """Whether a single activation makes all outputs probabilities."""
        sigma = self.activations[-1]
        return isinstance(sigma, Activation) and sigma.row.outputs == BETWEEN_0_AND_1

    @cached_property
    def heads(self) -> tuple[OutputHead, ...]:
        """The heads of the output layer, in row order; an undivided layer is one head."""
        sigma = self.activations[-1]
        if isinstance(self.cost, CustomCost):
            parts = sigma.parts(self.n_outputs)
            return tuple(OutputHead(part.units, part.function, None, 1.0) for part in parts)
        return _heads(sigma, cost_of(self.cost), self.n_outputs)

    @cached_property
    def fused_pair(self) -> FusedPair | None:
        """The fused equations that this network uses, or None."""
        if not self.fused or isinstance(self.cost, CustomCost):
            return None
        return cost_of(self.cost).fused_with(self.activations[-1])

    def looked_up_sources(self) -> NDArray[np.intp]:
        """Return the input of each unit behind the lookup of category codes, if there is one."""
        first = self.layers[0]
        return first.input_sources(self.n_features) if first.codes else np.arange(self.n_features)

    def unit_names(self, names: Sequence[str]) -> list[str]:
        """Return the names of the inputs of the first layer with weights."""
        return [name for name, _ in self.named_units(names)]

    def named_units(self, names: Sequence[str]) -> list[tuple[str, int]]:
        """Return name and network input of each input of the first layer with weights."""
        found, sources = list(names), np.arange(len(names))
        for layer in takewhile(lambda layer: not layer.has_weights, self.layers):
            sources = sources[layer.input_sources(len(found))]
            found = layer.input_names(found)
        return list(zip(found, sources.tolist(), strict=True))

    def blocks(self) -> list[tuple[Block, ...]]:
        """Return the parameter blocks of each layer, in the order of the flat vector."""
        return list(self._blocks)

    @cached_property
    def _blocks(self) -> tuple[tuple[Block, ...], ...]:
        return tuple(
            layer.blocks(n_in, self.init)
            for layer, n_in in zip(self.layers, self.sizes[:-1], strict=True)
        )

    def to_json(self) -> str:
        """Return the specification as JSON with sorted keys, so equal specs give equal text.

        Raises
        ------
        InvalidArgumentError
            If the cost is a `CustomCost`: JSON stores data, not code.
        """
        if isinstance(self.cost, CustomCost):
            raise InvalidArgumentError(
                f"cost: {self.cost.name} is Python code, and a file holds data only; keep "
                "net.parameters instead, and set them in a Network that your code makes with "
                "the same cost"
            )
        return json.dumps(
            {
                "n_features": self.n_features,
                "layers": [layer.to_dict() for layer in self.layers],
                "cost": self.cost,
                "init": self.init,
                "dtype": self.dtype,
                "fused": self.fused,
            },
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, text: str) -> "NetworkSpec":
        """Build a specification from the output of `to_json`.

        Raises
        ------
        InvalidArgumentError
            If the text is not a network specification.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            layers = tuple(
                LAYER_KINDS[layer["kind"]](**{k: v for k, v in layer.items() if k != "kind"})
                for layer in fields.pop("layers")
            )
            return cls(layers=layers, **fields)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidArgumentError(f"spec: not a network specification ({error})") from error


def _heads(
    sigma: Activation | ActivationHeads, cost: Cost | CostHeads, n_outputs: int
) -> tuple[OutputHead, ...]:
    return tuple(
        OutputHead(part.units, part.function, of.function, of.weight)
        for part, of in zip(sigma.parts(n_outputs), cost.parts(n_outputs), strict=True)
    )


# Cached: a search makes thousands of networks with the same outputs.
@lru_cache(maxsize=256)
def _checked_cost(text: str, activation: str, n_outputs: int) -> str:
    """Return a cost in its standard form; raise unless it is defined on the outputs."""
    cost, sigma = cost_of(text), activation_of(activation)
    alike = isinstance(cost, CostHeads) == isinstance(sigma, ActivationHeads)
    heads = [head.units for head in sigma.parts(n_outputs)]
    if not alike or heads != [head.units for head in cost.parts(n_outputs)]:
        raise InvalidArgumentError(
            "cost: heads are those of the output layer, as in Dense(4, 'heads(softmax:3, "
            "identity:1)') with cost='heads(cross_entropy:3, mse:1)'; got "
            f"{str(cost)!r} over {str(sigma)!r}"
        )
    for head in _heads(sigma, cost, n_outputs):
        _check_head(head)
    return str(cost)


def _check_head(head: OutputHead) -> None:
    """Raise unless the head's cost is defined on the outputs of its activation."""
    assert head.cost is not None
    row, output = head.cost.row, head.activation.name
    if output not in row.output_activations:
        raise InvalidArgumentError(
            f"cost: {head.cost} needs outputs {row.outputs.words}, so its output layer must be "
            f"{' or '.join(row.output_activations)}; got {output!r}"
        )
    if row.of_one_output and head.units == 1:
        raise InvalidArgumentError(
            f"cost: {head.cost.name} needs at least two outputs (a single one can only always "
            "be right); use Dense(2, 'softmax'), or Dense(1, 'sigmoid') with "
            f"{row.of_one_output}"
        )
