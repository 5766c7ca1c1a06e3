"""Errors for unknown keyword arguments, which name the right argument."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any, TypeVar

from chainrule.errors import UnknownArgumentError
from chainrule.suggestions import OTHER_NAMES, nearest

_Called = TypeVar("_Called", bound=Callable[..., Any])

_OF_FIT = "an argument of fit: net.fit(X, Y, {name}=…)"
_OF_OPTIMIZER = "an argument of the optimizer, such as optimizer=AdamW({name}=…)"
_OF_NETWORK = "an argument of the network: Network(layers, cost, {name}=…)"

HOMES: Mapping[str, str] = MappingProxyType(
    {
        "learning_rate": "an argument of the optimizer, such as optimizer=Adam(learning_rate=1e-3)",
        "beta": "an argument of the optimizer, such as optimizer=Momentum(beta=0.9)",
        "beta_1": _OF_OPTIMIZER,
        "beta_2": _OF_OPTIMIZER,
        "epsilon": _OF_OPTIMIZER,
        "weight_decay": _OF_OPTIMIZER,
        "ema_decay": _OF_OPTIMIZER,
        "momentum": "beta of the optimizer: optimizer=HeavyBall(beta=0.9)",
        "cost": "an argument of the network: Network(layers, cost='cross_entropy')",
        "seed": _OF_NETWORK,
        "dtype": _OF_NETWORK,
        "activation": "an argument of each layer: Dense(24, activation='relu')",
        "dropout": "a separate layer: [30, Dense(24), Dropout(0.2), Dense(2, 'softmax')]",
        "optimizer": _OF_FIT,
        "epochs": _OF_FIT,
        "batch_size": _OF_FIT,
        "early_stopping": _OF_FIT,
        "validation_split": _OF_FIT,
        "validation_data": _OF_FIT,
        "metrics": _OF_FIT,
        "l1": _OF_FIT,
        "l2": _OF_FIT,
        "max_grad_norm": _OF_FIT,
        "class_weight": _OF_FIT,
        "sample_weight": _OF_FIT,
        "callbacks": _OF_FIT,
        "threads": _OF_FIT,
    }
)
"""Where an argument belongs that was passed to the wrong function; "{name}" stands for its name."""


_MOST_LISTED = 12


def hinting(called: _Called) -> _Called:
    """Return a function or class whose error for an unknown argument names the right one.

    The signature is unchanged, for type checkers and `inspect`.


    Raises
    ------
    UnknownArgumentError
        A TypeError, like Python's, if it is called with an unknown argument.
    """
    if isinstance(called, type):
        kind: Any = called
        kind.__init__ = hinting(kind.__init__)
        return called
    function: Any = called
    code = function.__code__
    names = frozenset(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])

    @wraps(function)
    def checked(*args: Any, **given: Any) -> Any:
        if not given.keys() <= names:
            raise _refused(function, args, min(given.keys() - names))
        return function(*args, **given)

    return checked  # type: ignore[return-value]


def _refused(function: Any, args: tuple[Any, ...], name: str) -> UnknownArgumentError:
    owner = type(args[0]) if "." in function.__qualname__ and args else None
    title: str = function.__name__
    if owner is not None:
        title = owner.__name__ if title == "__init__" else f"{owner.__name__}.{title}"
    return UnknownArgumentError(
        f"{title}() got an unexpected keyword argument {name!r}{_hint(name, function, owner)}"
    )


def _hint(name: str, function: Any, owner: type | None) -> str:
    own = [each for each in inspect.signature(function).parameters if each != "self"]
    possible = (name, *OTHER_NAMES.get(name, ()))
    for other in possible:
        if other in own:
            return f"; did you mean {other!r}?"
    for method in ("__init__", "fit"):
        if owner is None or function.__name__ == method or not hasattr(owner, method):
            continue
        theirs = inspect.signature(getattr(owner, method)).parameters
        for other in possible:
            if other in theirs:
                place = owner.__name__ if method == "__init__" else "fit"
                return f": {other} is an argument of {place}: {place}(…, {other}=…)"
    for other in possible:
        if other in HOMES and not (owner is not None and other == name in own):
            return f": {other} is {HOMES[other].format(name=other)}"
    near = nearest(name, own)
    if near is not None:
        return f"; did you mean {near!r}?"
    far = nearest(name, HOMES)
    if far is not None:
        return f": {far} is {HOMES[far].format(name=far)}"
    return f"; its arguments are {', '.join(own)}" if len(own) <= _MOST_LISTED else ""
