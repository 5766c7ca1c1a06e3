"""Construction of a network's layers from settings."""

import math
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral, Real
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.limits import SHARE
from chainrule.network.activation import activation_of
from chainrule.network.layers import (
    BatchNorm,
    CategoryEmbedding,
    Dense,
    Dropout,
    Layer,
    PiecewiseLinearEmbedding,
)
from chainrule.network.layers.piecewise_linear import quantile_edges
from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.settings.defaults import default_bins
from chainrule.settings.given import Settings
from chainrule.tables.indicators import indicators

# Maps scikit-learn's activation names to the package's.
_NAMES = MappingProxyType(
    {row.scikit_learn: name for name, row in ACTIVATIONS.items() if row.scikit_learn}
)


_MOST_BINS = 1024
"""Bins of all columns together: many columns, such as pixels, would make a step slow."""

_BASE_WIDTH = 128
"""The number of inputs of a layer whose weights have the learning rate itself."""


def hidden_sizes(given: Settings) -> tuple[int, ...]:
    """Return the number of units of each hidden layer.

    If set, `n_layers` overrides the depth and `n_units` overrides every width in
    `hidden_layer_sizes`.

    Raises
    ------
    InvalidArgumentError
        If the sizes are not whole numbers of at least 1.
    """
    widths = given["hidden_layer_sizes"]
    try:
        sizes = list(widths) if hasattr(widths, "__iter__") else [widths]
        whole = all(isinstance(size, Integral) and not isinstance(size, bool) for size in sizes)
    except TypeError:
        whole = False
    if not whole or any(size <= 0 for size in sizes):
        raise InvalidArgumentError(
            f"hidden_layer_sizes must be > 0 and whole numbers, such as (100,); got {widths!r}"
        )
    depth = len(sizes) if given["n_layers"] is None else int(given["n_layers"])
    if given["n_units"] is not None:
        return (int(given["n_units"]),) * depth
    if depth > len(sizes):
        # The last width is repeated, so that a search over the depth need not choose widths.
        sizes += [sizes[-1] if sizes else 100] * (depth - len(sizes))
    return tuple(int(size) for size in sizes[:depth])


def hidden_activations(given: Settings, n_hidden: int) -> tuple[str, ...]:
    """Return the package's name of the activation of each hidden layer.

    Raises
    ------
    InvalidArgumentError
        If an activation is unknown, or their number differs from the number of layers.
    """
    activation = given["activation"]
    names = [activation] * n_hidden if isinstance(activation, str) else activation
    if not isinstance(names, list | tuple) or len(names) != n_hidden:
        raise InvalidArgumentError(
            f"activation: expected a name, or a list with one for each of the {n_hidden} hidden "
            f"layers; got {activation!r}"
        )
    return tuple(str(activation_of(_NAMES.get(name, name))) for name in names)


def embedding_layer(given: Settings, n_features: int) -> list[CategoryEmbedding]:
    """Return a list with the embedding layer; an empty list if no column contains codes.

    Raises
    ------
    InvalidArgumentError
        If `embeddings` is not a valid description of the columns of X that contain codes.
    """
    columns = given["embeddings"]
    if columns is None or (isinstance(columns, list | tuple) and not columns):
        return []
    try:
        layer = CategoryEmbedding(columns)
        layer.check_features(n_features)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"embeddings: {error}") from None
    return [layer]


def codes_of(given: Settings, n_features: int) -> tuple[int, ...]:
    """Return the columns of X that are category codes; raises as `embedding_layer` does."""
    return tuple(column for layer in embedding_layer(given, n_features) for column in layer.codes)


def bins_of(
    given: Settings, inputs: NDArray[np.floating], weights: NDArray[np.floating] | None = None
) -> PiecewiseLinearEmbedding | None:
    """Return the piecewise-linear embedding of numeric inputs, or None if there is nothing to bin.

    Codes have no bins, and neither have indicators and other inputs of two values.

    Parameters
    ----------
    given : mapping
        The settings.
    inputs : array (m, n)
        Training examples as the network gets them.
    weights : array (m,), optional
        Weights of the examples; 2 counts as two examples, 0 as none.
    """
    bins = given["numeric_bins"]
    bins = default_bins(len(inputs)) if bins == "auto" else int(bins)
    if bins < 2 or not len(inputs):
        return None
    codes = codes_of(given, inputs.shape[1])
    # Behind the lookup of codes, the other inputs come first, in their order.
    behind = [column for column in range(inputs.shape[1]) if column not in codes]
    is_indicator = indicators(inputs)
    columns = [(unit, column) for unit, column in enumerate(behind) if not is_indicator[column]]
    bins = min(bins, _MOST_BINS // max(1, len(columns)))
    if bins < 2:
        return None
    edges = [
        (unit, quantile_edges(inputs[:, column].astype(np.float64), bins, weights))
        for unit, column in columns
    ]
    found = [(unit, each) for unit, each in edges if len(each) > 2]
    return PiecewiseLinearEmbedding(found) if found else None


def width_scaled(layers: Sequence[Layer], n_features: int) -> list[Layer]:
    """Return layers whose weights' learning rates have the factor √(128/n[l−1])."""
    found, n_in = [], n_features
    for layer in layers:
        if isinstance(layer, Dense):
            layer = replace(layer, learning_rate_factor=math.sqrt(_BASE_WIDTH / n_in))
        found.append(layer)
        n_in = layer.output_units(n_in)
    return found


def hidden_layers(
    given: Settings, sizes: tuple[int, ...], activations: tuple[str, ...]
) -> list[Layer]:
    """Return the hidden layers: dense layers, with batch normalisation and dropout if they are set.

    Batch normalisation comes between a dense layer and its activation, dropout after the
    activation.

    Raises
    ------
    InvalidArgumentError
        If `dropout` is neither a rate nor a list of rates, one for each hidden layer, or if
        dropout or batch normalisation is combined with 'lbfgs': both only affect training steps,
        which 'lbfgs' does not take.
    """
    dropout, batch_norm = given["dropout"], given["batch_norm"]
    rates = [dropout] * len(sizes) if isinstance(dropout, Real) else dropout
    fits = isinstance(rates, list | tuple | np.ndarray) and len(rates) == len(sizes)
    if not fits or not all(SHARE.fits(rate) for rate in rates):
        raise InvalidArgumentError(
            "dropout: expected a number in [0, 1), or a list with one for each of the "
            f"{len(sizes)} hidden layers; got {dropout!r}"
        )
    if given["solver"] == "lbfgs" and (batch_norm or any(rates)):
        name = "batch_norm" if batch_norm else "dropout"
        raise InvalidArgumentError(
            f"{name}: 'lbfgs' takes no training steps, in which alone it has an effect; "
            "use solver='adam' or another that does"
        )
    layers: list[Layer] = []
    for units, activation, rate in zip(sizes, activations, rates, strict=True):
        if batch_norm:
            layers += [Dense(units, "identity"), BatchNorm(activation)]
        else:
            layers.append(Dense(units, activation))
        if rate > 0:
            layers.append(Dropout(float(rate)))
    return layers
