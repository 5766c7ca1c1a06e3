"""Construction of a network from settings."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.model.network import Network
from chainrule.names import DType
from chainrule.network.cost import CustomCost
from chainrule.network.layers import Dense, Dropout, Layer, PiecewiseLinearEmbedding, Scale
from chainrule.network.spec import NetworkSpec
from chainrule.settings.given import Settings
from chainrule.settings.layers import (
    embedding_layer,
    hidden_activations,
    hidden_layers,
    width_scaled,
)
from chainrule.settings.weights import first_parameters

SCALE_LEARNING_RATE_FACTOR = 64.0
"""A factor is of the order of 1, a weight of 1/√n: the rate that suits the one is too small for
the other. RealMLP (Holzmüller, Grinsztajn and Steinwart 2024) has 6 where hidden weights have
1/√n[l−1], n = 256."""


def new_network(
    given: Settings,
    n_features: int,
    hidden: tuple[int, ...],
    output: Dense,
    cost: str | CustomCost,
    dtype: DType,
    random: np.random.RandomState,
    weights: Mapping[str, Any] | None = None,
    bins: PiecewiseLinearEmbedding | None = None,
) -> Network:
    """Return an untrained network whose parameters are drawn from a random state.

    Parameters
    ----------
    given : mapping
        The settings.
    n_features : int
    hidden : tuple of int
        Sizes of the hidden layers.
    output : Dense
        The output layer.
    cost : str or CustomCost
    dtype : str
    random : RandomState
    weights : dict, optional
        ``coefs_`` and ``intercepts_``, which override the setting `initial_weights`.
    bins : PiecewiseLinearEmbedding, optional
        The layer of bins, made from the training examples: see `bins_of`.

    Raises
    ------
    InvalidArgumentError
        If the settings do not describe a valid network.
    """
    activations = hidden_activations(given, len(hidden))
    embedded = embedding_layer(given, n_features)
    first_layers: list[Layer] = [*embedded, *([bins] if bins is not None else [])]
    if given["scale_layer"]:
        first_layers.append(Scale(SCALE_LEARNING_RATE_FACTOR))
    layers: list[Layer] = [*first_layers, *hidden_layers(given, hidden, activations), output]
    if given["width_scaling"]:
        layers = width_scaled(layers, n_features)
    spec = NetworkSpec(n_features, tuple(layers), cost, given["init"] or "auto", dtype)
    return drawn_network(given, spec, random, weights)


def drawn_network(
    given: Settings,
    spec: NetworkSpec,
    random: np.random.RandomState,
    weights: Mapping[str, Any] | None = None,
) -> Network:
    """Return an untrained network of a specification; the arguments are those of `new_network`."""
    hidden = [layer for layer in spec.layers[:-1] if layer.has_weights]
    logistic = [name == "sigmoid" for name in hidden_activations(given, len(hidden))]
    logistic.append(bool(logistic) and logistic[-1])
    first: tuple[Any, str] = given["initial_weights"], "initial_weights"
    if weights:
        first = (weights.get("coefs_"), weights.get("intercepts_")), "coefs_ and intercepts_"
    parameters = first_parameters(spec, given["init"], *first, logistic, random)
    # Only dropout still draws from the network's seed. Without dropout none is drawn, so that the
    # random state stays the same as scikit-learn's.
    drops = any(layer.is_noise for layer in spec.layers)
    seed = int(random.randint(2**31 - 1)) if drops else 0
    return Network.from_parameters(spec, parameters, seed=seed)


def with_dropout(spec: NetworkSpec, given: Settings) -> NetworkSpec:
    """Return a specification with the dropout of the settings instead of its own."""
    rates = given["dropout"]
    hidden = sum(layer.has_weights for layer in spec.layers[:-1])
    each = [float(rates)] * hidden if isinstance(rates, int | float) else [*map(float, rates)]
    layers: list[Layer] = []
    below = 0  # hidden layers so far
    for layer in spec.layers:
        if layer.is_noise:
            continue
        if layer.has_weights:
            if below and each[below - 1] > 0:
                layers.append(Dropout(each[below - 1]))
            below += 1
        layers.append(layer)
    return replace(spec, layers=tuple(layers))
