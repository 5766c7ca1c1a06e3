"""One network for several: their hidden layers side by side, and the mean of their outputs.

The hidden layers of K networks become one layer of K groups, which do not see each other, and the
output layer, [w₁W₁ … w_K W_K], takes the weighted mean of their pre-activations Z[L]. Whatever
reads a network therefore reads an ensemble: predictions, traces, explanations, exports and files
need no second mechanism. The mean is one of values for the identity, and a geometric mean of
probabilities for softmax and sigmoid.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.model.network import Network
from chainrule.network.activation import activation_of
from chainrule.network.layers import (
    BatchNorm,
    CategoryEmbedding,
    Dense,
    Dropout,
    GroupedDense,
    Layer,
    ParametricActivation,
    PiecewiseLinearEmbedding,
    Scale,
)
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec

Floats = NDArray[np.floating]

# Layers that treat each unit alone: of several networks, they lie side by side as they are.
_UNITWISE = (BatchNorm, ParametricActivation)


def merged(networks: Sequence[Network], weights: Sequence[float]) -> Network:
    """Return the network whose pre-activations Z[L] are the weighted mean of those of networks.

    Parameters
    ----------
    networks : sequence of Network
        With the same layers, except for dropout, which a prediction does not have.
    weights : sequence of float
        One for each network, positive; they are divided by their sum.

    Returns
    -------
    Network
        Without dropout. Of one network, it has the same layers and a copy of the parameters.

    Raises
    ------
    InvalidArgumentError
        If the networks differ in their layers, or have a layer that cannot lie beside others.
    """
    specs = [without_noise(network.spec) for network in networks]
    if any(spec != specs[0] for spec in specs):
        raise InvalidArgumentError(
            "networks: expected networks with the same layers; got "
            f"{len(set(specs))} different ones"
        )
    if len(networks) == 1:
        return Network.from_parameters(
            specs[0], networks[0].parameters.copy(), seed=networks[0].seed
        )
    check_mergeable(specs[0])
    shares = np.asarray(weights, np.float64) / np.sum(weights)
    members = [
        views(spec, network.parameters)  # dropout has no parameters
        for spec, network in zip(specs, networks, strict=True)
    ]
    return _Merger(specs[0], members, shares).network()


def without_noise(spec: NetworkSpec) -> NetworkSpec:
    """Return a specification without layers that only add noise in training steps."""
    return replace(spec, layers=tuple(layer for layer in spec.layers if not layer.is_noise))


def check_mergeable(spec: NetworkSpec) -> None:
    """Raise unless networks of a specification can lie side by side in one network.

    Raises
    ------
    InvalidArgumentError
    """
    known = (
        CategoryEmbedding,
        PiecewiseLinearEmbedding,
        Scale,
        Dense,
        Dropout,
        *_UNITWISE,
    )
    for layer in spec.layers[:-1]:
        couples = activation_of(layer.activation).of_layer
        if not isinstance(layer, known) or couples:
            why = "its activation couples all of its units" if couples else "a layer of its kind"
            raise InvalidArgumentError(
                f"layers: expected layers of which several networks can lie side by side; got "
                f"{layer.brief} ({why}). Use an activation of single units, such as silu"
            )


class _Shared(NamedTuple):
    """Units that all networks read: those of the inputs."""

    places: list[NDArray[np.intp]]
    """For each network, the place of each of its units among those of the merged network."""
    factors: list[NDArray[np.float64]]
    """For each network, what its scale layers multiply each of its units by."""


class _Merger:
    """Builds the merged network, layer by layer."""

    def __init__(
        self, spec: NetworkSpec, members: Sequence[list[list[Floats]]], shares: NDArray[np.float64]
    ) -> None:
        self._spec, self._members, self._shares = spec, members, shares
        self._count = len(members)
        self._layers: list[Layer] = []
        self._blocks: list[NDArray[np.float64]] = []
        every = np.arange(spec.n_features, dtype=np.intp)
        self._shared: _Shared | None = _Shared(
            [every] * self._count, [np.ones(len(every))] * self._count
        )
        self._n_in = spec.n_features
        """The number of units of the merged network so far."""

    def network(self) -> Network:
        """Return the merged network."""
        last = len(self._spec.layers) - 1
        for index, layer in enumerate(self._spec.layers):
            thetas = [
                [block.astype(np.float64) for block in member[index]] for member in self._members
            ]
            self._add(layer, thetas, index == last)
        spec = replace(self._spec, layers=tuple(self._layers))
        flat = [block.reshape(-1) for block in self._blocks]
        parameters = np.concatenate(flat).astype(spec.dtype) if flat else np.empty(0, spec.dtype)
        return Network.from_parameters(spec, parameters)

    def _add(self, layer: Layer, thetas: list[list[NDArray[np.float64]]], last: bool) -> None:
        if isinstance(layer, CategoryEmbedding):
            self._look_up(layer, thetas)
        elif isinstance(layer, PiecewiseLinearEmbedding):
            self._bin(layer)
        elif isinstance(layer, Scale) and self._shared is not None:
            places, factors = self._shared
            own = [theta[0][:, 0] for theta in thetas]
            factors = [factor * s for factor, s in zip(factors, own, strict=True)]
            self._shared = _Shared(places, factors)
        elif isinstance(layer, Dense):
            self._connect(layer, thetas, last)
        else:  # each unit alone
            self._append(layer, [np.concatenate(blocks) for blocks in zip(*thetas, strict=True)])

    def _look_up(self, layer: CategoryEmbedding, thetas: list[list[NDArray[np.float64]]]) -> None:
        """Put the tables of all networks side by side: a code has the vectors of all of them."""
        count = self._count
        columns = [(column, codes, count * size) for column, codes, size in layer.columns]
        tables = [np.concatenate(each, axis=1) for each in zip(*thetas, strict=True)]
        passed = self._n_in - len(columns)
        places: list[list[NDArray[np.intp]]] = [[np.arange(passed)] for _ in range(count)]
        at = passed
        for _, _, size in layer.columns:
            for own in places:
                own.append(np.arange(at, at + size))
                at += size
        self._append(CategoryEmbedding(columns), tables)
        whole = [np.concatenate(own) for own in places]
        self._shared = _Shared(whole, [np.ones(len(own)) for own in whole])

    def _bin(self, layer: PiecewiseLinearEmbedding) -> None:
        """Add the bins once, since they divide units that all networks share."""
        assert self._shared is not None
        places, factors = self._shared
        divided = [column for column, _ in layer.columns]
        first = places[0][divided]
        alike = all(np.array_equal(place[divided], first) for place in places) and all(
            (factor[divided] == 1).all() for factor in factors
        )
        if not alike:
            raise InvalidArgumentError(
                f"layers: expected bins of units that are the same in all networks; got {layer!r}"
            )
        columns = [(int(at), edges) for at, (_, edges) in zip(first, layer.columns, strict=True)]
        bins = np.arange(sum(layer.bins)) + self._n_in
        self._append(PiecewiseLinearEmbedding(columns), [])
        ones = np.ones(len(bins))
        self._shared = _Shared(
            [np.concatenate([place, bins]) for place in places],
            [np.concatenate([factor, ones]) for factor in factors],
        )

    def _connect(self, layer: Dense, thetas: list[list[NDArray[np.float64]]], last: bool) -> None:
        weights = [theta[0] for theta in thetas]
        biases = [theta[1] for theta in thetas]
        if self._shared is not None:
            weights = [
                _spread(W * factor, place, self._n_in)
                for W, place, factor in zip(weights, *self._shared, strict=True)
            ]
        count, shares = self._count, self._shares
        if last:
            b = sum(w * b for w, b in zip(shares, biases, strict=True))
            scaled = [w * W for w, W in zip(shares, weights, strict=True)]
            W = sum(scaled) if self._shared is not None else np.concatenate(scaled, axis=1)
            self._append(Dense(layer.units, layer.activation, layer.init), [W, b])
            return
        W, b = np.concatenate(weights), np.concatenate(biases)
        units = count * layer.units
        if self._shared is not None:
            self._append(Dense(units, layer.activation, layer.init), [W, b])
        else:
            self._append(GroupedDense(units, count, layer.activation, layer.init), [W, b])
        self._shared = None

    def _append(self, layer: Layer, blocks: Sequence[NDArray[np.float64]]) -> None:
        self._layers.append(layer)
        self._blocks += blocks
        self._n_in = layer.output_units(self._n_in)


def _spread(W: NDArray[np.float64], place: NDArray[np.intp], n_in: int) -> NDArray[np.float64]:
    """Return weights of units at their places among more units; 0 for the others."""
    if len(place) == n_in and np.array_equal(place, np.arange(n_in)):
        return W
    wide = np.zeros((len(W), n_in))
    wide[:, place] = W
    return wide
