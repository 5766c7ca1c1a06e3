"""What the constructor's parameters may be, checked when `fit` is called, and what they mean."""

from collections.abc import Callable, Mapping
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import numpy as np

from chainrule.checks import is_real, shown
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.engines.schedules import Schedule
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.rates import NAMED_SCHEDULES
from chainrule.network.activation import canonical_activation
from chainrule.network.layers import BatchNorm, CategoryEmbedding, Dense, Dropout, Layer
from chainrule.network.layers.dense import check_init
from chainrule.network.spec import DTYPES

# scikit-learn's name for it: the package's.
_ACTIVATIONS = MappingProxyType({"logistic": "sigmoid"})

# The rules that change a number as training goes, and the schedules that go by name.
RULES = ("constant", "invscaling", "adaptive")
SOLVERS = ("lbfgs", *OPTIMIZERS)

# More would take the memory that there is before anything could say so.
_MOST_LAYERS = 10_000

_LARGEST = float(np.finfo(np.float64).max)

_Check = tuple[Callable[[Any], bool], str]


def _number(
    low: float, high: float = np.inf, *, open_low: bool = False, open_high: bool = True
) -> _Check:
    left, right = "(" if open_low else "[", ")" if open_high else "]"

    def fits(value: Any) -> bool:
        if not is_real(value):
            return False
        # Compared as it is: Python's whole numbers may be too large for a float.
        above = value > low if open_low else value >= low
        within = value < high if open_high else value <= high
        return bool(above and within and value <= _LARGEST)

    return fits, f"a number in {left}{low:g}, {high:g}{right}"


def _whole(least: int, *also: object, most: float = np.inf) -> _Check:
    def fits(value: Any) -> bool:
        if any(value is other or (type(value) is type(other) and value == other) for other in also):
            return True
        if not isinstance(value, Integral) or isinstance(value, bool):
            return False
        return least <= int(value) <= most

    names = "".join(f" or {other!r}" for other in also)
    bound = "" if most == np.inf else f" and at most {most}"
    return fits, f"a whole number of at least {least}{bound}{names}"


def _one_of(*names: object) -> _Check:
    def fits(value: Any) -> bool:
        return value is None if value is None and None in names else _is_name(value, names)

    return fits, "one of " + ", ".join(map(repr, names))


def _is_name(value: Any, names: tuple[object, ...]) -> bool:
    return isinstance(value, str) and value in names


_FLAG: _Check = (lambda value: isinstance(value, bool | np.bool_), "True or False")

# Anything with another shape (a list of activations, callbacks, initial weights) is checked by
# whoever takes it apart.
CHECKS: Mapping[str, _Check] = MappingProxyType(
    {
        "solver": _one_of(*SOLVERS),
        "alpha": _number(0),
        "l1": _number(0),
        "batch_size": _whole(1, "auto"),
        "learning_rate": (
            lambda value: (
                _is_name(value, (*RULES, *NAMED_SCHEDULES))
                or isinstance(value, Schedule)
                or (callable(value) and not isinstance(value, type))
            ),
            ", ".join(map(repr, (*RULES, *NAMED_SCHEDULES)))
            + ", a schedule such as CosineDecay(0.01), or a function of the step",
        ),
        "learning_rate_init": _number(0, open_low=True),
        "power_t": _number(0),
        "max_iter": _whole(1),
        "shuffle": _FLAG,
        "tol": _number(0),
        "verbose": (
            lambda value: isinstance(value, bool | np.bool_) or _whole(0)[0](value),
            "True, False or a whole number",
        ),
        "warm_start": _FLAG,
        "momentum": _number(0, 1, open_high=False),
        "nesterovs_momentum": _FLAG,
        "early_stopping": (
            lambda value: isinstance(value, bool | np.bool_ | str) or callable(value),
            'True, False, "loss", the name of a scorer or a function of (estimator, X, y)',
        ),
        "validation_fraction": _number(0, 1),
        "beta_1": _number(0, 1),
        "beta_2": _number(0, 1),
        "epsilon": _number(0, open_low=True),
        "n_iter_no_change": (
            lambda value: _whole(1)[0](value) or (isinstance(value, Real) and value == np.inf),
            "a whole number of at least 1, or infinity",
        ),
        "max_fun": _whole(1),
        "n_layers": _whole(0, None, most=_MOST_LAYERS),
        "n_units": _whole(1, None),
        "batch_norm": _FLAG,
        "standardize": _FLAG,
        "standardize_target": _FLAG,
        "dtype": _one_of(*DTYPES, None),
        "threads": _whole(1, None),
        "focal_gamma": _number(0),
        "huber_delta": _number(0, open_low=True),
        "quantile": _number(0, 1, open_low=True),
        "label_smoothing": _number(0, 1),
        "max_grad_norm": (
            lambda value: value is None or _number(0, open_low=True)[0](value),
            "a number above 0, or None",
        ),
        "weight_decay": _number(0),
        "precision": _one_of("full", "mixed"),
    }
)


def check_parameters(estimator: Any) -> None:
    """Raise unless every parameter of an estimator can be used, naming the one that cannot.

    Raises
    ------
    InvalidArgumentError
        Which is a ValueError, as scikit-learn's own is.
    """
    given = vars(estimator)
    for name, (fits, expected) in CHECKS.items():
        if name in given and not fits(given[name]):
            raise InvalidArgumentError(
                f"The {name!r} parameter of {type(estimator).__name__} must be {expected}; "
                f"got {shown(given[name])}"
            )
    if estimator.init is not None:
        check_init(estimator.init)


def hidden_sizes(estimator: Any) -> tuple[int, ...]:
    """Return the units of each hidden layer.

    `n_layers` and `n_units`, where they are set, take the place of the depth and of every width in
    `hidden_layer_sizes`.

    Raises
    ------
    InvalidArgumentError
        If they are not whole numbers of at least 1.
    """
    given = estimator.hidden_layer_sizes
    try:
        sizes = list(given) if hasattr(given, "__iter__") else [given]
        whole = all(isinstance(size, Integral) and not isinstance(size, bool) for size in sizes)
    except TypeError:
        whole = False
    if not whole or any(size <= 0 for size in sizes):
        raise InvalidArgumentError(
            f"hidden_layer_sizes must be > 0 and whole numbers, such as (100,); got {given!r}"
        )
    depth = len(sizes) if estimator.n_layers is None else int(estimator.n_layers)
    if estimator.n_units is not None:
        return (int(estimator.n_units),) * depth
    if depth > len(sizes):
        # The last width again: a search over depth alone needs no widths that it cannot know.
        sizes += [sizes[-1] if sizes else 100] * (depth - len(sizes))
    return tuple(int(size) for size in sizes[:depth])


def hidden_activations(estimator: Any, n_hidden: int) -> tuple[str, ...]:
    """Return the activation of each hidden layer, by the package's names.

    Raises
    ------
    InvalidArgumentError
        If there is no such activation, or not one for each layer.
    """
    given = estimator.activation
    names = [given] * n_hidden if isinstance(given, str) else given
    if not isinstance(names, list | tuple) or len(names) != n_hidden:
        raise InvalidArgumentError(
            f"activation: expected a name, or a list with one for each of the {n_hidden} hidden "
            f"layers; got {given!r}"
        )
    return tuple(canonical_activation(_ACTIVATIONS.get(name, name)) for name in names)


def embedding_layer(estimator: Any, n_features: int) -> list[CategoryEmbedding]:
    """Return the layer that looks codes up, in a list that is empty if no input is a code.

    Raises
    ------
    InvalidArgumentError
        If `embeddings` does not say which columns of X are codes.
    """
    given = estimator.embeddings
    if given is None or (isinstance(given, list | tuple) and not given):
        return []
    try:
        layer = CategoryEmbedding(given)
        layer.check_inputs(n_features)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"embeddings: {error}") from None
    return [layer]


def hidden_layers(
    estimator: Any, sizes: tuple[int, ...], activations: tuple[str, ...]
) -> list[Layer]:
    """Return the layers below the output layer: dense ones, normalised and dropped as asked for.

    Batch normalisation stands between a dense layer and its activation, dropout behind it.

    Raises
    ------
    InvalidArgumentError
        If `dropout` is not a rate, or not one for each hidden layer, or the solver takes no
        training steps, in which alone both have an effect.
    """
    given = estimator.dropout
    rates = [given] * len(sizes) if isinstance(given, Real) else given
    fits = isinstance(rates, list | tuple | np.ndarray) and len(rates) == len(sizes)
    if not fits or not all(_number(0, 1)[0](rate) for rate in rates):
        raise InvalidArgumentError(
            "dropout: expected a number in [0, 1), or a list with one for each of the "
            f"{len(sizes)} hidden layers; got {given!r}"
        )
    if estimator.solver == "lbfgs" and (estimator.batch_norm or any(rates)):
        name = "batch_norm" if estimator.batch_norm else "dropout"
        raise InvalidArgumentError(
            f"{name}: 'lbfgs' takes no training steps, in which alone it has an effect; "
            "use solver='adam' or another that does"
        )
    layers: list[Layer] = []
    for units, activation, rate in zip(sizes, activations, rates, strict=True):
        if estimator.batch_norm:
            layers += [Dense(units, "identity"), BatchNorm(activation)]
        else:
            layers.append(Dense(units, activation))
        if rate > 0:
            layers.append(Dropout(float(rate)))
    return layers
