"""The network that an estimator's parameters describe."""

from collections.abc import Mapping
from typing import Any

from chainrule.estimators.parameters import embedding_layer, hidden_activations, hidden_layers
from chainrule.estimators.weights import first_parameters
from chainrule.model.network import Network
from chainrule.network.cost import CustomCost
from chainrule.network.layers import Dense, Dropout
from chainrule.network.spec import NetworkSpec


def new_network(
    estimator: Any,
    n_features: int,
    hidden: tuple[int, ...],
    output: Dense,
    cost: str | CustomCost,
    dtype: str,
    given: Mapping[str, Any] | None = None,
) -> Network:
    """Return an untrained network, its parameters drawn by the estimator's random state.

    Parameters
    ----------
    estimator : BaseMLP
        Or whatever has its parameters.
    n_features : int
    hidden : tuple of int
        Units of the hidden layers.
    output : Dense
        The output layer.
    cost : str or CustomCost
    dtype : str
    given : dict, optional
        ``coefs_`` and ``intercepts_`` that come before `initial_weights`.

    Raises
    ------
    InvalidArgumentError
        If the parameters describe no network.
    """
    activations = hidden_activations(estimator, len(hidden))
    embedded = embedding_layer(estimator, n_features)
    layers = [*embedded, *hidden_layers(estimator, hidden, activations)]
    spec = NetworkSpec(n_features, (*layers, output), cost, estimator.init or "auto", dtype)
    logistic = [name == "sigmoid" for name in activations]
    logistic.append(bool(logistic) and logistic[-1])
    random = estimator._random_state
    first: tuple[Any, str] = estimator.initial_weights, "initial_weights"
    if given:
        first = (given.get("coefs_"), given.get("intercepts_")), "coefs_ and intercepts_"
    parameters = first_parameters(spec, estimator.init, *first, logistic, random)
    # Of the network's own random numbers, dropout alone is left: scikit-learn knows none.
    drops = any(isinstance(layer, Dropout) for layer in layers)
    seed = int(random.randint(2**31 - 1)) if drops else 0
    return Network.from_parameters(spec, parameters, seed=seed)
