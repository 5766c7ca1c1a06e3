"""The layers that settings describe."""

from numbers import Integral, Real
from types import MappingProxyType

import numpy as np

from chainrule.errors import InvalidArgumentError
from chainrule.limits import SHARE
from chainrule.network.activation import activation_of
from chainrule.network.layers import BatchNorm, CategoryEmbedding, Dense, Dropout, Layer
from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.settings.given import Settings

# scikit-learn's names: the package's.
_NAMES = MappingProxyType(
    {row.scikit_learn: name for name, row in ACTIVATIONS.items() if row.scikit_learn}
)


def hidden_sizes(given: Settings) -> tuple[int, ...]:
    """Return the units of each hidden layer.

    `n_layers` and `n_units`, where they are set, take the place of the depth and of every width in
    `hidden_layer_sizes`.

    Raises
    ------
    InvalidArgumentError
        If they are not whole numbers of at least 1.
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
        # The last width again: a search over depth alone needs no widths that it cannot know.
        sizes += [sizes[-1] if sizes else 100] * (depth - len(sizes))
    return tuple(int(size) for size in sizes[:depth])


def hidden_activations(given: Settings, n_hidden: int) -> tuple[str, ...]:
    """Return the activation of each hidden layer, by the package's names.

    Raises
    ------
    InvalidArgumentError
        If there is no such activation, or not one for each layer.
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
    """Return the layer that looks codes up, in a list that is empty if no input is a code.

    Raises
    ------
    InvalidArgumentError
        If `embeddings` does not say which columns of X are codes.
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


def hidden_layers(
    given: Settings, sizes: tuple[int, ...], activations: tuple[str, ...]
) -> list[Layer]:
    """Return the layers below the output layer: dense ones, normalised and dropped as asked for.

    Batch normalisation stands between a dense layer and its activation, dropout behind it.

    Raises
    ------
    InvalidArgumentError
        If `dropout` is not a rate, or not one for each hidden layer, or the solver takes no
        training steps, in which alone both have an effect.
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
