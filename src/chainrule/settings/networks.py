"""Construction of a network from settings."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.model.network import Network
from chainrule.names import DType
from chainrule.network.cost import CustomCost
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from chainrule.settings.given import Settings
from chainrule.settings.layers import embedding_layer, hidden_activations, hidden_layers
from chainrule.settings.weights import first_parameters


def new_network(
    given: Settings,
    n_features: int,
    hidden: tuple[int, ...],
    output: Dense,
    cost: str | CustomCost,
    dtype: DType,
    random: np.random.RandomState,
    weights: Mapping[str, Any] | None = None,
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

    Raises
    ------
    InvalidArgumentError
        If the settings do not describe a valid network.
    """
    activations = hidden_activations(given, len(hidden))
    embedded = embedding_layer(given, n_features)
    layers = [*embedded, *hidden_layers(given, hidden, activations)]
    spec = NetworkSpec(n_features, (*layers, output), cost, given["init"] or "auto", dtype)
    logistic = [name == "sigmoid" for name in activations]
    logistic.append(bool(logistic) and logistic[-1])
    first: tuple[Any, str] = given["initial_weights"], "initial_weights"
    if weights:
        first = (weights.get("coefs_"), weights.get("intercepts_")), "coefs_ and intercepts_"
    parameters = first_parameters(spec, given["init"], *first, logistic, random)
    # Only dropout still draws from the network's seed. Without dropout none is drawn, so that the
    # random state stays the same as scikit-learn's.
    drops = any(layer.is_noise for layer in layers)
    seed = int(random.randint(2**31 - 1)) if drops else 0
    return Network.from_parameters(spec, parameters, seed=seed)
