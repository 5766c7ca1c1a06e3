"""The frozen, hashable, serialisable description of a network."""

import json
from dataclasses import dataclass, fields
from functools import cached_property
from math import prod
from typing import Any

from chainrule.checks import MOST_UNITS, shown
from chainrule.equations.registry import COSTS, FusedPair
from chainrule.errors import InvalidArgumentError
from chainrule.network.activation import parse_activation
from chainrule.network.cost import CustomCost, bound_pair, canonical_cost, parse_cost
from chainrule.network.heads import is_heads, parse_heads
from chainrule.network.layers import LAYER_KINDS, Block, Layer
from chainrule.network.layers.dense import check_init

DTYPES = ("float32", "float64")

_MOST_PARAMETERS = 2**48

# What a cost needs of the outputs, in words, where it is not a probability.
_RANGES = {"poisson": "above 0"}


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
        mse, binary_cross_entropy, cross_entropy, absolute_error, huber, quantile, log_cosh,
        binary_focal, focal or poisson; parameters in brackets: "huber(delta=1.5)",
        "quantile(quantile=0.9)", "focal(gamma=3)". Of an output layer divided into heads:
        "heads(cross_entropy:3, 0.5*mse:1)", HD2.
    init : str, default "auto"
        Initialiser of the layers that name none.
    dtype : {"float32", "float64"}
    fused : bool, default True
        Whether an output activation that meets its own cost uses FU1 to FU6. False takes the
        long way: ∇ₐC, then the derivative or the Jacobian.

    Raises
    ------
    InvalidArgumentError
        If the parts do not fit together.
    """

    n_features: int
    layers: tuple[Layer, ...]
    cost: str | CustomCost
    init: str = "auto"
    dtype: str = "float32"
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
        self.layers[0].check_features(self.n_features)
        for layer in self.layers[:-1]:
            if is_heads(layer.activation):
                raise InvalidArgumentError(
                    f"layers: only the last layer may have heads; got {layer!r} before it"
                )
        self._check_cost()
        check_init(self.init)
        self._check_size()
        if self.dtype not in DTYPES:
            raise InvalidArgumentError(f"dtype: expected float32 or float64; got {self.dtype!r}")
        if not isinstance(self.fused, bool):
            raise InvalidArgumentError(f"fused: expected True or False; got {self.fused!r}")

    def _check_size(self) -> None:
        """Raise if there are more parameters than anyone's memory holds; 64 bits count them."""
        # In less time, whatever the layers, but tables, whose rows are no units.
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
        object.__setattr__(self, "cost", canonical_cost(self.cost))
        if self.cost_name == "heads" or self.output_activation == "heads":
            return self._check_heads()
        self._check_pair(self.cost, self.output_activation, self.n_outputs)

    def _check_heads(self) -> None:
        """Raise unless the heads of the output layer are those of the cost."""
        assert isinstance(self.cost, str)
        text = self.layers[-1].activation
        costs, outputs = (
            [head.units for head in parse_heads(given, name)] if is_heads(given) else None
            for given, name in ((self.cost, "cost"), (text, "activation"))
        )
        if costs is None or costs != outputs:
            raise InvalidArgumentError(
                "cost: heads are those of the output layer, as in Dense(4, 'heads(softmax:3, "
                "identity:1)') with cost='heads(cross_entropy:3, mse:1)'; got "
                f"{self.cost!r} over {text!r}"
            )
        for cost, output in zip(
            parse_heads(self.cost, "cost"), parse_heads(text, "activation"), strict=True
        ):
            self._check_pair(cost.name, parse_activation(output.name)[0], cost.units)

    def _check_pair(self, cost: str, output_activation: str, n_outputs: int) -> None:
        """Raise unless a cost is defined on the outputs of an activation."""
        name = parse_cost(cost)[0]
        fitting = COSTS[name].output_activations
        if fitting is not None and output_activation not in fitting:
            wanted = _RANGES.get(name, "between 0 and 1")
            raise InvalidArgumentError(
                f"cost: {cost} needs outputs {wanted}, so its output layer must be "
                f"{' or '.join(sorted(fitting))}; got {output_activation!r}"
            )
        if name in ("cross_entropy", "focal") and n_outputs == 1:
            raise InvalidArgumentError(
                f"cost: {name} needs at least two outputs (a single one can only always "
                "be right); use Dense(2, 'softmax'), or Dense(1, 'sigmoid') with "
                f"binary_{name}"
            )

    def __hash__(self) -> int:
        return self._hash

    def __getstate__(self) -> dict[str, Any]:
        # Hashes of texts are a process's own.
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def _hash(self) -> int:
        # Specifications are keys of caches that every prediction asks.
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
    def output_activation(self) -> str:
        """Name of σ[L], without parameters."""
        return parse_activation(self.layers[-1].activation)[0]

    @cached_property
    def cost_name(self) -> str:
        """Name of C, without parameters; "" for a user's own."""
        return "" if isinstance(self.cost, CustomCost) else parse_cost(self.cost)[0]

    @property
    def fused_pair(self) -> FusedPair | None:
        """The fused equations that this network uses, if any."""
        if not self.fused or isinstance(self.cost, CustomCost):
            return None
        return bound_pair(self.layers[-1].activation, self.cost)

    def blocks(self) -> list[tuple[Block, ...]]:
        """Return the parameter blocks of each layer, in the order of the flat vector."""
        return [
            layer.blocks(n_in, self.init)
            for layer, n_in in zip(self.layers, self.sizes[:-1], strict=True)
        ]

    def to_json(self) -> str:
        """Return the specification as JSON, keys sorted: equal specs give equal text.

        Raises
        ------
        InvalidArgumentError
            If the cost is a user's own: JSON holds data, and it is code.
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
        """Build the specification that `to_json` wrote.

        Raises
        ------
        InvalidArgumentError
            If the text is not one.
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
